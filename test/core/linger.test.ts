/**
 * What a socket still owes when it ends, by virtual time: linger 0, n and -1 for close, disconnect and unbind, towards
 * peers that are there, slow, or not there at all (protocol.md §3.1 "close()").
 */
import { describe, expect, it } from "vitest"
import { Dealer, Pull, Push, Router, Subscriber } from "../../patterns/index.js"
import { failureOf, Simulation } from "../support/simulation.js"
import { dial } from "../transport/recorder.js"

const HOUR = 3_600_000
const NOBODY = "sim://nobody"

/** How a promise stands, without waiting for it. */
function watch(promise: Promise<unknown>): { done: boolean } {
  const state = { done: false }
  void promise.then(() => {
    state.done = true
  })
  return state
}

/** A PUSH with a few messages queued for a server that is not there. */
async function queued(sim: Simulation, linger: number, count = 3): Promise<Push> {
  const push = sim.open(Push, { linger, reconnectInterval: 700, reconnectMaxInterval: 700 })
  push.connect(NOBODY)
  for (let i = 0; i < count; i++) await sim.until(push.send(`${i}`))
  return push
}

/** A PUSH and a PULL that does not read, with more sent than the network and both queues hold. */
async function stuck(sim: Simulation, linger: number, side: "binds" | "connects" = "connects") {
  const push = sim.open(Push, { linger, sendHighWaterMark: 1000 })
  const pull = sim.open(Pull, { receiveHighWaterMark: 1, linger: 0 })
  if (side === "connects") push.connect(await sim.bind(pull))
  else pull.connect(await sim.bind(push))
  await sim.until(push.ready())
  let sent = 0
  while (push.stats().queuedOut < 10) {
    await sim.until(push.send([`${sent++}`, Buffer.alloc(20_000)]))
    await sim.turn()
  }
  return { push, pull, sent }
}

describe("linger 0", () => {
  it("ends at once and drops what is queued, and says how much that was", async () => {
    const sim = new Simulation()
    const push = await queued(sim, 0)
    const closed = watch(push.close())
    await sim.turn()
    expect(closed.done).toBe(true)
    expect(push.stats().dropped).toEqual({ total: 3, closed: 3 })
    expect(sim.leftovers()).toEqual({ held: 0, timers: 0, streams: 0, watchers: 0 })
  })

  it.each(["connects", "binds"] as const)("drops what a slow peer has not taken, when it %s", async side => {
    const sim = new Simulation()
    const { push, pull, sent } = await stuck(sim, 0, side)
    await sim.until(push.close())
    expect(push.stats().dropped.total).toBeGreaterThan(0)
    let came = 0
    for (let quiet = 0; quiet < 10; quiet++) {
      await sim.turn()
      if (pull.tryReceive() === null) continue
      came++
      quiet = 0
    }
    expect(came).toBeGreaterThan(0)
    expect(came).toBeLessThan(sent)
  })

  it("may be given to close", async () => {
    const sim = new Simulation()
    const push = await queued(sim, -1)
    const closed = watch(push.close({ linger: 0 }))
    await sim.turn()
    expect(closed.done).toBe(true)
  })
})

describe("linger n", () => {
  it("ends after so long, towards nobody", async () => {
    const sim = new Simulation()
    const push = await queued(sim, 750)
    const start = sim.now
    const closing = push.close()
    expect(push.closed).toBe(true)
    expect(sim.runtime.held).toBeGreaterThan(0)
    await sim.until(closing)
    expect(sim.now - start).toBe(750)
    expect(push.stats().dropped).toEqual({ total: 3, closed: 3 })
    expect(sim.leftovers()).toEqual({ held: 0, timers: 0, streams: 0, watchers: 0 })
  })

  it.each(["connects", "binds"] as const)(
    "ends after so long, towards a peer that does not read, when it %s",
    async side => {
      const sim = new Simulation()
      const { push } = await stuck(sim, 750, side)
      const start = sim.now
      await sim.until(push.close())
      expect(sim.now - start).toBe(750)
    },
  )

  it("ends sooner when all is sent", async () => {
    const sim = new Simulation()
    const { push, pull, sent } = await stuck(sim, 60_000)
    const closing = push.close()
    const start = sim.now
    for (let i = 0; i < sent; i++) expect(String((await sim.until(pull.receive()))[0])).toBe(`${i}`)
    await sim.until(closing)
    expect(sim.now - start).toBeLessThan(1000)
    expect(push.stats().dropped.total).toBe(0)
  })

  it("goes on dialing meanwhile, and delivers to a server that comes in time", async () => {
    const sim = new Simulation()
    const push = await queued(sim, 5000)
    const closing = push.close()
    await sim.advance(3000)
    const pull = sim.open(Pull)
    await sim.bind(pull, NOBODY)
    for (let i = 0; i < 3; i++) expect(String(await sim.until(pull.receive()))).toBe(`${i}`)
    await sim.until(closing)
    expect(sim.now).toBeLessThan(4000)
  })

  it("does not wait when nothing is queued, dialing or connected", async () => {
    for (const side of ["dialing", "connected"]) {
      const sim = new Simulation()
      const push = sim.open(Push, { linger: 5000 })
      push.connect(side === "dialing" ? NOBODY : await sim.bind(sim.open(Pull)))
      if (side === "connected") await sim.until(push.ready())
      const closed = watch(push.close())
      await sim.turn()
      expect([side, closed.done]).toEqual([side, true])
    }
  })
})

describe("linger -1", () => {
  it("waits for a server that is not there, for hours, and delivers when it comes", async () => {
    const sim = new Simulation()
    const push = await queued(sim, -1)
    const closing = push.close()
    const closed = watch(closing)
    await sim.advance(2 * HOUR)
    expect(closed.done).toBe(false)
    const pull = sim.open(Pull)
    await sim.bind(pull, NOBODY)
    for (let i = 0; i < 3; i++) expect(String(await sim.until(pull.receive()))).toBe(`${i}`)
    await sim.until(closing)
  })

  it.each(["connects", "binds"] as const)("waits for a peer that reads late, when it %s", async side => {
    const sim = new Simulation()
    const { push, pull, sent } = await stuck(sim, -1, side)
    const closing = push.close()
    const closed = watch(closing)
    await sim.advance(HOUR)
    expect(closed.done).toBe(false)
    for (let i = 0; i < sent; i++) expect(String((await sim.until(pull.receive()))[0])).toBe(`${i}`)
    await sim.until(closing)
    expect(push.stats().dropped.total).toBe(0)
  })

  it("of a bound socket ends with its peers: what was queued for them is lost with them", async () => {
    const sim = new Simulation()
    const { push, pull } = await stuck(sim, -1, "binds")
    const closing = push.close()
    await sim.advance(1000)
    void pull.close()
    await sim.until(closing)
    expect(push.stats().dropped.disconnected).toBeGreaterThan(0)
  })

  it("takes no new peers meanwhile", async () => {
    const sim = new Simulation()
    const { push, pull, sent } = await stuck(sim, -1, "binds")
    const endpoint = push.lastEndpoint!
    const closing = push.close()
    const late = dial(sim.network, endpoint)
    await sim.eventually(() => late.closed !== undefined)
    expect(late.opened).toBe(false)
    for (let i = 0; i < sent; i++) await sim.until(pull.receive())
    await sim.until(closing)
  })

  it("delivers what was sent right before, without a turn between", async () => {
    const sim = new Simulation()
    const pull = sim.open(Pull)
    const push = sim.open(Push)
    push.connect(await sim.bind(pull))
    void push.send("last words")
    void push.close()
    expect(String(await sim.until(pull.receive()))).toBe("last words")
  })

  it("survives the loss of the connection", async () => {
    const sim = new Simulation()
    const pull = sim.open(Pull)
    const push = sim.open(Push)
    push.connect(await sim.bind(pull))
    await sim.until(push.ready())
    sim.network.partition()
    sim.network.capacity = 0
    void push.send(Buffer.alloc(300_000, "a"))
    for (let i = 0; i < 5; i++) void push.send(`${i}`)
    const closing = push.close()
    await sim.advance(1000)
    sim.network.heal()
    sim.network.cut()
    sim.network.capacity = 65536
    const got: string[] = []
    for (let i = 0; i < 5; i++) got.push(String(await sim.until(pull.receive())))
    await sim.until(closing)
    expect(got).toEqual(["0", "1", "2", "3", "4"])
  })
})

describe("other endings", () => {
  it("disconnect sends what is queued as linger says, while the socket goes on", async () => {
    const sim = new Simulation()
    const push = await queued(sim, 2000)
    push.disconnect(NOBODY)
    expect(push.writable).toBe(false)
    await sim.advance(1000)
    const pull = sim.open(Pull)
    await sim.bind(pull, NOBODY)
    for (let i = 0; i < 3; i++) expect(String(await sim.until(pull.receive()))).toBe(`${i}`)
    await sim.eventually(() => sim.network.streams.size === 0)
  })

  it("disconnect drops what is not sent within linger", async () => {
    const sim = new Simulation()
    const push = await queued(sim, 500)
    push.disconnect(NOBODY)
    await sim.advance(501)
    expect(push.stats().dropped).toEqual({ total: 3, closed: 3 })
    expect(sim.leftovers()).toMatchObject({ held: 0, timers: 0 })
  })

  it("close waits for what a disconnect left behind", async () => {
    const sim = new Simulation()
    const push = await queued(sim, -1)
    push.disconnect(NOBODY)
    const closing = push.close()
    const closed = watch(closing)
    await sim.advance(HOUR)
    expect(closed.done).toBe(false)
    const pull = sim.open(Pull)
    await sim.bind(pull, NOBODY)
    for (let i = 0; i < 3; i++) expect(String(await sim.until(pull.receive()))).toBe(`${i}`)
    await sim.until(closing)
  })

  it("close with linger 0 cuts short what a disconnect left behind", async () => {
    const sim = new Simulation()
    const push = await queued(sim, -1)
    push.disconnect(NOBODY)
    const closed = watch(push.close({ linger: 0 }))
    await sim.turn()
    expect(closed.done).toBe(true)
  })

  it("unbind sends what is queued as linger says", async () => {
    const sim = new Simulation()
    const { push, pull, sent } = await stuck(sim, -1, "binds")
    await sim.until(push.unbind(push.lastEndpoint!))
    expect(push.writable).toBe(false)
    for (let i = 0; i < sent; i++) expect(String((await sim.until(pull.receive()))[0])).toBe(`${i}`)
    await sim.eventually(() => sim.runtime.held === 0)
  })

  it("close waits for what an unbind left behind", async () => {
    const sim = new Simulation()
    const { push, pull, sent } = await stuck(sim, -1, "binds")
    await sim.until(push.unbind(push.lastEndpoint!))
    const closing = push.close()
    for (let i = 0; i < sent; i++) expect(String((await sim.until(pull.receive()))[0])).toBe(`${i}`)
    await sim.until(closing)
  })

  it("closing twice is closing once", async () => {
    const sim = new Simulation()
    const push = await queued(sim, 100)
    const closing = push.close()
    expect(push.close({ linger: 0 })).toBe(closing)
    await sim.until(closing)
    expect(sim.now).toBe(100)
  })

  it("SUB owes nothing: its subscriptions are not waited for", async () => {
    const sim = new Simulation()
    const sub = sim.open(Subscriber)
    sub.connect(NOBODY)
    sub.subscribe("topic")
    const closed = watch(sub.close())
    await sim.turn()
    expect(closed.done).toBe(true)
  })

  it("what waits in send is not queued, and fails", async () => {
    const sim = new Simulation()
    const dealer = sim.open(Dealer)
    const waiting = dealer.send("to nobody")
    const error = failureOf(waiting)
    const closed = watch(dealer.close())
    expect(await error).toMatchObject({ code: "EAGAIN" })
    await sim.turn()
    expect(closed.done).toBe(true)
  })

  it("what was received and not read is gone with the socket", async () => {
    const sim = new Simulation()
    const router = sim.open(Router)
    const dealer = sim.open(Dealer)
    dealer.connect(await sim.bind(router))
    await sim.until(dealer.send("hello"))
    await sim.eventually(() => router.readable)
    await sim.until(router.close())
    expect(() => router.receive()).toThrow(expect.objectContaining({ code: "EBADF" }))
  })
})
