/** The ERROR command (37/ZMTP), by which a peer is told that it is refused, and why: the status of 27/ZAP, for libzmq. */
import { AuthError, ProtocolError } from "../errors.js"
import { commandData, encodeCommand, latin1 } from "./command.js"

const STATUS = { "300": 300, "400": 400, "500": 500 } as const

export function encodeError(reason: string): Uint8Array {
  const data = new Uint8Array(1 + reason.length)
  data[0] = reason.length
  for (let i = 0; i < reason.length; i++) data[1 + i] = reason.charCodeAt(i)
  return encodeCommand("ERROR", data)
}

/** What to make of an ERROR command of the peer. */
export function peerError(body: Uint8Array): ProtocolError | AuthError {
  const data = commandData(body)
  const length = data[0]
  if (length === undefined || 1 + length > data.length) {
    return new ProtocolError("ERR_ZMTP_MALFORMED_COMMAND_ERROR", "an ERROR command whose reason is cut off")
  }
  const reason = latin1(data, 1, 1 + length)
  const status = STATUS[reason as keyof typeof STATUS]
  if (status !== undefined) return new AuthError(status, `the peer refused with status ${reason}`)
  return new ProtocolError("ERR_ZMTP_UNSPECIFIED", `the peer refused: ${reason}`)
}
