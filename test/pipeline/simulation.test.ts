import { expect, it } from "vitest"
import { simulate } from "./scenario.js"
it("seeds", async () => {
  const t = Date.now()
  const total: Record<string, number> = {}
  let bad = 0, h = 0, hd = 0, dd = 0
  for (let seed = 1; seed <= 300; seed++) {
    const out = await simulate(seed)
    h += out.handOuts; hd += out.handled; dd += out.dead
    for (const [k, v] of Object.entries(out.faults)) total[k] = (total[k] ?? 0) + v
    if (out.violations.length) { bad++; if (bad < 12) console.log(seed, out.violations.slice(0, 3), out.handOuts, out.handled, out.dead) }
  }
  console.log(total, bad, h, hd, dd, (Date.now() - t) / 600)
}, 200000)
