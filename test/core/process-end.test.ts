/** The end of the process (architecture.md, "Settled" 8): what keeps it alive, for how long, and what is done at its exit. */
import { describe, expect, it } from "vitest"
import { Pull, Push } from "../../patterns/index.js"
import { Simulation } from "../support/simulation.js"

const NOBODY = "sim://nobody"

/** A PUSH with a few messages queued for a server that is not there. */
async function queued(sim: Simulation, linger: number, count = 3): Promise<Push> {
  const push = sim.open(Push, { linger, reconnectInterval: 700, reconnectMaxInterval: 700 })
  push.connect(NOBODY)
  for (let i = 0; i < count; i++) await sim.until(push.send(`${i}`))
  return push
}

describe("the end of the process", () => {
  const idle = (sim: Simulation) => sim.runtime.watchers.forEach(watcher => void watcher.onIdle())
  const exit = (sim: Simulation) => sim.runtime.watchers.forEach(watcher => void watcher.onExit())

  it("waits for an open socket's queue as linger says, once", async () => {
    const sim = new Simulation()
    await queued(sim, 700)
    expect(sim.runtime.held).toBe(0)
    idle(sim)
    expect(sim.runtime.held).toBe(1)
    await sim.advance(699)
    expect(sim.runtime.held).toBe(1)
    await sim.advance(2)
    expect(sim.runtime.held).toBe(0)
    idle(sim)
    expect(sim.runtime.held).toBe(0)
  })

  it("does not wait with linger 0, with nothing queued, or for a socket that only listens", async () => {
    const sim = new Simulation()
    await queued(sim, 0)
    await sim.bind(sim.open(Pull))
    sim.open(Push).connect(NOBODY)
    idle(sim)
    expect(sim.runtime.held).toBe(0)
  })

  it("waits no longer when all has been sent", async () => {
    const sim = new Simulation()
    await queued(sim, -1)
    idle(sim)
    await sim.advance(5000)
    expect(sim.runtime.held).toBe(1)
    await sim.bind(sim.open(Pull), NOBODY)
    await sim.advance(5000)
    expect(sim.runtime.held).toBe(0)
  })

  it("at process.exit hands over what it can at once", async () => {
    const sim = new Simulation()
    const pull = sim.open(Pull)
    const push = sim.open(Push)
    push.connect(await sim.bind(pull))
    await sim.until(push.ready())
    void push.send("last words")
    exit(sim)
    const [stream] = [...sim.network.streams].filter(({ remote }) => remote === pull.lastEndpoint)
    expect(stream!.queuedBytes).toBe(0)
    expect(push.stats().queuedOut).toBe(0)
    expect(String(await sim.until(pull.receive()))).toBe("last words")
  })

  it("is watched for only while sockets are open", async () => {
    const sim = new Simulation()
    expect(sim.runtime.watchers.size).toBe(0)
    const sockets = [sim.open(Push), sim.open(Pull)]
    expect(sim.runtime.watchers.size).toBe(1)
    for (const socket of sockets) await sim.until(socket.close())
    expect(sim.runtime.watchers.size).toBe(0)
  })
})
