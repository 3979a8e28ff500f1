/**
 * The contract of a security mechanism (37/ZMTP, mechanisms): it says what it has to say when asked, is told what the
 * peer said, and may wait in between, for the peer or for somebody who decides (an authenticator). It does no I/O.
 */
import type { Properties, PropertyList } from "./command.js"

export interface Mechanism {
  /** Both sides have said all; `peer` holds what the other said of itself. */
  readonly ready: boolean
  readonly peer: Properties
  /** The body of the next command to send; null when it waits, for the peer or for an answer from elsewhere. */
  next(): Uint8Array | null
  /** A command of the peer. Throws a ProtocolError when it is not what was due. `body` is valid during the call. */
  receive(body: Uint8Array): void
}

export interface MechanismFactory {
  /** As it stands in the greeting: at most 20 upper-case ASCII characters. */
  readonly name: string
  /** Takes peers of ZMTP 1.0 and 2.0, which say nothing that could be checked. libzmq: NULL, and nobody is asked (ZAP). */
  readonly takesOldPeers?: true
  /**
   * Makes a mechanism for one connection, which will say `own` of this side. `proceed` is to be called when it waited for
   * something else than the peer and {@link Mechanism.next} or {@link Mechanism.ready} changed, with the time that it is.
   */
  create(own: PropertyList, proceed: (now: number) => void): Mechanism
}
