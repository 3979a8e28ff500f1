/** The limits of a queue, and who waits for room in it: in the order of their coming, each with his own end. */
import type { Clock } from "../typed/runtime.js"
import { Deque } from "./deque.js"
import { PipelineError } from "./errors.js"

export interface WaitOptions {
  /** In ms; default: no end. Then ETIMEDOUT. */
  readonly timeout?: number
  /** Ends the waiting with its reason. */
  readonly signal?: AbortSignal
}

interface Waiting {
  readonly size: number
  readonly enter: () => void
  readonly fail: (error: unknown) => void
  over: boolean
}

export class Room {
  jobs = 0
  bytes = 0
  private readonly line = new Deque<Waiting>()
  private waitingNow = 0

  constructor(
    private readonly clock: Clock,
    private readonly limits: { readonly maxJobs: number; readonly maxBytes: number; readonly maxWaiting: number },
  ) {}

  get waiting(): number {
    return this.waitingNow
  }

  /** Takes room for a job if there is some and nobody waits for it. */
  tryEnter(size: number): boolean {
    if (this.waitingNow > 0 || !this.fits(size)) return false
    this.take(size)
    return true
  }

  /** Resolves when there is room, which then is taken. */
  enter(size: number, { timeout, signal }: WaitOptions = {}): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (this.waitingNow >= this.limits.maxWaiting) {
      const message = `${this.waitingNow} sends wait for room already (maxWaiting)`
      return Promise.reject(new PipelineError("EBUSY", message))
    }
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        if (waiting.over) return
        waiting.over = true
        this.waitingNow--
        timer?.cancel()
        signal?.removeEventListener("abort", aborted)
        act()
      }
      const waiting: Waiting = {
        size,
        enter: () => settle(resolve),
        fail: error => settle(() => reject(error)),
        over: false,
      }
      const aborted = () => {
        waiting.fail(signal!.reason)
        this.admit()
      }
      const timer =
        timeout === undefined
          ? null
          : this.clock.after(timeout, () => {
              waiting.fail(new PipelineError("ETIMEDOUT", `no room in the queue for ${timeout} ms`))
              this.admit()
            })
      signal?.addEventListener("abort", aborted)
      this.waitingNow++
      this.line.push(waiting)
    })
  }

  /** One that was there already, before anybody is asked. */
  take(size: number): void {
    this.jobs++
    this.bytes += size
  }

  leave(size: number): void {
    this.jobs--
    this.bytes -= size
    if (this.waitingNow > 0) this.admit()
  }

  /** Sends everybody who waits away. */
  close(error: PipelineError): void {
    for (let next = this.line.shift(); next !== undefined; next = this.line.shift()) next.fail(error)
  }

  private fits(size: number): boolean {
    return this.jobs < this.limits.maxJobs && this.bytes + size <= this.limits.maxBytes
  }

  private admit(): void {
    for (let next = this.line.peek(); next !== undefined; next = this.line.peek()) {
      if (!next.over) {
        if (!this.fits(next.size)) return
        this.take(next.size)
        next.enter()
      }
      this.line.shift()
    }
  }
}
