/**
 * Short versions of the attack drills, with limits that a busy machine keeps: while a socket is attacked, a healthy peer's
 * messages go on, and when the attack is over there is no more memory taken than before, but for what allocators keep.
 * `npm run drills` has them at full size, with figures.
 */
import { expect, it } from "vitest"
import { attacks } from "./attack-list.js"
import { drill } from "./drill.js"

/**
 * The attacker, the socket and the healthy peer may have one processor together, and other tests beside them: in half a second
 * these may take nearly all of it, so what falls short is measured again.
 */
const LEAST_SHARE = 0.05

for (const attack of attacks) {
  it(`${attack.name}: a healthy peer goes on, and memory comes back`, { timeout: 60_000, retry: 2 }, async () => {
    const { before, during, after, cameBack } = await drill(attack, attack.short, 500)
    expect(before).toBeGreaterThan(0)
    expect(during).toBeGreaterThan(before * LEAST_SHARE)
    expect(after).toBeGreaterThan(before * LEAST_SHARE)
    expect(cameBack).toBe(true)
  })
}
