/** Counts, and knows how fast it counts lately: in the last ten seconds. No timer. */
import type { Clock } from "./runtime.js"

const SECONDS = 10

export class Meter {
  total = 0
  private readonly begun: number
  private second: number
  /** Of the last whole seconds, and of the one that runs. */
  private readonly slots: number[] = new Array(SECONDS + 1).fill(0)

  constructor(private readonly clock: Clock) {
    this.begun = clock.now()
    this.second = Math.floor(this.begun / 1000)
  }

  add(): void {
    this.advance()
    this.total++
    this.slots[this.second % this.slots.length]!++
  }

  get perSecond(): number {
    this.advance()
    const now = this.clock.now()
    let sum = 0
    for (const count of this.slots) sum += count
    const covered = Math.min(now - this.begun, SECONDS * 1000 + (now % 1000))
    return covered > 0 ? sum / (Math.max(covered, 1000) / 1000) : 0
  }

  private advance(): void {
    const second = Math.floor(this.clock.now() / 1000)
    const steps = Math.min(second - this.second, this.slots.length)
    for (let step = 1; step <= steps; step++) this.slots[(this.second + step) % this.slots.length] = 0
    if (second > this.second) this.second = second
  }
}
