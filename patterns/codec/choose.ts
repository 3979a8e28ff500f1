/** A codec by what somebody says of it: the codec itself, options of the default one, or nothing. */
import type { StandardSchemaV1 } from "@standard-schema/spec"
import type { Codec } from "./codec.js"
import type { CodecLimits } from "./limits.js"
import { msgpack } from "./msgpack.js"
import type { SchemaOption } from "./schema.js"

/** A codec, or the options of `msgpack`: `{ schema }` alone means that. */
// biome-ignore lint/suspicious/noExplicitAny: of any value
export type CodecLike = Codec<any, any> | (CodecLimits & Partial<SchemaOption>)

/** What such a codec decodes. */
export type Decoded<C> =
  C extends Codec<infer T, infer _>
    ? T
    : C extends { schema: infer S extends StandardSchemaV1 }
      ? StandardSchemaV1.InferOutput<S>
      : unknown

/** What such a codec encodes. */
export type Encoded<C> =
  C extends Codec<infer _, infer Input>
    ? Input
    : C extends { schema: infer S extends StandardSchemaV1 }
      ? StandardSchemaV1.InferInput<S>
      : unknown

/** The codec that is meant; without one, `msgpack()`. */
export function codecOf<C extends CodecLike>(codec?: C): Codec<Decoded<C>, Encoded<C>> {
  if (codec !== undefined && (typeof codec !== "object" || codec === null)) {
    throw new TypeError("The codec must be a codec, or options of msgpack")
  }
  if (codec !== undefined && "decode" in codec) return codec
  return msgpack(codec) as Codec<Decoded<C>, Encoded<C>>
}
