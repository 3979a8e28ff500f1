/**
 * Sockets against models small enough to be right by reading them: subscriptions as lists of prefixes, a pipe as two
 * counters. Random steps over inproc, where what one socket does the other sees at once.
 */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { freshEndpoint } from "../support/endpoints.js"
import { zmq } from "../support/engine.js"
import { bound, failsWith, fill, ownSockets, text } from "../support/sockets.js"

/** All that is there. Over inproc it is there at once, so nothing is waited for. */
async function everything(sub: InstanceType<typeof zmq.Subscriber>): Promise<string[]> {
  sub.receiveTimeout = 5_000
  const topics: string[] = []
  while (sub.readable) topics.push((await text(sub))[0]!)
  return topics
}

describe("models", () => {
  const own = ownSockets()

  it("a subscriber gets, once and in order, what begins with one of the topics that it has", async () => {
    const topic = fc.string({ unit: fc.constantFrom("a", "b", "\u0000"), maxLength: 3 })
    const step = fc.oneof(
      fc.record({ kind: fc.constant("subscribe" as const), who: fc.nat(2), topic }),
      fc.record({ kind: fc.constant("unsubscribe" as const), who: fc.nat(2), topic }),
      fc.record({ kind: fc.constant("publish" as const), topic }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async steps => {
        const pub = own(new zmq.XPublisher())
        const address = await bound(pub, freshEndpoint("inproc"))
        const peers = [0, 1, 2].map(() => {
          const sub = own(new zmq.Subscriber())
          sub.connect(address)
          return { sub, topics: [] as string[], expected: [] as string[] }
        })
        for (const step of steps) {
          if (step.kind === "publish") {
            await pub.send([step.topic, "body"])
            for (const { topics, expected } of peers) {
              if (topics.some(topic => step.topic.startsWith(topic))) expected.push(step.topic)
            }
            continue
          }
          const { sub, topics } = peers[step.who]!
          // Read first: a message for a topic that is left meanwhile would be dropped on arrival.
          if (step.kind === "unsubscribe") expect(await everything(sub)).toEqual(peers[step.who]!.expected.splice(0))
          sub[step.kind](step.topic)
          if (step.kind === "subscribe") topics.push(step.topic)
          else if (topics.includes(step.topic)) topics.splice(topics.indexOf(step.topic), 1)
        }
        for (const { sub, expected } of peers) {
          expect(await everything(sub)).toEqual(expected)
          await sub.close()
        }
        pub.linger = 0
        await pub.close()
      }),
      { numRuns: 60 },
    )
  })

  it("a pipe takes the sum of both marks, and gets credit back in portions of half of it", async () => {
    const step = fc.record({ send: fc.nat(12), receive: fc.nat(12) })
    const marks = fc.record({ send: fc.integer({ min: 1, max: 9 }), receive: fc.integer({ min: 1, max: 9 }) })
    await fc.assert(
      fc.asyncProperty(marks, fc.array(step, { minLength: 3, maxLength: 20 }), async (marks, steps) => {
        const pull = own(new zmq.Pull({ receiveHighWaterMark: marks.receive }))
        const push = own(new zmq.Push({ sendHighWaterMark: marks.send }))
        push.connect(await bound(pull, freshEndpoint("inproc")))
        const mark = marks.send + marks.receive
        const portion = Math.floor((mark + 1) / 2)
        let sent = 0
        let received = 0
        let acknowledged = 0
        for (const step of steps) {
          const room = mark - (sent - acknowledged)
          // Looking at the socket makes libzmq work off what the reader acknowledged.
          expect(push.writable).toBe(room > 0)
          expect(await fill(push, index => `${sent + index}`, step.send)).toBe(Math.min(step.send, room))
          sent += Math.min(step.send, room)
          for (let turn = 0; turn < Math.min(step.receive, sent); turn++) {
            if (received === sent) break
            expect(await text(pull)).toEqual([`${received}`])
            received += 1
            if (received % portion === 0) acknowledged = received
          }
        }
        push.linger = 0
        await push.close()
        await pull.close()
      }),
      { numRuns: 60 },
    )
  })

  it("a ROUTER passes every message to the DEALER that it names, and knows who each one came from", async () => {
    const step = fc.record({ who: fc.nat(3), back: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async steps => {
        const router = own(new zmq.Router({ mandatory: true }))
        const address = await bound(router, freshEndpoint("inproc"))
        const peers = ["a", "b", "c", "d"].map(name => {
          const dealer = own(new zmq.Dealer({ routingId: name }))
          dealer.connect(address)
          return { name, dealer, toRouter: [] as string[], toDealer: [] as string[] }
        })
        for (const { name, dealer } of peers) {
          await dealer.send("hello")
          expect(await text(router)).toEqual([name, "hello"])
        }
        for (const [index, { who, back }] of steps.entries()) {
          const { name, dealer, toRouter, toDealer } = peers[who]!
          if (back) {
            await router.send([name, `${index}`])
            toDealer.push(`${index}`)
          } else {
            await dealer.send(`${index}`)
            toRouter.push(`${index}`)
          }
        }
        const heard = Object.fromEntries(peers.map(({ name }) => [name, [] as string[]]))
        while (router.readable) {
          const [name, body] = await text(router)
          heard[name!]!.push(body!)
        }
        for (const { name, dealer, toRouter, toDealer } of peers) {
          expect(heard[name]).toEqual(toRouter)
          const got: string[] = []
          while (dealer.readable) got.push((await text(dealer))[0]!)
          expect(got).toEqual(toDealer)
          await dealer.close()
        }
        await failsWith("EHOSTUNREACH", () => {
          router.sendTimeout = 0
          return router.send(["nobody", "x"])
        })
        router.linger = 0
        await router.close()
      }),
      { numRuns: 40 },
    )
  })
})
