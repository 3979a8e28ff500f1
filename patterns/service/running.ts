/** A call that a server works on: the handler, its signal, and what goes back, whole or item by item. */
import type { Codec } from "../codec/index.js"
import type { Clock } from "../typed/runtime.js"
import type { CallContext } from "./context.js"
import type { ServiceError } from "./errors.js"
import type { Handler } from "./methods.js"

/** Where what comes of a call goes. One of `onResult`, `onEnd` and `onError` is the last. */
export interface RunningSink {
  onResult(body: Uint8Array): void
  /** @param n Its number, from 0 on. */
  onItem(body: Uint8Array, n: number): void
  /** @param count How many items there were. */
  onEnd(count: number): void
  onError(error: unknown): void
  /** The handler has come to its end, whether anybody hears of it or not. */
  onGone(): void
}

const NOTHING = new Uint8Array(0)

export class Running implements CallContext {
  private controller: AbortController | null = null
  private reason: ServiceError | null = null
  private credit = 0
  private moreCredit: (() => void) | null = null

  /** @param ends By `clock.now()`; Infinity: never. */
  constructor(
    readonly method: string,
    readonly context: Readonly<Record<string, string>>,
    readonly ends: number,
    private readonly codec: Codec<unknown>,
    private readonly clock: Clock,
    private readonly sink: RunningSink,
  ) {}

  get timeLeft(): number {
    return Math.max(0, this.ends - this.clock.now())
  }

  get signal(): AbortSignal {
    if (this.controller === null) {
      this.controller = new AbortController()
      if (this.reason !== null) this.controller.abort(this.reason)
    }
    return this.controller.signal
  }

  get isAborted(): boolean {
    return this.reason !== null
  }

  async run(handler: Handler, argument: unknown): Promise<void> {
    try {
      const value = await handler(argument, this)
      if (isAsyncIterable(value)) await this.stream(value)
      else if (!this.isAborted) this.sink.onResult(value === undefined ? NOTHING : this.codec.encode(value))
    } catch (error) {
      if (!this.isAborted) this.sink.onError(error)
    }
    this.sink.onGone()
  }

  private async stream(items: AsyncIterable<unknown>): Promise<void> {
    // Leaving the loop is what tells a generator that nobody wants more.
    let count = 0
    for await (const item of items) {
      while (this.credit === 0 && !this.isAborted) {
        await new Promise<void>(resolve => {
          this.moreCredit = resolve
        })
      }
      if (this.isAborted) return
      this.credit--
      this.sink.onItem(this.codec.encode(item), count++)
    }
    if (!this.isAborted) this.sink.onEnd(count)
  }

  addCredit(items: number): void {
    this.credit += items
    this.moreCredit?.()
    this.moreCredit = null
  }

  /** Nobody wants an answer any more. */
  abort(reason: ServiceError): void {
    if (this.reason !== null) return
    this.reason = reason
    this.controller?.abort(reason)
    this.moreCredit?.()
    this.moreCredit = null
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value
}
