/** Contexts by virtual time: what closing one does to its sockets, what it refuses, and that contexts are apart. */
import { describe, expect, it } from "vitest"
import { Context, Pair, Pull, Push } from "../../patterns/index.js"
import { failureOf, Simulation } from "../support/simulation.js"

const NOBODY = "sim://nobody"

async function queued(sim: Simulation, linger: number): Promise<Push> {
  const push = sim.open(Push, { linger })
  push.connect(NOBODY)
  await sim.until(push.send("queued"))
  return push
}

describe("context.close", () => {
  it("closes all sockets, each as its linger says, and resolves with the last of them", async () => {
    const sim = new Simulation()
    const sockets = [await queued(sim, 0), await queued(sim, 300), await queued(sim, 900), sim.open(Pull)]
    await sim.until(sim.context.close())
    expect(sim.now).toBe(900)
    expect(sockets.every(({ closed }) => closed)).toBe(true)
    expect(sim.leftovers()).toEqual({ held: 0, timers: 0, streams: 0, watchers: 0 })
  })

  it("closes them at once, though some linger", async () => {
    const sim = new Simulation()
    const push = await queued(sim, 300)
    const waiting = failureOf(sim.open(Pull).receive())
    const closing = sim.context.close()
    expect(push.closed).toBe(true)
    expect(await waiting).toMatchObject({ code: "EAGAIN" })
    await sim.until(closing)
  })

  it("delivers what lingers to a server that comes in time", async () => {
    const sim = new Simulation()
    await queued(sim, -1)
    const closing = sim.context.close()
    await sim.advance(5000)
    // The server lives elsewhere: this context makes no more sockets.
    const elsewhere = new Context(undefined, { runtime: sim.runtime, transports: [sim.network] })
    const pull = new Pull({ context: elsewhere })
    await sim.bind(pull, NOBODY)
    expect(String(await sim.until(pull.receive()))).toBe("queued")
    await sim.until(closing)
    await sim.until(elsewhere.close())
  })

  it("waits for sockets that were closed before and still linger", async () => {
    const sim = new Simulation()
    const push = await queued(sim, 400)
    void push.close()
    await sim.until(sim.context.close())
    expect(sim.now).toBe(400)
  })

  it("makes no more sockets: EFAULT", async () => {
    const sim = new Simulation()
    await sim.until(sim.context.close())
    expect(() => new Push({ context: sim.context })).toThrow(expect.objectContaining({ code: "EFAULT" }))
    expect(sim.leftovers()).toEqual({ held: 0, timers: 0, streams: 0, watchers: 0 })
  })

  it("may be called again, and by await using", async () => {
    const sim = new Simulation()
    const push = await queued(sim, 100)
    await sim.until(Promise.all([sim.context.close(), sim.context.close(), sim.context[Symbol.asyncDispose]()]))
    expect(push.closed).toBe(true)
  })
})

describe("sockets of a context", () => {
  it("are so many at most: one more is EMFILE, until one is closed", async () => {
    const sim = new Simulation()
    sim.context.maxSockets = 2
    const first = sim.open(Push)
    sim.open(Push)
    const error = expect.objectContaining({ code: "EMFILE" })
    expect(() => sim.open(Push)).toThrow(error)
    await sim.until(first.close())
    sim.open(Push)
    expect(() => sim.open(Push)).toThrow(error)
  })

  it("count no longer when their construction failed", async () => {
    const sim = new Simulation()
    sim.context.maxSockets = 1
    expect(() => sim.open(Push, { linger: -2 })).toThrow(expect.objectContaining({ code: "EINVAL" }))
    expect(() => sim.open(Push, { noSuchOption: 1 } as object)).toThrow(TypeError)
    expect(sim.leftovers().watchers).toBe(0)
    sim.open(Push)
  })

  it("count while they linger", async () => {
    const sim = new Simulation()
    sim.context.maxSockets = 1
    const push = await queued(sim, 100)
    const closing = push.close()
    expect(() => sim.open(Push)).toThrow(expect.objectContaining({ code: "EMFILE" }))
    await sim.until(closing)
    sim.open(Push)
  })

  it("know each other's names within the context, and not beyond", async () => {
    const sim = new Simulation()
    const other = new Context(undefined, { runtime: sim.runtime, transports: [sim.network] })
    const here = sim.open(Pair)
    const there = new Pair({ context: other })
    await here.bind("inproc://name")
    await there.bind("inproc://name")
    const client = sim.open(Pair)
    client.connect("inproc://name")
    await client.send("hello")
    expect(String(await here.receive())).toBe("hello")
    expect(there.tryReceive()).toBeNull()
    await sim.until(other.close())
  })

  it("warn when an option comes too late for what is connected", async () => {
    const sim = new Simulation()
    const push = sim.open(Push)
    push.reconnectInterval = 50
    push.connect(NOBODY)
    push.sendHighWaterMark = 5
    push.linger = 0
    expect(sim.runtime.warnings).toEqual([])
    push.reconnectInterval = 70
    expect(sim.runtime.warnings).toEqual(["Socket option will not take effect until next connect/bind."])
  })

  it("keep the options that an endpoint began with", async () => {
    const sim = new Simulation()
    const push = sim.open(Push, { linger: 0, reconnectInterval: 1000, reconnectMaxInterval: 1000 })
    push.connect(NOBODY)
    push.reconnectInterval = 10
    push.reconnectMaxInterval = 10
    await sim.advance(2500)
    expect(sim.network.dials.map(({ at }) => at)).toEqual([0, 1000, 2000])
  })
})

describe("transports", () => {
  it("are those of the context: others are EPROTONOSUPPORT", async () => {
    const sim = new Simulation()
    const push = sim.open(Push)
    const error = expect.objectContaining({ code: "EPROTONOSUPPORT", address: "tcp://127.0.0.1:80" })
    expect(() => push.connect("tcp://127.0.0.1:80")).toThrow(error)
    await expect(push.bind("tcp://127.0.0.1:80")).rejects.toThrow(error)
  })

  it("a listener that comes too late, for a socket that was closed meanwhile, is closed as well", async () => {
    const sim = new Simulation()
    const pull = sim.open(Pull)
    const binding = pull.bind("sim://late")
    void pull.close()
    await sim.until(binding.catch(() => undefined))
    await sim.turn()
    const again = sim.open(Pull)
    expect(await sim.bind(again, "sim://late")).toBe("sim://late")
  })
})
