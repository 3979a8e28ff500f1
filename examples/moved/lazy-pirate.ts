/**
 * A client that does not wait for ever: it gives up after a time, throws its REQ away, and asks again with a new one. Its
 * server is slow once, and once it dies with the question and starts anew.
 */
import * as zmq from "peerlane"

const PATIENCE = 500 // ms
const TRIES = 4

class Server {
  private socket = new zmq.Reply()
  private dawdles: (() => void) | null = null
  private dies = false
  private running: Promise<void> = Promise.resolve()
  address = "tcp://127.0.0.1:*"

  async start() {
    this.socket = new zmq.Reply({ linger: 0 })
    await this.socket.bind(this.address)
    this.address = this.socket.lastEndpoint!
    this.running = this.run(this.socket)
  }

  async stop() {
    const closed = new Promise<void>(resolve => this.socket.events.on("close", () => resolve()))
    this.socket.close()
    await closed
    await this.running
  }

  /** Is too slow for the next question; resolves when it has come. */
  dawdle(): Promise<void> {
    return new Promise(resolve => {
      this.dawdles = resolve
    })
  }

  /** Dies of the next question. */
  poison() {
    this.dies = true
  }

  private async run(socket: zmq.Reply) {
    for await (const [number] of socket) {
      if (this.dies) {
        this.dies = false
        console.log("  the server dies")
        socket.close()
        break
      }
      if (this.dawdles !== null) {
        console.log("  the server is slow")
        this.dawdles()
        this.dawdles = null
        await new Promise(resolve => setTimeout(resolve, PATIENCE * 1.5))
      }
      await socket.send(String(Number(number) ** 2))
    }
  }
}

async function ask(address: string, question: string, afterTimeout = async () => {}): Promise<string> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const client = new zmq.Request({ receiveTimeout: PATIENCE, linger: 0 })
    client.connect(address)
    await client.send(question)
    try {
      const [answer] = await client.receive()
      client.close()
      return `${answer} (attempt ${attempt})`
    } catch (error) {
      const { code, message } = error as Error & { code: string }
      console.log(`  no answer: ${code}, ${message}`)
      client.close()
      await afterTimeout()
    }
  }
  return "given up"
}

/** A relaxed REQ stays what it is, and asks again: an answer can miss it, and then it would wait for ever. */
async function insist(relaxed: zmq.Request, question: string): Promise<string> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    await relaxed.send(question)
    try {
      return (await relaxed.receive()).toString()
    } catch (error) {
      if ((error as { code?: string }).code !== "EAGAIN") throw error
    }
  }
  return "given up"
}

async function main() {
  const server = new Server()
  await server.start()
  console.log("7 squared:", await ask(server.address, "7"))

  const slow = server.dawdle()
  console.log("8 squared:", await ask(server.address, "8"))
  await slow

  server.poison()
  console.log("9 squared:", await ask(server.address, "9", () => server.start()))

  // A request that has no answer yet: the same socket cannot ask again, unless it is relaxed.
  const busy = server.dawdle()
  const strict = new zmq.Request({ receiveTimeout: 50, sendTimeout: 50, linger: 0 })
  const relaxed = new zmq.Request({ receiveTimeout: 2 * PATIENCE, linger: 0, relaxed: true, correlate: true })
  for (const client of [strict, relaxed]) client.connect(server.address)
  await strict.send("10")
  await busy
  for (const attempt of ["receive", "send"] as const) {
    await (attempt === "send" ? strict.send("10") : strict.receive()).catch(error => console.log(attempt, error.code))
  }
  await relaxed.send("11")
  console.log("12 squared:", await insist(relaxed, "12"))
  strict.close()
  relaxed.close()
  await server.stop()
}

await main()
