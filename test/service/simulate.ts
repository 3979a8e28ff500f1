/** Runs the simulated services: `npm run build && node dist/test/service/simulate.js --seeds 1000 --from 1 [--log]`. */
import { parseArgs } from "node:util"
import { simulate } from "./scenario.js"

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    log: { type: "boolean", default: false },
  },
})
const [seeds, from] = [Number(values.seeds), Number(values.from)]
const [ends, faults]: [Record<string, number>, Record<string, number>] = [{}, {}]
let failed = 0
for (let seed = from; seed < from + seeds; seed++) {
  const outcome = await simulate(seed, { log: values.log ? 200 : 0 })
  for (const [end, times] of Object.entries(outcome.ends)) ends[end] = (ends[end] ?? 0) + times
  for (const [kind, times] of Object.entries(outcome.faults)) faults[kind] = (faults[kind] ?? 0) + times
  if (outcome.violations.length === 0) continue
  failed++
  console.log(`seed ${seed}: ${outcome.violations.slice(0, 5).join("; ")}`)
  for (const line of outcome.log) console.log(`  ${line}`)
}
console.log(`${seeds} seeds from ${from}: ${failed} failed`)
console.log("ends of calls:", ends)
console.log("faults:", faults)
process.exitCode = failed > 0 ? 1 : 0
