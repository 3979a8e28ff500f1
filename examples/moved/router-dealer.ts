/**
 * One ROUTER that many DEALERs ask, several things at once. Answers come when they are there, in another order, and each
 * finds its way by the routing id that the ROUTER puts in front; which question it answers, the two sides say themselves.
 */
import * as zmq from "peerlane"

type Pending = Map<string, (answer: string) => void>

class Client {
  private readonly socket: zmq.Dealer
  private readonly pending: Pending = new Map()
  readonly order: string[] = []
  private number = 0

  constructor(address: string, options: zmq.SocketOptions<zmq.Dealer> = {}) {
    this.socket = new zmq.Dealer(options)
    this.socket.connect(address)
    void this.listen()
  }

  async ask(question: string): Promise<string> {
    const key = String(++this.number)
    const answer = new Promise<string>(resolve => this.pending.set(key, resolve))
    await this.socket.send([key, question])
    return answer
  }

  close() {
    this.socket.close()
  }

  private async listen() {
    for await (const [key, answer] of this.socket) {
      this.order.push(key!.toString())
      this.pending.get(key!.toString())?.(answer!.toString())
    }
  }
}

/** Takes so many questions before it answers any, the newest first. */
async function serve(router: zmq.Router, count: number) {
  const asked: Buffer[][] = []
  for await (const message of router) {
    if (asked.push(message) === count) break
  }
  for (const [id, key, question] of asked.reverse()) {
    const name = id![0] === 0 ? `a stranger of ${id!.length} bytes` : id!.toString()
    await router.send([id!, key!, `${question!.toString().toUpperCase()} for ${name}`])
  }
}

async function main() {
  const router = new zmq.Router()
  await router.bind("tcp://127.0.0.1:*")
  const address = router.lastEndpoint!

  const names = ["ann", "bob", "cyd", "dan", "eve", "fay"]
  const clients = names.map(routingId => new Client(address, { routingId }))
  const stranger = new Client(address)

  const serving = serve(router, names.length * 3 + 1)
  const answers = await Promise.all([
    ...clients.map(client => Promise.all(["soup", "salad", "pie"].map(dish => client.ask(dish)))),
    Promise.all([stranger.ask("water")]),
  ])
  await serving
  for (const answer of answers) console.log(answer.join(", "))
  console.log("each heard them in this order:", new Set(clients.map(client => client.order.join(" "))))

  // Nobody of that name: dropped, unless the router is to say so.
  await router.send(["gus", "1", "nobody is there"])
  router.mandatory = true
  try {
    await router.send(["gus", "1", "nobody is there"])
  } catch (error) {
    console.log("to gus:", (error as { code?: string }).code)
  }
  for (const name of names) await router.send([name, "0", "bye"])

  for (const client of [...clients, stranger]) client.close()
  router.close()
}

await main()
