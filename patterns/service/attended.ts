/** A call with middleware of its client before it: what its caller has until the middleware lets it go, and after. */
import { Inflow } from "./inflow.js"
import type { Outgoing } from "./outgoing.js"
import type { Call, CallOptions } from "./types.js"

export interface ClientCall {
  readonly method: string
  readonly argument: unknown
  readonly options: CallOptions
}

/**
 * `(call, next) => next(call)`. What it resolves with is the result, what it throws the error. `next` resolves when the call has ended,
 * a stream as well, then with undefined; items go by. `next` can be told another argument and other options. Called again it makes
 * another call; who reads a stream has that of the first.
 */
export type ClientMiddleware = (call: ClientCall, next: (call?: ClientCall) => Promise<unknown>) => unknown

export class Attended implements Call<unknown>, AsyncIterable<unknown> {
  /** In an array, since a promise of a call would wait for its end. */
  private readonly begun: Promise<[Outgoing?]>
  private readonly outcome: Promise<unknown>

  /** @param send Really makes the call. */
  constructor(middleware: readonly ClientMiddleware[], call: ClientCall, send: (call: ClientCall) => Outgoing) {
    let begin!: (call: [Outgoing?]) => void
    this.begun = new Promise(resolve => {
      begin = resolve
    })
    const last = async (call: ClientCall) => {
      const outgoing = send(call)
      begin([outgoing])
      return outgoing.over
    }
    const first = middleware.reduceRight<(call: ClientCall) => Promise<unknown>>(
      (inner, one) => async call => one(call, (next = call) => inner(next)),
      last,
    )
    this.outcome = first(call)
    // Perhaps it was never made.
    this.outcome.then(
      () => begin([]),
      () => begin([]),
    )
  }

  // biome-ignore lint/suspicious/noThenProperty: a call can be awaited
  then<A = unknown, B = never>(
    onResolved?: ((value: unknown) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.shown().then(onResolved, onRejected)
  }

  catch<Other>(onRejected: (error: unknown) => Other): Promise<unknown> {
    return this.shown().catch(onRejected)
  }

  finally(onFinally: () => void): Promise<unknown> {
    return this.shown().finally(onFinally)
  }

  /** What its caller awaits. */
  private async shown(): Promise<unknown> {
    const [outgoing] = await this.begun
    const first = await outgoing?.then(
      value => value,
      () => undefined,
    )
    return first instanceof Inflow ? { [Symbol.asyncIterator]: () => this[Symbol.asyncIterator]() } : this.outcome
  }

  /** No generator: who leaves while it waits for an item, or before the first, is heard at once. */
  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    let isLeft = false
    const items = this.begun.then(([outgoing]) => outgoing?.[Symbol.asyncIterator]())
    return {
      next: async () => {
        const item = await (await items)?.next()
        if (item !== undefined && !item.done) return item
        // What the middleware has against it is told at the end.
        if (!isLeft) await this.outcome
        return { value: undefined, done: true }
      },
      return: async () => {
        isLeft = true
        await (await items)?.return?.()
        return { value: undefined, done: true }
      },
    }
  }
}
