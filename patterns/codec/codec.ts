/** What a codec is: a value to bytes and back, with nothing kept in between; and the one error of all codecs. */
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { ZmqError } from "../../src/index.js"

/**
 * Values as bytes, one frame for each. `T` is what comes out, `Input` what goes in: the same, but for a schema that changes it.
 * A codec holds no state between messages, so one serves any number of sockets.
 */
export interface Codec<T = unknown, Input = T> {
  /** What the bytes are: `msgpack`, `json`, `raw`. */
  readonly name: string
  /** The bytes of a value; they are the caller's. EENCODE for what cannot be encoded. */
  encode(value: Input): Uint8Array
  /** The value of bytes; it shares no memory with them, but for `raw`. EDECODE, and with a schema ESCHEMA and ENOTSUP. */
  decode(bytes: Uint8Array): T
}

/** EENCODE: a value cannot be encoded. EDECODE: bytes are no value. ESCHEMA: a value does not fit. ENOTSUP: the schema is async. */
export type CodecErrorCode = "EENCODE" | "EDECODE" | "ESCHEMA" | "ENOTSUP"

export interface CodecErrorDetails {
  readonly bytes?: Uint8Array
  readonly issues?: readonly StandardSchemaV1.Issue[]
  readonly cause?: unknown
}

/** A value that cannot be encoded, or bytes that cannot be decoded or do not fit; `cause` is what was thrown below, if anything. */
export class CodecError extends ZmqError {
  declare readonly code: CodecErrorCode
  /** What was to be decoded, as it came; undefined when encoding. */
  readonly bytes: Uint8Array | undefined
  /** What the schema said, with ESCHEMA. */
  readonly issues: readonly StandardSchemaV1.Issue[] | undefined

  constructor(code: CodecErrorCode, detail: string, { bytes, issues, cause }: CodecErrorDetails = {}) {
    super(code, { detail, cause })
    this.bytes = bytes
    this.issues = issues
  }
}

/** Runs it; what it throws is a CodecError of that code. */
export function orCodecError<T>(code: CodecErrorCode, what: string, run: () => T, bytes?: Uint8Array): T {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof CodecError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new CodecError(code, `${what}: ${why}`, { bytes, cause })
  }
}
