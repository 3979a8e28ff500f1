/**
 * A queue that gives each job to the worker that has rested longest.
 *
 *   clients (REQ) ──> front (ROUTER) | back (ROUTER) <── workers (REQ)
 *
 * A worker asks for work by saying that it is ready; its next request is the answer to the last job, and asks for another.
 * So the queue knows who is free, and lets clients wait where nobody is.
 */
import * as zmq from "peerlane"

class Queue {
  readonly front = new zmq.Router()
  readonly back = new zmq.Router()
  readonly jobsOf = new Map<string, number>()
  private readonly rested: string[] = []
  private readonly waiting: ((worker: string) => void)[] = []

  async start(): Promise<void> {
    await this.front.bind("tcp://127.0.0.1:*")
    await this.back.bind("tcp://127.0.0.1:*")
  }

  async run(): Promise<void> {
    await Promise.all([this.takeJobs(), this.takeAnswers()])
  }

  /** To be called when nobody waits for an answer: then all workers rest. */
  async stop(): Promise<void> {
    for (const worker of this.rested) await this.back.send([worker, null, null, null, "go home"])
    this.front.close()
    this.back.close()
  }

  private async takeJobs() {
    for await (const [client, , ...job] of this.front) {
      const worker = await this.nextWorker()
      await this.back.send([worker, null, client!, null, ...job])
    }
  }

  private async takeAnswers() {
    for await (const [id, , first, , ...answer] of this.back) {
      const worker = id!.toString()
      if (first!.toString() === "ready") {
        this.jobsOf.set(worker, 0)
      } else {
        this.jobsOf.set(worker, this.jobsOf.get(worker)! + 1)
        await this.front.send([first!, null, ...answer])
      }
      const next = this.waiting.shift()
      if (next) next(worker)
      else this.rested.push(worker)
    }
  }

  private async nextWorker(): Promise<string> {
    return this.rested.shift() ?? new Promise(resolve => this.waiting.push(resolve))
  }
}

async function work(name: string, address: string) {
  const socket = new zmq.Request({ routingId: name })
  socket.connect(address)
  await socket.send("ready")
  for (;;) {
    const [client, , job] = await socket.receive()
    const text = job!.toString()
    if (text === "go home") break
    await socket.send([client!, null, name, [...text].reverse().join("")])
  }
  socket.close()
}

async function ask(client: zmq.Request, text: string) {
  await client.send(text)
  const [worker, answer] = await client.receive()
  return { worker: worker!.toString(), answer: answer!.toString() }
}

async function main() {
  const queue = new Queue()
  await queue.start()
  const running = queue.run()

  // The first client is there before any worker is: its job waits.
  const first = new zmq.Request()
  first.connect(queue.front.lastEndpoint!)
  const early = ask(first, "stressed")

  const workers: Promise<void>[] = [work("ann", queue.back.lastEndpoint!)]
  console.log("the early job:", await early)
  for (const name of ["bob", "cyd"]) {
    workers.push(work(name, queue.back.lastEndpoint!))
    while (!queue.jobsOf.has(name)) await new Promise(resolve => setTimeout(resolve, 5))
  }

  const turns: string[] = []
  for (const word of ["live", "drawer", "star", "part", "loop", "stop"]) {
    const { worker, answer } = await ask(first, word)
    turns.push(`${worker}: ${answer}`)
  }
  console.log("in turn:", turns.join(", "))

  const crowd = ["north", "east", "south", "west"].map(async place => {
    const client = new zmq.Request()
    client.connect(queue.front.lastEndpoint!)
    const answers: string[] = []
    for (let n = 1; n <= 5; n++) answers.push((await ask(client, `${place}${n}`)).answer)
    client.close()
    return answers.join(" ")
  })
  for (const answers of await Promise.all(crowd)) console.log("the crowd:", answers)

  const jobs = [...queue.jobsOf.values()].reduce((sum, count) => sum + count, 0)
  console.log(`${queue.jobsOf.size} workers did ${jobs} jobs`)

  await queue.stop()
  await running
  await Promise.all(workers)
  first.close()
  console.log("everybody went home")
}

await main()
