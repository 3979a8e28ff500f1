/**
 * kill -9 of peers in other processes during traffic: a message that arrives is whole, what waits on a connecting side
 * arrives at the peer's successor, what waits on a bound side goes with the peer, and traffic resumes by itself.
 */

import { describe, expect, it, onTestFinished } from "vitest"
import type { Dealer, Pull, Push } from "../../patterns/index.js"
import { freshEndpoint, reservedEndpoint, wired } from "../support/endpoints.js"
import { engine, zmq } from "../support/engine.js"
import { eventually } from "../support/eventually.js"
import { Peer, type PeerKind, type PeerSocket } from "../support/peer.js"
import { stamp, Tally, type TallySummary } from "../support/peers/messages.mjs"
import { ownSockets } from "../support/sockets.js"
import { Watch } from "../support/watch.js"

const kinds: PeerKind[] = [engine, "zeromq"]

async function doomed(kind: PeerKind): Promise<Peer> {
  const peer = await Peer.spawn(kind)
  onTestFinished(() => peer.kill())
  return peer
}

/** Whole messages only; each sender's in order and without a gap. */
function expectUnbroken(tally: TallySummary): void {
  expect([tally.torn, tally.tear]).toEqual([0, null])
  for (const [sender, { missed, backwards }] of Object.entries(tally.senders)) {
    expect({ sender, missed, backwards }).toEqual({ sender, missed: 0, backwards: 0 })
  }
}

async function tallyOf(socket: PeerSocket): Promise<TallySummary> {
  const { tally, failure } = await socket.state()
  expect(failure).toBeNull()
  return tally!
}

describe.each(wired)("over %s", transport => {
  const own = ownSockets()

  for (const [what, load, enough] of [
    ["small", { frames: 5, size: 100 }, 500],
    ["middling", { frames: 3, size: 200_000 }, 10],
    ["large", { frames: 2, size: 8 * 1024 * 1024 }, 2],
  ] as const) {
    it(`a PULL gets whole messages while the senders of ${what} ones are killed`, { timeout: 60_000 }, async () => {
      const pull = own(new zmq.Pull({ linger: 0 }))
      pull.receiveTimeout = -1
      await pull.bind(freshEndpoint(transport))
      const tally = new Tally()
      const reading = readUntilClosed(pull, tally)
      let sender = 0
      for (let round = 0; round < 2; round++) {
        const started: { peer: Peer; sender: number }[] = []
        for (const kind of kinds) {
          const peer = await doomed(kind)
          const push = await peer.open("PUSH", { sendHighWaterMark: 8 }) // eight large ones are plenty
          await push.connect(pull.lastEndpoint!)
          await push.flood({ sender: ++sender, count: 1e9, ...load })
          started.push({ peer, sender })
        }
        await eventually(
          () => started.every(one => (tally.summary().senders[one.sender]?.received ?? 0) >= enough),
          20_000,
        )
        for (const { peer } of started) await peer.kill()
      }
      await pull.close()
      await reading
      expectUnbroken(tally.summary())
    })
  }

  for (const kind of kinds) {
    it(`a connecting PUSH goes on with the next ${kind} PULL, in order, its queue intact`, async () => {
      const endpoint = await reservedEndpoint(transport)
      const push = own(new zmq.Push({ linger: 0, reconnectInterval: 10 }))
      push.sendTimeout = -1
      const watch = new Watch(push)
      push.connect(endpoint)
      let next = 0
      const sending = keepSending(push, () => stamp(1, next++, 3, 1000))

      let heard = -1
      let gone = Number.POSITIVE_INFINITY
      for (let round = 0; round < 3; round++) {
        const peer = await doomed(kind)
        const pull = await peer.open("PULL")
        await pull.bind(endpoint)
        await pull.sink()
        const begun = next
        await eventually(async () => ((await tallyOf(pull)).senders[1]?.last ?? 0) > begun + 5000)
        const tally = await tallyOf(pull)
        expectUnbroken(tally)
        // Nothing comes twice, and what was sent after the predecessor was gone is all here.
        expect(tally.senders[1]!.first).toBeGreaterThan(heard)
        expect(tally.senders[1]!.first).toBeLessThanOrEqual(gone)
        heard = tally.senders[1]!.last
        await peer.kill()
        await watch.next("disconnect")
        gone = next
      }
      await push.close()
      await sending
    })
  }

  for (const kind of kinds) {
    it(`a DEALER goes on asking the next ${kind} ROUTER, and each answer is whole`, async () => {
      const endpoint = await reservedEndpoint(transport)
      const dealer = own(new zmq.Dealer({ linger: 0, reconnectInterval: 10, sendHighWaterMark: 100 }))
      dealer.sendTimeout = -1
      dealer.receiveTimeout = -1
      const watch = new Watch(dealer)
      dealer.connect(endpoint)
      const tally = new Tally()
      let next = 0
      const asking = keepSending(dealer, () => stamp(1, next++, 4, 5000))
      const listening = readUntilClosed(dealer, tally)
      for (let round = 0; round < 3; round++) {
        const peer = await doomed(kind)
        const router = await peer.open("ROUTER")
        await router.bind(endpoint)
        await router.echo()
        const { received } = tally.summary()
        await eventually(() => tally.summary().received > received + 1000)
        await peer.kill()
        await watch.next("disconnect")
      }
      await dealer.close()
      await Promise.all([asking, listening])
      // Questions and answers on their way are lost with a ROUTER, never changed in order nor doubled.
      const { torn, tear, senders } = tally.summary()
      expect([torn, tear, senders[1]?.backwards]).toEqual([0, null, 0])
    })
  }

  it("what waits on a bound PUSH goes with its peer", async () => {
    const push = own(new zmq.Push({ sendTimeout: 0 }))
    const watch = new Watch(push)
    await push.bind(freshEndpoint(transport))
    const peer = await doomed(engine)
    const idle = await peer.open("PULL")
    await idle.connect(push.lastEndpoint!)
    await watch.next("handshake")
    let queued = 0
    for (;;) {
      const full = await push.send(stamp(1, queued, 1, 65_536)).then(
        () => false,
        error => error.code === "EAGAIN",
      )
      if (full) break
      queued++
    }
    expect(queued).toBeGreaterThanOrEqual(1000)
    await peer.kill()
    await watch.next("disconnect")
    await expect(push.send("nobody is here")).rejects.toMatchObject({ code: "EAGAIN" })

    const next = await doomed(engine)
    const pull = await next.open("PULL")
    await pull.sink()
    await pull.connect(push.lastEndpoint!)
    await watch.next("handshake")
    push.sendTimeout = 10_000
    for (let number = 0; number < 100; number++) await push.send(stamp(2, number, 2, 1000))
    await eventually(async () => (await tallyOf(pull)).received === 100)
    const tally = await tallyOf(pull)
    expectUnbroken(tally)
    expect(Object.keys(tally.senders)).toEqual(["2"])
  })

  it("a PUB serves the SUBs that live while others are killed", async () => {
    const pub = own(new zmq.Publisher())
    await pub.bind(freshEndpoint(transport))
    const steady = await (await doomed(engine)).open("SUB")
    const follow = async (sub: PeerSocket) => {
      await sub.sink()
      await sub.subscribe("")
      await sub.connect(pub.lastEndpoint!)
    }
    await follow(steady)
    let next = 0
    let over = false
    const publishing = (async () => {
      while (!over) {
        for (let burst = 0; burst < 20; burst++) await pub.send(stamp(1, next++, 3, 10_000))
        await new Promise(setImmediate)
      }
    })()
    for (let round = 0; round < 3; round++) {
      const peer = await doomed(kinds[round % kinds.length]!)
      const sub = await peer.open("SUB")
      await follow(sub)
      await eventually(async () => (await tallyOf(sub)).received > 100)
      expect((await tallyOf(sub)).torn).toBe(0)
      const heard = (await tallyOf(steady)).received
      await peer.kill()
      await eventually(async () => (await tallyOf(steady)).received > heard + 100)
    }
    over = true
    await publishing
    const { torn, senders } = await tallyOf(steady)
    expect([torn, senders[1]?.backwards]).toEqual([0, 0])
  })
})

/** Sends until the socket is closed. */
async function keepSending(push: Push | Dealer, next: () => Buffer[]): Promise<void> {
  try {
    for (;;) await push.send(next())
  } catch (error) {
    if (!push.closed) throw error
  }
}

/** Tallies what comes until the socket is closed. */
async function readUntilClosed(pull: Pull | Dealer, tally: Tally): Promise<void> {
  try {
    for await (const message of pull) tally.add(message)
  } catch (error) {
    if (!pull.closed) throw error
  }
}
