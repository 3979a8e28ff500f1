/** A world: one seed is one run, event by event; runs end for a reason that they tell. */
import fc from "fast-check"
import { createRandom, createWorld, scheduleFaults } from "peerlane/testing"
import { describe, expect, it } from "vitest"
import { echoWorld } from "./echo.js"

async function run(seed: number, count = 20) {
  const { world, done } = echoWorld({ seed, log: 1000 })
  const planned = scheduleFaults(world, { count, span: 1500 })
  const end = await world.run({ until: done, limit: 120_000 })
  return {
    end,
    trace: world.trace,
    events: world.events,
    now: world.now,
    log: world.log,
    faults: world.faults,
    planned,
  }
}

describe("one seed is one run", () => {
  it("to the last event, with faults of all kinds", async () => {
    const counted = new Set<string>()
    for (let seed = 0; seed < 40; seed++) {
      const [first, second] = [await run(seed), await run(seed)]
      expect(second.trace).toBe(first.trace)
      expect(second.log).toEqual(first.log)
      expect([second.events, second.now]).toEqual([first.events, first.now])
      expect(second.faults).toEqual(first.faults)
      expect(first.end, `seed ${seed}\n${first.log.slice(-30).join("\n")}`).toBe("until")
      for (const [kind, times] of Object.entries(first.faults)) if (times > 0) counted.add(kind)
    }
    expect([...counted].sort()).toEqual(Object.keys((await run(0)).faults).sort())
  })

  it("also when runs take turns in one process", async () => {
    const alone = await run(7)
    const together = await Promise.all([run(7), run(8), run(7)])
    expect(together.map(({ trace }) => trace === alone.trace)).toEqual([true, false, true])
  })

  it("and other seeds are other runs", async () => {
    const traces = new Set<string>()
    for (let seed = 0; seed < 50; seed++) traces.add((await run(seed, 0)).trace)
    expect(traces.size).toBe(50)
  })

  it("also with a log, which changes nothing", async () => {
    const { world, done } = echoWorld({ seed: 3 })
    scheduleFaults(world, { count: 20, span: 1500 })
    await world.run({ until: done, limit: 120_000 })
    expect(world.trace).toBe((await run(3)).trace)
    expect(world.log).toEqual([])
  })

  it("keeps the last lines of its log, the oldest first", async () => {
    const world = createWorld({ seed: 1, log: 3 })
    for (let line = 1; line <= 5; line++) world.after(line, () => world.note(`line ${line}`))
    await world.run()
    expect(world.log).toEqual(["4.000 line 4", "5.000 scenario", "5.000 line 5"])
  })
})

describe("a run", () => {
  it("ends when `until` says so, before it begins as well", async () => {
    const world = createWorld({ seed: 1 })
    let fired = 0
    for (let at = 1; at <= 3; at++) world.after(at, () => fired++)
    expect(await world.run({ until: () => true })).toBe("until")
    expect(fired).toBe(0)
    expect(await world.run({ until: () => fired === 2 })).toBe("until")
    expect([fired, world.now]).toEqual([2, 2])
  })

  it("ends when nothing is left, or at its limit", async () => {
    const world = createWorld({ seed: 1 })
    let fired = 0
    world.after(100, () => fired++)
    expect(await world.run({ limit: 50 })).toBe("limit")
    expect([fired, world.now]).toEqual([0, 50])
    expect(await world.run({ until: () => false, limit: 100 })).toBe("idle")
    expect([fired, world.now]).toEqual([1, 100])
    expect(await world.run({ limit: 50 })).toBe("limit")
    expect(await world.run()).toBe("idle")
    expect(world.now).toBe(150)
  })

  it("lets everything run that an event has made ready before the next one, however long the chain", async () => {
    const world = createWorld({ seed: 1 })
    const order: string[] = []
    world.after(1, async () => {
      for (let turn = 0; turn < 1000; turn++) await null
      order.push("first")
    })
    world.after(1, () => order.push("second"))
    await world.run()
    expect(order).toEqual(["first", "second"])
  })

  it("rejects with what a program rejects with, or a callback throws, and can go on", async () => {
    const world = createWorld({ seed: 1 })
    world.machine("a").start(async ({ runtime }) => {
      await new Promise<void>(resolve => runtime.clock.after(5, resolve))
      throw new Error("of the program")
    })
    await expect(world.run()).rejects.toThrow("of the program")
    const other = createWorld({ seed: 1 })
    other.after(1, () => {
      throw new Error("of the callback")
    })
    await expect(other.run()).rejects.toThrow("of the callback")
    expect(await other.run()).toBe("idle")
  })

  it("is the only one of its world", async () => {
    const world = createWorld({ seed: 1 })
    const first = world.run()
    await expect(world.run()).rejects.toMatchObject({ code: "EBUSY" })
    expect(await first).toBe("idle")
  })

  it("calls in the order of times, and where they are the same, of calls", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ at: fc.nat(20), cancelled: fc.boolean() })), async calls => {
        const world = createWorld({ seed: 1 })
        const fired: number[] = []
        const handles = calls.map(({ at }, index) => world.after(at, () => fired.push(index)))
        calls.forEach(({ cancelled }, index) => {
          if (cancelled) handles[index]!.cancel()
        })
        await world.run()
        const expected = calls.map((call, index) => ({ ...call, index })).filter(({ cancelled }) => !cancelled)
        expect(fired).toEqual(expected.sort((a, b) => a.at - b.at || a.index - b.index).map(({ index }) => index))
      }),
      { numRuns: 50 },
    )
  })
})

describe("chance", () => {
  it("is even, and the same for the same seed", () => {
    const [random, same] = [createRandom("seed"), createRandom("seed")]
    const boxes = new Array<number>(16).fill(0)
    for (let draw = 0; draw < 160_000; draw++) {
      const number = random()
      if (number !== same() || number < 0 || number >= 1) expect.fail(`draw ${draw}: ${number}`)
      boxes[Math.floor(number * 16)]!++
    }
    const chiSquare = boxes.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)
    expect(chiSquare).toBeLessThan(45)
  })

  it("forks into streams that depend on their label only, not on what was drawn", () => {
    const [a, b] = [createRandom("seed"), createRandom("seed")]
    for (let draw = 0; draw < 10; draw++) a()
    const streams = [a.fork("x"), b.fork("x"), b.fork("y"), createRandom("other").fork("x")]
    const [x, sameX, y, otherX] = streams.map(stream => Array.from({ length: 5 }, () => stream()))
    expect(sameX).toEqual(x)
    expect(new Set([x![0], y![0], otherX![0]]).size).toBe(3)
  })

  it("has no two seeds alike among many", () => {
    const firsts = new Set<number>()
    for (let seed = 0; seed < 20_000; seed++) firsts.add(createRandom(String(seed)).below(2 ** 32) * 2 ** 16)
    expect(firsts.size).toBeGreaterThan(19_990)
  })

  it("chooses within the limits", () => {
    const random = createRandom("limits")
    const drawn = new Set(Array.from({ length: 200 }, () => random.below(3)))
    expect([...drawn].sort()).toEqual([0, 1, 2])
    for (let draw = 0; draw < 200; draw++) {
      const number = random.between(5, 6)
      expect(number >= 5 && number < 6).toBe(true)
      expect(["a", "b"]).toContain(random.pick(["a", "b"]))
    }
    expect([random.chance(0), random.chance(1)]).toEqual([false, true])
  })
})

describe("faults of a plan", () => {
  it("are of the kinds, on the machines and in the span that were asked for", async () => {
    const world = createWorld({ seed: 5 })
    const machines = ["a", "b", "c"].map(name => world.machine(name))
    world.machine("spared")
    const planned = scheduleFaults(world, { count: 100, span: 1000, kinds: ["cut", "stall"], machines, longest: 7 })
    expect(planned).toHaveLength(100)
    expect(planned.map(({ at }) => at)).toEqual(planned.map(({ at }) => at).sort((a, b) => a - b))
    for (const { kind, at, a, b, ms } of planned) {
      expect(["cut", "stall"]).toContain(kind)
      expect(at < 1000 && ms <= 7 && a !== b).toBe(true)
      expect(machines.includes(a) && machines.includes(b)).toBe(true)
    }
    await world.run()
    expect(world.faults.cut + world.faults.stall).toBe(100)
  })
})
