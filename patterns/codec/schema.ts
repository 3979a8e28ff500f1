/** What arrives, checked by a schema of any library that has Standard Schema: zod, valibot, arktype and others. */
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { type Codec, CodecError, orCodecError } from "./codec.js"

/** A schema that checks what is decoded. */
export interface SchemaOption<S extends StandardSchemaV1 = StandardSchemaV1> {
  schema: S
}

/** How many issues an error's text has; `issues` has all. */
const ISSUES_SHOWN = 3

/**
 * The codec, with what it decodes checked by a schema; what the schema makes of it is the value. What is encoded is not checked: it
 * is of the type that the schema takes. ESCHEMA with `issues` for what does not fit, ENOTSUP when the schema answers with a
 * promise, as `decode` does not wait.
 */
export function withSchema<S extends StandardSchemaV1>(
  // biome-ignore lint/suspicious/noExplicitAny: of whatever it decodes, the schema makes something else
  codec: Codec<any, any>,
  schema: S,
): Codec<StandardSchemaV1.InferOutput<S>, StandardSchemaV1.InferInput<S>> {
  const validate = validateOf(schema)
  return {
    name: codec.name,
    encode: value => codec.encode(value),
    decode(bytes) {
      const value: unknown = codec.decode(bytes)
      const result = orCodecError("ESCHEMA", "the schema failed", () => validate(value), bytes)
      if (result instanceof Promise) {
        // How it ends is nobody's business any more.
        result.catch(() => {})
        throw new CodecError("ENOTSUP", "the schema is async, and decoding is not: check such things after it", {
          bytes,
        })
      }
      if (result.issues === undefined) return result.value as StandardSchemaV1.InferOutput<S>
      throw new CodecError("ESCHEMA", textOf(result.issues), { bytes, issues: result.issues })
    },
  }
}

function validateOf(schema: StandardSchemaV1): StandardSchemaV1.Props["validate"] {
  const standard: StandardSchemaV1.Props | undefined = schema?.["~standard"]
  if (typeof standard?.validate !== "function") throw new TypeError("The schema must have Standard Schema, version 1")
  return value => standard.validate(value)
}

function textOf(issues: readonly StandardSchemaV1.Issue[]): string {
  const shown = issues.slice(0, ISSUES_SHOWN).map(({ path = [], message }) => {
    const at = path.map(part => String(typeof part === "object" ? part.key : part)).join(".")
    return at === "" ? message : `${at}: ${message}`
  })
  const more = issues.length - shown.length
  return `the value does not fit: ${shown.join("; ")}${more > 0 ? `; and ${more} more` : ""}`
}
