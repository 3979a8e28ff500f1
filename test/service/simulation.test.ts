/** What services promise, under faults: 500 seeds, each a schedule of its own; and a seed is the same run each time. */
import { expect, it } from "vitest"
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

it("a seed is the same run each time", async () => {
  expect((await simulate(7)).trace).toBe((await simulate(7)).trace)
  expect((await simulate(7)).trace).not.toBe((await simulate(8)).trace)
})
