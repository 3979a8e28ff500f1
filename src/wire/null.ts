/** NULL (37/ZMTP, "The NULL Security Mechanism"): each side sends READY with its properties, or ERROR with a reason. */
import { ProtocolError } from "../errors.js"
import {
  commandData,
  commandName,
  decodeProperties,
  encodeCommand,
  encodeProperties,
  latin1,
  type Properties,
  type PropertyList,
} from "./command.js"
import type { Mechanism, MechanismFactory } from "./mechanism.js"

const NOTHING: Properties = new Map()

export class NullMechanism implements Mechanism {
  peer: Properties = NOTHING
  private sent = false
  private received = false

  constructor(private readonly own: PropertyList) {}

  get ready(): boolean {
    return this.sent && this.received
  }

  next(): Uint8Array | null {
    if (this.sent) return null
    this.sent = true
    return encodeCommand("READY", encodeProperties(this.own))
  }

  receive(body: Uint8Array): void {
    const name = commandName(body)
    if (name === "READY" && !this.received) {
      this.peer = decodeProperties(commandData(body), "ERR_ZMTP_MALFORMED_COMMAND_READY")
      this.received = true
    } else if (name === "ERROR") {
      throw peerError(commandData(body))
    } else {
      throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", `expected READY, the peer sent ${name ?? "no command"}`)
    }
  }
}

export const nullMechanism: MechanismFactory = {
  name: "NULL",
  takesOldPeers: true,
  create: own => new NullMechanism(own),
}

/** What to make of an ERROR command: its data is the length of the reason and the reason. */
function peerError(data: Uint8Array): ProtocolError {
  const length = data[0]
  if (length === undefined || 1 + length > data.length) {
    return new ProtocolError("ERR_ZMTP_MALFORMED_COMMAND_ERROR", "an ERROR command whose reason is cut off")
  }
  return new ProtocolError("ERR_ZMTP_UNSPECIFIED", `the peer refused: ${latin1(data, 1, 1 + length)}`)
}
