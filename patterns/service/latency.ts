/** How long calls took, so that p50 and p99 can be told: counts in steps of a fifth, up to an hour. Some 1 KiB, whatever comes. */

const STEP = Math.log(1.2)
/** The first step, in ms. */
const LEAST = 0.05
const STEPS = 100

export class Latency {
  private readonly counts: number[] = new Array(STEPS).fill(0)
  private total = 0

  add(ms: number): void {
    const step = ms <= LEAST ? 0 : Math.ceil(Math.log(ms / LEAST) / STEP)
    this.counts[Math.min(step, STEPS - 1)]!++
    this.total++
  }

  /** In ms, a fifth too long at most; 0: nothing was counted. */
  percentile(share: number): number {
    let left = this.total * share
    for (let step = 0; step < STEPS && this.total > 0; step++) {
      left -= this.counts[step]!
      if (left <= 0) return LEAST * Math.exp(step * STEP)
    }
    return 0
  }
}
