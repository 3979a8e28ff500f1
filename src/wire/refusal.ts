/** The ERROR command (37/ZMTP), by which a peer is told that it is refused, and why: the status of 27/ZAP, for libzmq. */
import { AuthError, ProtocolError } from "../errors.js"
import { commandName, latin1 } from "./command.js"

const STATUS = { "300": 300, "400": 400, "500": 500 } as const

const ERROR = Uint8Array.of(5, 69, 82, 82, 79, 82)
/**
 * What libzmq has in place of these six bytes under PLAIN, and knows there alone: "\x5ERROR" in C begins with a byte of 5E.
 * To a libzmq client 24/ZMTP-PLAIN's own ERROR is an unexpected command, so that it would not hear why it was refused.
 */
const PLAIN_ERROR = Uint8Array.of(0x5e, 82, 82, 79, 82)

export function encodeError(reason: string): Uint8Array {
  return encode(ERROR, reason)
}

export function encodePlainError(reason: string): Uint8Array {
  return encode(PLAIN_ERROR, reason)
}

/** What to make of a command if it is the ERROR of the peer; null: it is another one. */
export function peerError(body: Uint8Array): ProtocolError | AuthError | null {
  return commandName(body) === "ERROR" ? decode(body.subarray(ERROR.length)) : null
}

/** The same under PLAIN, where peers of libzmq have another one. */
export function peerPlainError(body: Uint8Array): ProtocolError | AuthError | null {
  const isTheirs = PLAIN_ERROR.every((byte, at) => body[at] === byte)
  return isTheirs ? decode(body.subarray(PLAIN_ERROR.length)) : peerError(body)
}

function encode(name: Uint8Array, reason: string): Uint8Array {
  const body = new Uint8Array(name.length + 1 + reason.length)
  body.set(name)
  body[name.length] = reason.length
  for (let i = 0; i < reason.length; i++) body[name.length + 1 + i] = reason.charCodeAt(i)
  return body
}

function decode(data: Uint8Array): ProtocolError | AuthError {
  const length = data[0]
  if (length === undefined || 1 + length > data.length) {
    return new ProtocolError("ERR_ZMTP_MALFORMED_COMMAND_ERROR", "an ERROR command whose reason is cut off")
  }
  const reason = latin1(data, 1, 1 + length)
  const status = STATUS[reason as keyof typeof STATUS]
  if (status !== undefined) return new AuthError(status, `the peer refused with status ${reason}`)
  return new ProtocolError("ERR_ZMTP_UNSPECIFIED", `the peer refused: ${reason}`)
}
