/**
 * A broker of services. Workers announce a service and say again and again that they are alive; clients ask for a service
 * by name, and wait while nobody offers it. A worker may leave with a word, or fall silent: then it is taken off the list,
 * and what it had not answered is given to another.
 *
 *   clients (REQ) ──> broker (ROUTER) <── workers (DEALER)
 */
import { Dealer, Request, Router } from "peerlane"

const BEAT = 40 // ms between two signs of life
/** Signs of life that may be missing. */
const PATIENCE = 8

type Job = { client: Buffer; body: Buffer[] }

class Worker {
  missed = 0
  job: Job | null = null
  constructor(
    readonly id: Buffer,
    readonly service: string,
  ) {}
}

class Broker {
  readonly socket = new Router()
  private readonly workers = new Map<string, Worker>()
  private readonly jobs = new Map<string, Job[]>()
  private readonly idle = new Map<string, Worker[]>()
  private timer: NodeJS.Timeout | undefined
  readonly story: string[] = []

  async start() {
    await this.socket.bind("tcp://127.0.0.1:*")
    this.timer = setInterval(() => this.beat(), BEAT)
  }

  async run() {
    for await (const [sender, empty, role, what, ...rest] of this.socket) {
      if (empty!.length > 0) continue
      if (role!.toString() === "client") this.give(what!.toString(), { client: sender!, body: rest })
      else await this.hear(sender!, what!.toString(), rest)
    }
  }

  stop() {
    clearInterval(this.timer)
    this.socket.close()
  }

  private async hear(id: Buffer, what: string, rest: Buffer[]) {
    const key = id.toString("hex")
    if (what === "ready") {
      const worker = new Worker(id, rest[0]!.toString())
      this.workers.set(key, worker)
      this.story.push(`${id} offers ${worker.service}`)
      this.rest(worker)
      return
    }
    const worker = this.workers.get(key)
    if (worker === undefined) return
    worker.missed = 0
    if (what === "leaving") this.remove(worker, "left")
    if (what === "answer" && worker.job !== null) {
      await this.socket.send([worker.job.client, null, ...rest])
      worker.job = null
      this.rest(worker)
    }
  }

  private give(service: string, job: Job) {
    const worker = this.idle.get(service)?.shift()
    if (worker === undefined) {
      this.jobs.set(service, [...(this.jobs.get(service) ?? []), job])
      return
    }
    worker.job = job
    void this.socket.send([worker.id, null, "job", ...job.body])
  }

  private rest(worker: Worker) {
    this.idle.set(worker.service, [...(this.idle.get(worker.service) ?? []), worker])
    const job = this.jobs.get(worker.service)?.shift()
    if (job !== undefined) this.give(worker.service, job)
  }

  private remove(worker: Worker, why: string) {
    this.story.push(`${worker.id} ${why}`)
    this.workers.delete(worker.id.toString("hex"))
    this.idle.set(
      worker.service,
      (this.idle.get(worker.service) ?? []).filter(other => other !== worker),
    )
    if (worker.job !== null) this.give(worker.service, worker.job)
  }

  private beat() {
    for (const worker of this.workers.values()) {
      if (++worker.missed > PATIENCE) this.remove(worker, "fell silent")
      else void this.socket.send([worker.id, null, "beat"])
    }
  }
}

class Server {
  private readonly socket: Dealer
  private readonly timer: NodeJS.Timeout
  beats = 0

  constructor(
    private readonly name: string,
    service: string,
    address: string,
    private readonly faints: boolean = false,
  ) {
    this.socket = new Dealer({ routingId: name })
    this.socket.connect(address)
    void this.socket.send([null, "worker", "ready", service])
    this.timer = setInterval(() => void this.socket.send([null, "worker", "beat"]), BEAT)
  }

  async run() {
    for await (const [, what, ...body] of this.socket) {
      if (what!.toString() === "beat") this.beats++
      else if (this.faints) break
      else await this.socket.send([null, "worker", "answer", this.name, ...body.map(frame => `${frame}!`)])
    }
    clearInterval(this.timer)
    this.socket.close()
  }

  async leave() {
    clearInterval(this.timer)
    await this.socket.send([null, "worker", "leaving"])
    this.socket.close()
  }
}

async function ask(address: string, service: string, ...body: string[]): Promise<string> {
  const socket = new Request({ receiveTimeout: 10_000 })
  socket.connect(address)
  await socket.send(["client", service, ...body])
  const answer = (await socket.receive()).map(String).join(" ")
  socket.close()
  return answer
}

const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5))
}

async function main() {
  const broker = new Broker()
  await broker.start()
  const running = [broker.run()]
  const address = broker.socket.lastEndpoint!
  const open = (name: string, service: string, faints = false) => {
    const server = new Server(name, service, address, faints)
    running.push(server.run())
    return server
  }

  const early = ask(address, "tea", "oolong", "no sugar")
  const tom = open("tom", "tea")
  console.log("tea:", await early)

  const kim = open("kim", "coffee")
  console.log("coffee:", await ask(address, "coffee", "espresso"))
  console.log("tea:", await ask(address, "tea", "mint"))

  await tom.leave()
  await until(() => broker.story.includes("tom left"))
  const soon = ask(address, "tea", "sencha")
  const ted = open("ted", "tea")
  console.log("tea:", await soon)

  // The only one idle faints with the order; the other one gets it when the broker has noticed.
  await ted.leave()
  await until(() => broker.story.includes("ted left"))
  open("fay", "tea", true)
  await until(() => broker.story.includes("fay offers tea"))
  const spilled = ask(address, "tea", "earl grey")
  await until(() => broker.story.includes("fay fell silent"))
  const tim = open("tim", "tea")
  console.log("tea:", await spilled)

  const orders = ["latte", "mocha", "ristretto"].map(order => ask(address, "coffee", order))
  console.log("coffee:", (await Promise.all(orders)).join(", "))
  await until(() => kim.beats > 0 && tim.beats > 0)

  await kim.leave()
  await tim.leave()
  await until(() => broker.story.includes("kim left") && broker.story.includes("tim left"))
  broker.stop()
  await Promise.all(running)
  console.log(broker.story.slice(0, -2).join(", "))
}

await main()
