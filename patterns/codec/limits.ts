/** How long and how deep a value may be: held when it is encoded, and on bytes before anything is made of them. */
import { ZmqError } from "../../src/index.js"
import { CodecError } from "./codec.js"

/** Both are of one value. */
export interface CodecLimits {
  /** Most bytes. Default 64 MiB. A value in memory takes more than its bytes: some 30 times as much at worst. */
  maxBytes?: number
  /** Most arrays, objects, Maps, Sets and Errors inside each other. Default 64. */
  maxDepth?: number
}

const MAX_BYTES = 64 * 1024 * 1024
const MAX_DEPTH = 64

/** The limits of a codec. EINVAL for what is none. */
export function limitsOf({ maxBytes = MAX_BYTES, maxDepth = MAX_DEPTH }: CodecLimits): Required<CodecLimits> {
  for (const [name, value] of Object.entries({ maxBytes, maxDepth })) {
    if (typeof value !== "number") throw new TypeError(`Option ${name} must be a number`)
    if (!(value >= 1)) throw new ZmqError("EINVAL", { detail: `expected ${name} of 1 or more, got ${value}` })
  }
  return { maxBytes, maxDepth }
}

/** The same bytes as a Buffer of its own, on which others may put what they like. EDECODE above `maxBytes`; TypeError for none. */
export function checkedBytes(bytes: Uint8Array, maxBytes: number): Buffer {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("Bytes must be a Uint8Array")
  if (bytes.length > maxBytes) {
    throw new CodecError("EDECODE", `${bytes.length} bytes, and at most ${maxBytes} are allowed`, { bytes })
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

export function checkSize(size: number, maxBytes: number): void {
  if (size > maxBytes) throw new CodecError("EENCODE", `more than ${maxBytes} bytes`)
}
