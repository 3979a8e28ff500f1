/** What a call is made of, by what its caller says and what holds for all calls of a client. */
import type { Codec } from "../codec/index.js"
import type { Clock } from "../typed/runtime.js"
import type { CallContext } from "./context.js"
import { ServiceError } from "./errors.js"
import { LARGEST } from "./frames.js"
import { isStream } from "./outflow.js"
import { contextOf } from "./said.js"
import type { Schemas } from "./schema.js"
import type { CallOptions } from "./types.js"

const TIMEOUT = 30_000
const NO_SIGNALS: readonly AbortSignal[] = []
const NO_SCHEMAS: Pick<Schemas, "result" | "yields"> = {}

/** What a client says of all its calls. */
export interface RequestOptions {
  /** The servers are plain REP sockets: one JSON message there, one back, one call at a time each (default false). */
  readonly plain?: boolean
  /** Of each call that says nothing else, in ms (default 30,000); Infinity: no end. */
  readonly timeout?: number
  /** Bytes of a result, or of an item, encoded (default 64 MiB). A larger one is EMSGSIZE. */
  readonly maxResult?: number
  /** What is to be checked of what comes, by the names of methods. What does not fit is EINVAL. */
  readonly schemas?: Readonly<Record<string, Pick<Schemas, "result" | "yields">>>
}

export interface Request {
  readonly method: string
  /** Encoded; a stream; null: none. */
  readonly argument: Uint8Array | AsyncIterable<unknown> | null
  readonly isSafe: boolean
  readonly sticky: string | undefined
  readonly context: Readonly<Record<string, string>> | undefined
  readonly signals: readonly AbortSignal[]
  readonly begun: number
  /** When its time is over, by `clock.now()`. */
  readonly ends: number
  readonly codec: Codec<unknown>
  readonly schemas: Schemas
  /** Bytes of a result, or of an item. */
  readonly maxResult: number
  /** What is wrong with it from the start; null: nothing. */
  readonly fault: unknown
}

export class Requests {
  constructor(
    private readonly options: RequestOptions,
    private readonly codec: Codec<unknown>,
    private readonly clock: Clock,
  ) {}

  make(method: string, argument: unknown, options: CallOptions): Request {
    const { timeout = this.options.timeout ?? TIMEOUT, signal, safe = false, sticky, within } = options
    const { schemas = {}, maxResult = LARGEST } = this.options
    const begun = this.clock.now()
    const texts = within === undefined ? options.context : { ...within.context, ...options.context }
    let encoded: Uint8Array | AsyncIterable<unknown> | null = null
    let context: Readonly<Record<string, string>> | undefined
    let fault: unknown = null
    try {
      if (!(timeout >= 0)) throw new ServiceError("EINVAL", `timeout is to be milliseconds, and not ${timeout}`)
      if (texts !== undefined) context = contextOf(texts)
      encoded = this.encoded(argument)
    } catch (error) {
      fault = error
    }
    return {
      method,
      argument: encoded,
      isSafe: safe,
      sticky,
      context,
      signals: signal === undefined && within === undefined ? NO_SIGNALS : signalsOf(signal, within),
      begun,
      ends: begun + Math.min(timeout, within?.timeLeft ?? Number.POSITIVE_INFINITY),
      codec: this.codec,
      schemas: Object.hasOwn(schemas, method) ? schemas[method]! : NO_SCHEMAS,
      maxResult,
      fault,
    }
  }

  private encoded(argument: unknown): Uint8Array | AsyncIterable<unknown> | null {
    if (argument === undefined) return null
    if (!isStream(argument)) return this.codec.encode(argument)
    if (this.options.plain) throw new ServiceError("EINVAL", "a plain REP cannot be sent a stream")
    return argument
  }
}

function signalsOf(signal: AbortSignal | undefined, within: CallContext | undefined): AbortSignal[] {
  return [signal, within?.signal].filter(signal => signal !== undefined)
}
