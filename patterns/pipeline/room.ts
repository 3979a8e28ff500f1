/** The limits of a queue, and who waits for room in it: in the order of their coming, each with his own end. */

import { Deque } from "../typed/deque.js"
import type { Clock } from "../typed/runtime.js"
import { type InnerWaitOptions, Waiting } from "../typed/waiting.js"
import { PipelineError } from "./errors.js"

interface Entering {
  readonly size: number
  readonly waiting: Waiting
  /** Does at once what the room was for: nobody comes in between. */
  readonly go: () => void
}

export interface Limits {
  readonly maxJobs: number
  readonly maxBytes: number
}

export class Room {
  jobs = 0
  bytes = 0
  private readonly line = new Deque<Entering>()
  private waitingNow = 0

  constructor(
    private readonly clock: Clock,
    private limits: Limits,
    private readonly maxWaiting: number,
    private readonly onGivenUp: () => void = () => {},
  ) {}

  get waiting(): number {
    return this.waitingNow
  }

  /** From here on there is more room, or less. */
  resize(limits: Limits): void {
    this.limits = limits
    this.admit()
  }

  /** Takes room for a job if there is some and nobody waits for it. */
  tryEnter(size: number): boolean {
    if (this.waitingNow > 0 || !this.fits(size)) return false
    this.take(size)
    return true
  }

  /** Calls `then` when there is room, which is taken. One that is above `maxBytes` gets it when there is no other. */
  enter<T>(size: number, wait: InnerWaitOptions = {}, then: () => Promise<T>): Promise<T> {
    if (this.waitingNow >= this.maxWaiting && wait.isBounded !== true) {
      const message = `${this.waitingNow} sends wait for room already (maxWaiting)`
      return Promise.reject(new PipelineError("EBUSY", message))
    }
    const late = () => new PipelineError("ETIMEDOUT", `no room in the queue for ${wait.timeout} ms`)
    const waiting = new Waiting(this.clock, wait, late, () => {
      this.waitingNow--
      this.onGivenUp()
      this.admit()
    })
    let result: Promise<T>
    const go = () => {
      result = then()
    }
    if (!waiting.over) {
      this.waitingNow++
      this.line.push({ size, waiting, go })
    }
    return waiting.promise.then(() => result)
  }

  /** One that was there already, before anybody is asked. */
  take(size: number): void {
    this.jobs++
    this.bytes += size
  }

  leave(size: number): void {
    this.jobs--
    this.bytes -= size
    if (this.line.size > 0) this.admit()
  }

  /** Sends everybody who waits away. */
  close(error: PipelineError): void {
    for (let next = this.line.shift(); next !== undefined; next = this.line.shift()) {
      if (next.waiting.over) continue
      this.waitingNow--
      next.waiting.fail(error)
    }
  }

  private fits(size: number): boolean {
    const { maxJobs, maxBytes } = this.limits
    return this.jobs < maxJobs && (this.bytes + size <= maxBytes || this.bytes === 0)
  }

  private admit(): void {
    for (let next = this.line.peek(); next !== undefined; next = this.line.peek()) {
      if (!next.waiting.over) {
        if (!this.fits(next.size)) return
        this.take(next.size)
        this.waitingNow--
        this.line.shift()
        next.go()
        next.waiting.end()
      } else this.line.shift()
    }
  }
}
