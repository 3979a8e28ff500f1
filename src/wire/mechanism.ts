/**
 * The contract of a security mechanism (37/ZMTP, mechanisms): it says what it has to say when asked, is told what the
 * peer said, and may wait in between, for the peer or for somebody who decides (an authenticator). It does no I/O.
 */
import type { AuthError, ProtocolError, ZmqError } from "../errors.js"
import type { Properties, PropertyList } from "./command.js"

/** What an authenticator is asked about, beside the connection, which it knows (27/ZAP). */
export interface Credentials {
  readonly mechanism: "NULL" | "PLAIN" | "CURVE"
  /** NULL: none. PLAIN: user name, password. CURVE: the peer's long-term public key, 32 bytes. Copies. */
  readonly credentials: readonly Uint8Array[]
}

/** What was decided: 200 lets the peer in, with a name and properties; 300 (for now), 400 and 500 do not. */
export interface Verdict {
  readonly status: 200 | 300 | 400 | 500
  /** Empty: none was given. */
  readonly userId: Uint8Array
  readonly metadata: Properties
}

/** What an authenticator answers; an error is why no verdict could be had. */
export type Answer = Verdict | ProtocolError | ZmqError

/** Answers once, at any time, with the time that it is. */
export type Ask = (credentials: Credentials, answer: (answer: Answer, now: number) => void) => void

/** What a mechanism needs of its connection. */
export interface MechanismHost {
  /** What is to be said of this side. */
  readonly own: PropertyList
  /** {@link Mechanism.next} or {@link Mechanism.ready} has changed, by something else than the peer; `now` where that took its time. */
  proceed(now?: number): void
  /** Asks whoever decides; null: nobody does. */
  readonly ask: Ask | null
  /** The peer is refused for now, and waits: that is to be told, and no end. */
  report(error: AuthError): void
}

/** What frames are sealed by after the handshake. */
export interface Cipher {
  /** Bytes that a sealed frame is longer than what is in it. */
  readonly overhead: number
  /** Seals a frame into exactly as many bytes as it takes, of which the contents do not matter. */
  seal(flags: number, body: Uint8Array, into: Uint8Array): void
  /** What is in a sealed frame, perhaps in its memory: the flags, and the body. Throws a ProtocolError when it was not sealed by the peer, as the next one. */
  open(sealed: Uint8Array): Uint8Array
}

export interface Mechanism {
  /** Both sides have said all; `peer` holds what the other said of itself. */
  readonly ready: boolean
  readonly peer: Properties
  /** What the authenticator said, when it was asked. */
  readonly verdict: Verdict | null
  /** Seals what follows the handshake; null: nothing does. Valid when ready. */
  readonly cipher: Cipher | null
  /** Until when it holds back what it has to say, for the peer to speak first; absent or null: it holds nothing back. */
  readonly waitsUntil?: number | null
  /** The body of the next command to send; null when it waits, for the peer or for an answer from elsewhere. Throws what {@link receive} does. */
  next(now: number): Uint8Array | null
  /** A command of the peer. Throws a ProtocolError when it is not what was due, an AuthError when a side was refused. `body` is valid during the call. */
  receive(body: Uint8Array): void
  /** Forgets all keys. The connection is over. */
  end(): void
}

export interface MechanismFactory {
  /** As it stands in the greeting: at most 20 upper-case ASCII characters. */
  readonly name: string
  /** Takes peers of ZMTP 1.0 and 2.0, which say nothing that could be checked. libzmq: NULL, and nobody is asked (ZAP). */
  readonly takesOldPeers?: true
  /** Makes a mechanism for one connection. */
  create(host: MechanismHost): Mechanism
}

export type HandshakeError = ProtocolError | ZmqError | AuthError
