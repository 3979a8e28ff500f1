/**
 * The two processes of a drill beside the attacker, by the first argument: `router` (echoes) or `publisher` (publishes without a
 * break) is the socket under attack; `healthy` is the peer that exchanges messages with it all the while. The second one is the
 * {@link Task}. Each answers every message of its parent with its {@link Figures}.
 */
import { setTimeout as passed } from "node:timers/promises"
import { Dealer, Publisher, Router, Subscriber } from "../../patterns/index.js"

export interface Task {
  readonly options: Record<string, unknown>
  /** For the healthy peer: where the other one is bound, and as what. */
  readonly endpoint?: string
  readonly to?: "router" | "publisher"
  /** Who says this user name waits for ever to be let in. */
  readonly patient?: string
  /** Messages that the publisher sends at a time, every 10 ms; absent: as many as it can. */
  readonly burst?: number
}

export interface Figures {
  readonly endpoint: string | null
  /** Messages that this process received. */
  readonly count: number
  /** Milliseconds, by the clock of this process. */
  readonly at: number
  /** Bytes, behind a collection of garbage. */
  readonly memory: number
  readonly peers: number
  readonly refused: Readonly<Record<string, number>>
}

const IN_FLIGHT = 100
const role = process.argv[2]
const task = JSON.parse(process.argv[3] ?? "{}") as Task
let count = 0

async function answer(socket: Router | Publisher | Dealer | Subscriber): Promise<void> {
  process.on("message", () => {
    globalThis.gc?.()
    const { rss } = process.memoryUsage()
    const { peers, refused } = socket.stats() as unknown as { peers: number; refused: Record<string, number> }
    const endpoint = "lastEndpoint" in socket ? socket.lastEndpoint : null
    process.send?.({ endpoint, count, at: performance.now(), memory: rss, peers, refused } satisfies Figures)
  })
  process.on("disconnect", () => process.exit())
  process.send?.("ready")
}

if (role === "router") {
  const router = new Router({ linger: 0, ...task.options })
  if (task.patient !== undefined) {
    router.authenticate = ({ username }) => username !== task.patient || new Promise<boolean>(() => {})
  }
  await router.bind("tcp://127.0.0.1:*")
  await answer(router)
  for await (const message of router) {
    count++
    await router.send(message)
  }
} else if (role === "publisher") {
  const publisher = new Publisher({ linger: 0, ...task.options })
  await publisher.bind("tcp://127.0.0.1:*")
  await answer(publisher)
  const message = Buffer.from("healthy message!")
  for (;;) {
    for (let sent = 0; sent < (task.burst ?? 1); sent++) await publisher.send(message)
    if (task.burst !== undefined) await passed(10)
  }
} else if (task.to === "publisher") {
  const subscriber = new Subscriber({ linger: 0, ...task.options })
  subscriber.subscribe("healthy")
  subscriber.connect(task.endpoint!)
  await answer(subscriber)
  for await (const _message of subscriber) count++
} else {
  const dealer = new Dealer({ linger: 0, ...task.options })
  dealer.connect(task.endpoint!)
  await answer(dealer)
  for (let sent = 0; sent < IN_FLIGHT; sent++) await dealer.send("0123456789abcdef")
  for await (const message of dealer) {
    count++
    await dealer.send(message)
  }
}
