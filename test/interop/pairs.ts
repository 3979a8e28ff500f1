/**
 * Which socket types talk to which, and how each pair is made to talk: a table of conversations between a left and a
 * right end. A conversation carries every given message in each direction that the pair has and compares what
 * arrived, frame for frame. It does not know which of the two ends is the engine under test, nor which of them bound.
 */

import { setTimeout as pause } from "node:timers/promises"
import { expect } from "vitest"
import { reportsOf } from "../support/peer.js"
import type { FrameReport } from "../support/peers/messages.mjs"
import type { End, Message, SocketType } from "./ends.js"

export interface Pair {
  left: SocketType
  right: SocketType
  /** Socket options that this conversation needs. */
  leftOptions?: Record<string, unknown>
  rightOptions?: Record<string, unknown>
  talk(left: End, right: End, messages: Message[]): Promise<void>
}

/** All messages at once one way, in order. */
async function stream(from: End, to: End, messages: Message[]): Promise<void> {
  const [, arrived] = await Promise.all([from.send(...messages), to.receive(messages.length)])
  expect(arrived).toEqual(messages.map(reportsOf))
}

/** Each message there and back before the next; `envelope` goes in front of it both ways. */
async function ask(asker: End, echoer: End, messages: Message[], envelope: Message = []): Promise<void> {
  await echoer.echo()
  for (const message of messages) {
    const whole = [...envelope, ...message]
    await asker.send(whole)
    expect(await asker.receive()).toEqual([reportsOf(whole)])
  }
}

/** Whether a message comes within a moment. It is lost; a socket of libzmq lets new peers in only when it is used. */
async function hears(end: End): Promise<boolean> {
  return end.receive(1, 20).then(
    () => true,
    error => {
      expect(error).toMatchObject({ code: "EAGAIN" })
      return false
    },
  )
}

/**
 * Waits until what `publisher` sends reaches `subscriber`: a publisher is not told when a subscription has arrived, so
 * it repeats a message until it is heard, and then a last one marks the end of the repeats.
 */
export async function joined(publisher: End, subscriber: End, topic = ""): Promise<void> {
  do await publisher.send([`${topic}joining`])
  while (!(await hears(subscriber)))
  const last = `${topic}joined`
  await publisher.send([last])
  for (let message: FrameReport[] = []; message[0] !== reportsOf([last])[0]; )
    message = (await subscriber.receive())[0]!
}

/** Waits until an XPUB has received so many messages, such as subscriptions, and returns them. */
export async function told(publisher: End, subscriber: End, count = 1): Promise<FrameReport[][]> {
  let waiting = true
  const news = publisher.receive(count).finally(() => {
    waiting = false
  })
  const letIn = async () => {
    while (waiting) await hears(subscriber)
  }
  const [messages] = await Promise.all([news, letIn()])
  return messages
}

async function publish(publisher: End, subscriber: End, messages: Message[]): Promise<void> {
  await subscriber.subscribe("")
  if (publisher.type === "XPUB") expect(await told(publisher, subscriber)).toEqual([reportsOf(["\x01"])])
  else await joined(publisher, subscriber)
  await stream(publisher, subscriber, messages)
}

/** An XSUB sends other messages than subscriptions, too; only an XPUB shows them. */
async function publishAndAnswer(publisher: End, subscriber: End, messages: Message[]): Promise<void> {
  await publish(publisher, subscriber, messages)
  const upstream = messages.map(message => ["up", ...message])
  await stream(subscriber, publisher, upstream)
}

async function bothWays(left: End, right: End, messages: Message[]): Promise<void> {
  await Promise.all([stream(left, right, messages), stream(right, left, messages)])
}

/** Two ROUTERs reach each other by name, once each has heard of the other. */
async function routerToRouter(left: End, right: End, messages: Message[]): Promise<void> {
  await right.echo()
  for (let known = false; !known; ) {
    known = await left.send(["right", "hello"]).then(
      () => true,
      error => {
        expect(error).toMatchObject({ code: "EHOSTUNREACH" })
        return false
      },
    )
    if (!known) await pause(5)
  }
  expect(await left.receive()).toEqual([reportsOf(["right", "hello"])])
  for (const message of messages) {
    await left.send(["right", ...message])
    expect(await left.receive()).toEqual([reportsOf(["right", ...message])])
  }
}

export const pairs: Pair[] = [
  { left: "PUSH", right: "PULL", talk: stream },
  { left: "PUB", right: "SUB", talk: publish },
  { left: "PUB", right: "XSUB", talk: publish },
  { left: "XPUB", right: "SUB", talk: publish },
  { left: "XPUB", right: "XSUB", talk: publishAndAnswer },
  { left: "REQ", right: "REP", talk: ask },
  { left: "REQ", right: "ROUTER", talk: ask },
  { left: "DEALER", right: "REP", talk: (left, right, messages) => ask(left, right, messages, [""]) },
  { left: "DEALER", right: "ROUTER", talk: ask },
  { left: "DEALER", right: "DEALER", talk: bothWays },
  { left: "PAIR", right: "PAIR", talk: bothWays },
  {
    left: "ROUTER",
    right: "ROUTER",
    leftOptions: { routingId: "left", mandatory: true },
    rightOptions: { routingId: "right", mandatory: true },
    talk: routerToRouter,
  },
]
