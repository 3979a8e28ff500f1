/**
 * A forwarder that remembers: publishers and subscribers both connect to it, and who subscribes late is told at once what
 * was last said of the topic.
 *
 *   publishers (PUB) ──> XSUB | XPUB ──> subscribers (SUB)
 */
import { Publisher, Subscriber, XPublisher, XSubscriber } from "peerlane"

const SUBSCRIBE = 1

class Cache {
  readonly inbound = new XSubscriber()
  readonly outbound = new XPublisher({ verbosity: "allSubs" })
  private readonly last = new Map<string, Buffer[]>()
  readonly seen: string[] = []

  async run() {
    await Promise.all([this.forward(), this.answer()])
  }

  close() {
    this.inbound.close()
    this.outbound.close()
  }

  private async forward() {
    for await (const message of this.inbound) {
      this.last.set(message[0]!.toString(), message)
      await this.outbound.send(message)
    }
  }

  /** Subscriptions come as messages, each of them, as others of the same topic get the cached one, too. */
  private async answer() {
    for await (const [notice] of this.outbound) {
      const topic = notice!.subarray(1).toString()
      this.seen.push(`${notice![0] === SUBSCRIBE ? "+" : "-"}${topic}`)
      await this.inbound.send(notice!)
      const message = this.last.get(topic)
      if (notice![0] === SUBSCRIBE && message !== undefined) await this.outbound.send(message)
    }
  }
}

async function main() {
  const cache = new Cache()
  await cache.inbound.bind("tcp://127.0.0.1:*")
  await cache.outbound.bind("tcp://127.0.0.1:*")
  const running = cache.run()

  const listen = (...topics: string[]) => {
    const subscriber = new Subscriber({ receiveTimeout: 10_000 })
    subscriber.connect(cache.outbound.lastEndpoint!)
    for (const topic of topics) subscriber.subscribe(topic)
    return subscriber
  }
  const next = async (subscriber: Subscriber) => (await subscriber.receive()).map(String).join(" = ")

  const publisher = new Publisher()
  publisher.connect(cache.inbound.lastEndpoint!)

  // The publisher has heard of the subscription when something comes through.
  const early = listen("price.tea", "price.salt")
  const repeat = setInterval(() => void publisher.send(["price.salt", "1"]), 10)
  console.log("early:", await next(early))
  clearInterval(repeat)
  await publisher.send(["price.salt", "2"])
  let heard = ""
  while (heard !== "price.salt = 2") heard = await next(early)

  await publisher.send(["price.tea", "30"])
  await publisher.send(["price.gold", "nobody asked for this"])
  await publisher.send(["price.tea", "31"])
  console.log("early:", await next(early))
  console.log("early:", await next(early))

  const late = listen("price.tea")
  console.log("late: ", await next(late))
  const both = listen("price.salt", "price.tea")
  console.log("both: ", [await next(both), await next(both)].sort().join(", "))

  // A topic that nobody had: the cache knows nothing of it before its publisher speaks.
  const gold = listen("price.gold")
  const again = setInterval(() => void publisher.send(["price.gold", "9000"]), 10)
  console.log("gold: ", await next(gold))
  clearInterval(again)

  for (const subscriber of [early, late, both, gold]) subscriber.close()
  while (cache.seen.filter(notice => notice.startsWith("-")).length < 3) await new Promise(r => setTimeout(r, 5))
  console.log("asked for:", cache.seen.filter(notice => notice.startsWith("+")).join(" "))
  console.log(
    "left:     ",
    cache.seen
      .filter(notice => notice.startsWith("-"))
      .sort()
      .join(" "),
  )

  publisher.close()
  cache.close()
  await running
}

await main()
