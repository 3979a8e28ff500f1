/**
 * Z85 (32/Z85): bytes as text that can be printed, quoted and pasted, the form of CURVE keys. Four bytes are a number of 32
 * bits, the first byte the highest, and that number is five digits to the base of 85, the highest first. Nothing is padded:
 * who has another length has something else.
 */
import { ZmqError } from "../errors.js"

/** The digits, by their value. */
const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
const BASE = 85
const BYTES = 4
const CHARACTERS = 5
/** The largest number that four bytes can be; five digits can be larger. */
const MOST = 0xffffffff
/** No digit, in {@link VALUES}. */
const FOREIGN = 0xff

/** The value of a digit, by its character code. */
const VALUES = new Uint8Array(128).fill(FOREIGN)
for (let value = 0; value < DIGITS.length; value++) VALUES[DIGITS.charCodeAt(value)] = value

/** The text of some bytes, five characters for four of them. EINVAL when their number is not divisible by four. 32/Z85. */
export function encodeZ85(bytes: Uint8Array): string {
  if (bytes.length % BYTES !== 0) {
    throw new ZmqError("EINVAL", { detail: `expected a multiple of ${BYTES} bytes for Z85, got ${bytes.length}` })
  }
  let text = ""
  for (let at = 0; at < bytes.length; at += BYTES) {
    let rest = ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
    let group = ""
    for (let i = 0; i < CHARACTERS; i++) {
      group = DIGITS[rest % BASE] + group
      rest = Math.floor(rest / BASE)
    }
    text += group
  }
  return text
}

/**
 * The bytes of a text, new ones. EINVAL when its length is not divisible by five, when a character is none of the 85, and
 * when five of them are more than 2^32 - 1. What is wrong is told by its place, as the text may be a secret. 32/Z85.
 */
export function decodeZ85(text: string): Uint8Array {
  if (text.length % CHARACTERS !== 0) {
    throw new ZmqError("EINVAL", {
      detail: `expected a multiple of ${CHARACTERS} characters of Z85, got ${text.length}`,
    })
  }
  const bytes = new Uint8Array((text.length / CHARACTERS) * BYTES)
  for (let at = 0, to = 0; at < text.length; at += CHARACTERS, to += BYTES) {
    let value = 0
    for (let i = at; i < at + CHARACTERS; i++) {
      const digit = VALUES[text.charCodeAt(i)] ?? FOREIGN
      if (digit === FOREIGN) throw new ZmqError("EINVAL", { detail: `the character at ${i} is not one of Z85` })
      value = value * BASE + digit
    }
    if (value > MOST)
      throw new ZmqError("EINVAL", { detail: `the characters from ${at} on are more than 32 bits of Z85` })
    bytes[to] = value >>> 24
    bytes[to + 1] = value >>> 16
    bytes[to + 2] = value >>> 8
    bytes[to + 3] = value
  }
  return bytes
}
