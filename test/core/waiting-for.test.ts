/** What else can be waited for, by virtual time: ready, flushed and events, with their timeouts and signals. */
import { describe, expect, it } from "vitest"
import { Dealer, Pull, Push, Router, Subscriber } from "../../patterns/index.js"
import { failureOf, Simulation } from "../support/simulation.js"

const NOBODY = "sim://nobody"

/** A PUSH and a PULL that have met. */
async function met(sim: Simulation, options: object = {}, others: object = {}) {
  const push = sim.open(Push, options)
  const pull = sim.open(Pull, others)
  push.connect(await sim.bind(pull))
  await sim.until(push.ready())
  return { push, pull }
}

describe("ready", () => {
  it("resolves when so many peers have shaken hands", async () => {
    const sim = new Simulation()
    const router = sim.open(Router)
    const endpoint = await sim.bind(router)
    let two = false
    void router.ready({ peers: 2 }).then(() => {
      two = true
    })
    const one = router.ready()
    sim.open(Dealer).connect(endpoint)
    await sim.until(one)
    await sim.advance(1000)
    expect(two).toBe(false)
    sim.open(Dealer).connect(endpoint)
    await sim.eventually(() => two)
    await router.ready({ peers: 2 })
  })

  it("is EAGAIN after its timeout, with how many there are; the signal's reason; EAGAIN when closed", async () => {
    const sim = new Simulation()
    const router = sim.open(Router)
    const endpoint = await sim.bind(router)
    sim.open(Dealer).connect(endpoint)
    await sim.until(router.ready())
    const late = await sim.failure(router.ready({ peers: 2, timeout: 300 }))
    expect(late).toMatchObject({ code: "EAGAIN" })
    expect(late.message).toMatch("1 of 2")
    const abort = new AbortController()
    const aborted = failureOf(router.ready({ peers: 2, signal: abort.signal }))
    abort.abort(new Error("enough"))
    expect(await aborted).toMatchObject({ message: "enough" })
    const closed = failureOf(router.ready({ peers: 2 }))
    void router.close()
    expect(await closed).toMatchObject({ code: "EAGAIN" })
  })

  it("counts peers that are there: one that left does not", async () => {
    const sim = new Simulation()
    const { push } = await met(sim, { reconnectInterval: 1000 })
    expect(push.peers()).toHaveLength(1)
    sim.network.cut()
    await sim.turn()
    expect(push.peers()).toHaveLength(0)
    const again = push.ready()
    await sim.until(again)
    expect(sim.now).toBeGreaterThanOrEqual(1000)
  })

  it("does not wait for whom it connects to when they are of the wrong type", async () => {
    const sim = new Simulation()
    const sub = sim.open(Subscriber)
    sub.connect(await sim.bind(sim.open(Pull)))
    expect(await sim.failure(sub.ready({ timeout: 5000 }))).toMatchObject({ code: "EAGAIN" })
  })
})

describe("flushed", () => {
  it("is there at once when nothing was sent", async () => {
    const sim = new Simulation()
    const { push } = await met(sim)
    await push.flushed()
    await sim.open(Push).flushed()
  })

  it("resolves when all that was sent until then is with the operating system, not what is sent later", async () => {
    const sim = new Simulation()
    const { push, pull } = await met(sim, {}, { receiveHighWaterMark: 1 })
    for (let i = 0; i < 30; i++) await sim.until(push.send(Buffer.alloc(20_000)))
    let flushed = false
    void push.flushed().then(() => {
      flushed = true
    })
    for (let i = 0; i < 30; i++) await sim.until(push.send(Buffer.alloc(20_000)))
    await sim.advance(1000)
    expect(flushed).toBe(false)
    let read = 0
    while (!flushed) {
      await sim.until(pull.receive())
      read++
      await sim.turn()
    }
    expect(read).toBeLessThan(50)
    expect(push.stats().queuedOut).toBeGreaterThan(0)
  })

  it("waits for a server that is not there yet", async () => {
    const sim = new Simulation()
    const push = sim.open(Push)
    push.connect(NOBODY)
    await sim.until(push.send("early"))
    const flushed = push.flushed()
    await sim.advance(5000)
    expect(sim.runtime.held).toBe(1)
    const pull = sim.open(Pull)
    await sim.bind(pull, NOBODY)
    await sim.until(flushed)
    expect(String(await sim.until(pull.receive()))).toBe("early")
  })

  it("waits for sends that wait themselves", async () => {
    const sim = new Simulation()
    const push = sim.open(Push)
    const sent = push.send("early")
    const flushed = push.flushed()
    let done = false
    void flushed.then(() => {
      done = true
    })
    await sim.advance(100)
    expect(done).toBe(false)
    const pull = sim.open(Pull)
    push.connect(await sim.bind(pull))
    await sim.until(Promise.all([sent, flushed]))
    expect(String(await sim.until(pull.receive()))).toBe("early")
  })

  it("is EAGAIN after its timeout, and the signal's reason", async () => {
    const sim = new Simulation()
    const push = sim.open(Push)
    push.connect(NOBODY)
    await sim.until(push.send("early"))
    const start = sim.now
    expect(await sim.failure(push.flushed({ timeout: 300 }))).toMatchObject({ code: "EAGAIN" })
    expect(sim.now - start).toBe(300)
    const abort = new AbortController()
    const aborted = failureOf(push.flushed({ signal: abort.signal }))
    abort.abort(new Error("enough"))
    expect(await aborted).toMatchObject({ message: "enough" })
  })

  it("has a timeout over all: for sends that wait, and then for what is queued", async () => {
    const sim = new Simulation()
    const push = sim.open(Push)
    const sent = push.send("early")
    const flushed = failureOf(push.flushed({ timeout: 300 }))
    await sim.advance(200)
    push.connect(NOBODY)
    await sim.turn()
    await sent
    expect(await sim.until(flushed)).toMatchObject({ code: "EAGAIN" })
    expect(sim.now).toBe(300)
  })

  it("resolves when what was queued is lost with its peer", async () => {
    const sim = new Simulation()
    const push = sim.open(Push)
    const pull = sim.open(Pull, { receiveHighWaterMark: 1 })
    pull.connect(await sim.bind(push))
    await sim.until(push.ready())
    for (let i = 0; i < 30; i++) await sim.until(push.send(Buffer.alloc(20_000)))
    const flushed = push.flushed()
    void pull.close()
    await sim.until(flushed)
    expect(push.stats().dropped.disconnected).toBeGreaterThan(0)
  })

  it("is settled by close", async () => {
    const sim = new Simulation()
    const push = sim.open(Push, { linger: 0 })
    push.connect(NOBODY)
    await sim.until(push.send("early"))
    const flushed = push.flushed()
    void push.close()
    await sim.until(flushed.catch(() => undefined))
    expect(sim.leftovers()).toMatchObject({ held: 0, timers: 0 })
  })
})

describe("events", () => {
  it("a receive of an event waits no longer than it is told", async () => {
    const sim = new Simulation()
    const { events } = sim.open(Pull)
    expect(await sim.failure(events.receive({ timeout: 70 }))).toMatchObject({ code: "EAGAIN" })
    expect(sim.now).toBe(70)
  })

  it("nobody reads are kept up to a bound: the first thousand", async () => {
    const sim = new Simulation()
    const push = sim.open(Push, { reconnectInterval: 1 })
    const { events } = push
    push.connect(NOBODY)
    await sim.advance(3000)
    await sim.until(push.close())
    let count = 0
    for await (const { type } of events) {
      count++
      if (type === "end") break
    }
    expect(count).toBe(1001)
  })
})
