/** Who stands before every handler of a server: may look at a call, turn it down, change its argument or its result. */
import type { CallContext } from "./context.js"
import type { Handler } from "./methods.js"

/**
 * `(argument, call, next) => next()`. What it returns is the result, what it throws the error. `next(argument)` goes on with another
 * argument. A stream is what `next` resolves with, before its first item: who wants to see the items wraps it.
 */
export type ServerMiddleware = (
  argument: unknown,
  call: CallContext,
  next: (argument?: unknown) => Promise<unknown>,
) => unknown

/** The first of them is the outermost. */
export function behind(middleware: readonly ServerMiddleware[], handler: Handler): Handler {
  return middleware.reduceRight<Handler>(
    (inner, one) => (argument, call) =>
      one(argument, call as CallContext, async (...given) => inner(given.length > 0 ? given[0] : argument, call)),
    handler,
  )
}
