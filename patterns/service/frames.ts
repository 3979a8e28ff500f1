/** The commands of PROTOCOL.md, and the words that name calls in them. */
import { TypedError } from "../typed/error.js"
import { Protocol } from "../typed/protocol.js"

export const protocol = new Protocol("PS1", "service", [
  "HELLO",
  "CALL",
  "ARGUMENT",
  "CANCEL",
  "CREDIT",
  "DESCRIBE",
  "PING",
  "BYE",
  "WELCOME",
  "RESULT",
  "ERROR",
  "PIECE",
  "ITEM",
  "END",
  "DESCRIPTION",
  "DRAINING",
  "WHO",
  "PONG",
  "REFUSED",
])

export const { frame } = protocol

export type Command = keyof typeof frame

/** What a body may have in one message, in bytes; a larger one goes in pieces of that size. */
export const PIECE = 256 * 1024
/** Bytes of an argument, or a result, if nothing else is said. */
export const LARGEST = 64 * 1024 * 1024
/** What one of credit pays for, in bytes. */
const UNIT = 16 * 1024

/** What a message of a body of so many bytes takes of the credit. */
export function costOf(bytes: number): number {
  return bytes <= UNIT ? 1 : Math.ceil(bytes / UNIT)
}

const MEBI = 1024 * 1024

/** What a socket takes where bodies are up to so many bytes. A plain REQ or REP sends them whole, and others have some overhead. */
export function largestOf(body: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(body, MEBI) + MEBI)
}

/** `"7"`, or `"7:3"` for a body of which three pieces came before. */
export function wordOf(id: number, pieces: number): string {
  return pieces === 0 ? String(id) : `${id}:${pieces}`
}

/** The numbers of such a word. EINVAL: it is none. */
export function numbersOf(word: string | undefined): readonly [id: number, pieces: number] {
  const colon = word === undefined ? -1 : word.indexOf(":")
  if (colon < 0) return [numberOf(word), 0]
  return [numberOf(word!.slice(0, colon)), numberOf(word!.slice(colon + 1))]
}

const LONGEST = 15
const ZERO = 0x30

/** EINVAL: it is no whole number from 0 on. */
export function numberOf(word: string | undefined): number {
  const length = word === undefined || word.length > LONGEST ? 0 : word.length
  let number = length > 0 ? 0 : Number.NaN
  for (let at = 0; at < length; at++) {
    const digit = word!.charCodeAt(at) - ZERO
    number = digit >= 0 && digit <= 9 ? 10 * number + digit : Number.NaN
  }
  if (Number.isNaN(number)) throw new TypedError("EINVAL", "a word that is to be a whole number from 0 on is not")
  return number
}
