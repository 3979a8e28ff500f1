/**
 * The promises of the pipeline under faults: 2,000 seeds, each a schedule of its own; `npm run simulate -- --seeds N` runs more.
 * And the other way round: what is broken on purpose must be noticed, and a seed must be the same run each time.
 */
import { afterAll, describe, expect, it } from "vitest"
import { FAULT_KINDS } from "../../patterns/testing/fault-kinds.js"
import { type Outcome, simulate } from "./scenario.js"
import { variants } from "./variants.js"

const SEEDS = 2000
const PARTS = 8
/** Of simulated worlds; generous, as machines are slow. */
const LIMIT = 300_000
/** A broken pipeline is to be noticed by then. */
const NOTICED = 150

const total: Record<string, number> = {}

function count({ faults }: Outcome): void {
  for (const [kind, times] of Object.entries(faults)) total[kind] = (total[kind] ?? 0) + times
}

const replay = (seed: number) => `npm run simulate -- --seeds 1 --from ${seed} --log`

describe("a pipeline in a simulated world", () => {
  it.each(Array.from({ length: PARTS }, (_, part) => part))(
    "keeps its promises, part %i",
    async part => {
      for (let seed = part + 1; seed <= SEEDS; seed += PARTS) {
        const outcome = await simulate(seed)
        count(outcome)
        expect(outcome.violations, replay(seed)).toEqual([])
      }
    },
    LIMIT,
  )

  afterAll(() => {
    console.log(`faults in ${SEEDS} seeds: ${FAULT_KINDS.map(kind => `${kind} ${total[kind]}`).join(", ")}`)
  })

  it("had each kind of fault, and more than 15 in each seed", () => {
    expect(FAULT_KINDS.filter(kind => !(total[kind]! > 0))).toEqual([])
    expect(Object.values(total).reduce((sum, times) => sum + times, 0) / SEEDS).toBeGreaterThan(15)
  })

  it("is the same run each time, for the same seed", async () => {
    const [first, again, other] = [await simulate(11), await simulate(11), await simulate(12)]
    expect(again.trace).toBe(first.trace)
    expect(other.trace).not.toBe(first.trace)
  })
})

describe("a pipeline that", () => {
  it.each(Object.entries(variants))(
    "%s is noticed",
    async (_, variant) => {
      const noticed: string[] = []
      for (let seed = 1; seed <= NOTICED && noticed.length === 0; seed++) {
        noticed.push(...(await simulate(seed, variant)).violations)
      }
      expect(noticed.length).toBeGreaterThan(0)
    },
    LIMIT,
  )
})
