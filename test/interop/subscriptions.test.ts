/**
 * Subscriptions between the engine under test and libzmq, both ways: which messages pass the filter, what an XPUB is
 * told, topics that are many, long or not text, and what happens when either side leaves.
 */

import { describe, expect, it } from "vitest"
import { reportsOf, usePeer } from "../support/peer.js"
import { type End, here, type SocketType, there } from "./ends.js"
import { libzmqPeers } from "./meeting.js"
import { joined } from "./pairs.js"

type Topic = string | Buffer

const subscribed = (topic: Topic) => reportsOf([Buffer.concat([Buffer.of(1), Buffer.from(topic)])])
const cancelled = (topic: Topic) => reportsOf([Buffer.concat([Buffer.of(0), Buffer.from(topic)])])

/** Subscribes, then connects, and waits until the XPUB was told of each topic; in which order is libzmq's affair. */
async function follow(publisher: End, subscriber: End, ...topics: Topic[]): Promise<void> {
  await subscriber.subscribe(...topics)
  await subscriber.connect(await publisher.bind("tcp://127.0.0.1:*"))
  const news = await publisher.receive(topics.length)
  expect(new Set(news.flat())).toEqual(new Set(topics.flatMap(subscribed)))
}

async function filters(publisher: End, subscriber: End): Promise<void> {
  await follow(publisher, subscriber, "a", "b.")
  await publisher.send(["a"], ["b"], ["a1", "rest"], [""], ["c", "a"], ["b.2"], ["A"], ["ab"], ["z"], ["a end"])
  const passed = [["a"], ["a1", "rest"], ["b.2"], ["ab"], ["a end"]]
  expect(await subscriber.receive(passed.length)).toEqual(passed.map(reportsOf))
}

/** One copy of a message however many of its topics match; the empty topic matches everything. */
async function overlaps(publisher: End, subscriber: End): Promise<void> {
  await follow(publisher, subscriber, "news", "new", "")
  const messages = [["newspaper"], ["other"], [""], ["new"]]
  await publisher.send(...messages)
  expect(await subscriber.receive(messages.length)).toEqual(messages.map(reportsOf))
}

async function cancels(publisher: End, subscriber: End): Promise<void> {
  await follow(publisher, subscriber, "a", "b")
  await subscriber.unsubscribe("a")
  expect(await publisher.receive()).toEqual([cancelled("a")])
  await publisher.send(["a1"], ["b1"])
  expect(await subscriber.receive()).toEqual([reportsOf(["b1"])])
}

/** A SUB counts its repeats itself: the topic is cancelled when the last of them goes. */
async function countsRepeats(publisher: End, subscriber: End): Promise<void> {
  await follow(publisher, subscriber, "a")
  await subscriber.subscribe("a", "b")
  expect(await publisher.receive()).toEqual([subscribed("b")])
  await subscriber.unsubscribe("a")
  await publisher.send(["a1"])
  expect(await subscriber.receive()).toEqual([reportsOf(["a1"])])
  await subscriber.unsubscribe("a")
  expect(await publisher.receive()).toEqual([cancelled("a")])
}

async function many(publisher: End, subscriber: End): Promise<void> {
  const topics = Array.from({ length: 400 }, (_, index) => `topic ${String(index).padStart(3, "0")}`)
  const [early, late] = [topics.slice(0, 200), topics.slice(200)]
  await subscriber.subscribe(...early)
  await subscriber.connect(await publisher.bind("tcp://127.0.0.1:*"))
  const first = await publisher.receive(early.length)
  expect(new Set(first.flat())).toEqual(new Set(early.flatMap(subscribed)))
  await subscriber.subscribe(...late)
  expect(await publisher.receive(late.length)).toEqual(late.map(subscribed))

  await publisher.send(...topics.map(topic => [`${topic} one`]))
  expect(await subscriber.receive(topics.length)).toEqual(topics.map(topic => reportsOf([`${topic} one`])))
  const odd = topics.filter((_, index) => index % 2 === 1)
  await subscriber.unsubscribe(...odd)
  expect(await publisher.receive(odd.length)).toEqual(odd.map(cancelled))
  await publisher.send(...topics.map(topic => [`${topic} two`]))
  const even = topics.filter((_, index) => index % 2 === 0)
  expect(await subscriber.receive(even.length)).toEqual(even.map(topic => reportsOf([`${topic} two`])))
}

async function oneByOne(publisher: End, subscriber: End, topics: Topic[]): Promise<void> {
  await follow(publisher, subscriber, "ready")
  for (const topic of topics) {
    await subscriber.subscribe(topic)
    expect(await publisher.receive()).toEqual([subscribed(topic)])
    const message = [Buffer.concat([Buffer.from(topic), Buffer.from("!")])]
    await publisher.send(message)
    expect(await subscriber.receive()).toEqual([reportsOf(message)])
    await subscriber.unsubscribe(topic)
    expect(await publisher.receive()).toEqual([cancelled(topic)])
  }
}

/** libzmq 4.3.3 and 4.3.4 send a broken SUBSCRIBE or CANCEL for topics of 246 to 255 bytes. */
function longTopics(senderVersion: string): string[] {
  const lengths = [1, 245, 246, 248, 249, 254, 255, 256, 257, 1000, 65_536]
  const broken = senderVersion === "4.3.3" || senderVersion === "4.3.4"
  return lengths.filter(length => !broken || length < 246 || length > 255).map(length => "t".repeat(length))
}

async function leaves(publisher: End, subscriber: End): Promise<void> {
  await follow(publisher, subscriber, "a", "b")
  await subscriber.close()
  const news = await publisher.receive(2)
  expect(new Set(news.flat())).toEqual(new Set([...cancelled("a"), ...cancelled("b")]))
}

/** Only the first subscriber of a topic is news, and only the loss of the last. */
async function shared(publisher: End, subscribers: [End, End]): Promise<void> {
  const endpoint = await publisher.bind("tcp://127.0.0.1:*")
  for (const [index, subscriber] of subscribers.entries()) {
    await subscriber.subscribe("shared", `own ${index}`)
    await subscriber.connect(endpoint)
    const news = new Set((await publisher.receive(index === 0 ? 2 : 1)).flat())
    expect(news).toEqual(new Set([...(index === 0 ? subscribed("shared") : []), ...subscribed(`own ${index}`)]))
  }
  await subscribers[0].unsubscribe("shared", "own 0")
  expect(await publisher.receive()).toEqual([cancelled("own 0")])
  await subscribers[1].unsubscribe("shared")
  expect(await publisher.receive()).toEqual([cancelled("shared")])
}

/** A subscriber that connects to a second publisher later tells it what it already follows. */
async function secondPublisher(first: End, second: End, subscriber: End): Promise<void> {
  await subscriber.subscribe("a")
  for (const publisher of [first, second]) {
    await subscriber.connect(await publisher.bind("tcp://127.0.0.1:*"))
    await joined(publisher, subscriber, "a")
  }
  await Promise.all([first.send(["a first"], ["b"]), second.send(["b"], ["a second"])])
  const heard = await subscriber.receive(2)
  expect(new Set(heard.flat())).toEqual(new Set(reportsOf(["a first", "a second"])))
}

for (const { kind, missing } of libzmqPeers) {
  describe.skipIf(missing !== null)(`with ${kind}`, () => {
    const peer = usePeer(kind)

    for (const side of ["publisher", "subscriber"] as const) {
      describe(`${side} here`, () => {
        const ours = (type: SocketType) => here(type)
        const theirs = (type: SocketType) => there(peer(), type)
        const publisher = async (type: SocketType = "XPUB") => (side === "publisher" ? ours(type) : theirs(type))
        const subscriber = async (type: SocketType = "SUB") => (side === "publisher" ? theirs(type) : ours(type))

        it("passes what begins with a topic, for SUB", async () => filters(await publisher(), await subscriber()))

        it("passes what begins with a topic, for XSUB", async () => {
          await filters(await publisher(), await subscriber("XSUB"))
        })

        it("sends one copy when topics overlap", async () => overlaps(await publisher(), await subscriber()))

        it("stops at an unsubscribe, for SUB", async () => cancels(await publisher(), await subscriber()))

        it("stops at an unsubscribe, for XSUB", async () => cancels(await publisher(), await subscriber("XSUB")))

        it("cancels a repeated topic with its last unsubscribe", async () => {
          await countsRepeats(await publisher(), await subscriber())
        })

        it("keeps 400 topics apart", async () => many(await publisher(), await subscriber()))

        it("takes topics of 1 to 65,536 bytes, for SUB", async () => {
          const topics = longTopics(side === "publisher" ? peer().version : "")
          await oneByOne(await publisher(), await subscriber(), topics)
        })

        it("takes topics of 1 to 65,536 bytes, for XSUB", async () => {
          await oneByOne(await publisher(), await subscriber("XSUB"), longTopics(""))
        })

        it("takes topics that are not text", async () => {
          const topics = [Buffer.of(0), Buffer.of(1), Buffer.of(0xff, 0, 0xfe), Buffer.of(0, 0)]
          await oneByOne(await publisher(), await subscriber(), topics)
        })

        it("tells the XPUB that a subscriber has left", async () => leaves(await publisher(), await subscriber()))

        it("tells the XPUB of the first and the last subscriber of a topic", async () => {
          await shared(await publisher(), [await subscriber(), await subscriber()])
        })

        it("tells a second publisher what is followed, for SUB", async () => {
          await secondPublisher(await publisher("PUB"), await publisher("PUB"), await subscriber())
        })

        it("tells a second publisher what is followed, for XSUB", async () => {
          await secondPublisher(await publisher("PUB"), await publisher("PUB"), await subscriber("XSUB"))
        })
      })
    }
  })
}
