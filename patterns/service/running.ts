/**
 * A call that a server works on: its argument, which may come in pieces or item by item, the handler, its signal, and what goes
 * back, whole, in pieces, or item by item.
 */
import type { Codec } from "../codec/index.js"
import { peerFault } from "../typed/error.js"
import type { Placed } from "../typed/heap.js"
import type { CallContext } from "./context.js"
import type { Desk, Method } from "./desk.js"
import { ServiceError } from "./errors.js"
import { codeOf } from "./failure.js"
import { Inflow, WINDOW } from "./inflow.js"
import { isStream, Outflow } from "./outflow.js"
import { checked, checkKind } from "./schema.js"

/** Who has asked, and is answered. Of a call, one of `result`, `end`, `refused` and `failed` is the last. */
export interface Asker {
  readonly codec: Codec<unknown>
  /** What it takes in one message, in bytes. */
  readonly largest: number
  readonly userId: string | undefined
  result(id: number, pieces: number, body: Uint8Array): void
  piece(id: number, n: number, bytes: Uint8Array): void
  item(id: number, n: number, pieces: number, body: Uint8Array): void
  end(id: number, count: number): void
  /** It was not begun. */
  refused(id: number, error: unknown): void
  /** It has failed. */
  failed(id: number, method: string, error: unknown): void
  /** So much of the argument may have been sent in all. */
  credit(id: number, total: number): void
  /** No more of the argument is wanted. */
  enough(id: number): void
  /** The handler has come to its end, whether anybody hears of it or not. */
  gone(id: number): void
}

/** What is said of a call beside its argument. */
export interface CallSaid {
  readonly id: number
  readonly method: string
  /** In ms; Infinity: no end. */
  readonly timeout: number
  readonly context: Readonly<Record<string, string>>
  /** How the argument comes: with the call, in pieces behind it, or as a stream. */
  readonly argument: "here" | "pieces" | "stream"
  /** What is given of a stream from the start. */
  readonly credit: number
}

const NOTHING = new Uint8Array(0)

/** Its place is that in the line of deadlines. */
export class Running implements CallContext, Placed {
  place = -1
  readonly id: number
  readonly context: Readonly<Record<string, string>>
  readonly begun: number
  readonly ends: number
  /** The handler was called. */
  isBegun = false
  /** Nothing is left to do. */
  isOver = false
  private controller: AbortController | null = null
  private reason: ServiceError | null = null
  private inflow: Inflow | null = null
  private outflow: Outflow | null = null
  private shared: Map<unknown, unknown> | null = null
  private granted: number
  /** Bytes of its argument that are not put together yet. */
  private held = 0

  constructor(
    said: CallSaid,
    readonly of: Method,
    private readonly asker: Asker,
    private readonly desk: Desk,
  ) {
    this.id = said.id
    this.context = said.context
    this.granted = said.credit
    this.begun = desk.clock.now()
    this.ends = this.begun + said.timeout
  }

  get method(): string {
    return this.of.name
  }

  get userId(): string | undefined {
    return this.asker.userId
  }

  get timeLeft(): number {
    return Math.max(0, this.ends - this.desk.clock.now())
  }

  get state(): Map<unknown, unknown> {
    this.shared ??= new Map()
    return this.shared
  }

  get signal(): AbortSignal {
    if (this.controller === null) {
      this.controller = new AbortController()
      if (this.reason !== null) this.controller.abort(this.reason)
    }
    return this.controller.signal
  }

  start(how: CallSaid["argument"], body: Uint8Array): void {
    if (how === "here") {
      void this.run(body)
      return
    }
    const { items } = this.of.schemas
    const open = (body: Uint8Array) => checked(items, this.asker.codec.decode(body), "an item of the argument")
    this.inflow = new Inflow(open, this.desk.maxArgument, {
      onCredit: total => this.asker.credit(this.id, total),
      onLeft: () => {
        this.release()
        this.asker.enough(this.id)
      },
    })
    this.asker.credit(this.id, WINDOW)
    if (how === "stream") void this.run(null)
  }

  // What comes of the argument behind the call

  piece(n: number, bytes: Uint8Array): void {
    const { inflow } = this
    if (inflow === null) return
    try {
      inflow.piece(n, bytes)
      this.hold(inflow.bytes)
    } catch (error) {
      this.refuse(inflow, error)
    }
  }

  argument(pieces: number, rest: Uint8Array): void {
    const { inflow } = this
    if (inflow === null || this.isBegun) return
    try {
      const body = inflow.body(pieces, rest)
      this.inflow = null
      this.release()
      void this.run(body)
    } catch (error) {
      this.refuse(inflow, error)
    }
  }

  item(n: number, pieces: number, body: Uint8Array): void {
    const { inflow } = this
    if (inflow === null) return
    try {
      inflow.item(n, pieces, body)
      this.hold(inflow.bytes)
    } catch (error) {
      this.refuse(inflow, error)
    }
  }

  end(count: number): void {
    const { inflow } = this
    if (inflow === null) return
    try {
      inflow.end(count)
    } catch (error) {
      this.refuse(inflow, error)
    }
  }

  /** The stream that is the argument has failed at the caller's. */
  failArgument(error: ServiceError): void {
    this.inflow?.fail(error)
  }

  grant(total: number): void {
    this.outflow?.grant(total)
    if (this.outflow === null) this.granted = Math.max(this.granted, total)
  }

  /** What cannot be taken is the end of the argument, and of a call that was not begun. */
  private refuse(inflow: Inflow, error: unknown): void {
    const fault = peerFault(error)
    this.release()
    if (this.isBegun) {
      inflow.fail(fault)
      this.asker.enough(this.id)
    } else {
      this.inflow = null
      this.asker.refused(this.id, fault)
      this.leave(fault.code)
    }
  }

  /** EBUSY: too much of all arguments waits to be put together. */
  private hold(bytes: number): void {
    this.desk.arriving += bytes - this.held
    this.held = bytes
    if (this.desk.arriving > this.desk.maxArriving) {
      throw new ServiceError("EBUSY", `more than ${this.desk.maxArriving} bytes of arguments are on their way`)
    }
  }

  private release(): void {
    this.desk.arriving -= this.held
    this.held = 0
  }

  // The call itself

  /** @param body null: the argument is a stream. */
  private async run(body: Uint8Array | null): Promise<void> {
    const { handler, schemas } = this.of
    let argument: unknown = this.inflow
    try {
      if (body !== null) {
        argument = this.decoded(body)
        if (schemas.argument !== undefined) argument = await checked(schemas.argument, argument, "the argument")
      }
    } catch (error) {
      if (this.reason === null) this.asker.refused(this.id, error)
      this.leave(codeOf(error))
      return
    }
    if (this.reason !== null) {
      this.leave(this.reason.code)
      return
    }
    this.isBegun = true
    try {
      const value = await handler(argument, this)
      const streams = isStream(value)
      checkKind(schemas.result, schemas.yields, streams, "the result")
      if (streams) await this.stream(value)
      else if (schemas.result !== undefined) await this.answer(await checked(schemas.result, value, "the result"))
      else {
        const underWay = this.answer(value)
        if (underWay !== undefined) await underWay
      }
      this.leave(null)
    } catch (error) {
      if (this.reason === null) this.asker.failed(this.id, this.of.name, error)
      this.leave(codeOf(error))
    }
  }

  private decoded(body: Uint8Array): unknown {
    if (body.length === 0) return undefined
    try {
      return this.asker.codec.decode(body)
    } catch (error) {
      throw new ServiceError("EINVAL", `the argument: ${(error as Error).message}`, { cause: error })
    }
  }

  /** A promise only where it goes in pieces. */
  private answer(value: unknown): Promise<void> | undefined {
    if (this.reason !== null) return undefined
    const body = value === undefined ? NOTHING : this.asker.codec.encode(value)
    if (body.length > this.asker.largest) return this.answerInPieces(body)
    this.asker.result(this.id, 0, body)
    return undefined
  }

  private async answerInPieces(body: Uint8Array): Promise<void> {
    const out = this.flow()
    const rest = await out.cut(body)
    if (rest !== null) this.asker.result(this.id, out.pieces, rest)
  }

  private async stream(items: AsyncIterable<unknown>): Promise<void> {
    const { yields } = this.of.schemas
    const { codec } = this.asker
    const out = this.flow()
    const encode = async (item: unknown) => codec.encode(await checked(yields, item, "an item of the result"))
    const isWhole = await out.stream(items, yields === undefined ? item => codec.encode(item) : encode)
    if (isWhole && this.reason === null) this.asker.end(this.id, out.items)
  }

  private flow(): Outflow {
    const { asker, id } = this
    const out = new Outflow(this.granted, {
      onPiece: (n, bytes) => asker.piece(id, n, bytes),
      onItem: (n, pieces, body) => asker.item(id, n, pieces, body),
      pause: () => new Promise(resolve => void this.desk.clock.after(0, resolve)),
    })
    if (this.reason !== null) out.stop()
    this.outflow = out
    return out
  }

  /** Nobody wants an answer any more. */
  abort(reason: ServiceError): void {
    if (this.reason !== null) return
    this.reason = reason
    this.controller?.abort(reason)
    this.outflow?.stop()
    this.inflow?.fail(reason)
    if (this.isBegun) this.desk.overdue++
    // Its argument was still coming.
    else if (this.inflow !== null) this.leave(reason.code)
  }

  /** @param code null: it went well. */
  private leave(code: string | null): void {
    this.isOver = true
    this.release()
    // What the handler has not read of its argument nobody will.
    void this.inflow?.return()
    this.outflow?.stop()
    if (this.isBegun && this.reason !== null) this.desk.overdue--
    this.desk.left(this, this.reason?.code ?? code)
    this.asker.gone(this.id)
  }
}
