/**
 * Beyond zeromq.js: what libzmq tells of one peer by calls of its own, told here by `peers()` and `receiveFrom()`:
 * whether there is room for a message to it (zmq_socket_get_peer_state), how much waits (ZMQ_EVENT_PIPES_STATS), and who
 * sent a message (zmq_msg_gets).
 */
import { describe, expect, it } from "vitest"
import { Peer } from "../../patterns/draft/index.js"
import { freshEndpoint, transports, wired } from "../support/endpoints.js"
import { engine, zmq } from "../support/engine.js"
import { eventually } from "../support/eventually.js"
import { bound, failsWith, fill, fillUp, ownSockets, text } from "../support/sockets.js"

const TCP = "tcp://127.0.0.1:*"

describe.skipIf(engine === "zeromq").each(transports)("the state of a peer over %s", transport => {
  const own = ownSockets()

  it("says that one is full while another has room, until it has read (get_peer_state)", async () => {
    const router = own(new zmq.Router({ mandatory: true, sendHighWaterMark: 1 }))
    const address = await bound(router, freshEndpoint(transport))
    const dealers = ["full", "free"].map(routingId => own(new zmq.Dealer({ routingId, receiveHighWaterMark: 1 })))
    for (const dealer of dealers) {
      dealer.connect(address)
      await dealer.send("hello")
      await router.receive()
    }
    const state = () => Object.fromEntries(router.peers().map(peer => [String(peer.routingId), peer.writable]))
    expect(state()).toEqual({ full: true, free: true })
    const padding = Buffer.alloc(1024 * 1024)
    let taken = await fillUp(router, () => ["full", padding])
    // What is on its way goes on into the kernel's buffers, so there may be room for one more.
    await eventually(async () => {
      taken += await fill(router, () => ["full", padding])
      return !state().full
    })
    expect(state().free).toBe(true)
    for (let turn = 0; turn < 10; turn++) {
      await router.send(["free", `${turn}`])
      expect(await text(dealers[1]!)).toEqual([`${turn}`])
    }
    for (let index = 0; index < taken; index++) await dealers[0]!.receive()
    await eventually(() => state().full)
    await router.send(["full", "again"])
    expect(await text(dealers[0]!)).toEqual(["again"])
    const gone = router.peers().find(peer => String(peer.routingId) === "full")!
    await dealers[0]!.close()
    await eventually(() => !("full" in state()))
    expect(gone.writable).toBe(false)
  })

  it("is asked of a socket that sends nothing without harm", async () => {
    const pull = own(new zmq.Pull())
    const push = own(new zmq.Push())
    push.connect(await bound(pull, freshEndpoint(transport)))
    await push.send("a")
    await text(pull)
    expect(pull.peers().map(peer => peer.writable)).toEqual([true])
  })

  it("counts what waits for each of four peers, on both sides (monitor_versioned_stats)", async () => {
    const push = own(new zmq.Push({ sendHighWaterMark: 500 }))
    const address = await bound(push, freshEndpoint(transport))
    const pulls = Array.from({ length: 4 }, () => own(new zmq.Pull({ receiveHighWaterMark: 500 })))
    for (const pull of pulls) pull.connect(address)
    await push.ready({ peers: 4 })
    for (let index = 0; index < 4 * 500; index++) await push.send("x")
    await eventually(() => pulls.every(pull => pull.stats().queuedIn === 500))
    // Over inproc both sides share one queue.
    const queuedOut = transport === "inproc" ? 500 : 0
    for (const peer of push.peers()) {
      expect(peer.stats()).toMatchObject({ messagesOut: 500, queuedOut, queuedIn: 0, messagesIn: 0 })
    }
    for (const pull of pulls) {
      expect(pull.peers()).toHaveLength(1)
      expect(pull.peers()[0]!.stats()).toMatchObject({ messagesIn: 500, queuedIn: 500, queuedOut: 0 })
    }
  })
})

describe.skipIf(engine === "zeromq").each(wired)("what a peer said of itself over %s", transport => {
  const own = ownSockets()

  it("comes with each message, though the socket was asked before whether one is there (prefetch)", async () => {
    const router = own(new zmq.Router())
    const dealer = own(new zmq.Dealer({ routingId: "X", metadata: "X-hello:World" }))
    dealer.connect(await bound(router, freshEndpoint(transport)))
    for (const body of ["one", "two"]) await dealer.send([body, "a", "b"])
    for (const body of ["one", "two"]) {
      await eventually(() => router.readable)
      const { message, peer } = await router.receiveFrom()
      expect(message.map(String)).toEqual(["X", body, "a", "b"])
      expect([peer.type, String(peer.routingId), String(peer.metadata.get("X-hello"))]).toEqual([
        "DEALER",
        "X",
        "World",
      ])
      expect(peer.address).toMatch(transport === "tcp" ? /^tcp:\/\/127\.0\.0\.1:\d+$/ : /^ipc:\/\//)
      expect(peer.metadata.get("Hello")).toBeUndefined()
    }
  })

  it("is known on both sides, and what it did not say is not there (app_meta)", async () => {
    const server = own(new zmq.Dealer({ metadata: "X-server:hello\nX-both:s" }))
    const client = own(new zmq.Dealer({ metadata: "X-connection:primary" }))
    client.metadata = "X-both:c"
    client.connect(await bound(server, freshEndpoint(transport)))
    await client.send("to server")
    await server.send("to client")
    const told = async (socket: typeof server) => {
      const { peer } = await socket.receiveFrom()
      return Object.fromEntries([...peer.metadata].map(([name, value]) => [name, String(value)]))
    }
    expect(await told(server)).toEqual({ "X-connection": "primary", "X-both": "c" })
    expect(await told(client)).toEqual({ "X-server": "hello", "X-both": "s" })
  })
})

describe.skipIf(engine === "zeromq")("a peer that is disconnected", () => {
  const own = ownSockets()

  it("cannot be sent to any more: EHOSTUNREACH, by a PEER and by a ROUTER (peer_disconnect)", async () => {
    const peer = own(new Peer())
    const other = own(new Peer({ reconnectInterval: 60_000 }))
    const first = other.connectPeer(await bound(peer, TCP))
    await other.send("X", { routingId: first })
    const [, options] = await peer.receive()
    expect(options.routingId).not.toBe(0)
    peer.peers()[0]!.disconnect()
    await failsWith("EHOSTUNREACH", () => peer.send("HELLO", options))

    const router = own(new zmq.Router({ mandatory: true }))
    const dealer = own(new zmq.Dealer({ routingId: "D", reconnectInterval: 60_000 }))
    dealer.connect(await bound(router, TCP))
    await dealer.send("X")
    const { peer: from } = await router.receiveFrom()
    from.disconnect()
    await failsWith("EHOSTUNREACH", () => router.send(["D", "HELLO"]))
  })
})
