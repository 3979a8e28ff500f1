/** Bytes as they are: for what is encoded already, or by something else. */
import { type Codec, CodecError } from "./codec.js"

/** Bytes in, the same bytes out: nothing is copied, so what is decoded is the frame itself. EENCODE for what is no Uint8Array. */
export const raw: Codec<Uint8Array> = {
  name: "raw",
  encode(value) {
    if (value instanceof Uint8Array) return value
    throw new CodecError("EENCODE", `expected a Uint8Array, got ${value === null ? "null" : typeof value}`)
  },
  decode: bytes => bytes,
}
