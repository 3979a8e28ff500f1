/**
 * NULL (37/ZMTP, "The NULL Security Mechanism"): each side sends READY with its properties, or ERROR with a reason. Where
 * there is an authenticator, it is asked before this side says READY (27/ZAP).
 */
import { ProtocolError } from "../errors.js"
import { Asking } from "./asking.js"
import {
  commandData,
  commandName,
  decodeProperties,
  encodeCommand,
  encodeProperties,
  type Properties,
} from "./command.js"
import type { Mechanism, MechanismFactory, MechanismHost } from "./mechanism.js"
import { peerError } from "./refusal.js"

const NOTHING: Properties = new Map()

class NullMechanism implements Mechanism {
  peer: Properties = NOTHING
  readonly cipher = null
  private sent = false
  private received = false
  private readonly asking: Asking | null

  constructor(
    private readonly host: MechanismHost,
    asks: boolean,
  ) {
    this.asking = asks ? new Asking(host) : null
    this.asking?.ask({ mechanism: "NULL", credentials: [] })
  }

  get verdict() {
    return this.asking?.verdict ?? null
  }

  get ready(): boolean {
    return this.sent && this.received
  }

  next(): Uint8Array | null {
    if (this.sent) return null
    if (this.asking !== null && this.asking.verdict === null) return this.asking.next()
    this.sent = true
    return encodeCommand("READY", encodeProperties(this.host.own))
  }

  receive(body: Uint8Array): void {
    const error = peerError(body)
    if (error !== null) throw error
    const name = commandName(body)
    if (name === "READY" && !this.received) {
      this.peer = decodeProperties(commandData(body), "ERR_ZMTP_MALFORMED_COMMAND_READY")
      this.received = true
    } else {
      throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", `expected READY, the peer sent ${name ?? "no command"}`)
    }
  }

  end(): void {}
}

export const nullMechanism: MechanismFactory = {
  name: "NULL",
  takesOldPeers: true,
  create: host => new NullMechanism(host, false),
}

/** The same where an authenticator is asked first. Peers of ZMTP 1.0 and 2.0 say nothing that it could be asked about. */
export const askingNullMechanism: MechanismFactory = { name: "NULL", create: host => new NullMechanism(host, true) }
