/**
 * Peers that do not read what they are sent: a PUSH waits, an XPUB and a ROUTER drop, and nobody's memory grows beyond the
 * high-water marks and the buffers of the kernel. Memory is measured in processes of their own, after a collection.
 */

import { once } from "node:events"
import { describe, expect, it, onTestFinished } from "vitest"
import { engine, zmq } from "../support/engine.js"
import { eventually, pause } from "../support/eventually.js"
import { Peer, type PeerKind, type PeerSocket } from "../support/peer.js"
import { command, message, RawPeer } from "../support/raw-zmtp.js"
import { ownSockets } from "../support/sockets.js"
import { Watch } from "../support/watch.js"

const MiB = 1024 * 1024
const allowance = 64 * MiB

/** What the issue of memory is about: a million messages of a KiB. */
const million = { sender: 1, count: 1_000_000, size: 1024 }

async function measured(kind: PeerKind): Promise<Peer> {
  const peer = await Peer.spawn(kind, { gc: true })
  onTestFinished(() => peer.kill())
  return peer
}

/** Resident memory, and what is held outside of the heap. */
async function memoryOf(peer: Peer): Promise<{ resident: number; buffers: number }> {
  const { rss, arrayBuffers } = await peer.memory()
  return { resident: rss, buffers: arrayBuffers }
}

/** Waits until a flooding socket has not got one more message out for a while; returns how many it did. */
async function stalled(socket: PeerSocket): Promise<number> {
  let before = -1
  return eventually(async () => {
    const { sent, flooding, failure } = await socket.state()
    expect([flooding, failure]).toEqual([true, null])
    const still = sent === before && sent > 0
    before = sent
    if (!still) await pause(200)
    return still && sent
  }, 20_000) as Promise<number>
}

async function grows(peer: Peer, before: Awaited<ReturnType<typeof memoryOf>>): Promise<number> {
  const after = await memoryOf(peer)
  return Math.max(after.resident - before.resident, after.buffers - before.buffers)
}

describe("a PULL that does not read", () => {
  for (const [sender, receiver] of [
    [engine, engine],
    [engine, "zeromq"],
    ["zeromq", engine],
  ] as [PeerKind, PeerKind][]) {
    it(`makes a PUSH wait: ${sender} to ${receiver}`, { timeout: 60_000 }, async () => {
      const [from, to] = [await measured(sender), await measured(receiver)]
      const pull = await to.open("PULL")
      const push = await from.open("PUSH")
      await push.connect(await pull.bind("tcp://127.0.0.1:*"))
      const before = [await memoryOf(from), await memoryOf(to)]
      await push.flood(million)
      const sent = await stalled(push)
      expect(sent).toBeGreaterThanOrEqual(2000) // both marks
      expect(sent).toBeLessThan(100_000)
      if (sender !== "zeromq") expect(await grows(from, before[0]!)).toBeLessThan(allowance)
      if (receiver !== "zeromq") expect(await grows(to, before[1]!)).toBeLessThan(allowance)

      await pull.sink()
      await eventually(async () => (await pull.state()).tally!.received > sent + 20_000, 20_000)
      const { torn, senders } = (await pull.state()).tally!
      expect([torn, senders[1]]).toMatchObject([0, { first: 0, missed: 0, backwards: 0 }])
      if (sender !== "zeromq") expect(await grows(from, before[0]!)).toBeLessThan(allowance)
    })
  }
})

describe("marks in bytes", () => {
  const large = { sender: 1, count: 1000, size: MiB }

  // The `zeromq` package has no such options.
  it.runIf(engine === "peerlane")("bound what a PULL that does not read holds of large messages", async () => {
    const [from, to] = [await measured("zeromq"), await measured(engine)]
    const pull = await to.open("PULL", { receiveHighWaterMarkBytes: 8 * MiB })
    const push = await from.open("PUSH", { sendHighWaterMark: 2 })
    await push.connect(await pull.bind("tcp://127.0.0.1:*"))
    const before = await memoryOf(to)
    await push.flood(large)
    expect(await stalled(push)).toBeLessThan(50)
    expect(await grows(to, before)).toBeLessThan(allowance)
    await pull.sink()
    await eventually(async () => (await pull.state()).tally!.received > 100)
    expect((await pull.state()).tally).toMatchObject({ torn: 0, senders: { 1: { first: 0, missed: 0, backwards: 0 } } })
  })

  it.runIf(engine === "peerlane")("bound what a PUSH holds of them", async () => {
    const [from, to] = [await measured(engine), await measured("zeromq")]
    const pull = await to.open("PULL", { receiveHighWaterMark: 2 })
    const push = await from.open("PUSH", { sendHighWaterMarkBytes: 8 * MiB })
    await push.connect(await pull.bind("tcp://127.0.0.1:*"))
    const before = await memoryOf(from)
    await push.flood(large)
    expect(await stalled(push)).toBeLessThan(50)
    expect(await grows(from, before)).toBeLessThan(allowance)
    await pull.sink()
    await eventually(async () => (await pull.state()).tally!.received > 100)
    expect((await pull.state()).tally).toMatchObject({ torn: 0, senders: { 1: { first: 0, missed: 0, backwards: 0 } } })
  })
})

describe("a PULL whose process is stopped for a while", () => {
  it("gets everything when it goes on", { timeout: 60_000 }, async () => {
    const [from, to] = [await measured(engine), await measured(engine)]
    const pull = await to.open("PULL")
    const push = await from.open("PUSH")
    await push.connect(await pull.bind("tcp://127.0.0.1:*"))
    await pull.sink()
    const before = await memoryOf(from)
    await push.flood(million)
    for (let pauses = 0; pauses < 3; pauses++) {
      const heard = (await pull.state()).tally!.received
      await eventually(async () => (await pull.state()).tally!.received > heard + 5000, 20_000)
      to.freeze()
      await stalled(push)
      expect(await grows(from, before)).toBeLessThan(allowance)
      to.thaw()
    }
    const { sent } = await push.state()
    await eventually(async () => (await pull.state()).tally!.received >= sent, 20_000)
    expect((await pull.state()).tally).toMatchObject({ torn: 0, senders: { 1: { first: 0, missed: 0, backwards: 0 } } })
  })
})

describe("a PULL that is not there", () => {
  it("makes a connecting PUSH wait at its high-water mark", async () => {
    const from = await measured(engine)
    const to = await measured(engine)
    const pull = await to.open("PULL")
    const endpoint = await pull.bind("tcp://127.0.0.1:*")
    await pull.close()
    const push = await from.open("PUSH", { reconnectInterval: 20 })
    const before = await memoryOf(from)
    await push.connect(endpoint)
    await push.flood(million)
    expect(await stalled(push)).toBe(1000)
    expect(await grows(from, before)).toBeLessThan(allowance)

    const late = await to.open("PULL")
    await eventually(async () => (await late.bind(endpoint)) === endpoint)
    await late.sink()
    await eventually(async () => (await late.state()).tally!.received > 10_000)
    expect((await late.state()).tally).toMatchObject({ torn: 0, senders: { 1: { first: 0, missed: 0, backwards: 0 } } })
  })
})

describe("a SUB that does not read", () => {
  it("loses what an XPUB cannot queue for it, and another SUB still hears", { timeout: 60_000 }, async () => {
    const from = await measured(engine)
    const to = await measured(engine)
    const pub = await from.open("XPUB", { verbosity: "allSubs" })
    const endpoint = await pub.bind("tcp://127.0.0.1:*")
    const [deaf, keen] = [await to.open("SUB"), await to.open("SUB")]
    for (const sub of [deaf, keen]) {
      await sub.subscribe("")
      await sub.connect(endpoint)
      await pub.receive()
    }
    await keen.sink()
    const before = await memoryOf(from)
    await pub.flood({ ...million, count: 100_000 })
    await eventually(async () => !(await pub.state()).flooding, 30_000)
    expect(await pub.state()).toMatchObject({ sent: 100_000, failure: null })
    expect(await grows(from, before)).toBeLessThan(allowance)
    await eventually(async () => (await keen.state()).tally!.received > 1000)
    await deaf.sink()
    await eventually(async () => (await deaf.state()).tally!.received > 0)
    const { senders } = (await deaf.state()).tally!
    expect(senders[1]!.received).toBeLessThan(100_000)
    expect(senders[1]!.backwards).toBe(0)
  })
})

describe("a DEALER that does not read", () => {
  const own = ownSockets()

  it("loses what a ROUTER cannot queue for it, while another is answered", async () => {
    const router = own(new zmq.Router())
    const watch = new Watch(router)
    await router.bind("tcp://127.0.0.1:*")
    const deaf = await RawPeer.connect(router.lastEndpoint!)
    await deaf.handshake("DEALER", "deaf")
    deaf.stopReading()
    const keen = await RawPeer.connect(router.lastEndpoint!)
    await keen.handshake("DEALER", "keen")
    for (let met = 0; met < 2; met++) await watch.next("handshake")
    const before = process.memoryUsage().arrayBuffers
    const body = Buffer.alloc(1024, 1)
    for (let number = 0; number < 100_000; number++) await router.send(["deaf", body])
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(allowance)
    keen.send(message("question"))
    const [id, question] = await router.receive()
    await router.send([id!, `answer to ${question}`])
    expect((await keen.readMessage()).map(String)).toEqual(["answer to question"])
  })

  it("makes a mandatory ROUTER wait for it, while another is answered", async () => {
    const router = own(new zmq.Router({ mandatory: true, sendTimeout: 0, sendHighWaterMark: 10 }))
    const watch = new Watch(router)
    await router.bind("tcp://127.0.0.1:*")
    const deaf = await RawPeer.connect(router.lastEndpoint!)
    await deaf.handshake("DEALER", "deaf")
    deaf.stopReading()
    const keen = await RawPeer.connect(router.lastEndpoint!)
    await keen.handshake("DEALER", "keen")
    for (let met = 0; met < 2; met++) await watch.next("handshake")
    const body = Buffer.alloc(65_536, 1)
    const flood = async () => {
      for (let number = 0; number < 10_000; number++) await router.send(["deaf", body])
    }
    await expect(flood()).rejects.toMatchObject({ code: "EAGAIN" })
    await router.send(["keen", "still here"])
    expect((await keen.readMessage()).map(String)).toEqual(["still here"])
  })
})

describe("a peer that pings and does not read", () => {
  const own = ownSockets()

  it("cannot fill the memory of a socket with answers", async () => {
    const router = own(new zmq.Router())
    await router.bind("tcp://127.0.0.1:*")
    const raw = await RawPeer.connect(router.lastEndpoint!)
    await raw.handshake("DEALER", "pinging")
    raw.stopReading()
    const ping = command("PING", Buffer.concat([Buffer.of(0, 0), Buffer.alloc(16, "c")]))
    const pings = Buffer.concat(Array.from({ length: 4000 }, () => ping))
    const before = process.memoryUsage()
    let taken = 0
    // A socket may stop listening to such a peer, or hang up on it; else it takes all and keeps little.
    while (taken < 100 * MiB && !raw.isOver) {
      raw.send(pings)
      taken += pings.length
      const drained = await Promise.race([once(raw.socket, "drain"), raw.ended, pause(1000).then(() => "stuck")])
      if (drained === "stuck") break
    }
    const { arrayBuffers, rss } = process.memoryUsage()
    expect(arrayBuffers - before.arrayBuffers).toBeLessThan(allowance)
    expect(rss - before.rss).toBeLessThan(2 * allowance)
  })
})
