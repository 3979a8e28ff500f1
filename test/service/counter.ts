/** A stream of numbers that knows how far it came, and when it has ended; and a service that adds them. */
import { gate } from "../support/gate.js"

export interface Counter {
  made: number
  readonly over: Promise<void>
  readonly items: AsyncGenerator<number>
}

/** From 1 on; `item` makes something else of them. */
export function counter(to = Number.POSITIVE_INFINITY, item: (n: number) => unknown = n => n): Counter {
  const over = gate()
  async function* items(): AsyncGenerator<number> {
    try {
      while (counter.made < to) yield item(++counter.made) as number
    } finally {
      over.open()
    }
  }
  const counter = { made: 0, over: over.opened, items: items() }
  return counter
}

export const WINDOW = 64
export const KIB = 1024

export const sums = {
  async sum(items: AsyncIterable<number>) {
    let total = 0
    for await (const item of items) total += item
    return total
  },
  echo: <T>(value: T) => value,
}
