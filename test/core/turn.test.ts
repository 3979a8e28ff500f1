/**
 * Fairness of one process (architecture.md, "Settled" 4): a loop of awaited sends or receives that never has to wait
 * still lets timers, reads and other sockets have their turn after a number of operations, which is a matter of tuning.
 */
import { describe, expect, it } from "vitest"
import { Pair, Publisher, Pull, Push, Subscriber } from "../../patterns/index.js"
import { Simulation } from "../support/simulation.js"

/** Most operations that may settle in one turn. */
const MOST_AT_ONCE = 1024

/** Two sockets within the process, the first of which never has to wait. */
async function joined(sim: Simulation) {
  const push = sim.open(Push, { sendHighWaterMark: 0 })
  const pull = sim.open(Pull, { receiveHighWaterMark: 0 })
  await push.bind("inproc://joined")
  pull.connect("inproc://joined")
  return { push, pull }
}

/** Runs a loop of operations for so many turns, and tells how many were done by the end of each. */
async function countPerTurn(sim: Simulation, turns: number, operation: () => Promise<unknown>): Promise<number[]> {
  let count = 0
  let over = false
  const counts: number[] = []
  const loop = (async () => {
    while (!over) {
      await operation()
      count++
    }
  })()
  await new Promise(resolve => setImmediate(resolve))
  counts.push(count)
  while (counts.length < turns) {
    await sim.runtime.step()
    counts.push(count)
  }
  over = true
  await sim.until(loop)
  return counts
}

/** Some operations each turn, the same number every time and not too many. Returns that number. */
function expectFair(counts: number[]): number {
  const [first = 0] = counts
  expect(first).toBeGreaterThanOrEqual(256)
  expect(first).toBeLessThanOrEqual(MOST_AT_ONCE)
  counts.forEach((count, turn) => {
    expect(count).toBeGreaterThanOrEqual(first * (turn + 1))
    // The operation that waited for the turn belongs to none.
    expect(count).toBeLessThanOrEqual((first + 1) * (turn + 1))
  })
  return first
}

describe("a loop that never has to wait", () => {
  it("of sends gets a number of them a turn", async () => {
    const sim = new Simulation()
    const { push } = await joined(sim)
    expectFair(await countPerTurn(sim, 4, () => push.send("x")))
  })

  it("of sends that are dropped gets a number of them a turn", async () => {
    const sim = new Simulation()
    const publisher = sim.open(Publisher)
    expectFair(await countPerTurn(sim, 4, () => publisher.send("to nobody")))
  })

  it("of receives gets a number of them a turn", async () => {
    const sim = new Simulation()
    const { push, pull } = await joined(sim)
    for (let i = 0; i < 5000; i++) push.trySend(`${i}`)
    await sim.turn()
    let next = 0
    expectFair(
      await countPerTurn(sim, 4, async () => {
        expect(String(await pull.receive())).toBe(`${next++}`)
      }),
    )
  })

  it("of iterations gets a number of them a turn", async () => {
    const sim = new Simulation()
    const { push, pull } = await joined(sim)
    for (let i = 0; i < 5000; i++) push.trySend(`${i}`)
    await sim.turn()
    const iterator = pull[Symbol.asyncIterator]()
    expectFair(await countPerTurn(sim, 4, () => iterator.next()))
  })

  it("of batches ends, too", async () => {
    const sim = new Simulation()
    const { push, pull } = await joined(sim)
    let late = false
    let count = 0
    const loop = (async () => {
      for await (const batch of pull.batches({ max: 10 })) {
        count += batch.length
        for (let i = 0; i < batch.length; i++) push.trySend("again")
        if (late) return
      }
    })()
    for (let i = 0; i < 100; i++) push.trySend("x")
    sim.runtime.happen(0, () => {
      late = true
    })
    await new Promise(resolve => setImmediate(resolve))
    expect(late).toBe(false)
    expect(count).toBeLessThan(10 * MOST_AT_ONCE)
    await sim.until(loop)
  })
})

describe("what else there is to do", () => {
  it("is done while a loop runs: timers, other sockets, bytes that come", async () => {
    const sim = new Simulation()
    const { push } = await joined(sim)
    const publisher = sim.open(Publisher)
    const subscriber = sim.open(Subscriber)
    subscriber.connect(await sim.bind(publisher))
    subscriber.subscribe()
    let over = false
    const loop = (async () => {
      while (!over) await push.send("busy")
    })()
    await sim.until(publisher.waitForSubscribers())
    await sim.until(publisher.send("news"))
    expect(String(await sim.until(subscriber.receive()))).toBe("news")
    expect(await sim.failure(subscriber.receive({ timeout: 0 }))).toMatchObject({ code: "EAGAIN" })
    over = true
    await sim.until(loop)
  })

  it("shares the turn: sockets of one context have so many operations together", async () => {
    const sim = new Simulation()
    const { push } = await joined(sim)
    const publisher = sim.open(Publisher)
    const alone = expectFair(await countPerTurn(sim, 2, () => publisher.send("x")))
    await sim.turn()
    const counts = [0, 0]
    let over = false
    const loops = [push, publisher].map(async (socket, index) => {
      while (!over) {
        await socket.send("x")
        counts[index]!++
      }
    })
    await new Promise(resolve => setImmediate(resolve))
    expect(counts[0]! + counts[1]!).toBeGreaterThanOrEqual(alone - 2)
    expect(counts[0]! + counts[1]!).toBeLessThanOrEqual(alone + 2)
    expect(Math.min(...counts)).toBeGreaterThan(alone / 4)
    over = true
    await sim.until(Promise.all(loops))
  })

  it("is no matter for trySend and tryReceive, which await nothing", async () => {
    const sim = new Simulation()
    const { push, pull } = await joined(sim)
    for (let i = 0; i < 3000; i++) expect(push.trySend(`${i}`)).toBe(true)
    for (let i = 0; i < 3000; i++) expect(String(pull.tryReceive())).toBe(`${i}`)
  })

  it("a ping-pong within the process does not stop the world", async () => {
    const sim = new Simulation()
    const [left, right] = [sim.open(Pair), sim.open(Pair)]
    await left.bind("inproc://ping-pong")
    right.connect("inproc://ping-pong")
    let rounds = 0
    let over = false
    const loops = [left, right].map(async socket => {
      for await (const _ of socket) {
        rounds++
        if (over) return
        await socket.send("ball")
      }
    })
    void left.send("ball")
    await new Promise(resolve => setImmediate(resolve))
    const once = rounds
    await sim.runtime.step()
    expect(once).toBeLessThanOrEqual(2 * MOST_AT_ONCE)
    expect(rounds).toBeGreaterThan(once)
    over = true
    await sim.eventually(() => left.closed || rounds > 0)
    void left.close()
    void right.close()
    await sim.until(Promise.all(loops))
  })
})
