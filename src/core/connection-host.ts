/** What dialers, acceptors and inproc need of the socket that they work for. */

import type { LimitName } from "../errors.js"
import type { Pipe, PipeOwner } from "../pipe/pipe.js"
import type { Marks } from "../pipe/queue.js"
import type { DatagramOptions } from "../transport/datagram.js"
import type { TransportOptions } from "../transport/transport.js"
import type { EngineOptions, PeerInfo } from "../wire/engine.js"
import type { Admission } from "./admission.js"
import type { Authenticator } from "./authenticator.js"
import type { LostRole } from "./connections.js"
import type { ContextBase } from "./context.js"
import type { Connection, Link, LinkOwner } from "./link.js"
import type { EventOfType, EventType } from "./observer.js"

/** The options of a socket as they were when an endpoint was bound or connected. */
export interface EndpointOptions extends EngineOptions, TransportOptions, DatagramOptions {
  readonly immediate: boolean
  readonly reconnectInterval: number
  readonly reconnectMaxInterval: number
  /** Bits: see {@link ReconnectStop}. */
  readonly reconnectStop: number
  /** What each connection begins with; null: nothing. */
  readonly helloMessage: Uint8Array | null
  readonly connectTimeout: number
  readonly conflate: boolean
  /** Limits of bound endpoints; 0: none. */
  readonly maxPeers: number
  readonly maxPeersPerAddress: number
  readonly maxHandshakes: number
  /** Decides about peers; null: nobody is asked. */
  readonly authenticator: Authenticator | null
}

/** When not to connect again (ZMQ_RECONNECT_STOP). */
export enum ReconnectStop {
  Refused = 1,
  HandshakeFailed = 2,
  AfterDisconnect = 4,
}

/** The fields of an event beside its type. */
export type EventDetails<T extends EventType> = Omit<EventOfType<T>, "type">

/** The marks of the pipes of a socket. */
export interface SocketMarks {
  readonly out: Marks
  readonly in: Marks
  /** For what comes from another process: there, a mark in bytes is the default. */
  readonly wireIn: Marks
}

export interface ConnectionHost extends PipeOwner {
  readonly context: ContextBase
  /** The marks that pipes of this socket have now. */
  readonly marks: SocketMarks
  /** Who came by the bound endpoints of the socket. */
  readonly admission: Admission
  /** A new pipe, with whoever has its connection. */
  createLink(endpoint: string, owner: LinkOwner): Link
  /** The same for a pipe that is there already. */
  adoptLink(pipe: Pipe, endpoint: string, owner: LinkOwner): Link
  /** Notes what a peer said of itself, before anybody gets to see it. */
  describe(link: Link, peer: PeerInfo, connection: Connection): void
  /** Whether the user lets this peer in. */
  letsIn(link: Link): boolean
  /** Gives a pipe to the pattern, which may use it from now on. False: the pattern takes no more of them. */
  attach(link: Link): boolean
  /** The peer is there, and was described. */
  peerReady(link: Link, peer: PeerInfo): void
  /** The connection of a peer that was there is over, by its doing or the network's. */
  lost(link: Link, role: LostRole): void
  /** The connection broke; the pipe stays for the next one. */
  interrupted(link: Link): void
  /** The peer is gone for good: what came from it can still be read. */
  ended(link: Link): void
  /** A peer was refused, or left, for going beyond a limit. */
  refused(limit: LimitName): void
  /** Somebody wants events: others need not be made. */
  readonly observed: boolean
  emit<T extends EventType>(type: T, details: EventDetails<T>): void
}

/** How a socket came to an endpoint. An inproc one that was unbound keeps its connections. */
export type Role = "bound" | "connected" | "unbound"

/** One bound or connected endpoint of a socket. */
export interface EndpointUser {
  readonly role: Role
  /** As it was given, or as it was resolved. */
  readonly endpoint: string
  /** Whether it is meant by this endpoint, where it is to end. */
  goesBy(endpoint: string): boolean
  readonly links: Iterable<Link>
  /** Ends in order: takes no new peers, sends what is queued, then calls `done`. */
  close(done: () => void): void
  /** Ends now; `done` of {@link close} is called as well. */
  abort(): void
  /** Writes what can be written without waiting. */
  flushNow(): void
  /** Whether something that was sent has not left the process. */
  readonly pending: boolean
  /** The marks of the socket have changed. */
  marksChanged(): void
}

/** One that is to be bound. */
export interface BindingUser extends EndpointUser {
  /** Binds. Rejects when it cannot. */
  start(): Promise<void>
  /** Binds at once. Throws when it cannot. */
  startSync(): void
}

/** Whether anything waits in the outbound queue of a pipe, or is encoded and not written. */
export function owes(pipe: Pipe): boolean {
  return pipe.written < pipe.accepted
}
