/** Machines: what a crash ends, what a restart begins, and clocks that are wrong. */
import { createWorld, type World } from "peerlane/testing"
import { describe, expect, it } from "vitest"
import { codeOf, collect, pair, SERVER, texts } from "./echo.js"

const settled = async (world: World, promises: Promise<unknown>[]) => {
  let count = 0
  for (const promise of promises) {
    const settle = () => {
      count++
    }
    promise.then(settle, settle)
  }
  await world.run({ limit: 10_000 })
  return count
}

describe("a crash", () => {
  it("ends timers and promises, and whatever is asked for later", async () => {
    const world = createWorld({ seed: 1 })
    const { client, dealer } = await pair(world)
    const { clock, disk } = client.runtime
    let fired = false
    clock.after(100, () => {
      fired = true
    })
    const next = dealer[Symbol.asyncIterator]().next()
    const pending: Promise<unknown>[] = [next, disk.makeDirectory("x")]
    const waiting = new client.sockets.Dealer({ immediate: true })
    pending.push(waiting.send(["x"]))
    await world.run({ limit: 0.01 })
    client.crash()
    expect(client.alive).toBe(false)
    clock.after(1, () => {
      fired = true
    })
    dealer.connect(SERVER)
    dealer.close()
    pending.push(dealer.send(["x"]), disk.list("x"), new client.sockets.Router().bind("tcp://*:1"))
    expect(await settled(world, pending)).toBe(0)
    expect(fired).toBe(false)
    expect(world.faults.crash).toBe(1)
  })

  it("cuts connections: a prefix of what was on the way arrives, and nothing that waited", async () => {
    const lengths = new Set<number>()
    for (let seed = 0; seed < 100; seed++) {
      const world = createWorld({ seed })
      const { client, dealer, got, id, router } = await pair(world, { receiveHighWaterMark: 20 })
      for (let number = 0; number < 40; number++) await dealer.send([String(number)])
      client.crash()
      await world.run()
      const numbers = texts(got, 1).map(Number)
      expect(numbers).toEqual(numbers.map((_, at) => at))
      expect(await codeOf(router.send([id, "x"]))).toBe("EHOSTUNREACH")
      lengths.add(numbers.length)
    }
    expect(Math.max(...lengths)).toBe(20)
    expect(Math.min(...lengths)).toBe(0)
  })

  it("frees the port; after a restart a program runs anew, and dealers find it", async () => {
    const world = createWorld({ seed: 1 })
    const server = world.machine("server")
    const got: string[] = []
    let lives = 0
    server.start(async ({ sockets }) => {
      const life = ++lives
      const router = new sockets.Router()
      await router.bind(SERVER)
      for await (const [, text] of router) got.push(`${text} in life ${life}`)
    })
    const dealer = new (world.machine("client").sockets.Dealer)()
    dealer.connect(SERVER)
    await dealer.send(["1"])
    await world.run()
    const [before, { sockets }] = [server.runtime, server]
    server.crash()
    await world.run({ limit: 500 })
    expect(lives).toBe(1)
    await dealer.send(["2"])
    server.restart()
    await world.run()
    expect(got).toEqual(["1 in life 1", "2 in life 2"])
    expect(server.runtime).not.toBe(before)
    expect(server.sockets).not.toBe(sockets)
    server.restart()
    expect([lives, world.faults.crash]).toEqual([3, 2])
  })

  it("of a machine that has none left is nothing; what dead programs throw is nobody's", async () => {
    const world = createWorld({ seed: 1 })
    const machine = world.machine("a").start(async () => {
      await null
      throw new Error("too late")
    })
    machine.crash()
    machine.crash()
    machine.stall(100)
    expect(await world.run()).toBe("idle")
    expect([world.faults.crash, world.faults.stall]).toEqual([1, 0])
  })

  it("also tells routers of dealers that had closed, and lingered", async () => {
    const world = createWorld({ seed: 1 })
    const { client } = await pair(world)
    const late = new client.sockets.Dealer()
    late.connect("tcp://late:1")
    await late.send(["x"])
    late.close()
    const router = new (world.machine("late").sockets.Router)({ mandatory: true })
    await router.bind("tcp://*:1")
    const got = collect(router)
    await world.run({ until: () => world.now > 1 && got.length > 0, limit: 1000 })
    client.crash()
    await world.run()
    expect(await codeOf(router.send([got[0]![0]!, "x"]))).toBe("EHOSTUNREACH")
  })
})

describe("a stall", () => {
  it("makes timers, the disk and arrivals wait, and keeps their order", async () => {
    const world = createWorld({ seed: 1 })
    const { client, dealer, router, server, id } = await pair(world)
    const happened: string[] = []
    const before = world.now
    void (async () => {
      for await (const [text] of dealer) happened.push(`${text} at ${Math.floor(world.now - before)}`)
    })()
    client.runtime.clock.after(10, () => happened.push(`timer at ${world.now - before}`))
    client.stall(100)
    await router.send([id, "one"])
    await router.send([id, "two"])
    const written = client.runtime.disk.makeDirectory("x").then(() => happened.push("disk"))
    server.runtime.clock.after(10, () => happened.push("elsewhere"))
    await world.run()
    await written
    expect(happened[0]).toBe("elsewhere")
    expect(happened.slice(1).sort()).toEqual(["disk", "one at 100", "timer at 100", "two at 100"])
    expect(happened.indexOf("one at 100")).toBeLessThan(happened.indexOf("two at 100"))
  })
})

describe("clocks", () => {
  it("now() starts with a life and goes on; timers fire when they should, and not when cancelled", async () => {
    const world = createWorld({ seed: 1 })
    await world.run({ limit: 500 })
    const machine = world.machine("a")
    const { clock } = machine.runtime
    expect(clock.now()).toBe(0)
    const fired: string[] = []
    for (const ms of [30, 10, 0, -5, Number.NaN]) clock.after(ms, () => fired.push(`${ms} at ${clock.now()}`))
    clock.after(5, () => fired.push("cancelled")).cancel()
    await world.run()
    expect(fired).toEqual(["0 at 1", "-5 at 1", "NaN at 1", "10 at 10", "30 at 30"])
    machine.restart()
    expect(machine.runtime.clock.now()).toBe(0)
  })

  it("date() is wrong by a second at most, jumps, and drifts, through restarts; timers do not notice", async () => {
    const world = createWorld({ seed: 1 })
    const [a, b] = [world.machine("a"), world.machine("b")]
    const date = (machine: typeof a) => machine.runtime.clock.date()
    expect(Math.abs(date(a) - date(b))).toBeLessThan(2000)
    expect(date(a)).not.toBe(date(b))
    const before = date(a)
    let fired = 0
    a.runtime.clock.after(1000, () => {
      fired = world.now
    })
    a.jumpClock(-3_600_000)
    expect(date(a)).toBe(before - 3_600_000)
    await world.run({ limit: 2000 })
    expect([date(a), fired]).toEqual([before - 3_600_000 + 2000, 1000])
    a.driftClock(100)
    expect(date(a)).toBe(before - 3_600_000 + 2000)
    await world.run({ limit: 1000 })
    a.restart()
    expect(date(a)).toBe(before - 3_600_000 + 3100)
    expect(world.faults.clockJump).toBe(1)
  })
})

it("a machine's chance is its own, and another one in each life", () => {
  const draw = (world: World, name: string) => world.machine(name).runtime.random()
  const [one, same] = [createWorld({ seed: 1 }), createWorld({ seed: 1 })]
  draw(same, "b")
  const first = draw(one, "a")
  expect(draw(same, "a")).toBe(first)
  expect(draw(one, "b")).not.toBe(first)
  one.machine("a").restart()
  expect(draw(one, "a")).not.toBe(first)
})
