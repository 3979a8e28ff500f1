/** How much later than the fastest ones a client's messages come, by what it says of its own clock. The clocks need not agree, but for their pace. */

/** In ms. What was fastest longer ago than one or two of these is forgotten, since no two clocks have quite the same pace. */
const WINDOW = 60_000

export class Lateness {
  private least = Number.POSITIVE_INFINITY
  private before = Number.POSITIVE_INFINITY
  private since = 0

  /**
   * @param at When it was sent, by the sender's clock.
   * @param now By ours.
   */
  of(at: number, now: number): number {
    if (now - this.since >= WINDOW) {
      this.before = now - this.since < 2 * WINDOW ? this.least : Number.POSITIVE_INFINITY
      this.least = Number.POSITIVE_INFINITY
      this.since = now
    }
    const delay = now - at
    this.least = Math.min(this.least, delay)
    return delay - Math.min(this.least, this.before)
  }
}
