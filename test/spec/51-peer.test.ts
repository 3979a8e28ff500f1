/** 51/P2P, which zeromq has not: PEER, a SERVER on both sides. */
import { describe, expect, it } from "vitest"
import { Peer } from "../../patterns/draft/index.js"
import { freshEndpoint, reservedEndpoint, transports, wired } from "../support/endpoints.js"
import { eventually } from "../support/eventually.js"
import { bound, failsWith, ownSockets } from "../support/sockets.js"

describe.each(transports)("51/P2P over %s", transport => {
  const own = ownSockets()

  it("who connects has the routing id at once, and both can begin", async () => {
    const left = own(new Peer())
    const right = own(new Peer())
    const address = await bound(left, freshEndpoint(transport))
    const routingId = right.connectPeer(address)
    await right.send("hello", { routingId })
    const [body, options] = await left.receive()
    expect(String(body)).toBe("hello")
    for (const answer of ["1", "2"]) await left.send(answer, options)
    expect(await right.receive()).toEqual([Buffer.from("1"), { routingId }])
    expect(right.trySend("x", { routingId })).toBe(true)
    expect(await right.receive()).toEqual([Buffer.from("2"), { routingId }])
  })

  it("talks to many, each by its id, and to those that are not there yet", async () => {
    const middle = own(new Peer({ reconnectInterval: 20 }))
    const others = Array.from({ length: 3 }, () => own(new Peer()))
    for (const [index, other] of others.entries()) {
      const address = await reservedEndpoint(transport)
      const routingId = middle.connectPeer(address)
      await middle.send(`${index}`, { routingId })
      await other.bind(address)
    }
    for (const [index, other] of others.entries()) expect(String((await other.receive())[0])).toBe(`${index}`)
  })

  it("fails at once with EAGAIN when the peer is full; EHOSTUNREACH for nobody; EINVAL for more frames", async () => {
    const left = own(new Peer({ sendHighWaterMark: 2 }))
    const routingId = left.connectPeer(await reservedEndpoint(transport))
    for (const body of ["1", "2"]) await left.send(body, { routingId })
    await failsWith("EAGAIN", () => left.send("3", { routingId }))
    expect(left.trySend("3", { routingId })).toBe(false)
    await failsWith("EHOSTUNREACH", () => left.send("x", { routingId: (routingId % 1000) + 2 ** 31 }))
    await failsWith("EINVAL", () => left.send(["a", "b"] as never, { routingId }))
  })

  it("cannot know the peer at once when it is to be immediate", async () => {
    const peer = own(new Peer({ immediate: true }))
    await failsWith("EINVAL", () => peer.connectPeer("tcp://127.0.0.1:1"))
  })
})

describe.each(wired)("51/P2P over %s, with connections that end", transport => {
  const own = ownSockets()

  it("a peer that comes back has the id that it had", async () => {
    const address = await reservedEndpoint(transport)
    const left = own(new Peer({ reconnectInterval: 20 }))
    const routingId = left.connectPeer(address)
    for (let round = 0; round < 2; round++) {
      const right = own(new Peer())
      await right.bind(address)
      await left.ready()
      await left.send(`${round}`, { routingId })
      const [body, options] = await right.receive()
      expect(String(body)).toBe(`${round}`)
      await right.send("ok", options)
      expect((await left.receive())[1]).toEqual({ routingId })
      await right.close()
      await eventually(() => left.peers().length === 0)
    }
  })
})
