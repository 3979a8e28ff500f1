/**
 * Operations that wait, by virtual time: how long at most, what ends them, in which order, and that nothing of them stays:
 * send and receive with timeouts and signals, ready, flushed, and events.
 */
import { describe, expect, it } from "vitest"
import { Dealer, Pair, Pull, Push, Reply, Request, Router, Subscriber } from "../../patterns/index.js"
import { failureOf, Simulation } from "../support/simulation.js"

const HOUR = 3_600_000
const NOBODY = "sim://nobody"

/** A PUSH and a PULL that have met. */
async function met(sim: Simulation, options: object = {}, others: object = {}) {
  const push = sim.open(Push, options)
  const pull = sim.open(Pull, others)
  push.connect(await sim.bind(pull))
  await sim.until(push.ready())
  return { push, pull }
}

describe("a receive", () => {
  it.each([
    ["receiveTimeout", { receiveTimeout: 250 }, undefined, 250],
    ["its own timeout", {}, { timeout: 120 }, 120],
    ["its own timeout before receiveTimeout", { receiveTimeout: 250 }, { timeout: 400 }, 400],
    ["a fraction of a millisecond", {}, { timeout: 0.5 }, 0.5],
  ])("waits as long as %s says, then is EAGAIN", async (_, options, wait, ms) => {
    const sim = new Simulation()
    const pull = sim.open(Pull, options)
    expect(await sim.failure(pull.receive(wait))).toMatchObject({ code: "EAGAIN" })
    expect(sim.now).toBe(ms)
  })

  it("with a timeout of 0 does not wait, but takes what is there", async () => {
    const sim = new Simulation()
    const { push, pull } = await met(sim)
    expect(await sim.failure(pull.receive({ timeout: 0 }))).toMatchObject({ code: "EAGAIN" })
    await sim.until(push.send("hello"))
    await sim.eventually(() => pull.readable)
    expect(String(await pull.receive({ timeout: 0 }))).toBe("hello")
  })

  it("with a timeout of -1 waits for ever, whatever receiveTimeout says", async () => {
    const sim = new Simulation()
    const { push, pull } = await met(sim, {}, { receiveTimeout: 100 })
    const received = pull.receive({ timeout: -1 })
    await sim.advance(HOUR)
    await sim.until(push.send("late"))
    expect(String(await sim.until(received))).toBe("late")
  })

  it("keeps the process alive while it waits, and no longer", async () => {
    const sim = new Simulation()
    const { push, pull } = await met(sim)
    const received = [pull.receive(), pull.receive({ timeout: 50 })]
    expect(sim.runtime.held).toBe(2)
    await sim.until(push.send("one"))
    await sim.until(received[0]!)
    expect(sim.runtime.held).toBe(1)
    await sim.failure(received[1]!)
    expect(sim.runtime.held).toBe(0)
  })

  it("is served in the order of the calls, and one that gave up takes nothing", async () => {
    const sim = new Simulation()
    const { push, pull } = await met(sim)
    const abort = new AbortController()
    const first = pull.receive()
    const second = pull.receive({ signal: abort.signal })
    const third = pull.receive({ timeout: 10 })
    const fourth = pull.receive()
    const failed = [failureOf(second), failureOf(third)]
    await sim.advance(20)
    abort.abort(new Error("changed my mind"))
    await sim.until(push.send("a"))
    await sim.until(push.send("b"))
    expect(String(await sim.until(first))).toBe("a")
    expect(String(await sim.until(fourth))).toBe("b")
    expect(await failed[0]).toMatchObject({ message: "changed my mind" })
    expect(await failed[1]).toMatchObject({ code: "EAGAIN" })
  })

  it("rejects with the signal's reason, before and while it waits", async () => {
    const sim = new Simulation()
    const pull = sim.open(Pull)
    const reason = new Error("enough")
    await expect(pull.receive({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const abort = new AbortController()
    const waiting = pull.receive({ signal: abort.signal, timeout: 1000 })
    const failed = failureOf(waiting)
    abort.abort()
    expect(await failed).toMatchObject({ name: "AbortError" })
    expect(sim.leftovers()).toMatchObject({ held: 0, timers: 0 })
  })

  it("that was aborted already takes nothing, though something is there", async () => {
    const sim = new Simulation()
    const { push, pull } = await met(sim)
    await sim.until(push.send("kept"))
    await sim.eventually(() => pull.readable)
    await expect(pull.receive({ signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow("no")
    expect(String(await pull.receive())).toBe("kept")
  })

  it("fails with EAGAIN when the socket is closed; an iteration just ends", async () => {
    const sim = new Simulation()
    const pull = sim.open(Pull)
    const waiting = failureOf(pull.receive())
    const iterated = (async () => {
      for await (const _ of pull) throw new Error("nothing was sent")
      return "ended"
    })()
    await sim.turn()
    void pull.close()
    expect(await waiting).toMatchObject({ code: "EAGAIN" })
    expect(await sim.until(iterated)).toBe("ended")
  })

  it("is EFSM after all the waiting when the state forbids it", async () => {
    const sim = new Simulation()
    const request = sim.open(Request)
    expect(await sim.failure(request.receive({ timeout: 30 }))).toMatchObject({ code: "EFSM" })
  })
})

describe("a send", () => {
  it.each([
    ["sendTimeout", { sendTimeout: 250 }, undefined, 250],
    ["its own timeout", {}, { timeout: 120 }, 120],
    ["its own timeout before sendTimeout", { sendTimeout: 250 }, { timeout: 400 }, 400],
  ])("waits as long as %s says, then is EAGAIN", async (_, options, wait, ms) => {
    const sim = new Simulation()
    const push = sim.open(Push, options)
    expect(await sim.failure(push.send("to nobody", wait))).toMatchObject({ code: "EAGAIN" })
    expect(sim.now).toBe(ms)
    expect(push.stats().messagesOut).toBe(0)
  })

  it("with a timeout of 0 does not wait, but goes when it can", async () => {
    const sim = new Simulation()
    const push = sim.open(Push, { sendTimeout: 0 })
    expect(await sim.failure(push.send("to nobody"))).toMatchObject({ code: "EAGAIN" })
    push.connect(NOBODY)
    await sim.until(push.send("queued"))
  })

  it("that gave up was never sent, and the others keep their order", async () => {
    const sim = new Simulation()
    const push = sim.open(Push)
    const abort = new AbortController()
    const first = push.send("first")
    const second = failureOf(push.send("second", { signal: abort.signal }))
    const third = failureOf(push.send("third", { timeout: 10 }))
    const fourth = push.send("fourth")
    await sim.advance(20)
    abort.abort(new Error("changed my mind"))
    const pull = sim.open(Pull)
    push.connect(await sim.bind(pull))
    await sim.until(Promise.all([first, fourth]))
    expect(String(await sim.until(pull.receive()))).toBe("first")
    expect(String(await sim.until(pull.receive()))).toBe("fourth")
    expect(await second).toMatchObject({ message: "changed my mind" })
    expect(await third).toMatchObject({ code: "EAGAIN" })
    expect(await sim.failure(pull.receive({ timeout: 1000 }))).toMatchObject({ code: "EAGAIN" })
  })

  it("that was aborted already is not sent, though there is room", async () => {
    const sim = new Simulation()
    const { push, pull } = await met(sim)
    await expect(push.send("no", { signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow("no")
    expect(await sim.failure(pull.receive({ timeout: 100 }))).toMatchObject({ code: "EAGAIN" })
  })

  it("may change its small frames at once: what waits is a copy", async () => {
    const sim = new Simulation()
    const push = sim.open(Push)
    const bytes = Buffer.from("as it was")
    const sent = push.send(bytes)
    bytes.fill("x")
    const pull = sim.open(Pull)
    push.connect(await sim.bind(pull))
    await sim.until(sent)
    expect(String(await sim.until(pull.receive()))).toBe("as it was")
  })

  it("is EBUSY beyond maxPendingSends, and those before it wait on", async () => {
    const sim = new Simulation()
    const push = sim.open(Push, { maxPendingSends: 2 })
    const waiting = [push.send("a"), push.send("b")]
    expect(await sim.failure(push.send("c"))).toMatchObject({ code: "EBUSY" })
    const pull = sim.open(Pull)
    push.connect(await sim.bind(pull))
    await sim.until(Promise.all(waiting))
    expect(String(await sim.until(pull.receive()))).toBe("a")
    expect(String(await sim.until(pull.receive()))).toBe("b")
  })

  it("that waits for a slow reader goes when half of the queue has gone", async () => {
    const sim = new Simulation()
    const push = sim.open(Push, { sendHighWaterMark: 10 })
    push.connect(NOBODY)
    while (push.trySend("x"));
    const sent = push.send("waited")
    await sim.advance(1000)
    const pull = sim.open(Pull)
    await sim.bind(pull, NOBODY)
    await sim.until(sent)
    for (let i = 0; i < 10; i++) expect(String(await sim.until(pull.receive()))).toBe("x")
    expect(String(await sim.until(pull.receive()))).toBe("waited")
  })

  it("is EFSM at once or later when the state forbids it", async () => {
    const sim = new Simulation()
    const reply = sim.open(Reply)
    expect(await sim.failure(reply.send("unasked", { timeout: 10 }))).toMatchObject({ code: "EFSM" })
    expect(() => reply.trySend("unasked")).toThrow(expect.objectContaining({ code: "EFSM" }))
  })
})

describe("wrong limits of waiting", () => {
  it.each([
    [{ timeout: "1" }, TypeError],
    [{ timeout: Number.NaN }, TypeError],
    [{ timeout: -2 }, { code: "EINVAL" }],
    [{ signal: {} }, TypeError],
  ])("%j throw at once, and nothing is sent or taken", async (wait, error) => {
    const sim = new Simulation()
    const pair = sim.open(Pair)
    const matcher = typeof error === "function" ? error : expect.objectContaining(error)
    const limits = wait as object
    expect(() => pair.send("x", limits)).toThrow(matcher)
    expect(() => pair.receive(limits)).toThrow(matcher)
    expect(() => pair.ready(limits)).toThrow(matcher)
    expect(sim.leftovers()).toMatchObject({ held: 0, timers: 0 })
  })
})

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
