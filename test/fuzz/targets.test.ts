/** Every target of the fuzzers for a while: its seeds, the crashers that were ever found, and inputs made from both. `npm run fuzz` goes on for longer. */
import { expect, it } from "vitest"
import { engineTargets } from "./engine-targets.js"
import { loadBoxes } from "./fixed-boxes.js"
import { fuzzTarget } from "./harness.js"
import { valueTargets } from "./value-targets.js"

await loadBoxes()
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)

for (const target of [...engineTargets(), ...valueTargets]) {
  it(`${target.name}: ${target.invariant}`, { timeout: 60_000 }, () => {
    const inputs = target.name.startsWith("curve") ? 300 : 2_000
    const figures = fuzzTarget(target, seed, done => done >= inputs)
    expect(figures.inputs).toBeGreaterThanOrEqual(inputs)
    expect(figures.outcomes.size).toBeGreaterThan(1)
  })
}
