/**
 * A loop that does nothing but `await pub.send(…)`: an awaited promise that is settled does not let the event loop turn,
 * so the socket itself must. While such a loop runs, timers fire and the messages travel: it loses no more of them to
 * a SUB that reads than the `zeromq` package does in the same loop.
 */

import { describe, expect, it, onTestFinished } from "vitest"
import { engine, zmq } from "../support/engine.js"
import { eventually, pause } from "../support/eventually.js"
import { Peer, type PeerKind } from "../support/peer.js"
import { stamp, Tally, type TallySummary } from "../support/peers/messages.mjs"

/** The `zeromq` package, as far as it has what Peerlane has. */
const libzmq = (await import("zeromq")) as unknown as typeof zmq

const count = 200_000

interface Outcome {
  /** How often a timer of one millisecond fired while the loop ran. */
  ticks: number
  lost: number
  torn: number
}

/** Runs the loop once the subscriber, whose tally can be asked for, hears; then waits until no more comes. */
async function tightLoop(
  pub: InstanceType<typeof zmq.Publisher>,
  tally: () => Promise<TallySummary>,
): Promise<Outcome> {
  for (let joining = 0; (await tally()).received === 0; joining++) {
    await pub.send(stamp(0, joining, 1, 64))
    await pause(5)
  }
  let ticks = 0
  const timer = setInterval(() => {
    ticks++
  }, 1)
  for (let number = 0; number < count; number++) await pub.send(stamp(1, number, 1, 64))
  clearInterval(timer)

  let before = -1
  await eventually(async () => {
    const { received } = await tally()
    const still = received === before
    before = received
    if (!still) await pause(300)
    return still
  }, 30_000)
  const { torn, senders } = await tally()
  return { ticks, torn, lost: count - (senders[1]?.received ?? 0) }
}

/** To a SUB of the same engine in another process. */
async function overTcp(publisher: typeof zmq.Publisher, kind: PeerKind): Promise<Outcome> {
  const peer = await Peer.spawn(kind)
  onTestFinished(() => peer.kill())
  const pub = new publisher({ linger: 0 })
  onTestFinished(() => pub.close())
  await pub.bind("tcp://127.0.0.1:*")
  const sub = await peer.open("SUB")
  await sub.subscribe("")
  await sub.connect(pub.lastEndpoint!)
  await sub.sink()
  return tightLoop(pub, async () => (await sub.state()).tally!)
}

/** To a SUB of the same engine in this process. */
async function overInproc(lib: typeof zmq, name: string): Promise<Outcome> {
  const pub = new lib.Publisher({ linger: 0 })
  onTestFinished(() => pub.close())
  await pub.bind(`inproc://${name}`)
  const sub = new lib.Subscriber({ linger: 0 })
  sub.subscribe("")
  sub.connect(`inproc://${name}`)
  const tally = new Tally()
  const reading = (async () => {
    for await (const message of sub) tally.add(message)
  })()
  const outcome = await tightLoop(pub, async () => tally.summary())
  await sub.close()
  await reading
  return outcome
}

describe("a tight loop of awaited sends", () => {
  it("to a SUB in another process lets timers fire, and loses no more than zeromq", { timeout: 90_000 }, async () => {
    const ours = await overTcp(zmq.Publisher, engine)
    const theirs = await overTcp(libzmq.Publisher, "zeromq")
    expect(ours.ticks).toBeGreaterThan(10)
    expect(ours.torn).toBe(0)
    expect(ours.lost, `zeromq lost ${theirs.lost}`).toBeLessThanOrEqual(theirs.lost)
  })

  it("to a SUB in this process lets timers fire, and loses no more than zeromq", { timeout: 90_000 }, async () => {
    const ours = await overInproc(zmq, "tight-ours")
    const theirs = await overInproc(libzmq, "tight-theirs")
    expect(ours.ticks).toBeGreaterThan(10)
    expect(ours.torn).toBe(0)
    expect(ours.lost, `zeromq lost ${theirs.lost}`).toBeLessThanOrEqual(theirs.lost)
  })

  it("of large messages lets timers fire before it has queued them all", async () => {
    const peer = await Peer.spawn("zeromq")
    onTestFinished(() => peer.kill())
    const push = new zmq.Push({ linger: 0 })
    onTestFinished(() => push.close())
    const pull = await peer.open("PULL")
    push.connect(await pull.bind("tcp://127.0.0.1:*"))
    await push.send("joined")
    await pull.receive()
    await pull.sink()
    const large = Buffer.alloc(1024 * 1024)
    let ticks = 0
    const timer = setInterval(() => {
      ticks++
    }, 1)
    for (let number = 0; number < 300; number++) await push.send(large)
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(0)
  })
})
