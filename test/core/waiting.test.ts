/**
 * Sends and receives that wait, by virtual time: how long at most, what ends them, in which order, and that nothing of
 * them stays.
 */
import { describe, expect, it } from "vitest"
import { Pair, Pull, Push, Reply, Request } from "../../patterns/index.js"
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
