/**
 * Runs the simulated pipeline: `npm run simulate -- --seeds 10000 --from 1`. Says what went wrong with which seed, and how to
 * see it again; `--log` shows the last events of each seed that fails, `--broken` how soon the broken pipelines are noticed.
 */
import { parseArgs } from "node:util"
import { simulate } from "./scenario.js"
import { variants } from "./variants.js"

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    log: { type: "boolean", default: false },
    broken: { type: "boolean", default: false },
  },
})
const [seeds, from] = [Number(values.seeds), Number(values.from)]

async function runSeeds(): Promise<number> {
  const totals: Record<string, number> = {}
  let [failed, handOuts, handled, dead] = [0, 0, 0, 0]
  const started = Date.now()
  for (let seed = from; seed < from + seeds; seed++) {
    const outcome = await simulate(seed, {}, values.log ? 200 : 0)
    for (const [kind, times] of Object.entries(outcome.faults)) totals[kind] = (totals[kind] ?? 0) + times
    handOuts += outcome.handOuts
    handled += outcome.handled
    dead += outcome.dead
    if (outcome.violations.length > 0) {
      failed++
      console.log(`seed ${seed}: ${outcome.violations.join("; ")}`)
      console.log(`  again: npm run simulate -- --seeds 1 --from ${seed} --log`)
      for (const line of outcome.log) console.log(`  ${line}`)
    }
    const done = seed - from + 1
    if (done % 1000 === 0)
      console.log(`${done} seeds, ${failed} failed, ${Math.round((Date.now() - started) / 1000)} s`)
  }
  console.log(`${seeds} seeds from ${from}: ${failed} failed`)
  console.log(`${handOuts} hand-outs, ${handled} ends of handlers, ${dead} dead letters`)
  console.log(
    `faults: ${Object.entries(totals)
      .map(([kind, times]) => `${kind} ${times}`)
      .join(", ")}`,
  )
  return failed
}

async function runBroken(): Promise<number> {
  let unnoticed = 0
  for (const [name, variant] of Object.entries(variants)) {
    let [noticed, first, what] = [0, 0, ""]
    for (let seed = from; seed < from + seeds; seed++) {
      const { violations } = await simulate(seed, variant)
      if (violations.length === 0) continue
      if (noticed++ === 0) [first, what] = [seed, violations[0]!]
    }
    if (noticed === 0) unnoticed++
    console.log(`${name}: ${noticed} of ${seeds} seeds, first ${first} (${what})`)
  }
  return unnoticed
}

process.exitCode = (values.broken ? await runBroken() : await runSeeds()) > 0 ? 1 : 0
