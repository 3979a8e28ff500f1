/**
 * JSON as every language reads it, in UTF-8. What JSON has no word for is refused, not written as something else. Text is looked
 * at before it is parsed (json-scan.ts).
 */
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { type Codec, CodecError, orCodecError } from "./codec.js"
import { scanJson } from "./json-scan.js"
import { type CodecLimits, checkedBytes, checkSize, limitsOf } from "./limits.js"
import { type SchemaOption, withSchema } from "./schema.js"
import { fail, ORDINARY, Walk } from "./walk.js"

/** Refuses what is not UTF-8; a byte order mark is no JSON. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** JSON, with what is decoded checked by a schema. */
export function json<S extends StandardSchemaV1>(
  options: CodecLimits & SchemaOption<S>,
): Codec<StandardSchemaV1.InferOutput<S>, StandardSchemaV1.InferInput<S>>
/**
 * JSON. Objects that have `toJSON` are written as that says: a Date is a string, and stays one. Properties that are undefined are left
 * out, -0 is 0. EENCODE for bigint, NaN, Infinity, undefined elsewhere, Map, Set, bytes and Errors, which `msgpack()` takes.
 * `T` is only said: without a schema nobody checks it.
 */
export function json<T = unknown>(options?: CodecLimits): Codec<T>
export function json({ schema, ...options }: CodecLimits & Partial<SchemaOption> = {}): Codec {
  const limits = limitsOf(options)
  const codec: Codec = {
    name: "json",
    encode: value => orCodecError("EENCODE", "no JSON", () => encode(value, limits)),
    decode(bytes) {
      const text = checkedBytes(bytes, limits.maxBytes)
      scanJson(text, limits.maxDepth)
      return orCodecError("EDECODE", "no JSON", () => JSON.parse(decoder.decode(text)) as unknown, bytes)
    },
  }
  return schema === undefined ? codec : withSchema(codec, schema)
}

function encode(value: unknown, limits: Required<CodecLimits>): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(new JsonWalk(limits).item(value)))
  checkSize(bytes.length, limits.maxBytes)
  return bytes
}

class JsonWalk extends Walk {
  /** JSON.stringify would make null of it in an array, and nothing of it alone. */
  override item(value: unknown): unknown {
    if (value === undefined)
      throw new CodecError("EENCODE", "undefined is no JSON, but for properties, which it leaves out")
    return super.item(value)
  }

  protected override number(value: number): number {
    if (!Number.isFinite(value)) fail(`${value} is no JSON`)
    return value
  }

  protected override bigint(): never {
    return fail("a bigint is no JSON: make it a number or text, or use msgpack()")
  }

  protected override special(value: object): unknown {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? fail("an invalid Date is no JSON") : ORDINARY
    if (value instanceof Map || value instanceof Set || value instanceof Error) {
      if (typeof (value as { toJSON?: unknown }).toJSON !== "function")
        fail(`${kindOf(value)} is no JSON: use msgpack()`)
    }
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
      fail("bytes are no JSON: make them text, or use msgpack()")
    return ORDINARY
  }
}

function kindOf(value: object): string {
  return value instanceof Map ? "a Map" : value instanceof Set ? "a Set" : "an Error"
}
