/**
 * 37/ZMTP byte for byte, as libzmq's tests with a peer made by hand ask for it: what subscriptions look like to peers of
 * 3.1 and of 3.0, what a PING is answered with, and when a silent peer is left.
 */
import { describe, expect, it } from "vitest"
import { zmq } from "../support/engine.js"
import { EventLog } from "../support/events.js"
import { command, frame, greeting, MORE, RawPeer, ready } from "../support/raw-zmtp.js"
import { bound, ownSockets, text, whileNudging } from "../support/sockets.js"
import { on } from "../support/subscriptions.js"

const TCP = "tcp://127.0.0.1:*"
const hex = (bytes: Buffer) => bytes.toString("hex")
const ascii = (characters: string) => Buffer.from(characters).toString("hex")

describe("a peer made by hand at an XPUB", () => {
  const own = ownSockets()

  it.each([
    ["3.1, by the command SUBSCRIBE", 1, `040b09${ascii("SUBSCRIBE")}41`],
    ["3.0, by a message that begins with 1", 0, "00020141"],
    ["3.0, by the command, which it need not know", 0, `040b09${ascii("SUBSCRIBE")}41`],
    ["3.1, by the message of older peers", 1, "00020141"],
  ])("is heard when it subscribes: of ZMTP %s", async (_, minor, subscription) => {
    const pub = own(new zmq.XPublisher())
    const raw = await RawPeer.connect(await bound(pub, TCP))
    raw.send(greeting({ minor }))
    await raw.read(64)
    raw.send(Buffer.from(`041905${ascii("READY")}0b${ascii("Socket-Type")}00000003${ascii("SUB")}`, "hex"))
    expect(hex(await raw.read(28))).toBe(`041a05${ascii("READY")}0b${ascii("Socket-Type")}00000004${ascii("XPUB")}`)
    raw.send(Buffer.from(subscription, "hex"))
    expect(await text(pub)).toEqual([on("A")])
    await pub.send("ALOL")
    expect(hex(await raw.read(6))).toBe(`0004${ascii("ALOL")}`)
  })
})

describe("a peer made by hand that a SUB subscribes to", () => {
  const own = ownSockets()

  it.each([
    ["3.1 is told so by commands", 1, `040b09${ascii("SUBSCRIBE")}41`, `040806${ascii("CANCEL")}41`],
    ["3.0 is told so by messages", 0, "00020141", "00020041"],
  ])("of ZMTP %s", async (_, minor, subscribed, cancelled) => {
    const sub = own(new zmq.Subscriber())
    const raw = await RawPeer.connect(await bound(sub, TCP))
    raw.send(greeting({ minor }))
    await raw.read(64)
    raw.send(ready("XPUB"))
    expect(hex(await raw.read(27))).toBe(`041905${ascii("READY")}0b${ascii("Socket-Type")}00000003${ascii("SUB")}`)
    sub.subscribe("A")
    expect(hex(await whileNudging([sub], raw.read(subscribed.length / 2)))).toBe(subscribed)
    raw.send(Buffer.from(`0004${ascii("ALOL")}`, "hex"))
    expect(await text(sub)).toEqual(["ALOL"])
    sub.unsubscribe("A")
    expect(hex(await whileNudging([sub], raw.read(cancelled.length / 2)))).toBe(cancelled)
  })
})

describe("the READY of each type, as libzmq says it", () => {
  const own = ownSockets()

  it.each([
    [
      "Dealer",
      "ROUTER",
      `042905${ascii("READY")}0b${ascii("Socket-Type")}00000006${ascii("DEALER")}08${ascii("Identity")}00000000`,
    ],
    [
      "Router",
      "DEALER",
      `042905${ascii("READY")}0b${ascii("Socket-Type")}00000006${ascii("ROUTER")}08${ascii("Identity")}00000000`,
    ],
    [
      "Request",
      "REP",
      `042605${ascii("READY")}0b${ascii("Socket-Type")}00000003${ascii("REQ")}08${ascii("Identity")}00000000`,
    ],
    ["Pull", "PUSH", `041a05${ascii("READY")}0b${ascii("Socket-Type")}00000004${ascii("PULL")}`],
    ["Pair", "PAIR", `041a05${ascii("READY")}0b${ascii("Socket-Type")}00000004${ascii("PAIR")}`],
  ] as const)("%s to a %s", async (name, peer, expected) => {
    const socket = own(new zmq[name]())
    const raw = await RawPeer.connect(await bound(socket, TCP))
    raw.send(greeting())
    const bytes = await raw.read(64)
    expect(hex(bytes.subarray(0, 33))).toBe(`ff00000000000000017f0301${ascii("NULL")}${"00".repeat(17)}`)
    expect(hex(bytes.subarray(33))).toBe("00".repeat(31))
    raw.send(ready(peer))
    expect(hex(await raw.read(expected.length / 2))).toBe(expected)
  })
})

describe("a PING", () => {
  const own = ownSockets()

  it("is answered by a PONG with up to 16 bytes of its context, between messages (mock_ping)", async () => {
    const router = own(new zmq.Router())
    const raw = await RawPeer.connect(await bound(router, TCP))
    await raw.handshake("DEALER", "raw")
    raw.send(command("PING", "\u0000\u0000LOL"))
    expect(hex(await raw.read(10))).toBe(`040804${ascii("PONGLOL")}`)
    raw.send(command("PING", Buffer.concat([Buffer.of(0, 0), Buffer.alloc(58, "z")])))
    expect(hex(await raw.read(23))).toBe(`041504${ascii("PONG")}${ascii("z".repeat(16))}`)
    raw.send(frame("still here"))
    expect(await text(router)).toEqual(["raw", "still here"])
  })

  it("may come between the frames of one message", async () => {
    const pull = own(new zmq.Pull())
    const raw = await RawPeer.connect(await bound(pull, TCP))
    await raw.handshake("PUSH")
    raw.send(frame("a", MORE), command("PING", "\u0000\u0000"), frame("b"))
    expect(await text(pull)).toEqual(["a", "b"])
    expect(hex(await raw.read(7))).toBe(`040504${ascii("PONG")}`)
  })

  it("is sent with the time to live in tenths of a second, and to a peer of 3.0 as well", async () => {
    for (const minor of [0, 1]) {
      const router = own(new zmq.Router({ heartbeatInterval: 20, heartbeatTimeout: 5_000, heartbeatTimeToLive: 5_600 }))
      const raw = await RawPeer.connect(await bound(router, TCP))
      raw.send(greeting({ minor }))
      await raw.read(64)
      raw.send(ready("DEALER"))
      await raw.readFrame()
      expect(hex(await raw.read(9))).toBe(`040704${ascii("PING")}0038`)
    }
  })
})

describe("heartbeats", () => {
  const own = ownSockets()

  it.each(["Router", "Reply"] as const)("end a peer that answers none: accept, then disconnect (%s)", async name => {
    const server = own(new zmq[name]({ heartbeatInterval: 50 }))
    const log = new EventLog(server)
    const raw = await RawPeer.connect(await bound(server, TCP))
    await raw.handshake("DEALER")
    await raw.ended
    await log.seen("disconnect")
    expect(log.types).toEqual(["bind", "accept", "handshake", "disconnect"])
  })

  const pairs = [
    ["Dealer", "Router"],
    ["Request", "Reply"],
    ["Pull", "Push"],
    ["Subscriber", "Publisher"],
    ["Pair", "Pair"],
  ] as const

  it.each(pairs)("a time to live below the interval ends a %s at a %s that sends none", async (client, server) => {
    const peer = own(new zmq[server]())
    const log = new EventLog(peer)
    const address = await bound(peer, TCP)
    const silent = own(new zmq[client]({ heartbeatTimeToLive: 100, heartbeatInterval: 250, reconnectInterval: 60_000 }))
    silent.connect(address)
    await log.seen("disconnect")
    expect(log.types).toEqual(["bind", "accept", "handshake", "disconnect"])
  })

  it.each(pairs)("keep an idle %s at a %s, whoever sends them", async (client, server) => {
    for (const [ours, theirs] of [
      [{ heartbeatInterval: 50 }, {}],
      [{ heartbeatInterval: 50 }, { heartbeatInterval: 50 }],
    ] as const) {
      const timeout = { heartbeatTimeout: 2_000 }
      const peer = own(new zmq[server]({ ...ours, ...timeout }))
      const log = new EventLog(peer)
      const address = await bound(peer, TCP)
      const idle = own(new zmq[client]({ ...theirs, ...timeout }))
      idle.connect(address)
      await log.seen("handshake")
      await log.staysQuiet(300)
    }
  })
})
