/**
 * A look at JSON text before `JSON.parse` sees it: how deep its brackets go, and whether `__proto__` is among its keys. Whether
 * it is JSON at all is left to the parser.
 */
import { CodecError } from "./codec.js"

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const PROTO = Buffer.from("__proto__")
/** The longest way to write it: each character as `\u005f`. */
const LONGEST_PROTO = 6 * PROTO.length

/** EDECODE for text that is too deep, or has `__proto__` as a key. */
export function scanJson(bytes: Buffer, maxDepth: number): void {
  let depth = 0
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE: {
        const start = at + 1
        at = endOfString(bytes, start)
        if (isProto(bytes, start, at) && isKey(bytes, at + 1))
          throw new CodecError("EDECODE", "__proto__ as a key", { bytes })
        break
      }
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > maxDepth) throw new CodecError("EDECODE", `more than ${maxDepth} levels`, { bytes })
        break
      case 0x5d: // ]
      case 0x7d: // }
        depth--
    }
  }
}

/** Where its closing quote is, or the text ends. */
function endOfString(bytes: Buffer, start: number): number {
  let at = start
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return Math.min(at, bytes.length)
}

function isProto(bytes: Buffer, start: number, end: number): boolean {
  const size = end - start
  if (size < PROTO.length || size > LONGEST_PROTO) return false
  if (size === PROTO.length) return bytes.compare(PROTO, 0, size, start, end) === 0
  if (!bytes.subarray(start, end).includes(BACKSLASH)) return false
  try {
    return JSON.parse(bytes.toString("utf8", start - 1, end + 1)) === "__proto__"
  } catch {
    return false // The parser will say so.
  }
}

/** Whether a colon comes next: in JSON it follows keys and nothing else. */
function isKey(bytes: Buffer, from: number): boolean {
  let at = from
  while (bytes[at] === 0x20 || bytes[at] === 0x09 || bytes[at] === 0x0a || bytes[at] === 0x0d) at++
  return bytes[at] === COLON
}
