/** What a client needs of one server, however it is spoken to. */
import type { TypedError } from "../typed/error.js"
import type { ServiceError } from "./errors.js"
import type { Outgoing } from "./outgoing.js"

export interface Peer {
  readonly address: string
  /** Calls that are with it. */
  readonly underWay: Iterable<Outgoing>
  readonly busy: number
  /** It takes calls, if it has room. */
  readonly isThere: boolean
  /** It takes one more now. */
  readonly isAble: boolean
  /** When it was given a call last: a counter of the client's. */
  served: number
  start(): void
  send(call: Outgoing): void
  /** Nobody wants an answer any more. */
  cancel(call: Outgoing): void
  /** So much of its stream may have been sent in all. */
  addCredit(call: Outgoing, total: number): void
  /** What it says of itself; null: it was not there within `timeout` ms, or has no words for that. */
  describe(timeout: number): Promise<Record<string, unknown> | null>
  close(): Promise<void>
}

export interface PeerSink {
  /** It can take calls, or more of them, or none any more. */
  onChange(): void
  /** It has not begun this one: it is full, or takes no more. */
  onRefused(peer: Peer, call: Outgoing, error: ServiceError): void
  /** Nobody knows what became of these. */
  onLost(peer: Peer, calls: readonly Outgoing[]): void
  onTrouble(address: string, error: TypedError): void
}
