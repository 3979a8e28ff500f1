/**
 * Beyond zeromq.js: seeing what a socket has and does. ready, peers, stats, waitForSubscribers, flushed.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, transports, wired } from "../support/endpoints.js"
import { engine, zmq } from "../support/engine.js"
import { EventLog } from "../support/events.js"
import { eventually, pause } from "../support/eventually.js"
import { bound, failsWith, failure, ownSockets, text, texts } from "../support/sockets.js"

describe.skipIf(engine === "zeromq").each(transports)("ready over %s", transport => {
  const own = ownSockets()

  it("resolves when the peers are there, on both sides", async () => {
    const push = own(new zmq.Push())
    const address = await bound(push, freshEndpoint(transport))
    const two = push.ready({ peers: 2 })
    const pulls = [own(new zmq.Pull()), own(new zmq.Pull())]
    pulls[0]!.connect(address)
    await pulls[0]!.ready()
    await push.ready()
    expect(await Promise.race([two.then(() => "two"), pause(30).then(() => "one")])).toBe("one")
    pulls[1]!.connect(address)
    await two
    await push.ready({ peers: 2 })
    expect(push.peers()).toHaveLength(2)
  })

  it("times out with EAGAIN, is cancelled by its signal, and ends when the socket closes", async () => {
    const push = own(new zmq.Push())
    await push.bind(freshEndpoint(transport))
    await failsWith("EAGAIN", () => push.ready({ timeout: 20 }))
    const reason = new Error("no more")
    expect(await failure(() => push.ready({ signal: AbortSignal.abort(reason) }))).toBe(reason)
    const waiting = failure(() => push.ready())
    await push.close()
    expect((await waiting).code).toBe("EAGAIN")
    await failsWith("EBADF", () => push.ready())
  })
})

describe.skipIf(engine === "zeromq").each(transports)("peers over %s", transport => {
  const own = ownSockets()

  it("tell where, what, who and since when", async () => {
    const before = Date.now()
    const router = own(new zmq.Router())
    const address = await bound(router, freshEndpoint(transport))
    const dealer = own(new zmq.Dealer({ routingId: "me" }))
    expect(router.peers()).toEqual([])
    dealer.connect(address)
    await router.ready()
    await dealer.ready()
    const [here] = router.peers()
    const [there] = dealer.peers()
    for (const peer of [here!, there!]) {
      expect(peer.endpoint).toBe(address)
      expect(peer.mechanism).toBe("NULL")
      expect(peer.since!.getTime()).toBeGreaterThanOrEqual(before - 1)
      expect(peer.since!.getTime()).toBeLessThanOrEqual(Date.now())
      if (transport === "tcp") expect(peer.address).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/)
    }
    expect(String(here!.routingId)).toBe("me")
    expect(there!.routingId).toBeNull()
    expect([here!.type, there!.type]).toEqual(transport === "inproc" ? ["", ""] : ["DEALER", "ROUTER"])
  })

  it("are gone when they leave", async () => {
    const pull = own(new zmq.Pull())
    const push = own(new zmq.Push())
    push.connect(await bound(pull, freshEndpoint(transport)))
    await pull.ready()
    expect(pull.peers()).toHaveLength(1)
    await push.close()
    await eventually(() => pull.peers().length === 0)
  })

  it("count what went and came, each for itself", async () => {
    const router = own(new zmq.Router())
    const address = await bound(router, freshEndpoint(transport))
    const dealers = ["A", "B"].map(routingId => own(new zmq.Dealer({ routingId })))
    for (const [index, dealer] of dealers.entries()) {
      dealer.connect(address)
      for (let turn = 0; turn <= index; turn++) {
        await dealer.send("12345")
        expect(await text(router)).toEqual(["AB"[index]!, "12345"])
      }
      await router.send(["AB"[index]!, "re", "turn"])
      expect(await text(dealer)).toEqual(["re", "turn"])
    }
    const seen = Object.fromEntries(router.peers().map(peer => [String(peer.routingId), peer.stats()]))
    expect(seen.A).toMatchObject({ messagesIn: 1, bytesIn: 5, messagesOut: 1, bytesOut: 6, queuedIn: 0, queuedOut: 0 })
    expect(seen.B).toMatchObject({ messagesIn: 2, bytesIn: 10, messagesOut: 1, bytesOut: 6, queuedIn: 0, queuedOut: 0 })
    expect(router.stats()).toMatchObject({ messagesIn: 3, bytesIn: 15, messagesOut: 2, bytesOut: 12, peers: 2 })
  })
})

describe.skipIf(engine === "zeromq").each(wired)("peers over %s", transport => {
  const own = ownSockets()

  it("can be disconnected; who connected comes back", async () => {
    const pull = own(new zmq.Pull())
    const push = own(new zmq.Push({ reconnectInterval: 20 }))
    const log = new EventLog(push)
    push.connect(await bound(pull, freshEndpoint(transport)))
    await pull.ready()
    pull.peers()[0]!.disconnect()
    await log.seen("disconnect")
    await log.seen("handshake", 2)
    await push.send("back again")
    expect(await text(pull)).toEqual(["back again"])
  })
})

describe.skipIf(engine === "zeromq").each(transports)("stats over %s", transport => {
  const own = ownSockets()

  it("count messages and bytes, and what waits", async () => {
    const push = own(new zmq.Push())
    const pull = own(new zmq.Pull())
    const nothing = { messagesIn: 0, bytesIn: 0, messagesOut: 0, bytesOut: 0, queuedIn: 0, queuedOut: 0, peers: 0 }
    expect(push.stats()).toEqual({ ...nothing, dropped: { total: 0 }, refused: { total: 0 } })
    push.connect(await bound(pull, freshEndpoint(transport)))
    for (let index = 0; index < 10; index++) await push.send(["abc", "de"])
    expect(push.stats()).toMatchObject({ messagesOut: 10, bytesOut: 50 })
    await eventually(() => pull.stats().queuedIn === 10)
    expect(pull.stats()).toEqual({
      ...nothing,
      messagesIn: 10,
      bytesIn: 50,
      queuedIn: 10,
      peers: 1,
      dropped: { total: 0 },
      refused: { total: 0 },
    })
    await texts(pull, 10)
    expect(pull.stats().queuedIn).toBe(0)
    await push.close()
    await eventually(() => pull.stats().peers === 0)
    expect(pull.stats()).toMatchObject({ messagesIn: 10, bytesIn: 50 })
  })

  it("count what waits for a peer that is not there", async () => {
    const push = own(new zmq.Push())
    push.connect(transport === "tcp" ? "tcp://127.0.0.1:1" : freshEndpoint(transport))
    for (let index = 0; index < 7; index++) await push.send("x")
    expect(push.stats()).toMatchObject({ messagesOut: 7, queuedOut: 7, peers: 0 })
  })

  it("count what PUB drops because a subscriber is full", async () => {
    const pub = own(new zmq.Publisher({ sendHighWaterMark: 2 }))
    const sub = own(new zmq.Subscriber({ receiveHighWaterMark: 2 }))
    sub.subscribe("")
    sub.connect(await bound(pub, freshEndpoint(transport)))
    await pub.waitForSubscribers()
    const padding = Buffer.alloc(256 * 1024)
    const offered = 100
    for (let index = 0; index < offered; index++) await pub.send(padding)
    const { dropped, messagesOut } = pub.stats()
    expect(dropped.full).toBeGreaterThan(0)
    expect(dropped.total).toBe(dropped.full)
    expect(messagesOut + dropped.total).toBe(offered)
    if (transport === "inproc") expect(dropped.full).toBe(96)
    let received = 0
    sub.receiveTimeout = 200
    await failure(async () => {
      for (;;) {
        await sub.receive()
        received += 1
      }
    })
    expect(received + dropped.total).toBe(offered)
  })

  it("count what ROUTER has nobody for", async () => {
    const router = own(new zmq.Router())
    await router.bind(freshEndpoint(transport))
    for (let index = 0; index < 3; index++) await router.send(["nobody", "x"])
    expect(router.stats()).toMatchObject({ messagesOut: 0, dropped: { total: 3, unroutable: 3 } })
  })
})

describe.skipIf(engine === "zeromq").each(transports)("waitForSubscribers over %s", transport => {
  const own = ownSockets()

  it("resolves when so many peers would get a message that begins with the topic", async () => {
    const pub = own(new zmq.Publisher())
    const address = await bound(pub, freshEndpoint(transport))
    const subs = Array.from({ length: 3 }, () => own(new zmq.Subscriber()))
    for (const sub of subs) sub.connect(address)
    await failsWith("EAGAIN", () => pub.waitForSubscribers("news", 1, { timeout: 20 }))
    subs[0]!.subscribe("new")
    await pub.waitForSubscribers("news")
    subs[1]!.subscribe("")
    await pub.waitForSubscribers("news", 2)
    await pub.waitForSubscribers()
    subs[2]!.subscribe("news of the world")
    await pub.waitForSubscribers(Buffer.from("news of the world, today"), 3)
    await failsWith("EAGAIN", () => pub.waitForSubscribers("news", 3, { timeout: 20 }))
    await pub.send("news")
    for (const sub of subs.slice(0, 2)) expect(await text(sub)).toEqual(["news"])
  })

  it("waits no longer for one that has left", async () => {
    const pub = own(new zmq.XPublisher())
    const address = await bound(pub, freshEndpoint(transport))
    const sub = own(new zmq.Subscriber())
    sub.subscribe("a")
    sub.connect(address)
    await pub.waitForSubscribers("a")
    sub.unsubscribe("a")
    await eventually(() =>
      pub.waitForSubscribers("a", 1, { timeout: 0 }).then(
        () => false,
        () => true,
      ),
    )
    sub.subscribe("a")
    await pub.waitForSubscribers("a")
    await sub.close()
    await eventually(() =>
      pub.waitForSubscribers("a", 1, { timeout: 0 }).then(
        () => false,
        () => true,
      ),
    )
  })

  it("is cancelled by its signal, and ends when the socket closes", async () => {
    const pub = own(new zmq.Publisher())
    const reason = new Error("no more")
    expect(await failure(() => pub.waitForSubscribers("", 1, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    const waiting = failure(() => pub.waitForSubscribers())
    await pub.close()
    expect((await waiting).code).toBe("EAGAIN")
  })
})

describe.skipIf(engine === "zeromq").each(transports)("flushed over %s", transport => {
  const own = ownSockets()

  it("resolves when nothing is queued, and when all that was sent has been handed over", async () => {
    const push = own(new zmq.Push())
    const pull = own(new zmq.Pull())
    await push.flushed()
    push.connect(await bound(pull, freshEndpoint(transport)))
    const body = Buffer.alloc(300_000, "a")
    for (let index = 0; index < 5; index++) await push.send(body)
    await push.flushed()
    // Over inproc it has been handed to the peer, memory and all.
    if (transport !== "inproc") {
      expect(push.stats().queuedOut).toBe(0)
      body.fill("b")
      for (let index = 0; index < 5; index++)
        expect((await pull.receive())[0]!.equals(Buffer.alloc(300_000, "a"))).toBe(true)
    }
  })

  it("waits for a peer that is not there yet, times out with EAGAIN and is cancelled by its signal", async () => {
    const push = own(new zmq.Push({ reconnectInterval: 20 }))
    const address = freshEndpoint(transport === "tcp" ? "ipc" : transport)
    push.connect(address)
    await push.send("queued")
    await failsWith("EAGAIN", () => push.flushed({ timeout: 20 }))
    const reason = new Error("no more")
    expect(await failure(() => push.flushed({ signal: AbortSignal.abort(reason) }))).toBe(reason)
    const flushed = push.flushed()
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    await flushed
    expect(await text(pull)).toEqual(["queued"])
  })

  it("waits for sends that wait", async () => {
    const push = own(new zmq.Push())
    const address = await bound(push, freshEndpoint(transport))
    const sends = [push.send("a"), push.send("b")]
    let done = false
    const flushed = push.flushed().then(() => {
      done = true
    })
    await pause(20)
    expect(done).toBe(false)
    const pull = own(new zmq.Pull())
    pull.connect(address)
    expect(await texts(pull, 2)).toEqual([["a"], ["b"]])
    await Promise.all([...sends, flushed])
  })
})
