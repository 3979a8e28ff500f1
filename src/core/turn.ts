/**
 * Keeps loops of `await socket.send()` from stopping the world. Awaiting a promise that is settled already never lets
 * the event loop turn: no timer fires and no byte is read. So a number of operations may settle at once, the next ones in
 * a later turn of the loop (zeromq.js does the same at 512). The number lets a chunk of 64 KiB of short messages be taken
 * while it is fresh in the processor's cache.
 */
import type { Runtime } from "./runtime.js"

const AT_ONCE = 1024
/** Milliseconds. */
const PAUSE = 1

const SETTLED: Promise<void> = Promise.resolve()

export class Turn {
  private left = AT_ONCE
  private waiting: (() => void)[] | null = null
  private next: Promise<void> | null = null
  private paused: Promise<void> | null = null

  constructor(private readonly runtime: Runtime) {}

  /** Whether an operation may still settle at once. */
  get open(): boolean {
    return this.left > 0
  }

  /** The event loop has turned by itself: a callback of its own runs. */
  refresh(): void {
    this.left = AT_ONCE
  }

  /** Counts operations that settle at once. */
  spend(operations: number): void {
    this.left -= operations
  }

  /** A promise for an operation that is done: settled, or when too many were, one that settles in a later turn. */
  settled(): Promise<void> {
    if (this.left > 0) {
      this.left--
      return SETTLED
    }
    return this.later()
  }

  /** A promise that settles in a later turn. */
  later(): Promise<void> {
    this.next ??= new Promise(resolve => this.call(resolve))
    return this.next
  }

  /** A promise that settles after a moment, in which a peer that reads can make room. */
  pause(): Promise<void> {
    this.paused ??= new Promise(resolve => {
      this.runtime.hold()
      this.runtime.after(PAUSE, () => {
        this.paused = null
        this.runtime.release()
        resolve()
      })
    })
    return this.paused
  }

  /** Calls in a later turn, or a later one still when those before it have used that up. */
  call(callback: () => void): void {
    if (this.waiting === null) {
      this.waiting = []
      this.runtime.later(() => this.begin())
    }
    this.waiting.push(callback)
  }

  private begin(): void {
    const waiting = this.waiting ?? []
    this.left = AT_ONCE
    this.waiting = null
    this.next = null
    let at = 0
    while (at < waiting.length && this.left > 0) waiting[at++]!()
    for (; at < waiting.length; at++) this.call(waiting[at]!)
  }
}
