/**
 * The first 64 bytes of a connection (37/ZMTP, greeting). Ours goes out in the stages of libzmq: ten bytes of signature
 * at once, the major version when the peer's signature came, the rest when its major version came. So a 1.0 or 2.0 peer
 * is known before anything reaches it that it could not read. A peer may send all of its 64 bytes at once.
 */
import { ProtocolError } from "../errors.js"

const GREETING_SIZE = 64
const SIGNATURE_SIZE = 10
const VERSION_AT = 10
const MECHANISM_AT = 12
const MECHANISM_SIZE = 20
/** 3.1: commands for subscriptions, heartbeats. Peers of 3.0 and later majors are spoken to as what they announce. */
const OWN_MAJOR = 3
const OWN_MINOR = 1

/** Our greeting for a mechanism. The padding carries an empty 1.0 identity's length, as libzmq's does. */
function encodeGreeting(mechanism: string): Uint8Array {
  const greeting = new Uint8Array(GREETING_SIZE)
  greeting[0] = 0xff
  greeting[8] = 0x01
  greeting[9] = 0x7f
  greeting[VERSION_AT] = OWN_MAJOR
  greeting[VERSION_AT + 1] = OWN_MINOR
  for (let i = 0; i < mechanism.length; i++) greeting[MECHANISM_AT + i] = mechanism.charCodeAt(i)
  return greeting
}

const greetings = new Map<string, Uint8Array>()

/** Our greeting for a mechanism, made once. */
function greetingOf(mechanism: string): Uint8Array {
  const greeting = greetings.get(mechanism) ?? encodeGreeting(mechanism)
  greetings.set(mechanism, greeting)
  return greeting
}

const NOTHING = new Uint8Array(0)

export class Greeting {
  /** The peer's minor version; valid when done. */
  minor = 0
  private readonly own: Uint8Array
  /** Made when its first bytes come. */
  private peer: Uint8Array = NOTHING
  private received = 0
  private sent = 0

  constructor(private readonly mechanism: string) {
    this.own = greetingOf(mechanism)
  }

  get done(): boolean {
    return this.received === GREETING_SIZE
  }

  /** What is to be sent now; empty when it is the peer's turn. */
  next(): Uint8Array {
    const to =
      this.received < SIGNATURE_SIZE ? SIGNATURE_SIZE : this.received <= VERSION_AT ? VERSION_AT + 1 : GREETING_SIZE
    const from = this.sent
    this.sent = Math.max(from, to)
    return this.own.subarray(from, this.sent)
  }

  /** Takes the bytes that belong to the greeting. Returns where the rest of `chunk` begins. */
  receive(chunk: Uint8Array, from: number): number {
    const take = Math.min(GREETING_SIZE - this.received, chunk.length - from)
    if (this.received === 0) this.peer = new Uint8Array(GREETING_SIZE)
    this.peer.set(chunk.subarray(from, from + take), this.received)
    this.received += take
    this.check()
    return from + take
  }

  private check(): void {
    const { peer, received } = this
    // Padding, as-server and filler are not looked at: libzmq fills the padding, and the RFC lets it.
    if (received > 0 && peer[0] !== 0xff) throw refused("its first byte is not FF: not ZMTP, or ZMTP 1.0")
    if (received >= SIGNATURE_SIZE && (peer[9]! & 1) === 0) throw refused("no ZMTP signature: not ZMTP, or ZMTP 1.0")
    if (received > VERSION_AT && peer[VERSION_AT]! < OWN_MAJOR && peer[VERSION_AT] !== 2) {
      throw refused(`it speaks ZMTP ${peer[VERSION_AT] === 1 ? "2.0" : "1.0"}, the least is 3.0`)
    }
    if (received < GREETING_SIZE) return
    this.minor = peer[VERSION_AT] === OWN_MAJOR ? peer[VERSION_AT + 1]! : OWN_MINOR
    for (let i = 0; i < MECHANISM_SIZE; i++) {
      if (peer[MECHANISM_AT + i] !== this.own[MECHANISM_AT + i]) {
        throw new ProtocolError(
          "ERR_ZMTP_MECHANISM_MISMATCH",
          `expected the mechanism ${this.mechanism}, the peer has ${mechanismName(peer)}`,
        )
      }
    }
  }
}

function refused(why: string): ProtocolError {
  return new ProtocolError("ERR_ZMTP_UNSPECIFIED", `the peer's greeting is refused, ${why}`)
}

/** The name as sent, with everything that does not print replaced, for an error message. */
function mechanismName(greeting: Uint8Array): string {
  let name = ""
  for (let i = MECHANISM_AT; i < MECHANISM_AT + MECHANISM_SIZE && greeting[i] !== 0; i++) {
    const c = greeting[i]!
    name += c > 0x20 && c < 0x7f ? String.fromCharCode(c) : "?"
  }
  return name === "" ? "none" : name
}
