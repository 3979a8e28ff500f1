/**
 * Beyond zeromq.js: a STREAM whose sends wait, for each peer on its own; what it knows of its peers; and what libzmq makes
 * of wrong use (it loses track of its frames, or aborts), which here is counted, or an error.
 */
import { once } from "node:events"
import { describe, expect, it } from "vitest"
import { type MessageLike, Stream } from "../../patterns/index.js"
import { freshEndpoint } from "../support/endpoints.js"
import { engine, zmq } from "../support/engine.js"
import { eventually, pause } from "../support/eventually.js"
import { RawPeer, rawServer } from "../support/raw-zmtp.js"
import { Simulation } from "../support/simulation.js"
import { bound, failsWith, failure, nothingArrives, ownSockets } from "../support/sockets.js"
import { note, pattern } from "../support/streams.js"

const TCP = "tcp://127.0.0.1:*"
const PIECE = 200_000

describe.skipIf(engine === "zeromq")("a STREAM's sends", () => {
  const own = ownSockets()

  /** A STREAM and a client that does not read, for whom it takes nothing more. */
  async function stuck(options: object = {}) {
    const stream = own(new zmq.Stream({ sendHighWaterMark: 2, ...options }))
    const peer = await RawPeer.connect(await bound(stream, TCP))
    const id = await note(stream)
    peer.stopReading()
    let taken = 0
    for (let quiet = 0; quiet < 3; quiet++) {
      while (stream.trySend([id, pattern(PIECE)])) {
        taken++
        quiet = 0
      }
      await pause(20)
    }
    return { stream, peer, id, taken }
  }

  it("wait for a peer that does not read, in the order of their calls, and for nobody else", async () => {
    const { stream, peer, id, taken } = await stuck()
    const settled: string[] = []
    const sends = ["a", "b", "c"].map(name => stream.send([id, name]).then(() => settled.push(name)))
    const end = stream.send([id, ""]).then(() => settled.push("end"))
    const other = await RawPeer.connect(stream.lastEndpoint!)
    const otherId = await note(stream)
    await stream.send([otherId, "hello"])
    expect(String(await other.read(5))).toBe("hello")
    expect([settled, stream.writable, stream.trySend([id, "too early"])]).toEqual([[], true, false])

    peer.socket.resume()
    for (let count = 0; count < taken; count++) expect(Buffer.compare(await peer.read(PIECE), pattern(PIECE))).toBe(0)
    expect(String(await peer.read(3))).toBe("abc")
    await peer.ended
    await Promise.all([...sends, end])
    expect(settled).toEqual(["a", "b", "c", "end"])
  })

  it("wait no longer than sendTimeout, their own timeout, or their signal says", async () => {
    const { stream, id } = await stuck()
    await failsWith("EAGAIN", () => stream.send([id, "x"], { timeout: 20 }))
    const reason = new Error("enough")
    const controller = new AbortController()
    const send = failure(() => stream.send([id, "x"], { signal: controller.signal }))
    controller.abort(reason)
    expect(await send).toBe(reason)
    stream.sendTimeout = 0
    await failsWith("EAGAIN", () => stream.send([id, "x"]))
  })

  it("are EBUSY beyond maxPendingSends for one peer", async () => {
    const { stream, id } = await stuck({ maxPendingSends: 2 })
    const sends = [1, 2].map(() => failure(() => stream.send([id, "x"])))
    await failsWith("EBUSY", () => stream.send([id, "x"]))
    const other = await RawPeer.connect(stream.lastEndpoint!)
    await stream.send([await note(stream), "x"])
    expect(String(await other.read(1))).toBe("x")
    await stream.close({ linger: 0 })
    for (const error of await Promise.all(sends)) expect(error.code).toBe("EAGAIN")
  })

  it("are EHOSTUNREACH when the peer leaves meanwhile", async () => {
    const { stream, peer, id } = await stuck()
    const sends = ["x", ""].map(data => failure(() => stream.send([id, data])))
    peer.destroy()
    for (const error of await Promise.all(sends)) expect(error.code).toBe("EHOSTUNREACH")
    expect(await note(stream)).toEqual(id)
    expect(() => stream.trySend([id, "x"])).toThrow(/^Host unreachable/)
  })

  it("are EHOSTUNREACH when they wait behind an empty one, which ends the connection", async () => {
    const { stream, peer, id } = await stuck()
    const [end, late] = [stream.send([id, ""]), failure(() => stream.send([id, "late"]))]
    peer.socket.resume()
    await end
    expect((await late).code).toBe("EHOSTUNREACH")
    await peer.ended
  })

  it("are waited for by flushed(), whoever they are for", async () => {
    const { stream, peer, id } = await stuck()
    void stream.send([id, "last"])
    await failsWith("EAGAIN", () => stream.flushed({ timeout: 30 }))
    let flushed = false
    const all = stream.flushed().then(() => {
      flushed = true
    })
    const other = await RawPeer.connect(stream.lastEndpoint!)
    await stream.send([await note(stream), "x"])
    await other.read(1)
    expect(flushed).toBe(false)
    peer.socket.resume()
    await all
  })
})

describe.skipIf(engine === "zeromq")("a STREAM", () => {
  const own = ownSockets()

  async function joined(options: object = {}) {
    const stream = own(new zmq.Stream(options))
    const peer = await RawPeer.connect(await bound(stream, TCP))
    return { stream, peer, id: await note(stream) }
  }

  it("sends the first frame after the routing id, and counts what has none as malformed", async () => {
    const { stream, peer, id } = await joined()
    const loose = stream as unknown as { send(message: MessageLike | MessageLike[]): Promise<void> }
    await loose.send([id, "a", "b", "c"])
    await loose.send(id)
    await loose.send([])
    await stream.send([id, "d"])
    expect(String(await peer.read(2))).toBe("ad")
    expect(stream.stats().dropped).toEqual({ total: 1, malformed: 1 })
  })

  it("knows its peers: by routing id and address; counts their bytes, and can cut them off", async () => {
    const { stream, peer, id } = await joined()
    peer.send(Buffer.from("hello"))
    const { message, peer: from } = await stream.receiveFrom()
    expect([message[0], String(message[1])]).toEqual([id, "hello"])
    const { localPort } = peer.socket
    expect(from).toMatchObject({ address: `tcp://127.0.0.1:${localPort}`, routingId: id, type: "", mechanism: "NULL" })
    await stream.send([id, "four"])
    expect(from.stats()).toMatchObject({ messagesIn: 2, bytesIn: 5, messagesOut: 1, bytesOut: 4 })
    expect(stream.peers().map(each => each.routingId)).toEqual([id])
    from.disconnect()
    await peer.ended
    expect(await note(stream)).toEqual(id)
    expect([stream.peers(), from.since]).toEqual([[], null])
  })

  it("cuts off a peer that was to be ended in order, and does not read", async () => {
    const { stream, peer, id } = await joined()
    peer.stopReading()
    await stream.send([id, pattern(20_000_000)])
    await stream.send([id, ""])
    const [last] = stream.peers()
    last!.disconnect()
    peer.socket.resume()
    await peer.ended
    expect(stream.peers()).toEqual([])
    await nothingArrives(stream)
  })

  it("tells whoever waits for peers", async () => {
    const stream = own(new zmq.Stream({ notify: false }))
    const ready = stream.ready({ peers: 2 })
    const address = await bound(stream, TCP)
    await Promise.all([RawPeer.connect(address), RawPeer.connect(address)])
    await ready
    expect(stream.stats().peers).toBe(2)
  })

  it("tells of the end of a connection if it told of its beginning, whatever notify is by then", async () => {
    const { stream, peer, id } = await joined()
    stream.notify = false
    const silent = await RawPeer.connect(stream.lastEndpoint!)
    await eventually(() => stream.peers().length === 2)
    stream.notify = true
    silent.destroy()
    await eventually(() => stream.peers().length === 1)
    peer.destroy()
    expect(await note(stream)).toEqual(id)
    await nothingArrives(stream)
  })

  it("knows the next peer by connectRoutingId; an id in use is EINVAL", async () => {
    const address = await rawServer(() => {})
    const stream = own(new zmq.Stream())
    stream.connectRoutingId = "one"
    stream.connect(address)
    expect(String(await note(stream))).toBe("one")
    await failsWith("EINVAL", () => stream.connect(address, { routingId: "one" }))
    await failsWith("EINVAL", () => stream.connect(address, { routingId: "x".repeat(256) }))
    stream.connect(address, { routingId: "two" })
    expect(String(await note(stream))).toBe("two")
    await stream.send(["one", ""])
    stream.connect(address, { routingId: "one" })
    expect(String(await note(stream))).toBe("one")
    expect(stream.stats().peers).toBe(2)
  })

  it("can be sent to by a given routing id only while it is connected, if it is immediate", async () => {
    const peers: RawPeer[] = []
    const address = await rawServer(peer => peers.push(peer))
    const stream = own(new zmq.Stream({ immediate: true, reconnectInterval: 20 }))
    stream.connect(address, { routingId: "server" })
    await failsWith("EHOSTUNREACH", () => stream.send(["server", "too early"]))
    for (let round = 0; round < 2; round++) {
      expect(String(await note(stream))).toBe("server")
      await stream.send(["server", "hello"])
      const peer = (await eventually(() => peers[round])) as RawPeer
      expect(String(await peer.read(5))).toBe("hello")
      peer.destroy()
      expect(String(await note(stream))).toBe("server")
    }
  })

  it("does not keep an endpoint for each connection that it made to it and ended", async () => {
    const address = await rawServer(() => {})
    const stream = own(new zmq.Stream())
    for (let round = 0; round < 20; round++) {
      stream.connect(address)
      const id = await note(stream)
      await stream.send([id, null])
      await eventually(() => stream.stats().peers === 0)
    }
    expect((stream as unknown as { connections: { size: number } }).connections.size).toBe(1)
    stream.disconnect(address)
    await failsWith("ENOENT", () => stream.disconnect(address))
  })

  it("has nothing to do with inproc", async () => {
    const stream = own(new zmq.Stream())
    const endpoint = freshEndpoint("inproc")
    await failsWith("ENOCOMPATPROTO", () => stream.bind(endpoint))
    await failsWith("ENOCOMPATPROTO", () => stream.bindSync(endpoint))
    await failsWith("ENOCOMPATPROTO", () => stream.connect(endpoint))
    const other = own(new zmq.Pair())
    await other.bind(endpoint)
  })

  it("gives what came in batches, each with its routing id", async () => {
    const { stream, peer, id } = await joined()
    peer.send(pattern(100_000))
    const got: Buffer[] = []
    for await (const batch of stream.batches()) {
      for (const [from, data] of batch) {
        expect(from).toEqual(id)
        got.push(data)
      }
      if (got.reduce((sum, { length }) => sum + length, 0) === 100_000) break
    }
    expect(Buffer.compare(Buffer.concat(got), pattern(100_000))).toBe(0)
    expect(stream.tryReceive()).toBeNull()
  })

  it("goes through a Proxy, to workers that see routing ids and bytes", async () => {
    const front = new zmq.Stream({ notify: false })
    const back = new zmq.Dealer()
    const [outside, inside] = [await bound(front, TCP), await bound(back, TCP)]
    const running = new zmq.Proxy(front, back).run()
    const worker = own(new zmq.Dealer())
    worker.connect(inside)
    const peer = await RawPeer.connect(outside)
    peer.send(Buffer.from("shout"))
    const [id, data] = await worker.receive()
    await worker.send([id!, String(data).toUpperCase()])
    await worker.send([id!, null])
    expect(String(await peer.read(5))).toBe("SHOUT")
    await peer.ended
    await Promise.all([front.close(), back.close()])
    await running
  })

  it("leaves the process alone when the peer resets in the middle of all this", async () => {
    const { stream, peer, id } = await joined()
    const sending = (async () => {
      for (;;) await stream.send([id, pattern(PIECE)])
    })()
    await peer.read(PIECE)
    peer.socket.resetAndDestroy()
    await once(peer.socket, "close")
    await failsWith("EHOSTUNREACH", () => sending)
    expect(await note(stream)).toEqual(id)
  })
})

describe.skipIf(engine === "zeromq")("a connecting STREAM that is not received from", () => {
  it("does not pile up what its server's coming and going tells; goes on when it is", async () => {
    const sim = new Simulation()
    const server = sim.open(Stream, { notify: true })
    const address = await sim.bind(server)
    const client = sim.open(Stream, { receiveHighWaterMark: 4, reconnectInterval: 100 })
    client.connect(address, { routingId: "server" })
    const turns = (async () => {
      const greeted = new Set<string>()
      for await (const [id] of server) {
        if (!greeted.has(id.toString("hex"))) server.trySend([id, "hi"])
        greeted.add(id.toString("hex"))
      }
    })()
    await sim.advance(1000)
    expect(client.stats().queuedIn).toBe(2)
    for (let round = 0; round < 50; round++) {
      for (const peer of server.peers()) peer.disconnect()
      await sim.advance(1000)
    }
    expect(client.stats().queuedIn).toBeLessThanOrEqual(5)
    const heard: string[] = []
    for (let round = 0; round < 6; round++) heard.push(String((await sim.until(client.receive()))[1]))
    expect(heard).toEqual(["", "hi", "", "", "hi", ""])
    await sim.until(client.receive())
    await sim.until(server.close({ linger: 0 }))
    await turns
  })
})
