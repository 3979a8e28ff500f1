/**
 * The clocks of a machine. The one that measures starts with each life and always goes on; the one on the wall is set wrong by
 * some seconds, may run fast or slow, and may jump, also back.
 */
import type { Clock } from "../typed/runtime.js"
import type { Life, Timeline } from "./timeline.js"

/** When worlds begin, on the wall: 2025-01-01. */
const EPOCH = Date.UTC(2025, 0, 1)
/** As real timers: none fires earlier, in milliseconds. */
const SHORTEST = 1

/** What is wrong with the clock on the wall; it outlives crashes. */
export interface WallClock {
  /** Milliseconds. */
  offset: number
  /** Milliseconds that it is too fast, in each second. */
  drift: number
}

export class SimulatedClock implements Clock {
  constructor(
    private readonly timeline: Timeline,
    private readonly life: Life,
    private readonly wall: WallClock,
  ) {}

  now(): number {
    return this.timeline.now - this.life.born
  }

  date(): number {
    const { now } = this.timeline
    return Math.floor(EPOCH + now + (now / 1000) * this.wall.drift + this.wall.offset)
  }

  after(ms: number, callback: () => void): { cancel(): void } {
    const wait = Math.max(SHORTEST, ms || 0)
    return this.timeline.call(this.life, wait, `${this.life.name}: timer`, callback)
  }

  soon(callback: () => void): void {
    this.timeline.call(this.life, 0, `${this.life.name}: soon`, callback)
  }
}
