/** Commands of a handshake have their turn: what is made of the one that is due, and of others. */
import { ProtocolError } from "../errors.js"
import { commandData, commandName } from "./command.js"
import { peerError } from "./refusal.js"

/** The data of the peer's command, which must be this one; a refusal in its place is thrown. */
export function dueData(name: string, body: Uint8Array, refusal = peerError): Uint8Array {
  const error = refusal(body)
  if (error !== null) throw error
  const came = commandName(body)
  if (came !== name) {
    throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", `expected ${name}, the peer sent ${came ?? "no command"}`)
  }
  return commandData(body)
}

/** A command that came while this side was to speak. */
export function outOfTurn(body: Uint8Array): ProtocolError {
  return new ProtocolError(
    "ERR_ZMTP_UNEXPECTED_COMMAND",
    `the peer sent ${commandName(body) ?? "no command"} out of turn`,
  )
}
