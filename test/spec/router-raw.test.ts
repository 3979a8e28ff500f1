/**
 * ZMQ_ROUTER_RAW (zmq_setsockopt(3)): a ROUTER whose peers at tcp and ipc do not speak ZMTP. The `zeromq` package does not have
 * it; what is expected here is what libzmq 4.3.4 did with it through pyzmq.
 */
import { describe, expect, it } from "vitest"
import { Dealer, Router, type SocketOptions } from "../../patterns/index.js"
import { freshEndpoint, wired } from "../support/endpoints.js"
import { RawPeer, rawServer } from "../support/raw-zmtp.js"
import { bound, failsWith, nothingArrives, ownSockets } from "../support/sockets.js"

const NOTE = Buffer.alloc(0)

describe.each(wired)("ROUTER with raw over %s", transport => {
  const own = ownSockets()

  async function joined(options: SocketOptions<Router> = {}) {
    const router = own(new Router({ raw: true, ...options }))
    const peer = await RawPeer.connect(await bound(router, freshEndpoint(transport)))
    const [id, note] = await router.receive()
    expect(note).toEqual(NOTE)
    return { router, peer, id: id! }
  }

  it("receives bytes as the id of the peer and a chunk, after an empty one when it came and before one when it leaves", async () => {
    const { router, peer, id } = await joined()
    expect(id).toHaveLength(5)
    peer.send(Buffer.from("hello"))
    expect(await router.receive()).toEqual([id, Buffer.from("hello")])
    peer.socket.end()
    expect(await router.receive()).toEqual([id, NOTE])
    await nothingArrives(router)
  })

  it("cuts what comes at 8192 bytes", async () => {
    const { router, peer, id } = await joined()
    peer.send(Buffer.alloc(10_000, 1))
    let size = 0
    while (size < 10_000) {
      const [from, chunk] = await router.receive()
      expect(from).toEqual(id)
      expect(chunk!.length).toBeLessThanOrEqual(8192)
      size += chunk!.length
    }
    expect(size).toBe(10_000)
  })

  it("says nothing of its own, and sends the frame after the id as it is, but none beyond it", async () => {
    const { router, peer, id } = await joined()
    await router.send([id, "one", "two"])
    await router.send([id, "three"])
    expect(String(await peer.read(8))).toBe("onethree")
  })

  it("hangs up on a peer that is sent an empty frame, when what was sent before is written", async () => {
    const { router, peer, id } = await joined()
    await router.send([id, "last words"])
    await router.send([id, ""])
    await peer.ended
    expect(String(await peer.read(10))).toBe("last words")
    router.mandatory = true
    await failsWith("EHOSTUNREACH", () => router.send([id, "x"]))
  })

  it("drops what is for nobody, without mandatory", async () => {
    const { router } = await joined()
    await router.send(["nobody", "x"])
    expect(router.stats().dropped.unroutable).toBe(1)
  })
})

describe("ROUTER with raw, connecting", () => {
  const own = ownSockets()

  it("connects, and knows the server by the id it was given", async () => {
    const router = own(new Router({ raw: true }))
    const endpoint = await rawServer(peer => peer.send(Buffer.from("yo")))
    router.connect(endpoint, { routingId: "server" })
    expect(await router.receive()).toEqual([Buffer.from("server"), NOTE])
    expect(await router.receive()).toEqual([Buffer.from("server"), Buffer.from("yo")])
  })
})

describe("ROUTER with raw over inproc", () => {
  const own = ownSockets()

  it("is a ROUTER like any other", async () => {
    const router = own(new Router({ raw: true }))
    const endpoint = await bound(router, freshEndpoint("inproc"))
    const dealer = own(new Dealer())
    dealer.connect(endpoint)
    await dealer.send(["a", "b"])
    expect((await router.receive()).slice(1)).toEqual([Buffer.from("a"), Buffer.from("b")])
  })
})
