/**
 * msgpack by msgpackr, with nothing shared between messages: what is plain is read by msgpack in any language. A value is walked over
 * before it is packed (walk.ts), bytes are before they are unpacked (msgpack-scan.ts).
 */
import type { StandardSchemaV1 } from "@standard-schema/spec"
// Not "msgpackr": that would look for its native reader of text, which looks at bytes before we have.
import { Packr, Unpackr } from "msgpackr/pack"
import { type Codec, orCodecError } from "./codec.js"
import { type CodecLimits, checkedBytes, checkSize, limitsOf } from "./limits.js"
import { revive } from "./msgpack-revive.js"
import { scanMsgpack } from "./msgpack-scan.js"
import { MsgpackWalk } from "./msgpack-values.js"
import { type SchemaOption, withSchema } from "./schema.js"

const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  moreTypes: true,
  useBigIntExtension: true,
  // The walk has asked it.
  ...{ useToJSON: false },
})
const unpackr = new Unpackr({
  useRecords: false,
  mapsAsObjects: true,
  copyBuffers: true,
  // 'auto': a number up to 2^53, a bigint beyond. Its types do not have it.
  int64AsType: "auto" as "number",
})
/** Above this, packed bytes keep the memory that they were packed in, and are not copied. */
const COPIED_UP_TO = 65536
const FIRST_MEMORY = 8192

/** msgpack, with what is decoded checked by a schema. */
export function msgpack<S extends StandardSchemaV1>(
  options: CodecLimits & SchemaOption<S>,
): Codec<StandardSchemaV1.InferOutput<S>, StandardSchemaV1.InferInput<S>>
/**
 * msgpack, the default. Plain values are plain msgpack; Date is its timestamp. By extensions, undefined, bigint, Map, Set, Error, typed
 * arrays, ArrayBuffer and DataView come back as they were; Uint8Array comes back as Buffer. Integers that are read are numbers up to
 * 2^53 and bigints beyond. EENCODE for functions, symbols, circles, Promises and the like, and for `__proto__` as a key.
 * `T` is only said: without a schema nobody checks it.
 */
export function msgpack<T = unknown>(options?: CodecLimits): Codec<T>
export function msgpack({ schema, ...options }: CodecLimits & Partial<SchemaOption> = {}): Codec {
  const limits = limitsOf(options)
  const codec: Codec = {
    name: "msgpack",
    encode: value => orCodecError("EENCODE", "no msgpack", () => encode(value, limits)),
    decode: bytes => orCodecError("EDECODE", "no msgpack", () => decode(bytes, limits), bytes),
  }
  return schema === undefined ? codec : withSchema(codec, schema)
}

function encode(value: unknown, limits: Required<CodecLimits>): Uint8Array {
  const bytes = pack(new MsgpackWalk(limits, pack).take(value))
  checkSize(bytes.length, limits.maxBytes)
  return bytes
}

/** msgpackr packs one message behind the other in memory that it keeps: short ones are copied out of it, long ones take it along. */
function pack(plain: unknown): Uint8Array {
  const packed = packr.pack(plain)
  const bytes = packed.length > COPIED_UP_TO ? packed : Buffer.from(packed)
  if (packed.buffer.byteLength > COPIED_UP_TO) packr.useBuffer(Buffer.allocUnsafeSlow(FIRST_MEMORY))
  return bytes
}

function decode(bytes: Uint8Array, { maxBytes, maxDepth }: Required<CodecLimits>): unknown {
  const checked = checkedBytes(bytes, maxBytes)
  const isExtended = scanMsgpack(checked, maxDepth)
  const value: unknown = unpackr.unpack(checked)
  return isExtended ? revive(value, part => unpackr.unpack(part)) : value
}
