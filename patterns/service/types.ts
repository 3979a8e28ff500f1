/** What a caller has of an object that is served elsewhere: the same methods, each with what a call may be told beside its argument. */
import type { CallContext } from "./context.js"

export interface CallOptions {
  /** In ms (default: that of the client, 30,000); Infinity: no end. It travels: the server's `signal` ends with it. */
  readonly timeout?: number
  /** Ends the call, also at the server. */
  readonly signal?: AbortSignal
  /** It does no harm twice: it may be tried again with another server when one is lost. Default false. */
  readonly safe?: boolean
  /** Calls of one key go to one server, as long as that is there. */
  readonly sticky?: string
  /** Travels along: `traceparent` and the like. Up to 64 texts by name, of 8,192 letters in all; more is EINVAL. */
  readonly context?: Readonly<Record<string, string>>
  /** The call in whose handler this one is made: its context travels on, and this call ends with it, by its signal and its time. */
  readonly within?: CallContext
}

/** A call that runs. Awaited, it is its result; of a stream, what can be iterated over. It runs whether anybody looks or not. */
export interface Call<Result> extends PromiseLike<Result> {
  // biome-ignore lint/suspicious/noExplicitAny: as a Promise has it
  catch<Other>(onRejected: (error: any) => Other): Promise<Result | Other>
  finally(onFinally: () => void): Promise<Result>
}

type Served<Method> = Method extends (...args: infer Args) => infer Returned
  ? (...args: Arguments<Args>) => Answer<Returned>
  : Method extends object
    ? Client<Method>
    : never

/** At most one argument; the context is the server's. */
type Arguments<Args extends unknown[]> = Args extends []
  ? [argument?: undefined, options?: CallOptions]
  : Args extends [(infer Argument)?, CallContext?]
    ? undefined extends Args[0]
      ? [argument?: Argument, options?: CallOptions]
      : [argument: Argument, options?: CallOptions]
    : never

/** What always throws, and what may be anything, is no stream. */
type Answer<Returned> = [Awaited<Returned>] extends [never]
  ? Call<never>
  : unknown extends Awaited<Returned>
    ? Call<Awaited<Returned>>
    : Awaited<Returned> extends AsyncIterable<infer Item>
      ? AsyncIterable<Item>
      : Call<Awaited<Returned>>

export type Client<Implementation> = {
  readonly [Name in keyof Implementation as Implementation[Name] extends (...args: never[]) => unknown
    ? Name
    : Implementation[Name] extends object
      ? Name
      : never]: Served<Implementation[Name]>
}
