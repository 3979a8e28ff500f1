/**
 * Which peers with a filling queue deserve that an awaited send takes a millisecond, so that they can read: those who
 * do read. One who takes nothing for so many sends is stalled, and misses messages without slowing anybody.
 */
import type { Pipe } from "../src/index.js"

/** Awaited sends without a message taken, after which a peer counts as stalled. */
const STALLED_AFTER = 250

export class Pace {
  private readonly seen = new Map<Pipe, { taken: number; sends: number }>()

  isWorthAPause(pipe: Pipe): boolean {
    const seen = this.seen.get(pipe)
    const { taken } = pipe.outbound
    if (seen === undefined || seen.taken !== taken) {
      this.seen.set(pipe, { taken, sends: 0 })
      return true
    }
    return ++seen.sends < STALLED_AFTER
  }

  forget(pipe: Pipe): void {
    this.seen.delete(pipe)
  }
}
