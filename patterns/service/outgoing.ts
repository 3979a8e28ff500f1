/** A call, from its caller's side: where it is, what came of it, and the items of its stream that nobody has read yet. */
import type { Codec } from "../codec/index.js"
import { Deque } from "../typed/deque.js"
import type { Placed } from "../typed/heap.js"
import { ServiceError } from "./errors.js"
import type { Call, CallOptions } from "./types.js"

/** Items that a stream may be ahead of its reader. */
export const AHEAD = 16

export interface OutgoingSink {
  /** Its caller wants no more of it. */
  onCancel(call: Outgoing): void
  /** So many of its items were read. */
  onRead(call: Outgoing, items: number): void
}

/** Its place is that in the line of deadlines. */
export class Outgoing implements Call<unknown>, AsyncIterable<unknown>, AsyncIterator<unknown>, Placed {
  place = -1
  /** Its name at the server that has it; "": none has. */
  id = ""
  /** Who refused it, or lost it: names of servers. */
  readonly tried = new Set<string>()
  isOver = false
  /** Items that came. */
  got = 0
  private failure: unknown = null
  private read = 0
  private readonly items = new Deque<Buffer>()
  private wanting: (() => void)[] = []
  private readonly promise: Promise<unknown>
  private resolve!: (value: unknown) => void
  private reject!: (error: unknown) => void

  /** @param at When its time is over, by `clock.now()`. */
  constructor(
    readonly method: string,
    readonly argument: Uint8Array,
    readonly begun: number,
    readonly at: number,
    readonly options: CallOptions,
    private readonly codec: Codec<unknown>,
    private readonly sink: OutgoingSink,
  ) {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    this.promise.catch(() => {}) // A stream's end is told to who reads it.
    options.signal?.addEventListener("abort", this.aborted)
  }

  // biome-ignore lint/suspicious/noThenProperty: a call can be awaited
  then<A = unknown, B = never>(
    onResolved?: ((value: unknown) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.promise.then(onResolved, onRejected)
  }

  catch<Other>(onRejected: (error: unknown) => Other): Promise<unknown> {
    return this.promise.catch(onRejected)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<unknown>> {
    while (this.items.size === 0 && !this.isOver) {
      await new Promise<void>(resolve => {
        this.wanting.push(resolve)
      })
    }
    const item = this.items.shift()
    if (item !== undefined) {
      if (++this.read >= AHEAD / 2 && !this.isOver) {
        this.sink.onRead(this, this.read)
        this.read = 0
      }
      return { value: this.codec.decode(item), done: false }
    }
    if (this.failure !== null) throw this.failure
    return { value: undefined, done: true }
  }

  async return(): Promise<IteratorResult<unknown>> {
    if (!this.isOver) {
      this.sink.onCancel(this)
      this.end()
    }
    while (this.items.shift() !== undefined);
    return { value: undefined, done: true }
  }

  private readonly aborted = () => {
    if (this.isOver) return
    const cause: unknown = this.options.signal!.reason
    this.sink.onCancel(this)
    this.fail(new ServiceError("ECANCELED", `${this.method} was cancelled`, { cause }))
  }

  item(body: Buffer): void {
    // A server that sends more than it may is not let grow us.
    if (this.items.size >= 2 * AHEAD) this.fail(new ServiceError("EPROTO", "the server sends items without credit"))
    else {
      this.got++
      this.items.push(body)
    }
    this.wake()
  }

  result(body: Buffer): void {
    try {
      const value = body.length === 0 ? undefined : this.codec.decode(body)
      if (this.finish()) this.resolve(value)
    } catch (error) {
      this.fail(error)
    }
  }

  /** A stream has ended, with so many items. */
  end(count = this.got): void {
    if (count !== this.got) this.fail(new ServiceError("ELOST", `items of ${this.method} were lost on their way`))
    else if (this.finish()) this.resolve(undefined)
  }

  fail(error: unknown): void {
    if (!this.finish()) return
    this.failure = error
    this.reject(error)
  }

  private finish(): boolean {
    if (this.isOver) return false
    this.isOver = true
    this.options.signal?.removeEventListener("abort", this.aborted)
    this.wake()
    return true
  }

  private wake(): void {
    for (const resolve of this.wanting.splice(0)) resolve()
  }
}
