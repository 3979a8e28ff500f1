/**
 * High-water marks, immediate and timeouts: cases 57 to 61 and 71 to 87 of the list of portable cases. Over inproc a pipe takes exactly the
 * sum of both marks; over tcp and ipc kernel buffers come on top, so exact counts are asked only where libzmq's tests do.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, reservedEndpoint, transports, wired } from "../support/endpoints.js"
import { zmq } from "../support/engine.js"
import { eventually, pause } from "../support/eventually.js"
import {
  bound,
  drained,
  failsWith,
  fill,
  handshakes,
  nothingArrives,
  ownSockets,
  text,
  texts,
} from "../support/sockets.js"

const most = 10_000

describe("high-water marks over inproc", () => {
  const own = ownSockets()

  async function pipe(marks: { send?: number; receive?: number }, order: "bind first" | "connect first") {
    const address = freshEndpoint("inproc")
    const pull = own(new zmq.Pull(marks.receive === undefined ? {} : { receiveHighWaterMark: marks.receive }))
    const push = own(new zmq.Push(marks.send === undefined ? {} : { sendHighWaterMark: marks.send }))
    if (order === "connect first") push.connect(address)
    await pull.bind(address)
    if (order === "bind first") push.connect(address)
    return { push, pull }
  }

  async function countMessages(marks: { send?: number; receive?: number }, order: "bind first" | "connect first") {
    const { push, pull } = await pipe(marks, order)
    const sent = await fill(push, index => `${index}`, most)
    const received = (await drained(pull, 50)).flat()
    expect(received).toEqual(Array.from({ length: sent }, (_, index) => `${index}`))
    await push.send("one more")
    expect(await text(pull)).toEqual(["one more"])
    return sent
  }

  it.each([
    [{}, 2_000],
    [{ send: 0, receive: 0 }, most],
    [{ send: 1, receive: 0 }, most],
    [{ send: 0, receive: 1 }, most],
    [{ send: 1, receive: 1 }, 2],
    [{ send: 5, receive: 8 }, 13],
  ])("%o takes %i messages (71 to 79)", async (marks, expected) => {
    expect(await countMessages(marks, "bind first")).toBe(expected)
    expect(await countMessages(marks, "connect first")).toBe(expected)
  })

  it("what was sent and closed before the other side bound is received then: 1 message at mark 1 (80)", async () => {
    const address = freshEndpoint("inproc")
    const push = new zmq.Push({ sendHighWaterMark: 1 })
    push.connect(address)
    expect(await fill(push, index => `${index}`, most)).toBe(1)
    const closing = push.close()
    const pull = own(new zmq.Pull({ receiveHighWaterMark: 0 }))
    await pull.bind(address)
    expect(await text(pull)).toEqual(["0"])
    await nothingArrives(pull, 50)
    await closing
  })

  it("marks may be set before connecting: 2 + 2 is 4 (81)", async () => {
    const pull = own(new zmq.Pull({ receiveHighWaterMark: 1 }))
    const push = own(new zmq.Push({ sendHighWaterMark: 1 }))
    push.sendHighWaterMark = 2
    pull.receiveHighWaterMark = 2
    push.connect(await bound(pull, freshEndpoint("inproc")))
    expect(await fill(push, () => "", most)).toBe(4)
  })

  it("marks may be raised on a live pipe: 1 + 1, then 5 + 1 is 6 (82)", async () => {
    const pull = own(new zmq.Pull({ receiveHighWaterMark: 1 }))
    const push = own(new zmq.Push({ sendHighWaterMark: 1 }))
    push.connect(await bound(pull, freshEndpoint("inproc")))
    push.sendHighWaterMark = 5
    expect(await fill(push, () => "", most)).toBe(6)
  })

  it("a mark lowered while the pipe is full holds after it has been drained (83)", async () => {
    const pull = own(new zmq.Pull({ receiveHighWaterMark: 1 }))
    const push = own(new zmq.Push({ sendHighWaterMark: 1 }))
    push.connect(await bound(pull, freshEndpoint("inproc")))
    push.sendHighWaterMark = 100
    expect(await fill(push, index => `${index}`, most)).toBe(101)
    push.sendHighWaterMark = 70
    const received = (await drained(pull, 50)).flat()
    expect(received).toEqual(Array.from({ length: 101 }, (_, index) => `${index}`))
    await push.send("again")
    const refilled = 1 + (await fill(push, () => "", most))
    expect(refilled).toBeGreaterThan(1)
    expect(refilled).toBeLessThanOrEqual(71)
  })

  it("a full pipe takes messages again once half of it, rounded up, has been read", async () => {
    const { push, pull } = await pipe({ send: 100, receive: 100 }, "bind first")
    expect(await fill(push, () => "", most)).toBe(200)
    await texts(pull, 99)
    await pause(20)
    expect(push.writable).toBe(false)
    await texts(pull, 1)
    await eventually(() => push.writable)
    expect(await fill(push, () => "", most)).toBe(100)
  })

  it("counts messages, not frames", async () => {
    const { push } = await pipe({ send: 2, receive: 2 }, "bind first")
    expect(await fill(push, () => ["a", "b", "c", "d", "e", "f"], most)).toBe(4)
  })
})

describe.each(transports)("high-water marks over %s", transport => {
  const own = ownSockets()

  it.each([1000, 100])("XPUB at %i: as many are taken and received (57, 58)", async mark => {
    const pub = own(new zmq.XPublisher())
    const sub = own(new zmq.Subscriber())
    sub.connect(await bound(pub, freshEndpoint(transport)))
    pub.sendHighWaterMark = mark
    sub.subscribe("")
    expect(await text(pub)).toEqual(["\u0001"])
    expect(await fill(pub, () => "test message", mark)).toBe(mark)
    expect(await drained(sub)).toHaveLength(mark)
  })

  it("XPUB with noDrop: waits where it would have dropped, and everything arrives (59)", async () => {
    const pub = own(new zmq.XPublisher())
    const sub = own(new zmq.Subscriber())
    sub.connect(await bound(pub, freshEndpoint(transport)))
    pub.sendHighWaterMark = 200
    pub.noDrop = true
    sub.subscribe("")
    expect(await text(pub)).toEqual(["\u0001"])
    const padding = Buffer.alloc(transport === "inproc" ? 1 : 8 * 1024)
    const count = 6_000
    let sent = 0
    let blocked = 0
    let received = 0
    while (sent < count) {
      sent += await fill(pub, () => padding, count - sent)
      if (sent === count) break
      blocked += 1
      received += (await drained(sub, 5)).length
    }
    expect(blocked).toBeGreaterThan(0)
    received += (await drained(sub)).length
    expect(received).toBe(count)
  })

  it("the queue is free again for what has been received: 9999, then 1100 more at 11024 (60)", async () => {
    const pub = own(new zmq.XPublisher({ sendHighWaterMark: 11_024 }))
    const sub = own(new zmq.Subscriber({ receiveHighWaterMark: 11_024 }))
    sub.connect(await bound(pub, freshEndpoint(transport)))
    sub.subscribe("")
    expect(await text(pub)).toEqual(["\u0001"])
    for (const count of [9_999, 1_100]) {
      expect(await fill(pub, () => "", count)).toBe(count)
      expect(await texts(sub, count)).toHaveLength(count)
    }
    await nothingArrives(sub, 50)
  })

  it("conflate: a PULL that reads late finds the newest message only (61)", async () => {
    const pull = own(new zmq.Pull({ conflate: true }))
    const push = own(new zmq.Push())
    push.connect(await bound(pull, freshEndpoint(transport)))
    for (let index = 0; index < 20; index++) await push.send(`${index}`)
    const newest = await eventually(async () => {
      const [value] = await text(pull)
      return value === "19" && value
    })
    expect(newest).toBe("19")
    await nothingArrives(pull, 50)
  })

  it("a timeout of 0 does not wait, one of 250 ms does, and neither counts when there is a peer (87)", async () => {
    const left = own(new zmq.Pair({ receiveTimeout: 0 }))
    const address = await bound(left, freshEndpoint(transport))
    await failsWith("EAGAIN", () => left.receive())
    left.receiveTimeout = 250
    const before = performance.now()
    await failsWith("EAGAIN", () => left.receive())
    expect(performance.now() - before).toBeGreaterThan(200)
    const right = own(new zmq.Pair())
    right.connect(address)
    await eventually(() => left.writable)
    left.sendTimeout = 250
    left.receiveTimeout = 5_000
    await left.send("Hello")
    expect(await text(right)).toEqual(["Hello"])
    await right.send("World")
    expect(await text(left)).toEqual(["World"])
  })
})

describe.each(wired)("immediate over %s", transport => {
  const own = ownSockets()

  it("off: a queue for a peer that is not there takes its share of the messages (84)", async () => {
    const pull = own(new zmq.Pull())
    const push = own(new zmq.Push())
    push.connect(await bound(pull, freshEndpoint(transport)))
    push.connect(await reservedEndpoint(transport))
    for (let index = 0; index < 10; index++) await push.send(`${index}`)
    expect(await texts(pull, 5)).toHaveLength(5)
    await nothingArrives(pull)
  })

  it("on: every message goes to the peer that is there (85)", async () => {
    const pull = own(new zmq.Pull())
    const push = own(new zmq.Push({ immediate: true }))
    push.connect(await reservedEndpoint(transport))
    push.connect(await bound(pull, freshEndpoint(transport)))
    for (let index = 0; index < 10; index++) await push.send(`${index}`)
    expect((await texts(pull, 10)).flat()).toEqual(Array.from({ length: 10 }, (_, index) => `${index}`))
  })

  it("on: without a peer a send fails, and flows again when the peer is back (86)", async () => {
    const address = await reservedEndpoint(transport)
    const front = own(new zmq.Dealer({ immediate: true, reconnectInterval: 20 }))
    front.connect(address)
    front.sendTimeout = 0
    await failsWith("EAGAIN", () => front.send("nobody yet"))
    for (const turn of ["first", "second"]) {
      const met = handshakes(front)
      const back = own(new zmq.Dealer())
      await eventually(() => back.bind(address).then(() => true))
      await met(1)
      await eventually(() => front.send(turn).then(() => true))
      expect(await text(back)).toEqual([turn])
      await back.send(`re ${turn}`)
      expect(await text(front)).toEqual([`re ${turn}`])
      back.linger = 0
      await back.close()
      await eventually(() => !front.writable)
      await failsWith("EAGAIN", () => front.send("nobody"))
    }
  })
})
