/** What Peerlane serves. */
import type { Pair } from "./driver.js"

export const math = {
  add: async ({ a, b }: Pair) => a + b,
  async *count(items: number) {
    for (let n = 0; n < items; n++) yield n
  },
}
