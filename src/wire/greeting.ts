/**
 * The first bytes of a connection (37/ZMTP, greeting): 64 of each side. Ours go out in the stages of libzmq: ten bytes of
 * signature at once, the major version when the peer's signature came, the rest when its major version came. So a 1.0 or
 * 2.0 peer is known before anything reaches it that it could not read (15/ZMTP, backwards interoperability): to a 2.0 peer
 * the rest is the number of our socket type; a 1.0 peer takes the signature for the header of our identity frame, and
 * what it sent is the beginning of its own. A peer may send all of its bytes at once.
 */
import { ProtocolError } from "../errors.js"
import type { MechanismFactory } from "./mechanism.js"
import { numberOf, type SocketTypeName } from "./socket-types.js"

const GREETING_SIZE = 64
/** Of ZMTP 2.0: signature, version, socket type. */
const OLD_GREETING_SIZE = 12
const SIGNATURE_SIZE = 10
const SIGNATURE_END = 9
const VERSION_AT = 10
const MECHANISM_AT = 12
const MECHANISM_SIZE = 20
/** 3.1: commands for subscriptions, heartbeats. Peers of 3.0 and later majors are spoken to as what they announce. */
const OWN_MAJOR = 3
const OWN_MINOR = 1
/** What peers announce who are spoken to as 1.0 and as 2.0. 15/ZMTP would let 2 stand for 2.0 as well; libzmq does not. */
const ANNOUNCES_1 = 0
const ANNOUNCES_2 = 1
/** All that the flags of a 1.0 frame may hold. */
const MORE = 0x01

/** What is spoken with a peer. */
export enum Version {
  /** 1.0 without a greeting. */
  Unversioned,
  /** 1.0 behind a greeting. */
  Zmtp1,
  Zmtp2,
  Zmtp3,
}

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

/** The same with the length of our routing id, for a 1.0 peer: as of any frame of 1.0, it counts the flags. */
function greetingWith(mechanism: string, routingId: Uint8Array | null): Uint8Array {
  if (routingId === null || routingId.length === 0) return greetingOf(mechanism)
  const greeting = greetingOf(mechanism).slice()
  new DataView(greeting.buffer).setUint32(5, routingId.length + 1)
  return greeting
}

const NOTHING = new Uint8Array(0)

export class Greeting {
  /** Valid when done. */
  version = Version.Zmtp3
  /** The minor version of a 3.x peer; valid when done. */
  minor = 0
  done = false
  private readonly own: Uint8Array
  /** Made when its first bytes come. */
  private peer: Uint8Array = NOTHING
  private received = 0
  private sent = 0

  constructor(
    private readonly mechanism: MechanismFactory,
    private readonly type: SocketTypeName,
    routingId: Uint8Array | null,
  ) {
    this.own = greetingWith(mechanism.name, routingId)
  }

  /** What is to be sent now; empty when it is the peer's turn. */
  next(): Uint8Array {
    const { received, sent, version } = this
    if (version === Version.Unversioned) return NOTHING
    const old = version !== Version.Zmtp3
    const full = old ? OLD_GREETING_SIZE : GREETING_SIZE
    const to = received < SIGNATURE_SIZE ? SIGNATURE_SIZE : received <= VERSION_AT ? VERSION_AT + 1 : full
    this.sent = Math.max(sent, to)
    const bytes = this.own.subarray(sent, this.sent)
    if (!old || bytes.length === 0) return bytes
    // Where the minor version would stand.
    const answer = bytes.slice()
    answer[answer.length - 1] = numberOf(this.type)
    return answer
  }

  /** Takes the bytes that belong to the greeting. Returns where the rest of `chunk` begins. */
  receive(chunk: Uint8Array, from: number): number {
    const before = this.received
    const take = Math.min(GREETING_SIZE - before, chunk.length - from)
    if (before === 0) this.peer = new Uint8Array(GREETING_SIZE)
    this.peer.set(chunk.subarray(from, from + take), before)
    this.received += take
    this.check()
    if (this.version === Version.Unversioned) this.received = before
    else if (this.version !== Version.Zmtp3) this.received = Math.min(this.received, OLD_GREETING_SIZE)
    return from + this.received - before
  }

  /** What came in earlier chunks and was no greeting, but the beginning of an unversioned peer's first frame. */
  get beginning(): Uint8Array {
    return this.version === Version.Unversioned ? this.peer.subarray(0, this.received) : NOTHING
  }

  /** When done, and all of our own is said, so that the peer knows as well why this ends. Throws for another mechanism than ours. */
  checkMechanism(): void {
    const { peer, own, version } = this
    if (version !== Version.Zmtp3) return
    for (let i = 0; i < MECHANISM_SIZE; i++) {
      if (peer[MECHANISM_AT + i] !== own[MECHANISM_AT + i]) {
        throw new ProtocolError(
          "ERR_ZMTP_MECHANISM_MISMATCH",
          `expected the mechanism ${this.mechanism.name}, the peer has ${mechanismName(peer)}`,
        )
      }
    }
  }

  private check(): void {
    const { peer, received } = this
    // Padding, as-server and filler are not looked at: libzmq fills the padding, and the RFC lets it.
    if (received === 0) return
    if (peer[0] !== 0xff) {
      if (peer[0] === 0) throw refused("a frame of length 0: not ZMTP")
      if (received > 1) this.takeUnversioned(peer[1]!)
      return
    }
    if (received < SIGNATURE_SIZE) return
    if ((peer[SIGNATURE_END]! & 1) === 0) {
      this.takeUnversioned(peer[SIGNATURE_END]!)
      return
    }
    if (received === VERSION_AT) return
    const major = peer[VERSION_AT]!
    if (major === ANNOUNCES_1 || major === ANNOUNCES_2) {
      this.takeOld(major === ANNOUNCES_1 ? Version.Zmtp1 : Version.Zmtp2)
      this.done = received >= OLD_GREETING_SIZE
      return
    }
    this.minor = major === OWN_MAJOR ? peer[VERSION_AT + 1]! : OWN_MINOR
    this.done = received === GREETING_SIZE
  }

  /** libzmq would not look at the flags; but all strangers (HTTP, TLS, text) look like 1.0 peers, and few pass here. */
  private takeUnversioned(flags: number): void {
    if ((flags & ~MORE) !== 0) throw refused("not ZMTP: flags that no 1.0 identity has")
    this.takeOld(Version.Unversioned)
    this.done = true
  }

  private takeOld(version: Version): void {
    if (this.mechanism.takesOldPeers !== true) {
      throw new ProtocolError(
        "ERR_ZMTP_MECHANISM_MISMATCH",
        `expected the mechanism ${this.mechanism.name}, the peer speaks ZMTP ${version === Version.Zmtp2 ? "2.0" : "1.0"}, which has none`,
      )
    }
    this.version = version
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
