/**
 * What a peer may have of a socket (docs/limits.md): each limit is tried below, at and above it, with its counter and its
 * event, and with somebody else who is served all the while. libzmq has few of them; where it has one it does the same.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, wired } from "../support/endpoints.js"
import { draft, engine, zmq } from "../support/engine.js"
import { EventLog } from "../support/events.js"
import { eventually } from "../support/eventually.js"
import { command, frame, greeting, header, LONG, MORE, message, RawPeer, ready } from "../support/raw-zmtp.js"
import { bound, failure, ownSockets, text } from "../support/sockets.js"

const own = ownSockets()

/** A PULL that is bound, and what happens to it. */
async function served(transport: (typeof wired)[number], options: ConstructorParameters<typeof zmq.Pull>[0] = {}) {
  const pull = own(new zmq.Pull(options))
  const log = new EventLog(pull)
  return { pull, log, endpoint: await bound(pull, freshEndpoint(transport)) }
}

/** A peer whose handshake is done on both sides. */
async function joined(endpoint: string, type = "PUSH"): Promise<RawPeer> {
  const raw = await RawPeer.connect(endpoint)
  await raw.handshake(type)
  return raw
}

/** One that says nothing, and was greeted. */
async function silent(endpoint: string): Promise<RawPeer> {
  const raw = await RawPeer.connect(endpoint)
  await raw.read(10)
  return raw
}

/** One that is ended without a word. */
async function turnedAway(endpoint: string): Promise<void> {
  const raw = await RawPeer.connect(endpoint)
  await raw.ended
  expect(raw.socket.bytesRead).toBe(0)
}

describe.skipIf(engine === "zeromq").each(wired)("over %s", transport => {
  describe("maxPeers", () => {
    it("lets so many in, and closes one more before a byte is sent, until one leaves", async () => {
      const { pull, log, endpoint } = await served(transport, { maxPeers: 2 })
      const [first] = [await joined(endpoint), await joined(endpoint)]
      await log.seen("handshake", 2)
      await turnedAway(endpoint)
      const event = await log.seen("accept:error")
      expect(event).toMatchObject({ address: endpoint, error: { code: "EMFILE", limit: "maxPeers" } })
      expect(log.count("accept")).toBe(2)
      expect(pull.stats()).toMatchObject({ peers: 2, refused: { total: 1, maxPeers: 1 } })
      first!.destroy()
      await log.seen("disconnect")
      const next = await joined(endpoint)
      next.send(frame("let in"))
      expect(await text(pull)).toEqual(["let in"])
      expect(pull.stats().refused).toEqual({ total: 1, maxPeers: 1 })
    })

    it("counts those whose handshake is done: of two that shake hands the faster one has the place", async () => {
      const { pull, log, endpoint } = await served(transport, { maxPeers: 1 })
      const [slow, fast] = [await silent(endpoint), await joined(endpoint)]
      await log.seen("handshake")
      slow.send(greeting(), ready("PUSH"))
      await slow.ended
      const event = await log.seen("handshake:error:other")
      expect(event).toMatchObject({ error: { code: "EMFILE", limit: "maxPeers" } })
      expect(pull.stats().refused).toEqual({ total: 1, maxPeers: 1 })
      fast.send(frame("still there"))
      expect(await text(pull)).toEqual(["still there"])
    })

    it("counts what came by all endpoints of the socket, and not what it connected to", async () => {
      const { pull, log, endpoint } = await served(transport, { maxPeers: 1 })
      const other = await bound(pull, freshEndpoint(transport))
      const push = own(new zmq.Push())
      pull.connect(await bound(push, freshEndpoint(transport)))
      await log.seen("handshake")
      await joined(endpoint)
      await log.seen("handshake", 2)
      await turnedAway(other)
      await log.seen("accept:error")
      expect(pull.stats()).toMatchObject({ peers: 2, refused: { maxPeers: 1 } })
    })

    it("of 0 is no limit", async () => {
      const { log, endpoint } = await served(transport, { maxPeers: 0, maxHandshakes: 0 })
      for (let count = 0; count < 5; count++) await joined(endpoint)
      await log.seen("handshake", 5)
    })
  })

  describe("maxPeersPerAddress", () => {
    it("lets so many connections of one address be, those included that shake hands", async () => {
      const { pull, log, endpoint } = await served(transport, { maxPeersPerAddress: 2 })
      const [first, second] = [await silent(endpoint), await joined(endpoint)]
      await turnedAway(endpoint)
      const event = await log.seen("accept:error")
      expect(event).toMatchObject({ address: endpoint, error: { code: "EMFILE", limit: "maxPeersPerAddress" } })
      expect(pull.stats().refused).toEqual({ total: 1, maxPeersPerAddress: 1 })
      for (const leaves of [first!, second!]) {
        leaves.destroy()
        await log.seen("disconnect", leaves === first ? 1 : 2)
        const next = await joined(endpoint)
        next.send(frame("next"))
        expect(await text(pull)).toEqual(["next"])
      }
    })
  })

  describe("maxHandshakes", () => {
    it("ends the oldest that still shakes hands when one more does, and nobody else", async () => {
      const { pull, log, endpoint } = await served(transport, { maxHandshakes: 3 })
      const done = await joined(endpoint)
      await log.seen("handshake")
      const waiting = [await silent(endpoint), await silent(endpoint), await silent(endpoint)]
      expect(log.count("disconnect")).toBe(0)
      waiting.push(await silent(endpoint))
      await waiting[0]!.ended
      const event = await log.seen("handshake:error:other")
      expect(event).toMatchObject({ error: { code: "EMFILE", limit: "maxHandshakes" } })
      await log.seen("disconnect")
      waiting[1]!.send(greeting(), ready("PUSH"), frame("late"))
      expect(await text(pull)).toEqual(["late"])
      // One of them is done: there is room for another.
      waiting.push(await silent(endpoint))
      await joined(endpoint)
      await waiting[2]!.ended
      done.send(frame("undisturbed"))
      expect(await text(pull)).toEqual(["undisturbed"])
      expect(waiting.map(({ isOver }) => isOver)).toEqual([true, false, true, false, false])
      expect(pull.stats().refused).toEqual({ total: 2, maxHandshakes: 2 })
    })
  })

  it("handshakeInterval: who is not done in time is ended, and counted", async () => {
    const { pull, log, endpoint } = await served(transport, { handshakeInterval: 30 })
    const raw = await silent(endpoint)
    await raw.ended
    const event = await log.seen("handshake:error:other")
    expect(event).toMatchObject({ error: { code: "ETIMEDOUT", limit: "handshakeInterval" } })
    expect(pull.stats().refused).toEqual({ total: 1, handshakeInterval: 1 })
  })

  describe("a handshake", () => {
    /** A READY of this many bytes. */
    const readyOf = (size: number) => {
      const fixed = Buffer.concat([
        Buffer.from("\x05READY\x0bSocket-Type\0\0\0\x04PUSH"),
        Buffer.from("\x03X-a"),
        Buffer.alloc(4),
      ])
      fixed.writeUInt32BE(size - fixed.length, fixed.length - 4)
      return frame(Buffer.concat([fixed, Buffer.alloc(size - fixed.length)]), 0x04)
    }

    it.each([131_071, 131_072])("has frames of up to 131,072 bytes: %i", async size => {
      const { pull, endpoint } = await served(transport)
      const raw = await RawPeer.connect(endpoint)
      raw.send(greeting(), readyOf(size), frame("in"))
      expect(await text(pull)).toEqual(["in"])
    })

    it("has none that are longer, however long messages may be", async () => {
      const { pull, log, endpoint } = await served(transport)
      const raw = await RawPeer.connect(endpoint)
      raw.send(greeting(), header(LONG | 0x04, 131_073))
      await raw.ended
      const event = await log.seen("handshake:error:protocol")
      expect(event).toMatchObject({ error: { limit: "handshakeSize" } })
      expect(pull.stats().refused).toEqual({ total: 1, handshakeSize: 1 })
    })

    it("has no frames that go together", async () => {
      const { log, endpoint } = await served(transport)
      const raw = await RawPeer.connect(endpoint)
      raw.send(greeting(), frame("more", MORE), frame("and more", MORE))
      await raw.ended
      await log.seen("handshake:error:protocol")
    })
  })

  it("maxMessageSize: a frame of so many bytes is taken, one more ends its connection and is counted", async () => {
    const { pull, log, endpoint } = await served(transport, { maxMessageSize: 300 })
    const [raw, other] = [await joined(endpoint), await joined(endpoint)]
    for (const size of [299, 300]) {
      raw.send(frame(Buffer.alloc(size)))
      expect((await pull.receive())[0]!.length).toBe(size)
    }
    raw.send(header(LONG, 301))
    await raw.ended
    const event = await log.seen("disconnect")
    expect(event).toMatchObject({ error: { code: "ERR_ZMTP_UNSPECIFIED", limit: "maxMessageSize" } })
    expect(pull.stats().refused).toEqual({ total: 1, maxMessageSize: 1 })
    other.send(frame("undisturbed"))
    expect(await text(pull)).toEqual(["undisturbed"])
  })

  it("a frame of 2^62 bytes goes beyond any", async () => {
    const { pull, log, endpoint } = await served(transport)
    const raw = await joined(endpoint)
    raw.send(header(LONG, 2n ** 62n))
    await raw.ended
    expect(await log.seen("disconnect")).toMatchObject({ error: { limit: "maxMessageSize" } })
    expect(pull.stats().refused).toEqual({ total: 1, maxMessageSize: 1 })
  })

  it("maxFrames: a message of so many frames is taken, one more ends its connection and is counted", async () => {
    const { pull, log, endpoint } = await served(transport, { maxFrames: 4 })
    const raw = await joined(endpoint)
    for (const frames of ["abc", "abcd"]) {
      raw.send(message(...frames))
      expect((await text(pull)).join("")).toBe(frames)
    }
    for (let count = 0; count < 4; count++) raw.send(frame("", MORE))
    await raw.ended
    expect(await log.seen("disconnect")).toMatchObject({ error: { limit: "maxFrames" } })
    expect(pull.stats().refused).toEqual({ total: 1, maxFrames: 1 })
  })

  it("65,536 frames are a message by default, one more is not", async () => {
    const { pull, log, endpoint } = await served(transport)
    const raw = await joined(endpoint)
    const most = Buffer.concat(Array.from({ length: 65_535 }, () => frame("", MORE)))
    raw.send(most, frame("last"))
    const frames = await pull.receive()
    expect([frames.length, String(frames.at(-1))]).toEqual([65_536, "last"])
    raw.send(most, frame("", MORE))
    await raw.ended
    expect(await log.seen("disconnect")).toMatchObject({ error: { limit: "maxFrames" } })
  })

  it("a connection that ends in order, or is ended by disconnect(), tells of no limit", async () => {
    const { pull, log, endpoint } = await served(transport)
    const [leaves] = [await joined(endpoint), await joined(endpoint)]
    await log.seen("handshake", 2)
    leaves!.destroy()
    await log.seen("disconnect")
    pull.peers()[0]!.disconnect()
    await log.seen("disconnect", 2)
    expect(log.all.filter(event => event.type === "disconnect" && "error" in event)).toEqual([])
    expect(pull.stats().refused).toEqual({ total: 0 })
  })

  describe.each(["Publisher", "XPublisher"] as const)("subscriptions to a %s", type => {
    const subscribe = (topic: string) => command("SUBSCRIBE", topic)
    const cancel = (topic: string) => command("CANCEL", topic)

    async function publisher(options: { maxSubscriptions?: number; maxSubscriptionBytes?: number }) {
      const pub = own(new zmq[type](options))
      const log = new EventLog(pub)
      const endpoint = await bound(pub, freshEndpoint(transport))
      const sub = own(new zmq.Subscriber())
      sub.connect(endpoint)
      sub.subscribe("ot")
      await pub.waitForSubscribers("other")
      return { pub, log, sub, raw: await joined(endpoint, "SUB") }
    }

    it("maxSubscriptions: so many topics of a peer are taken, one more ends it; those of others stay", async () => {
      const { pub, log, sub, raw } = await publisher({ maxSubscriptions: 3 })
      raw.send(subscribe("a"), subscribe("b"), subscribe("c"), subscribe("c"), cancel("a"), subscribe("d"))
      await pub.waitForSubscribers("d")
      expect(pub.topicsCount).toBe(4)
      raw.send(frame("\x01b"), subscribe("e"), subscribe("f"))
      await raw.ended
      const event = await log.seen("disconnect")
      expect(event).toMatchObject({ error: { code: "ERR_ZMTP_UNSPECIFIED", limit: "maxSubscriptions" } })
      expect(pub.stats().refused).toEqual({ total: 1, maxSubscriptions: 1 })
      expect(pub.topicsCount).toBe(1)
      await pub.send("other")
      expect(await text(sub)).toEqual(["other"])
    })

    it("maxSubscriptionBytes: so many bytes of topics are taken, one more ends it", async () => {
      const { pub, log, raw } = await publisher({ maxSubscriptionBytes: 10 })
      raw.send(subscribe("12345"), subscribe("abcde"), subscribe("abcde"), cancel("abcde"), subscribe("ABCDE"))
      await pub.waitForSubscribers("ABCDE")
      raw.send(subscribe("!"))
      await raw.ended
      expect(await log.seen("disconnect")).toMatchObject({ error: { limit: "maxSubscriptionBytes" } })
      expect(pub.stats().refused).toEqual({ total: 1, maxSubscriptionBytes: 1 })
      expect(pub.topicsCount).toBe(1)
    })
  })

  it("maxSubscriptions: so many groups of a peer are joined at a Radio, one more ends it", async () => {
    const radio = own(new draft.Radio({ maxSubscriptions: 2, maxSubscriptionBytes: 6 }))
    const log = new EventLog(radio)
    const endpoint = await bound(radio, freshEndpoint(transport))
    const join = (group: string) => command("JOIN", group)
    const [many, long] = [await joined(endpoint, "DISH"), await joined(endpoint, "DISH")]
    many.send(join("a"), join("b"), join("b"), command("LEAVE", "a"), join("c"))
    await log.seen("handshake", 2)
    many.send(join("d"))
    await many.ended
    expect(await log.seen("disconnect")).toMatchObject({ error: { limit: "maxSubscriptions" } })
    long.send(join("123456"))
    long.send(join("7"))
    await long.ended
    expect(await log.seen("disconnect", 2)).toMatchObject({ error: { limit: "maxSubscriptionBytes" } })
    expect(radio.stats().refused).toEqual({ total: 2, maxSubscriptions: 1, maxSubscriptionBytes: 1 })
  })

  describe("accept", () => {
    it("is asked when all is known of a peer, and lets it in", async () => {
      const { pull, log, endpoint } = await served(transport)
      const asked: unknown[] = []
      pull.accept = peer => {
        asked.push([
          peer.type,
          peer.mechanism,
          peer.endpoint,
          peer.metadata.get("X-a")?.toString(),
          pull.peers().length,
        ])
        return true
      }
      const push = own(new zmq.Push({ metadata: "X-a:b" }))
      push.connect(endpoint)
      await push.send("in")
      expect(await text(pull)).toEqual(["in"])
      expect(asked).toEqual([["PUSH", "NULL", endpoint, "b", 0]])
      expect(log.count("handshake")).toBe(1)
    })

    it("keeps out whom it says no to, before the pattern sees it", async () => {
      const push = own(new zmq.Push({ immediate: true }))
      const log = new EventLog(push)
      const endpoint = await bound(push, freshEndpoint(transport))
      push.accept = peer => peer.metadata.has("X-friend")
      const [stranger, friend] = [
        own(new zmq.Pull({ reconnectInterval: 5 })),
        own(new zmq.Pull({ metadata: "X-friend:1" })),
      ]
      stranger.connect(endpoint)
      const event = await log.seen("handshake:error:other")
      expect(event).toMatchObject({ error: { code: "ECONNREFUSED", limit: "accept" } })
      expect(push.writable).toBe(false)
      friend.connect(endpoint)
      for (let count = 0; count < 4; count++) await push.send(`${count}`)
      for (let count = 0; count < 4; count++) expect(await text(friend)).toEqual([`${count}`])
      expect(log.count("handshake")).toBe(1)
      expect(push.stats().refused).toMatchObject({ accept: push.stats().refused.total })
    })

    it.each([
      ["fails", () => failing()],
      ["gives no boolean", () => Promise.resolve(true) as unknown as boolean],
    ])("lets nobody in when it %s", async (_, accept) => {
      const { pull, log, endpoint } = await served(transport)
      pull.accept = accept
      const raw = await RawPeer.connect(endpoint)
      raw.send(greeting(), ready("PUSH"), frame("never"))
      await raw.ended
      await log.seen("handshake:error:other")
      expect(pull.stats()).toMatchObject({ peers: 0, messagesIn: 0, refused: { total: 1, accept: 1 } })
      pull.accept = null
      const next = await joined(endpoint)
      next.send(frame("in"))
      expect(await text(pull)).toEqual(["in"])
    })

    it("may end the peer, or close the socket, as it is asked", async () => {
      const { pull, log, endpoint } = await served(transport)
      pull.accept = peer => {
        peer.disconnect()
        return true
      }
      const first = await RawPeer.connect(endpoint)
      first.send(greeting(), ready("PUSH"))
      await first.ended
      await log.seen("disconnect")
      expect(pull.stats().peers).toBe(0)
      pull.accept = () => {
        void pull.close()
        return true
      }
      const second = await RawPeer.connect(endpoint)
      second.send(greeting(), ready("PUSH"))
      await second.ended
      await eventually(() => pull.closed)
    })

    it("is a function or null", async () => {
      const { pull } = await served(transport)
      expect(pull.accept).toBe(null)
      const error = await failure(() => {
        pull.accept = true as unknown as () => boolean
      })
      expect(error).toBeInstanceOf(TypeError)
    })
  })
})

describe.skipIf(engine === "zeromq")("defaults", () => {
  it("are these", () => {
    const pub = own(new zmq.XPublisher())
    expect({
      maxPeers: pub.maxPeers,
      maxPeersPerAddress: pub.maxPeersPerAddress,
      maxHandshakes: pub.maxHandshakes,
      handshakeInterval: pub.handshakeInterval,
      maxMessageSize: pub.maxMessageSize,
      maxFrames: pub.maxFrames,
      maxSubscriptions: pub.maxSubscriptions,
      maxSubscriptionBytes: pub.maxSubscriptionBytes,
      receiveHighWaterMarkBytes: pub.receiveHighWaterMarkBytes,
    }).toEqual({
      maxPeers: 65_536,
      maxPeersPerAddress: 0,
      maxHandshakes: 1024,
      handshakeInterval: 30_000,
      maxMessageSize: -1,
      maxFrames: 65_536,
      maxSubscriptions: 1_000_000,
      maxSubscriptionBytes: 64 * 1024 * 1024,
      receiveHighWaterMarkBytes: -1,
    })
  })
})

function failing(): boolean {
  throw new Error("accept does not know")
}
