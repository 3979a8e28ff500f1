/**
 * `npm run fuzz -- --minutes N [--target name] [--seed S]`: all targets, or one, for so many minutes together, with their figures.
 * `--capture` puts what our own engines send in good conversations into the corpus, and runs nothing. A failure is printed, its input is in the corpus, and the exit code is 1.
 */
import { parseArgs } from "node:util"
import { engineTargets } from "./engine-targets.js"
import { loadBoxes } from "./fixed-boxes.js"
import { fuzzTarget, keep } from "./harness.js"
import { valueTargets } from "./value-targets.js"

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    target: { type: "string" },
    capture: { type: "boolean", default: false },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
})

await loadBoxes()
const all = [...engineTargets(), ...valueTargets]
const targets = all.filter(({ name }) => values.target === undefined || name === values.target)
if (targets.length === 0) throw new Error(`no such target; there are ${all.map(({ name }) => name).join(", ")}`)
if (values.capture) {
  for (const target of engineTargets()) for (const input of target.seeds()) console.log(keep(target, input, "seed"))
  process.exit()
}
const share = (Number(values.minutes) * 60_000) / targets.length

console.log(`seed ${values.seed}`)
for (const target of targets) {
  const began = performance.now()
  try {
    const { inputs, outcomes } = fuzzTarget(target, Number(values.seed), () => performance.now() - began > share)
    const rate = Math.round(inputs / ((performance.now() - began) / 1000))
    const most = [...outcomes].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`)
    console.log(
      `${target.name}: ${inputs} inputs, ${rate}/s, ${outcomes.size} outcomes: ${most.slice(0, 6).join(", ")}`,
    )
  } catch (error) {
    console.error((error as Error).stack)
    process.exitCode = 1
  }
}
