/**
 * STREAM (zmq_socket(3); protocol.md 3.3): bytes from and to peers that know nothing of ZMTP. Titles are the sentences of the
 * manual, or what the running libzmq does, over ipc as well, of which the manual says nothing.
 */
import { once } from "node:events"
import { describe, expect, it } from "vitest"
import { withDraft } from "../support/draft.js"
import { freshEndpoint, reservedEndpoint, wired } from "../support/endpoints.js"
import { type AnySocket, engine, zmq } from "../support/engine.js"
import { EventLog } from "../support/events.js"
import { eventually } from "../support/eventually.js"
import { RawPeer, rawServer } from "../support/raw-zmtp.js"
import { bound, failsWith, fill, nothingArrives, ownSockets, whileNudging } from "../support/sockets.js"
import { SocksProxy } from "../support/socks-proxy.js"
import { bytesFrom, gone, note, pattern, textFrom } from "../support/streams.js"

describe.each(wired)("STREAM over %s, bound", transport => {
  const own = ownSockets()

  /** A STREAM and a plain client of it. */
  async function joined(options: object = {}) {
    const stream = own(new zmq.Stream(options))
    const address = await bound(stream, freshEndpoint(transport))
    const peer = await RawPeer.connect(address)
    return { stream, address, peer, id: await note(stream) }
  }

  it("receives a zero-length message when a peer connects, and one when it disconnects", async () => {
    const { stream, peer, id } = await joined()
    expect(id).toHaveLength(5)
    expect(id[0]).toBe(0)
    peer.socket.end()
    expect(await note(stream)).toEqual(id)
    await nothingArrives(stream)
  })

  it("receives none of them with notify: false", async () => {
    const stream = own(new zmq.Stream({ notify: false }))
    const peer = await RawPeer.connect(await bound(stream, freshEndpoint(transport)))
    peer.send(Buffer.from("data"))
    const [id, data] = await stream.receive()
    expect([id![0], String(data)]).toEqual([0, "data"])
    peer.destroy()
    await nothingArrives(stream)
  })

  it("SHALL prepend the routing id of the originating peer to what it receives, in chunks of up to 8192 bytes", async () => {
    const { stream, peer, id } = await joined()
    const sent = pattern(1_000_000)
    peer.send(Buffer.from("first"), sent)
    expect(await textFrom(stream, id, 5 + sent.length)).toBe(`first${sent}`)
    peer.send(pattern(8193))
    expect(await bytesFrom(stream, id, 8193)).toEqual(pattern(8193))
  })

  it("SHALL remove the first part and use it as the routing id of the peer to send to", async () => {
    const stream = own(new zmq.Stream())
    const address = await bound(stream, freshEndpoint(transport))
    const peers: [RawPeer, Buffer][] = []
    for (let count = 0; count < 3; count++) {
      const peer = await RawPeer.connect(address)
      peers.push([peer, await note(stream)])
    }
    expect(new Set(peers.map(([, id]) => id.toString("hex"))).size).toBe(3)
    for (const [index, [, id]] of [...peers.entries()].reverse()) await stream.send([id, `for ${index}`])
    for (const [index, [peer]] of peers.entries()) expect(String(await peer.read(5))).toBe(`for ${index}`)
    for (const [index, [peer, id]] of peers.entries()) {
      peer.send(Buffer.from(`of ${index}`))
      expect(await textFrom(stream, id, 4)).toBe(`of ${index}`)
    }
  })

  it("sends bytes as they are and in order, short and long", async () => {
    const { stream, peer, id } = await joined()
    const sizes = [1, 100, 255, 256, 8192, 40_000, 3, 300_000, 2, 2_000_000, 1]
    for (const size of sizes) await stream.send([id, pattern(size)])
    for (const size of sizes) expect(Buffer.compare(await peer.read(size), pattern(size)), `${size}`).toBe(0)
  })

  it("SHALL return an error when there is no such peer, or no more", async () => {
    const { stream, peer, id } = await joined()
    await failsWith("EHOSTUNREACH", () => stream.send(["nobody", "data"]))
    await failsWith("EHOSTUNREACH", () => stream.send([null, "data"]))
    peer.destroy()
    await note(stream)
    await gone(stream, id)
    await failsWith("EHOSTUNREACH", () => stream.send([id, ""]))
  })

  it("closes a specific connection by its routing id and a zero-length message, when all before is written", async () => {
    const { stream, peer, id } = await joined()
    const other = await RawPeer.connect(stream.lastEndpoint!)
    const otherId = await note(stream)
    for (let count = 0; count < 50; count++) await stream.send([id, pattern(100_000)])
    await stream.send([id, "bye"])
    await stream.send([id, null])
    for (let count = 0; count < 50; count++) expect(Buffer.compare(await peer.read(100_000), pattern(100_000))).toBe(0)
    expect(String(await peer.read(3))).toBe("bye")
    await over(stream, peer)
    await gone(stream, id)
    await stream.send([otherId, "still here"])
    expect(String(await other.read(10))).toBe("still here")
    await nothingArrives(stream)
  })

  it("gives the application a copy of the routing id", async () => {
    const { stream, peer, id } = await joined()
    const before = Buffer.from(id)
    id.fill(0xee)
    peer.send(Buffer.from("x"))
    expect(await textFrom(stream, before, 1)).toBe("x")
    await stream.send([before, "y"])
    expect(String(await peer.read(1))).toBe("y")
  })

  it("lets what a peer had sent be received after it has left, and then tells of that", async () => {
    const { stream, peer, id } = await joined()
    peer.socket.end(pattern(300_000))
    await once(peer.socket, "close")
    expect(Buffer.compare(await bytesFrom(stream, id, 300_000), pattern(300_000))).toBe(0)
    expect(await note(stream)).toEqual(id)
  })

  it("says EAGAIN for a peer that does not read, with sendTimeout 0, and sends to another", async () => {
    const { stream, peer, id } = await joined({ sendHighWaterMark: 5, sendTimeout: 0 })
    peer.stopReading()
    const other = await RawPeer.connect(stream.lastEndpoint!)
    const otherId = await note(stream)
    const taken = await fill(stream as never, () => [id, pattern(100_000)])
    expect(taken).toBeGreaterThanOrEqual(5)
    await stream.send([otherId, "hello"])
    expect(String(await other.read(5))).toBe("hello")
    expect(stream.writable).toBe(true)
    peer.socket.resume()
    for (let count = 0; count < taken; count++)
      expect(Buffer.compare(await peer.read(100_000), pattern(100_000))).toBe(0)
    await stream.send([id, "again"])
    expect(String(await peer.read(5))).toBe("again")
  })

  it("stops the connection of a peer that it does not receive from, and receives all of it later", async () => {
    const { stream, peer, id } = await joined({ receiveHighWaterMark: 10 })
    const piece = pattern(1_000_000)
    let sent = 0
    while (sent < 200 * piece.length) {
      sent += piece.length
      if (peer.socket.write(piece)) continue
      const drained = once(peer.socket, "drain")
      if ((await Promise.race([drained, silence(500)])) === "silence") break
    }
    expect(sent).toBeLessThan(40 * piece.length)
    const all = await bytesFrom(stream, id, sent)
    for (let at = 0; at < sent; at += piece.length) {
      expect(Buffer.compare(all.subarray(at, at + piece.length), piece)).toBe(0)
    }
  })

  it("ends its connections with unbind, and with close when all is sent", async () => {
    const { stream, address, peer, id } = await joined()
    await stream.unbind(address)
    await over(stream, peer)
    await gone(stream, id)
    const again = await bound(stream, freshEndpoint(transport))
    const other = await RawPeer.connect(again)
    const otherId = await note(stream)
    await stream.send([otherId, pattern(3_000_000)])
    stream.close()
    expect(Buffer.compare(await other.read(3_000_000), pattern(3_000_000))).toBe(0)
    await other.ended
  })
})

/** A plain server: the endpoint, and who has connected, by number from 0. */
async function serving(port = 0) {
  const peers: RawPeer[] = []
  const address = await rawServer(peer => peers.push(peer), port)
  return { address, peers, peer: (number: number) => eventually(() => peers[number]) as Promise<RawPeer> }
}

/** Waits until a peer of this socket was hung up on. */
const over = (stream: AnySocket, peer: RawPeer) => whileNudging([stream], peer.ended)

/** For a race: nothing has happened in that time. */
const silence = (ms: number) => new Promise<"silence">(resolve => setTimeout(resolve, ms, "silence"))

describe("STREAM, connected", () => {
  const own = ownSockets()

  it("is told of the connection, receives and sends; of the loss, and of the next one, by the same routing id", async () => {
    const { address, peer } = await serving()
    const stream = own(new zmq.Stream({ reconnectInterval: 20 }))
    stream.connect(address)
    const id = await note(stream)
    expect([id.length, id[0]]).toEqual([5, 0])
    await stream.send([id, "one"])
    expect(String(await (await peer(0)).read(3))).toBe("one")
    ;(await peer(0)).socket.end("bye")
    expect(await textFrom(stream, id, 3)).toBe("bye")
    expect(await note(stream)).toEqual(id)
    expect(await note(stream)).toEqual(id)
    await stream.send([id, "two"])
    expect(String(await (await peer(1)).read(3))).toBe("two")
  })

  it("keeps what is sent between two connections for the next one", async () => {
    const { address, peer } = await serving()
    const stream = own(new zmq.Stream({ reconnectInterval: 100 }))
    stream.connect(address)
    const id = await note(stream)
    ;(await peer(0)).destroy()
    await note(stream)
    await stream.send([id, "meanwhile"])
    await note(stream)
    expect(String(await (await peer(1)).read(9))).toBe("meanwhile")
  })

  it("can be sent to at once by the routing id that connect() was given, also before anybody is there", async () => {
    const address = await reservedEndpoint("tcp")
    const stream = own(new zmq.Stream({ reconnectInterval: 20 }))
    stream.connect(address, { routingId: "conn1" })
    await stream.send(["conn1", "hi 1"])
    const { peer } = await serving(Number(new URL(address).port))
    expect(String(await (await peer(0)).read(4))).toBe("hi 1")
    expect(String(await note(stream))).toBe("conn1")
  })

  it("ends a connection of its own for good by a zero-length message", async () => {
    const { address, peers, peer } = await serving()
    const stream = own(new zmq.Stream({ reconnectInterval: 10 }))
    stream.connect(address)
    const id = await note(stream)
    await stream.send([id, "last"])
    await stream.send([id, ""])
    expect(String(await (await peer(0)).read(4))).toBe("last")
    await over(stream, await peer(0))
    await gone(stream, id)
    await nothingArrives(stream)
    expect(peers.length).toBe(1)
    stream.disconnect(address)
    await failsWith("ENOENT", () => stream.disconnect(address))
    stream.connect(address)
    expect(await note(stream)).not.toEqual(id)
  })

  it("sends what is queued before it ends a connection that is not there yet", async () => {
    const address = await reservedEndpoint("tcp")
    const stream = own(new zmq.Stream({ reconnectInterval: 20 }))
    stream.connect(address, { routingId: "late" })
    await stream.send(["late", "only this"])
    await stream.send(["late", ""])
    const { peers, peer } = await serving(Number(new URL(address).port))
    expect(String(await (await peer(0)).read(9))).toBe("only this")
    await over(stream, await peer(0))
    await gone(stream, "late")
    await nothingArrives(stream)
    expect(peers.length).toBe(1)
  })

  it("disconnects", async () => {
    const { address, peer } = await serving()
    const stream = own(new zmq.Stream({ reconnectInterval: 10 }))
    stream.connect(address)
    const id = await note(stream)
    stream.disconnect(address)
    await over(stream, await peer(0))
    await gone(stream, id)
    await nothingArrives(stream)
  })

  it("does not connect again with reconnectInterval: -1", async () => {
    const { address, peers, peer } = await serving()
    const stream = own(new zmq.Stream({ reconnectInterval: -1 }))
    stream.connect(address)
    const id = await note(stream)
    const log = new EventLog(stream)
    ;(await peer(0)).destroy()
    await log.seen("disconnect")
    await gone(stream, id)
    await log.staysQuiet()
    expect(peers.length).toBe(1)
  })

  it("takes the loss of a connection for a failed handshake, after which reconnectStop may not let it connect", async () => {
    const { address, peers, peer } = await serving()
    const stream = own(withDraft(new zmq.Stream({ reconnectInterval: 10 }), { reconnectStop: 2 }))
    const log = new EventLog(stream)
    stream.connect(address)
    await note(stream)
    ;(await peer(0)).destroy()
    await log.seen("disconnect")
    await log.staysQuiet()
    expect(peers.length).toBe(1)
  })

  it.each(["several to one endpoint", "both ways"])("has %s", async how => {
    const stream = own(new zmq.Stream())
    const address = await bound(stream, "tcp://127.0.0.1:*")
    const client = how === "both ways" ? stream : own(new zmq.Stream())
    client.connect(address, { routingId: "a" })
    client.connect(address, { routingId: "b" })
    await client.send(["a", "to a"])
    await client.send(["b", "to b"])
    const heard: string[] = []
    while (heard.length < 2) {
      const [, data] = await stream.receive()
      if (data!.length > 0) heard.push(String(data))
    }
    expect(heard.sort()).toEqual(["to a", "to b"])
  })

  // With libzmq 4.3.5 a SOCKS proxy may abort the process (see socks.test.ts).
  it.skipIf(engine === "zeromq")("goes by a SOCKS proxy", async () => {
    const proxy = await SocksProxy.start()
    proxy.target = await rawServer(peer => void peer.read(4).then(bytes => peer.send(Buffer.from(`${bytes}!`))))
    const stream = own(new zmq.Stream({ socksProxy: proxy.endpoint }))
    stream.connect("tcp://somewhere.invalid:80")
    const id = await note(stream)
    await stream.send([id, "ping"])
    expect(await textFrom(stream, id, 5)).toBe("ping!")
    expect(proxy.heard[1]).toContain(Buffer.from("somewhere.invalid").toString("hex"))
  })
})

describe("STREAM and who may not come in", () => {
  const own = ownSockets()

  it("closes whom tcpAcceptFilter keeps out, without a word of him", async () => {
    const stream = own(new zmq.Stream({ tcpAcceptFilter: "10.0.0.0/8" }))
    const log = new EventLog(stream)
    const peer = await RawPeer.connect(await bound(stream, "tcp://127.0.0.1:*"))
    await log.seen("accept:error")
    await peer.ended
    await nothingArrives(stream)
  })

  it("speaks by tcp and ipc; udp is ENOCOMPATPROTO, what nobody knows EPROTONOSUPPORT", async () => {
    const stream = own(new zmq.Stream())
    for (const [endpoint, code] of [
      ["udp://127.0.0.1:5", "ENOCOMPATPROTO"],
      ["foo://x", "EPROTONOSUPPORT"],
      ["tcp://127.0.0.1", "EINVAL"],
      ["inproc://", "EINVAL"],
    ] as const) {
      await failsWith(code, () => stream.connect(endpoint))
      await failsWith(code, () => stream.bind(endpoint))
    }
  })
})
