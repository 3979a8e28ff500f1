/**
 * One operation that waits: a promise with a timeout and a signal. However it ends, it ends once, and while it waits the
 * context keeps the process alive.
 */
import { ZmqError } from "../errors.js"
import type { ContextBase } from "./context.js"
import type { Timer } from "./runtime.js"

/** How long an operation may wait. */
export interface WaitOptions {
  /** Gives up when it aborts: the operation rejects with its reason. */
  signal?: AbortSignal | undefined
  /** Milliseconds before it rejects with EAGAIN; 0: does not wait; -1: for ever. */
  timeout?: number | undefined
}

export class Waiter<T> implements InLine {
  done = false
  /** Its neighbours in the line, which are the line's business. */
  before: InLine | null = null
  behind: InLine | null = null
  readonly promise: Promise<T>
  private resolvePromise!: (value: T) => void
  private rejectPromise!: (error: unknown) => void
  private timer: Timer | null = null
  private signal: AbortSignal | null = null
  private onAbort: (() => void) | null = null

  /** Stands in `line`, in which it waits, until it is done; `expired` makes the error for a timeout. */
  constructor(
    private readonly context: ContextBase,
    private readonly line: WaitLine<Waiter<T>>,
    { signal, timeout = -1 }: WaitOptions,
    expired: () => unknown,
  ) {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolvePromise = resolve
      this.rejectPromise = reject
    })
    context.hold()
    line.add(this)
    if (signal?.aborted) {
      this.reject(signal.reason)
      return
    }
    if (signal != null) {
      this.signal = signal
      this.onAbort = () => this.reject(signal.reason)
      signal.addEventListener("abort", this.onAbort)
    }
    if (timeout >= 0) this.timer = context.runtime.after(timeout, () => this.reject(expired()))
  }

  resolve(value: T): void {
    if (this.end()) this.resolvePromise(value)
  }

  reject(error: unknown): void {
    if (this.end()) this.rejectPromise(error)
  }

  private end(): boolean {
    if (this.done) return false
    this.done = true
    this.line.delete(this)
    this.timer?.cancel()
    if (this.onAbort !== null) this.signal?.removeEventListener("abort", this.onAbort)
    this.context.release()
    return true
  }
}

interface InLine {
  before: InLine | null
  behind: InLine | null
}

/** Waiters in the order in which they came, linked, as any of them may leave at any time. */
export class WaitLine<W extends InLine> {
  length = 0
  first: W | null = null
  private last: W | null = null

  add(waiter: W): void {
    waiter.before = this.last
    if (this.last === null) this.first = waiter
    else this.last.behind = waiter
    this.last = waiter
    this.length++
  }

  /** Of a waiter that stands in this line, once. */
  delete(waiter: W): void {
    const { before, behind } = waiter
    if (before === null) this.first = behind as W | null
    else before.behind = behind
    if (behind === null) this.last = before as W | null
    else behind.before = before
    waiter.before = waiter.behind = null
    this.length--
  }

  /** The one that was reached may leave meanwhile. */
  *[Symbol.iterator](): Iterator<W> {
    let next: W | null
    for (let waiter = this.first; waiter !== null; waiter = next) {
      next = waiter.behind as W | null
      yield waiter
    }
  }
}

/** Checks what a caller gave; a wrong type is a TypeError, as for options. */
export function checkWait({ signal, timeout }: WaitOptions): void {
  if (timeout !== undefined && (typeof timeout !== "number" || Number.isNaN(timeout))) {
    throw new TypeError("Timeout must be a number")
  }
  if (timeout !== undefined && timeout < -1)
    throw new ZmqError("EINVAL", { detail: `expected a timeout of -1 or more, got ${timeout}` })
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError("Signal must be an AbortSignal")
}
