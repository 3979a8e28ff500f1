/** A call, from its caller's side: what goes out of its argument, and what came of it. */
import { peerFault } from "../typed/error.js"
import type { Placed } from "../typed/heap.js"
import { Deferred } from "./deferred.js"
import { ServiceError } from "./errors.js"
import { codeOf } from "./failure.js"
import { Inflow, tooLarge } from "./inflow.js"
import type { Outflow } from "./outflow.js"
import type { Peer } from "./peer.js"
import type { Request } from "./request.js"
import { checked, checkKind } from "./schema.js"
import type { Abortable } from "./signals.js"
import type { Call } from "./types.js"

export interface OutgoingSink {
  /** Its caller wants no more of it. */
  onCancel(call: Outgoing): void
  /** It has ended. @param code null: well. */
  onOver(call: Outgoing, code: string | null): void
}

/** Its place is that in the line of deadlines. */
export class Outgoing implements Call<unknown>, AsyncIterable<unknown>, Abortable, Placed {
  place = -1
  /** Who has it; null: nobody. */
  peer: Peer | null = null
  /** Its number there. */
  id = 0
  isOver = false
  /** Something of its stream argument is gone: it cannot be sent again. */
  isSpent = false
  /** What is sent of its argument behind the call. */
  outflow: Outflow | null = null
  private refusers: Set<Peer> | null = null
  private inflow: Inflow | null = null
  private showing: Deferred | null = null
  private ended: Deferred | null = null
  /** Items come of it. */
  private isStream = false
  private value: unknown = undefined
  private failure: unknown = null
  private hasFailed = false

  constructor(
    readonly request: Request,
    private readonly sink: OutgoingSink,
  ) {}

  get method(): string {
    return this.request.method
  }

  /** Whether somebody can have read of it. */
  get hasItems(): boolean {
    return this.inflow !== null && this.inflow.items > 0
  }

  hasRefused(peer: Peer): boolean {
    return this.refusers?.has(peer) ?? false
  }

  /** Where nobody is there but who has refused it, they are asked once more: then it has a place, or its answer. */
  forgiveAll(peers: Iterable<Peer>): void {
    if (this.refusers === null) return
    for (const peer of peers) if (peer.isThere && !this.refusers.has(peer)) return
    this.refusers = null
  }

  refusedBy(peer: Peer): void {
    this.refusers ??= new Set()
    this.refusers.add(peer)
  }

  // For its caller

  // biome-ignore lint/suspicious/noThenProperty: a call can be awaited
  then<A = unknown, B = never>(
    onResolved?: ((value: unknown) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.shown.then(onResolved, onRejected)
  }

  catch<Other>(onRejected: (error: unknown) => Other): Promise<unknown> {
    return this.shown.catch(onRejected)
  }

  finally(onFinally: () => void): Promise<unknown> {
    return this.shown.finally(onFinally)
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return this.items
  }

  /** When it has ended: its result, undefined for a stream, or why not. */
  get over(): Promise<unknown> {
    this.ended ??= new Deferred()
    if (this.isOver) this.settle(this.ended, this.value)
    return this.ended.promise
  }

  /** What its caller awaits: the result; of a stream, what can be iterated over, as soon as something has come of it. */
  private get shown(): Promise<unknown> {
    this.showing ??= new Deferred()
    if (this.isStream) this.showing.resolve(this.items)
    else if (this.isOver) this.settle(this.showing, this.value)
    return this.showing.promise
  }

  private settle(deferred: Deferred | null, value: unknown): void {
    if (this.hasFailed) deferred?.reject(this.failure)
    else deferred?.resolve(value)
  }

  private get items(): Inflow {
    if (this.inflow !== null) return this.inflow
    const { codec, schemas, maxResult } = this.request
    const open = (body: Uint8Array) => checked(schemas.yields, codec.decode(body), "an item of the result")
    this.inflow = new Inflow(open, maxResult, {
      onCredit: total => this.peer?.addCredit(this, total),
      onLeft: () => {
        if (this.isOver) return
        this.sink.onCancel(this)
        this.succeed(undefined)
      },
    })
    if (this.hasFailed) this.inflow.fail(this.failure)
    else if (this.isOver) this.inflow.end(0)
    return this.inflow
  }

  /** By a signal. */
  abort(cause: unknown): void {
    if (this.isOver) return
    this.sink.onCancel(this)
    this.fail(new ServiceError("ECANCELED", `${this.method} was cancelled`, { cause }))
  }

  // From the server

  piece(n: number, bytes: Uint8Array): void {
    try {
      this.items.piece(n, bytes)
    } catch (error) {
      this.giveUp(error)
    }
  }

  item(n: number, pieces: number, body: Uint8Array): void {
    try {
      this.checkKind(true)
      this.items.item(n, pieces, body)
      this.showStream()
    } catch (error) {
      this.giveUp(error)
    }
  }

  /** What the server says last: the end of a result. */
  result(pieces: number, rest: Uint8Array): void {
    const { codec, schemas, maxResult } = this.request
    try {
      this.checkKind(false)
      if (rest.length > maxResult) throw tooLarge(maxResult)
      const body = pieces === 0 && this.inflow === null ? rest : this.items.body(pieces, rest)
      const value = body.length === 0 ? undefined : codec.decode(body)
      if (schemas.result === undefined) this.succeed(value)
      else void this.check(value)
    } catch (error) {
      this.fail(error)
    }
  }

  private async check(value: unknown): Promise<void> {
    try {
      this.succeed(await checked(this.request.schemas.result, value, "the result"))
    } catch (error) {
      this.fail(error)
    }
  }

  /** A stream has ended, with so many items. */
  end(count: number): void {
    try {
      this.checkKind(true)
      this.items.end(count)
      this.showStream()
      this.succeed(undefined)
    } catch (error) {
      this.giveUp(error)
    }
  }

  private showStream(): void {
    if (this.isStream) return
    this.isStream = true
    this.showing?.resolve(this.items)
  }

  private checkKind(isStream: boolean): void {
    const { result, yields } = this.request.schemas
    checkKind(result, yields, isStream, "the result")
  }

  /** What cannot be taken is the end of it. */
  private giveUp(error: unknown): void {
    this.sink.onCancel(this)
    this.fail(peerFault(error))
  }

  /** It goes to another server, from the start. */
  startAgain(): void {
    this.peer = null
    this.outflow?.stop()
    this.outflow = null
    this.inflow?.restart()
  }

  private succeed(value: unknown): void {
    if (this.isOver) return
    this.value = value
    this.finish(null)
    // Who iterates over what is no stream sees its end.
    this.inflow?.end(this.inflow.items)
    this.tell()
  }

  fail(error: unknown): void {
    if (this.isOver) return
    this.hasFailed = true
    this.failure = error
    this.finish(codeOf(error))
    this.inflow?.fail(error)
    this.tell()
  }

  private tell(): void {
    if (!this.isStream) this.settle(this.showing, this.value)
    this.settle(this.ended, this.value)
  }

  private finish(code: string | null): void {
    this.isOver = true
    this.outflow?.stop()
    this.sink.onOver(this, code)
  }
}
