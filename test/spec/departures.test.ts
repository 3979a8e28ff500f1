/** A peer that leaves with very many topics (product promise: a peer's fault stops nobody else). */
import { setImmediate as nextTurn } from "node:timers/promises"
import { describe, expect, it } from "vitest"
import { Subscriber, XPublisher, XSubscriber } from "../../patterns/index.js"
import { freshEndpoint, wired } from "../support/endpoints.js"
import { bound, ownSockets } from "../support/sockets.js"

const MANY = 5_000

describe.each(wired)("an XPUB whose peer leaves with many topics, over %s", transport => {
  const own = ownSockets()

  /** An XPUB that was told of all topics of one peer, and of one topic of another. */
  async function joined(options: ConstructorParameters<typeof XPublisher>[0] = {}) {
    const publisher = own(new XPublisher(options))
    const endpoint = await bound(publisher, freshEndpoint(transport))
    const leaver = own(new XSubscriber())
    leaver.connect(endpoint)
    for (let topic = 0; topic < MANY; topic++) await leaver.send(`\x01topic ${topic}`)
    for (let told = 0; told < MANY; told++) await publisher.receive()
    const other = own(new Subscriber())
    other.connect(endpoint)
    other.subscribe("topic 7")
    return { publisher, leaver, other }
  }

  it("tells of each topic that nobody else has, once, and not of all of them in one turn", async () => {
    const { publisher, leaver, other } = await joined()
    await publisher.waitForSubscribers("topic 7", 2)
    await leaver.close({ linger: 0 })
    const told = new Set<string>()
    let left = 0
    while (told.size < MANY - 1) {
      const text = String((await publisher.receive())[0])
      expect(text[0]).toBe("\x00")
      expect(told.has(text)).toBe(false)
      if (told.size === 0) left = publisher.topicsCount
      told.add(text)
    }
    expect(left).toBeGreaterThan(1)
    expect(told.has("\x00topic 7")).toBe(false)
    expect(publisher.topicsCount).toBe(1)
    await publisher.send("topic 7 goes on")
    expect(String((await other.receive())[0])).toBe("topic 7 goes on")
  })

  it("sends that peer nothing more, and counts nothing as dropped", async () => {
    const { publisher, leaver, other } = await joined({ receiveHighWaterMark: 10 })
    await publisher.waitForSubscribers("topic 7", 2)
    await leaver.close({ linger: 0 })
    // With the mark, what is told waits for somebody to receive it, and most topics are still there.
    while (publisher.peers().length > 1) await nextTurn()
    expect(publisher.topicsCount).toBeGreaterThan(1)
    for (let topic = 1000; topic < 5000; topic += 100) await publisher.send(`topic ${topic}`)
    await publisher.send("topic 7")
    expect(String((await other.receive())[0])).toBe("topic 7")
    expect(publisher.stats().dropped.total).toBe(0)
    for (let told = 0; told < MANY - 1; told++) await publisher.receive()
    expect(publisher.topicsCount).toBe(1)
  })

  it("tells of all of them in manual mode, where a new peer may have the same meanwhile", async () => {
    const { publisher, leaver, other } = await joined({ manual: true, receiveHighWaterMark: 10 })
    expect(String((await publisher.receive())[0])).toBe("\x01topic 7")
    await leaver.close({ linger: 0 })
    other.subscribe("topic 4999")
    const told = new Set<string>()
    while (told.size < MANY + 1) told.add(String((await publisher.receive())[0]))
    expect(told.has("\x01topic 4999")).toBe(true)
    expect([...told].filter(text => text[0] === "\x00")).toHaveLength(MANY)
  })

  it("is done with that as soon as it is closed", async () => {
    const { publisher, leaver } = await joined({ receiveHighWaterMark: 0 })
    const closed = new Promise<number>(resolve => {
      publisher.events.on("disconnect", () => {
        void publisher.close()
        resolve(publisher.topicsCount)
      })
    })
    await leaver.close({ linger: 0 })
    const left = await closed
    expect(left).toBeGreaterThan(1)
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    expect(publisher.topicsCount).toBe(left)
  })
})
