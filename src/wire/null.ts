/**
 * NULL (37/ZMTP, "The NULL Security Mechanism"): each side sends READY with its properties, or ERROR with a reason. Where
 * there is an authenticator, it is asked before this side says READY (27/ZAP), and a refusal waits for the peer's READY: a
 * libzmq peer takes an ERROR that comes before it has spoken, and the end behind it, for a connection that broke, and tries again.
 */
import { Asking } from "./asking.js"
import { decodeProperties, encodeCommand, encodeProperties, type Properties } from "./command.js"
import { dueData, outOfTurn } from "./due.js"
import type { Mechanism, MechanismFactory, MechanismHost } from "./mechanism.js"

const NOTHING: Properties = new Map()
/** Milliseconds that a refusal waits at most: who has not said READY by then may never. */
const HELD_BACK = 1000

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

  get waitsUntil(): number | null {
    const refusedAt = this.asking?.refusedAt ?? null
    return refusedAt === null || this.received ? null : refusedAt + HELD_BACK
  }

  next(now: number): Uint8Array | null {
    if (this.sent) return null
    if (this.asking !== null && this.asking.verdict === null) {
      const until = this.waitsUntil
      return until !== null && now < until ? null : this.asking.next()
    }
    this.sent = true
    return encodeCommand("READY", encodeProperties(this.host.own))
  }

  receive(body: Uint8Array): void {
    const data = dueData("READY", body)
    if (this.received) throw outOfTurn(body)
    this.peer = decodeProperties(data, "ERR_ZMTP_MALFORMED_COMMAND_READY")
    this.received = true
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
