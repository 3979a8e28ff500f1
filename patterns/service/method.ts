/** A method with schemas: what comes in is checked before it is begun, and what goes out before it is sent. */
import type { StandardSchemaV1 } from "@standard-schema/spec"
import type { CallContext } from "./context.js"
import type { Schemas } from "./schema.js"

const schemas = new WeakMap<object, Schemas>()

type In<S> = S extends StandardSchemaV1 ? StandardSchemaV1.InferInput<S> : never
type Out<S> = S extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<S> : never

/** What a caller gives, and what the handler gets of that. */
type Given<S extends Schemas> = S extends { items: infer I }
  ? AsyncIterable<In<I>>
  : S extends { argument: infer A }
    ? In<A>
    : unknown
type Taken<S extends Schemas> = S extends { items: infer I }
  ? AsyncIterable<Out<I>>
  : S extends { argument: infer A }
    ? Out<A>
    : unknown
/** What the handler returns, and what the caller gets of that. */
type Made<S extends Schemas> = S extends { yields: infer Y }
  ? AsyncIterable<In<Y>>
  : S extends { result: infer R }
    ? In<R> | Promise<In<R>>
    : unknown
type Returned<S extends Schemas, R> = S extends { yields: infer Y }
  ? AsyncIterable<Out<Y>>
  : S extends { result: infer T }
    ? Promise<Out<T>>
    : R

/**
 * `method({ argument: z.object({ a: z.number() }), result: z.number() }, ({ a }) => 2 * a)`. An argument that does not fit is EINVAL, with
 * the issues as `data`, and the handler is not called. A result that does not fit is the handler's failure. Called directly, in
 * the same process, nothing is checked.
 */
export function method<S extends Schemas, R extends Made<S>>(
  of: S,
  handler: (argument: Taken<S>, call: CallContext) => R,
): (argument: Given<S>, call?: CallContext) => Returned<S, R> {
  for (const [name, schema] of Object.entries(of as { [name: string]: StandardSchemaV1 | undefined } & S)) {
    const isSchema = typeof schema?.["~standard"]?.validate === "function"
    if (schema !== undefined && !isSchema) throw new TypeError(`${name} must have Standard Schema, version 1`)
  }
  const served = (argument: unknown, call: unknown) => handler(argument as Taken<S>, call as CallContext)
  schemas.set(served, of)
  return served as unknown as (argument: Given<S>, call?: CallContext) => Returned<S, R>
}

/** What was said of a function by {@link method}. */
export function schemasOf(handler: object): Schemas {
  return schemas.get(handler) ?? {}
}
