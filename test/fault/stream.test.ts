/**
 * STREAM among peers that are killed, reset their connections, write without end to one who does not read, or read nothing
 * of what they are sent: nobody else notices, and memory is bounded by the marks. It is measured in processes of their own.
 */
import { once } from "node:events"
import { describe, expect, it, onTestFinished } from "vitest"
import { engine, zmq } from "../support/engine.js"
import { eventually, pause } from "../support/eventually.js"
import { bytesOf, Peer, type PeerKind } from "../support/peer.js"
import { RawPeer } from "../support/raw-zmtp.js"
import { bound, ownSockets } from "../support/sockets.js"
import { gone, note, pattern } from "../support/streams.js"

const MiB = 1024 * 1024
const allowance = 64 * MiB
const kinds: PeerKind[] = engine === "zeromq" ? ["zeromq"] : ["peerlane", "zeromq"]

async function doomed(kind: PeerKind, options: { gc?: boolean } = {}): Promise<Peer> {
  const peer = await Peer.spawn(kind, options)
  onTestFinished(() => peer.kill())
  return peer
}

/** Writes until the other side has not taken one byte more for a while, or up to `most` bytes. Returns how many it took. */
async function writeUntilStuck(peer: RawPeer, most: number): Promise<number> {
  const piece = pattern(MiB)
  const taken = () => peer.socket.bytesWritten - peer.socket.writableLength
  while (peer.socket.bytesWritten < most && !peer.isOver) {
    if (peer.socket.write(piece)) continue
    const drained = once(peer.socket, "drain").then(() => true)
    for (let before = -1; before < taken(); ) {
      before = taken()
      if (await Promise.race([drained, pause(300)])) break
    }
    if (peer.socket.writableLength > 0) break
  }
  return taken()
}

describe("a STREAM whose peer is killed", () => {
  const own = ownSockets()

  it.each(kinds)("in the middle of what it sends has what came before, and is told: %s", async kind => {
    const stream = own(new zmq.Stream())
    const address = await bound(stream, "tcp://127.0.0.1:*")
    const survivor = await RawPeer.connect(address)
    const survivorId = await note(stream)

    const process = await doomed(kind)
    const client = await process.open("STREAM", { sendHighWaterMark: 0, receiveHighWaterMark: 10 })
    await client.connect(address, { routingId: "server" })
    const id = await note(stream)
    const part = { size: 40 * MiB, seed: 1 }
    await client.send(["server", part])
    const chunks: Buffer[] = []
    let killed: Promise<void> | null = null
    for (;;) {
      const [from, data] = await stream.receive()
      expect(from).toEqual(id)
      if (data!.length === 0) break
      chunks.push(data!)
      killed ??= process.kill()
    }
    await killed
    const got = Buffer.concat(chunks)
    expect(got.length).toBeLessThan(part.size)
    expect(Buffer.compare(got, bytesOf(part).subarray(0, got.length))).toBe(0)
    await gone(stream, id)

    await stream.send([survivorId, "you are not alone"])
    expect(String(await survivor.read(17))).toBe("you are not alone")
  })

  it.each(kinds)("in the middle of what it is sent goes on with its successor: %s", async kind => {
    const first = await doomed(kind)
    const far = await first.open("STREAM", { notify: false })
    const endpoint = await far.bind("tcp://127.0.0.1:*")
    await far.echo()

    const stream = own(new zmq.Stream({ reconnectInterval: 20, sendHighWaterMark: 4 }))
    stream.connect(endpoint, { routingId: "far" })
    expect(String(await note(stream))).toBe("far")
    const sent = pattern(MiB)
    for (let count = 0; count < 4; count++) await stream.send(["far", sent])
    let echoed = 0
    let killed: Promise<void> | null = null
    for (;;) {
      const [, data] = await stream.receive()
      if (data!.length === 0) break
      expect(Buffer.compare(data!, cyclic(sent, echoed, data!.length))).toBe(0)
      echoed += data!.length
      killed ??= first.kill()
    }
    await killed

    const second = await doomed(kind)
    const successor = await second.open("STREAM", { notify: false })
    await eventually(async () => (await successor.bind(endpoint)) === endpoint)
    await successor.echo()
    await note(stream)
    await stream.send(["far", "and now the end"])
    let tail = ""
    while (!tail.endsWith("and now the end")) tail = (tail + (await stream.receive())[1]!.toString("latin1")).slice(-15)
  })
})

/** `length` bytes from `at` of a piece that is repeated for ever. */
function cyclic(piece: Buffer, at: number, length: number): Buffer {
  const from = at % piece.length
  const head = piece.subarray(from, from + length)
  return head.length === length ? head : Buffer.concat([head, cyclic(piece, 0, length - head.length)])
}

describe("the memory of a STREAM", () => {
  const grows = async (peer: Peer, before: NodeJS.MemoryUsage) => {
    const after = await peer.memory()
    return Math.max(after.rss - before.rss, after.arrayBuffers - before.arrayBuffers)
  }

  it("is bounded by its marks when nobody receives, whoever writes how much", { timeout: 60_000 }, async () => {
    const process = await doomed(engine, { gc: true })
    const stream = await process.open("STREAM", { receiveHighWaterMark: 100 })
    const endpoint = await stream.bind("tcp://127.0.0.1:*")
    const before = await process.memory()
    const peers = await Promise.all(Array.from({ length: 10 }, () => RawPeer.connect(endpoint)))
    const taken = await Promise.all(peers.map(peer => writeUntilStuck(peer, 100 * MiB)))
    for (const bytes of taken) expect(bytes).toBeLessThan(30 * MiB)
    expect(await grows(process, before)).toBeLessThan(allowance)
    // One byte at a time makes many messages of few bytes.
    const trickling = await RawPeer.connect(endpoint)
    for (let count = 0; count < 20_000 && trickling.socket.write("x"); count++) await new Promise(setImmediate)
    expect(await grows(process, before)).toBeLessThan(allowance)
  })

  it("is bounded by its marks when a peer reads nothing of the answers", { timeout: 60_000 }, async () => {
    const process = await doomed(engine, { gc: true })
    const options = { notify: false, receiveHighWaterMark: 100, sendHighWaterMark: 100, sendTimeout: 60_000 }
    const stream = await process.open("STREAM", options)
    const endpoint = await stream.bind("tcp://127.0.0.1:*")
    const before = await process.memory()
    const peer = await RawPeer.connect(endpoint)
    peer.stopReading()
    if (engine === "peerlane") await stream.echo() // In zeromq.js a send to a full peer does not wait.
    expect(await writeUntilStuck(peer, 200 * MiB)).toBeLessThan(60 * MiB)
    expect(await grows(process, before)).toBeLessThan(allowance)
    if (engine === "zeromq") return
    peer.socket.resume()
    const written = peer.socket.bytesWritten
    for (let at = 0; at < written; at += MiB) expect(Buffer.compare(await peer.read(MiB), pattern(MiB))).toBe(0)
  })
})
