/** One timer for everything that is due some time: set to the earliest, and asked what is next when it rings. */
import type { Clock } from "./runtime.js"

export class Alarm {
  private timer: { cancel(): void } | null = null
  private rings = Number.POSITIVE_INFINITY

  /** @param ring Does what is due. It may come early, and sets the alarm anew. */
  constructor(
    private readonly clock: Clock,
    private readonly ring: () => void,
  ) {}

  /** @param at By `clock.now()`. Later than it is set already: nothing happens. */
  set(at: number): void {
    if (at >= this.rings) return
    this.timer?.cancel()
    this.rings = at
    this.timer = this.clock.after(Math.max(0, Math.ceil(at - this.clock.now())), () => {
      this.timer = null
      this.rings = Number.POSITIVE_INFINITY
      this.ring()
    })
  }

  stop(): void {
    this.timer?.cancel()
    this.timer = null
    this.rings = Number.NEGATIVE_INFINITY
  }
}
