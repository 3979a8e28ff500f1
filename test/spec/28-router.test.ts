/**
 * 28/REQREP for ROUTER: identities, routing, MANDATORY, HANDOVER, PROBE_ROUTER and connects with a routing id. Titles are the
 * sentences of the RFC, or what libzmq's own tests hold.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, transports, wired } from "../support/endpoints.js"
import { zmq } from "../support/engine.js"
import { eventually } from "../support/eventually.js"
import {
  bound,
  drained,
  failsWith,
  fillUp,
  joinInOrder,
  nothingArrives,
  ownSockets,
  readsInTurns,
  text,
  texts,
} from "../support/sockets.js"

describe.each(transports)("28/REQREP: ROUTER over %s", transport => {
  const own = ownSockets()

  it("SHALL receive incoming messages from its peers using a fair-queuing strategy", async () => {
    const router = own(new zmq.Router())
    await router.bind(freshEndpoint(transport))
    const dealers = ["A", "B", "C", "D", "E"].map(routingId => own(new zmq.Dealer({ routingId })))
    await joinInOrder(router, dealers, transport)
    for (const dealer of dealers) await dealer.send("M")
    const messages = await texts(router, 5)
    expect(messages.sort()).toEqual([
      ["A", "M"],
      ["B", "M"],
      ["C", "M"],
      ["D", "M"],
      ["E", "M"],
    ])
    const sends = dealers.map(dealer => (body: string) => dealer.send(body))
    await readsInTurns(sends, async () => String((await router.receive())[0]))
  })

  it("SHALL prefix each incoming message with the identity of its queue, five bytes from 00 when the peer has none", async () => {
    const router = own(new zmq.Router())
    const address = await bound(router, freshEndpoint(transport))
    const ids = new Set<string>()
    for (let index = 0; index < 3; index++) {
      const dealer = own(new zmq.Dealer())
      dealer.connect(address)
      await dealer.send("a")
      await dealer.send("b")
      const [first] = await router.receive()
      const [second] = await router.receive()
      expect(first).toHaveLength(5)
      expect(first![0]).toBe(0)
      expect(second).toEqual(first)
      ids.add(first!.toString("hex"))
    }
    expect(ids.size).toBe(3)
  })

  it("SHOULD allow the peer to specify its identity explicitly", async () => {
    const router = own(new zmq.Router())
    const address = await bound(router, freshEndpoint(transport))
    const long = "n".repeat(255)
    for (const peer of [
      new zmq.Dealer({ routingId: "d" }),
      new zmq.Request({ routingId: long }),
      new zmq.Router({ routingId: "r" }),
    ]) {
      const named = own(peer)
      named.connect(address)
      if (named instanceof zmq.Router) await router.send(["r", "hello"])
      else await named.send("hello")
    }
    expect(new Set((await texts(router, 2)).map(([id]) => id))).toEqual(new Set(["d", long]))
  })

  it("SHALL remove the first frame and route the message to the queue of that identity", async () => {
    const router = own(new zmq.Router())
    const address = await bound(router, freshEndpoint(transport))
    const dealers = ["A", "B", "C"].map(routingId => own(new zmq.Dealer({ routingId })))
    for (const dealer of dealers) {
      dealer.connect(address)
      await dealer.send("hello")
      await router.receive()
    }
    for (const id of ["C", "A", "B"]) await router.send([id, "", `for ${id}`, id])
    for (const [index, id] of ["A", "B", "C"].entries())
      expect(await text(dealers[index]!)).toEqual(["", `for ${id}`, id])
  })

  it("gives the application a copy of the identity", async () => {
    const router = own(new zmq.Router())
    const dealer = own(new zmq.Dealer())
    dealer.connect(await bound(router, freshEndpoint(transport)))
    await dealer.send("one")
    await dealer.send("two")
    const [id] = await router.receive()
    const before = Buffer.from(id!)
    id!.fill(0xee)
    expect((await router.receive())[0]).toEqual(before)
    await router.send([before, "back"])
    expect(await text(dealer)).toEqual(["back"])
  })

  it("takes any bytes as identity", async () => {
    const router = own(new zmq.Router())
    const address = await bound(router, freshEndpoint(transport))
    const id = Buffer.from([0xff, 0x00, 0x80, 0x0a])
    const dealer = own(new zmq.Dealer())
    Object.assign(dealer, { routingId: id })
    dealer.connect(address)
    await dealer.send("hello")
    const [seen] = await router.receive()
    expect(seen).toEqual(id)
    await router.send([seen!, "back"])
    expect(await text(dealer)).toEqual(["back"])
  })

  it("SHALL silently drop a message whose queue does not exist", async () => {
    const router = own(new zmq.Router({ sendTimeout: 0 }))
    await router.bind(freshEndpoint(transport))
    expect(router.writable).toBe(true)
    await router.send(["UNKNOWN", "DATA"])
    await router.send(["UNKNOWN"])
    await router.send([null, "DATA"])
  })

  it("SHALL return an error if the queue does not exist and MANDATORY is set", async () => {
    const router = own(new zmq.Router({ mandatory: true, sendTimeout: 0 }))
    const address = await bound(router, freshEndpoint(transport))
    await failsWith("EHOSTUNREACH", () => router.send(["UNKNOWN", "DATA"]))
    const dealer = own(new zmq.Dealer({ routingId: "X" }))
    dealer.connect(address)
    await dealer.send("Hello")
    expect(await text(router)).toEqual(["X", "Hello"])
    await router.send(["X", "Hello"])
    expect(await text(dealer)).toEqual(["Hello"])
    await failsWith("EHOSTUNREACH", () => router.send(["UNKNOWN", "DATA"]))
    await router.send(["X", "still well"])
    expect(await text(dealer)).toEqual(["still well"])
  })

  it("drops a message that is an identity and nothing else", async () => {
    const router = own(new zmq.Router())
    const dealer = own(new zmq.Dealer({ routingId: "X" }))
    dealer.connect(await bound(router, freshEndpoint(transport)))
    await dealer.send("Hello")
    await router.receive()
    await router.send(["X"])
    await router.send("X")
    await router.send(["X", "real"])
    expect(await text(dealer)).toEqual(["real"])
    await nothingArrives(dealer)
  })

  it("takes MANDATORY on and off while it runs", async () => {
    const router = own(new zmq.Router({ sendTimeout: 0 }))
    await router.bind(freshEndpoint(transport))
    await router.send(["UNKNOWN", "DATA"])
    router.mandatory = true
    await failsWith("EHOSTUNREACH", () => router.send(["UNKNOWN", "DATA"]))
    router.mandatory = false
    await router.send(["UNKNOWN", "DATA"])
  })

  it("SHALL silently drop a message for a full queue, without blocking", async () => {
    const router = own(new zmq.Router({ sendHighWaterMark: 1, sendTimeout: 0 }))
    const dealer = own(new zmq.Dealer({ routingId: "X", receiveHighWaterMark: 1 }))
    dealer.connect(await bound(router, freshEndpoint(transport)))
    await dealer.send("Hello")
    await router.receive()
    const padding = Buffer.alloc(64 * 1024)
    const offered = 400
    for (let index = 0; index < offered; index++) await router.send(["X", `${index}`, padding])
    const got = (await drained(dealer)).map(([index]) => Number(index))
    expect(got.length).toBeLessThan(offered)
    expect(got).toEqual([...got].sort((a, b) => a - b))
    if (transport === "inproc") expect(got).toEqual([0, 1])
    await router.send(["X", "after"])
    expect(await text(dealer)).toEqual(["after"])
  })

  it("with MANDATORY a full queue is EAGAIN, until it has been read from", async () => {
    const router = own(new zmq.Router({ mandatory: true, sendHighWaterMark: 1 }))
    const dealer = own(new zmq.Dealer({ routingId: "X", receiveHighWaterMark: 1 }))
    dealer.connect(await bound(router, freshEndpoint(transport)))
    await dealer.send("Hello")
    await router.receive()
    const padding = Buffer.alloc(1024 * 1024)
    const first = await fillUp(router, () => ["X", padding])
    if (transport === "inproc") expect(first).toBe(2)
    else expect(first).toBeGreaterThan(0)
    for (let index = 0; index < first; index++) await dealer.receive()
    await eventually(() => router.writable)
    const second = await fillUp(router, () => ["X", padding])
    expect(second).toBeGreaterThan(0)
    if (transport === "inproc") expect(second).toBe(2)
  })

  it("MANDATORY: one full peer does not stop another", async () => {
    const router = own(new zmq.Router({ mandatory: true, sendHighWaterMark: 1 }))
    const address = await bound(router, freshEndpoint(transport))
    const full = own(new zmq.Dealer({ routingId: "full", receiveHighWaterMark: 1 }))
    const free = own(new zmq.Dealer({ routingId: "free", receiveHighWaterMark: 1 }))
    for (const dealer of [full, free]) {
      dealer.connect(address)
      await dealer.send("Hello")
      await router.receive()
    }
    const padding = Buffer.alloc(1024 * 1024)
    await fillUp(router, () => ["full", padding])
    for (let turn = 0; turn < 10; turn++) {
      await router.send(["free", `${turn}`])
      expect(await text(free)).toEqual([`${turn}`])
    }
  })

  it("HANDOVER: a newcomer takes the identity over, and the old connection ends", async () => {
    const router = own(new zmq.Router({ handover: true }))
    const address = await bound(router, freshEndpoint(transport))
    const first = own(new zmq.Dealer({ routingId: "X" }))
    first.connect(address)
    await first.send("Hello")
    expect(await text(router)).toEqual(["X", "Hello"])
    const second = own(new zmq.Dealer({ routingId: "X" }))
    second.connect(address)
    await second.send("Hello again")
    expect(await text(router)).toEqual(["X", "Hello again"])
    await router.send(["X", "for the second"])
    expect(await text(second)).toEqual(["for the second"])
    await nothingArrives(first)
  })

  it("without HANDOVER a second peer of the same identity is not heard, and the first keeps it", async () => {
    const router = own(new zmq.Router())
    const address = await bound(router, freshEndpoint(transport))
    const first = own(new zmq.Dealer({ routingId: "X" }))
    first.connect(address)
    await first.send("Hello")
    expect(await text(router)).toEqual(["X", "Hello"])
    const second = own(new zmq.Dealer({ routingId: "X" }))
    second.connect(address)
    await second.send("not heard")
    await nothingArrives(router)
    await router.send(["X", "for the first"])
    expect(await text(first)).toEqual(["for the first"])
    await nothingArrives(second)
  })

  it("PROBE_ROUTER from a ROUTER: the other ROUTER receives [identity, empty] and can answer", async () => {
    const server = own(new zmq.Router())
    const client = own(new zmq.Router({ routingId: "X", probeRouter: true }))
    client.connect(await bound(server, freshEndpoint(transport)))
    expect(await text(server)).toEqual(["X", ""])
    await server.send(["X", "Hello"])
    const [id, body] = await client.receive()
    expect(id).toHaveLength(5)
    expect(String(body)).toBe("Hello")
  })

  it("PROBE_ROUTER from a DEALER: the ROUTER receives [identity, empty] and can answer", async () => {
    const server = own(new zmq.Router())
    const client = own(new zmq.Dealer({ routingId: "X", probeRouter: true }))
    client.connect(await bound(server, freshEndpoint(transport)))
    expect(await text(server)).toEqual(["X", ""])
    await server.send(["X", "Hello"])
    expect(await text(client)).toEqual(["Hello"])
  })

  it("connect with a routing id: the peer can be sent to at once, whatever it calls itself", async () => {
    for (const names of [{}, { server: "X", client: "Y" }]) {
      const server = own(new zmq.Router())
      const client = own(new zmq.Router())
      if (names.server) server.routingId = names.server
      if (names.client) client.routingId = names.client
      client.connect(await bound(server, freshEndpoint(transport)), { routingId: "conn1" })
      await client.send(["conn1", "hi 1"])
      const [id, body] = await server.receive()
      if (names.client) expect(String(id)).toBe(names.client)
      else expect(id![0]).toBe(0)
      expect(String(body)).toBe("hi 1")
      await server.send([id!, "ok"])
      expect(await text(client)).toEqual(["conn1", "ok"])
    }
  })

  it("connect with a routing id names that connection only", async () => {
    const servers = [own(new zmq.Router({ routingId: "s0" })), own(new zmq.Router({ routingId: "s1" }))]
    const client = own(new zmq.Router({ mandatory: true, sendTimeout: 0 }))
    client.connect(await bound(servers[0]!, freshEndpoint(transport)), { routingId: "first" })
    client.connect(await bound(servers[1]!, freshEndpoint(transport)))
    await client.send(["first", "a"])
    await eventually(() => client.send(["s1", "b"]).then(() => true))
    expect((await text(servers[0]!))[1]).toBe("a")
    expect((await text(servers[1]!))[1]).toBe("b")
  })

  it("connect with a routing id does not mix up with a peer that was heard under another name", async () => {
    const x = own(new zmq.Router({ routingId: "X" }))
    const y = own(new zmq.Router({ routingId: "Y" }))
    const z = own(new zmq.Router({ routingId: "Z" }))
    y.connect(await bound(x, freshEndpoint(transport)), { routingId: "X" })
    await y.send(["X", "hi 1"])
    await eventually(() => x.readable)
    x.connect(await bound(z, freshEndpoint(transport)), { routingId: "Z" })
    await x.send(["Z", "hi 2"])
    expect(await text(z)).toEqual(["X", "hi 2"])
    await nothingArrives(y)
    expect(await text(x)).toEqual(["Y", "hi 1"])
  })

  it("answers many short-lived DEALERs of different names (libzmq issue 566)", async () => {
    const router = own(new zmq.Router({ mandatory: true }))
    const address = await bound(router, freshEndpoint(transport))
    for (let index = 0; index < 30; index++) {
      const dealer = own(new zmq.Dealer({ routingId: `dealer-${index}`, linger: 0 }))
      dealer.connect(address)
      await dealer.send("ping")
      expect(await text(router)).toEqual([`dealer-${index}`, "ping"])
      await router.send([`dealer-${index}`, "HELLO"])
      expect(await text(dealer)).toEqual(["HELLO"])
      await dealer.close()
    }
  })
})

describe("28/REQREP: ROUTER over tcp, to a peer that never reads", () => {
  const own = ownSockets()

  it("MANDATORY: EAGAIN after more than ten messages of 64 KiB, and again after more (router_mandatory_hwm)", async () => {
    const router = own(new zmq.Router({ mandatory: true, sendHighWaterMark: 1 }))
    const dealer = own(new zmq.Dealer({ routingId: "X", receiveHighWaterMark: 1 }))
    dealer.connect(await bound(router, freshEndpoint("tcp")))
    await dealer.send("Hello")
    await router.receive()
    const body = Buffer.alloc(64 * 1024)
    let taken = await fillUp(router, () => ["X", body])
    expect(taken).toBeGreaterThan(10)
    // What is on its way goes on into the kernel's buffers, so there may be room for a few more.
    router.sendTimeout = 0
    await eventually(async () => {
      const code = await router.send(["X", body]).then(
        () => null,
        error => error.code,
      )
      if (code === null) taken += 1
      return code === "EAGAIN"
    })
    expect(taken).toBeGreaterThan(20)
    for (let index = 0; index < taken; index++) expect((await dealer.receive())[0]).toHaveLength(body.length)
    await nothingArrives(dealer, 30)
  })
})

describe.each(wired)("28/REQREP: ROUTER whose peers leave, over %s", transport => {
  const own = ownSockets()

  it("a ROUTER SHALL destroy the queue of a peer that disconnects: MANDATORY says EHOSTUNREACH", async () => {
    // HANDOVER, for libzmq says EHOSTUNREACH a little before it forgets the old name.
    const router = own(new zmq.Router({ mandatory: true, handover: true, sendTimeout: 0 }))
    const address = await bound(router, freshEndpoint(transport))
    const dealer = own(new zmq.Dealer({ routingId: "X" }))
    dealer.connect(address)
    await dealer.send("Hello")
    await router.receive()
    await dealer.close()
    const unreachable = () =>
      router.send(["X", "lost"]).then(
        () => false,
        error => error.code === "EHOSTUNREACH",
      )
    await eventually(unreachable)
    const again = own(new zmq.Dealer({ routingId: "X" }))
    again.connect(address)
    await again.send("back")
    expect(await text(router)).toEqual(["X", "back"])
    await router.send(["X", "welcome"])
    expect(await text(again)).toEqual(["welcome"])
  })

  it("what a peer sent before it left can still be received", async () => {
    const router = own(new zmq.Router())
    const address = await bound(router, freshEndpoint(transport))
    let left = 0
    router.events.on("disconnect", () => {
      left += 1
    })
    const dealer = own(new zmq.Dealer({ routingId: "X" }))
    dealer.connect(address)
    for (const body of ["one", "two"]) await dealer.send(body)
    await eventually(() => router.readable)
    await dealer.close()
    await eventually(() => left === 1)
    expect(await texts(router, 2)).toEqual([
      ["X", "one"],
      ["X", "two"],
    ])
  })
})
