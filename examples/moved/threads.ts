/**
 * Worker threads that each have sockets of their own: the main thread hands out texts to shift, and collects them in order.
 *
 *   main (PUSH, PULL, PUB) <──> threads (PULL, PUSH, SUB)
 */
import { isMainThread, Worker, workerData } from "node:worker_threads"
import * as zmq from "peerlane"

interface Addresses {
  input: string
  output: string
  signal: string
}

/** Each letter becomes the next one. */
function shift(text: string): string {
  return text.replace(/[a-z]/g, letter => String.fromCharCode(((letter.charCodeAt(0) - 96) % 26) + 97))
}

class Shifter {
  private readonly input = new zmq.Pull({ receiveHighWaterMark: 1 })
  private readonly output = new zmq.Push()
  private readonly signal = new zmq.Subscriber()

  constructor(addresses: Addresses) {
    this.input.connect(addresses.input)
    this.output.connect(addresses.output)
    this.signal.connect(addresses.signal)
    this.signal.subscribe("stop")
  }

  async run() {
    void this.untilStopped()
    for await (const [position, text] of this.input) await this.output.send([position!, shift(text!.toString())])
    this.output.close()
  }

  private async untilStopped() {
    await this.signal.receive()
    this.input.close()
    this.signal.close()
  }
}

async function main() {
  const input = new zmq.Push()
  const output = new zmq.Pull()
  const signal = new zmq.XPublisher({ verbosity: "allSubs" })
  for (const socket of [input, output, signal]) await socket.bind("tcp://127.0.0.1:*")
  const addresses: Addresses = {
    input: input.lastEndpoint!,
    output: output.lastEndpoint!,
    signal: signal.lastEndpoint!,
  }

  const threads = [1, 2].map(() => new Worker(new URL(import.meta.url), { workerData: addresses }))
  const exits = threads.map(thread => new Promise<number>(resolve => thread.on("exit", resolve)))
  for (const _ of threads) await signal.receive() // their subscriptions

  const texts = ["hal", "sgd lzhm sgqdzc", "gzmcr sgdl nts", "zmc bnkkdbsr sgdl zkk"]
  for (const [position, text] of texts.entries()) await input.send([String(position), text])
  const results: string[] = []
  for (const _ of texts) {
    const [position, text] = await output.receive()
    results[Number(position)] = text!.toString()
  }
  console.log(results.join(", "))

  await signal.send("stop")
  console.log("the threads ended with", (await Promise.all(exits)).join(" and "))
  for (const socket of [input, output, signal]) socket.close()
}

if (isMainThread) await main()
else await new Shifter(workerData as Addresses).run()
