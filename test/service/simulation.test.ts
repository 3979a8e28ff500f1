/** What services promise, under faults: 500 seeds, each a schedule of its own; and a seed is the same run each time. */
import { expect, it } from "vitest"
import type { ClientMiddleware } from "../../patterns/service/index.js"
import { Inflow } from "../../patterns/service/inflow.js"
import { simulate } from "./scenario.js"

const SEEDS = 500

it(`every call ends once and in time, and none that may not is begun twice, in ${SEEDS} worlds`, async () => {
  const ends: Record<string, number> = {}
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await simulate(seed)
    expect(outcome.violations, `seed ${seed}`).toEqual([])
    for (const [end, times] of Object.entries(outcome.ends)) ends[end] = (ends[end] ?? 0) + times
  }
  console.log(`ends of calls in ${SEEDS} seeds: ${JSON.stringify(ends)}`)
  for (const end of ["done", "EREMOTE", "ETIMEDOUT", "ELOST", "EBUSY"]) expect(ends[end], end).toBeGreaterThan(0)
}, 300_000)

/** What the invariants are worth: each of these is wrong in one way, and is noticed. */
const broken: Record<string, ClientMiddleware> = {
  "calls that are not safe are tried again": (call, next) =>
    next({ ...call, options: { ...call.options, safe: true } }),
  "calls end later than they say": (call, next) => next({ ...call, options: { ...call.options, timeout: 4000 } }),
  "a call is made twice": (_, next) => Promise.all([next(), next()]).then(([result]) => result),
  "an answer is another call's": async (call, next) => {
    const result = await next()
    return call.method === "work" && String(call.argument).endsWith("7") ? "client0-1-3" : result
  },
}

it.each(Object.keys(broken))("notices when %s", async name => {
  let seed = 1
  while (seed < SEEDS && (await simulate(seed, { use: [broken[name]!] })).violations.length === 0) seed++
  console.log(`${name}: noticed in seed ${seed}`)
  expect(seed).toBeLessThan(SEEDS)
})

it("notices when items are lost and nobody counts them", async () => {
  const { item } = Inflow.prototype
  Inflow.prototype.item = function (n, pieces, body) {
    if (n % 10 !== 9) item.call(this, this.items, pieces, body)
  }
  const { end } = Inflow.prototype
  Inflow.prototype.end = function () {
    end.call(this, this.items)
  }
  try {
    expect((await simulate(1)).violations).not.toEqual([])
  } finally {
    Object.assign(Inflow.prototype, { item, end })
  }
})

it("a seed is the same run each time", async () => {
  expect((await simulate(7)).trace).toBe((await simulate(7)).trace)
  expect((await simulate(7)).trace).not.toBe((await simulate(8)).trace)
})
