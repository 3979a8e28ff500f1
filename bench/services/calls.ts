/** Makes so many calls, with so many in flight, and checks each result. */

import type { Caller } from "./driver.js"

/** Resolves with how long each of them took, in microseconds. */
export async function callAll(caller: Caller, count: number, inFlight: number): Promise<Float64Array> {
  const micros = new Float64Array(count)
  let next = 0
  const work = async () => {
    while (next < count) {
      const n = next++
      const pair = { a: n, b: 2 * n + 1 }
      const begun = performance.now()
      const sum = await caller.add(pair)
      micros[n] = (performance.now() - begun) * 1000
      if (sum !== 3 * n + 1) throw new Error(`${pair.a} + ${pair.b} came back as ${sum}`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, work))
  return micros
}
