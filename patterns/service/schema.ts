/** What an argument or a result has to be, by schemas of any library with Standard Schema. Unlike those of codecs they may be async. */
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { ServiceError } from "./errors.js"

/** Of one method. Each is left out where everything is right. */
export interface Schemas {
  /** Of its argument. */
  readonly argument?: StandardSchemaV1
  /** Of each item of its argument, which is a stream. */
  readonly items?: StandardSchemaV1
  /** Of what it returns. */
  readonly result?: StandardSchemaV1
  /** Of each item that it yields. */
  readonly yields?: StandardSchemaV1
}

/**
 * What the schema makes of a value.
 *
 * @param what For the message: `"the argument"`.
 * @returns A promise where the schema is async.
 * @throws EINVAL, with the schema's issues as `data`; or the promise rejects with it.
 */
export function checked(schema: StandardSchemaV1 | undefined, value: unknown, what: string): unknown {
  if (schema === undefined) return value
  const result = schema["~standard"].validate(value)
  // Not every promise is one of this realm's: taken for a result, it would have no issues, and let everything pass.
  return "then" in result ? result.then(result => valueOf(result, what)) : valueOf(result, what)
}

/** EINVAL: a stream comes past the schema of a value, or a value past that of a stream's items. */
export function checkKind(
  value: StandardSchemaV1 | undefined,
  items: StandardSchemaV1 | undefined,
  isStream: boolean,
  what: string,
): void {
  const isWrong = isStream ? value !== undefined && items === undefined : items !== undefined
  if (isWrong) throw new ServiceError("EINVAL", `${what} is to be ${isStream ? "no" : "a"} stream`)
}

function valueOf(result: StandardSchemaV1.Result<unknown>, what: string): unknown {
  if (result.issues === undefined) return result.value
  const issues = result.issues.map(({ message, path = [] }) => ({
    message,
    path: path.map(part => (typeof part === "object" ? part.key : part)).map(String),
  }))
  const first = issues[0]
  const at = first === undefined || first.path.length === 0 ? "" : `${first.path.join(".")}: `
  const more = issues.length > 1 ? `, and ${issues.length - 1} more` : ""
  const error = new ServiceError(
    "EINVAL",
    `${what} does not fit: ${at}${first?.message ?? "no reason was given"}${more}`,
  )
  throw Object.assign(error, { data: issues })
}

/** As JSON Schema where its library can say it that way, else by the name of the library. */
export function described(schema: StandardSchemaV1, side: "input" | "output"): unknown {
  const { vendor, jsonSchema } = schema["~standard"] as StandardSchemaV1.Props & { jsonSchema?: JsonSchemas }
  try {
    return jsonSchema?.[side]({ target: "draft-2020-12" }) ?? { vendor }
  } catch {
    return { vendor } // Not every schema has a form in JSON.
  }
}

/** As Standard JSON Schema has it, which is younger than Standard Schema. */
type JsonSchemas = Record<"input" | "output", (options: { target: string }) => Record<string, unknown>>
