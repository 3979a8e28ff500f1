/** Somebody waits: until he is told, until his time is over, or until his signal ends it; whichever is first. */

import type { TypedError } from "./error.js"
import type { Clock } from "./runtime.js"

export interface WaitOptions {
  /** In ms; default: no end. Then ETIMEDOUT. */
  readonly timeout?: number
  /** Ends the waiting with its reason. */
  readonly signal?: AbortSignal
}

/** Waits on behalf of somebody whose waiting is bounded elsewhere. */
export interface InnerWaitOptions extends WaitOptions {
  readonly isBounded?: boolean
}

export class Waiting {
  readonly promise: Promise<void>
  private readonly timer: { cancel(): void } | null
  private readonly signal: AbortSignal | undefined
  private resolve!: () => void
  private reject!: (error: unknown) => void
  private isOver = false

  /**
   * @param late What to say when the time is over.
   * @param onGivenUp It waits no more, and was not told. Not called by the constructor: who has a signal that is aborted
   *   already finds it `over`.
   */
  constructor(
    clock: Clock,
    { timeout, signal }: WaitOptions,
    private readonly late: () => TypedError,
    private readonly onGivenUp: () => void = () => {},
  ) {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    this.signal = signal
    this.timer = timeout === undefined ? null : clock.after(timeout, this.timedOut)
    if (signal?.aborted) this.fail(signal.reason)
    else signal?.addEventListener("abort", this.aborted)
  }

  get over(): boolean {
    return this.isOver
  }

  end(): void {
    if (this.finish()) this.resolve()
  }

  fail(error: unknown): void {
    if (this.finish()) this.reject(error)
  }

  private readonly timedOut = () => {
    this.fail(this.late())
    this.onGivenUp()
  }

  private readonly aborted = () => {
    this.fail(this.signal!.reason)
    this.onGivenUp()
  }

  private finish(): boolean {
    if (this.isOver) return false
    this.isOver = true
    this.timer?.cancel()
    this.signal?.removeEventListener("abort", this.aborted)
    return true
  }
}
