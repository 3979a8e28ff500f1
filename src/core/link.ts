/** What a socket knows of one peer, and the handle that users get of it. */
import type { Bytes, Message } from "../message.js"
import type { Counters, Pipe } from "../pipe/pipe.js"
import type { ByteStream, PeerCertificate } from "../transport/transport.js"
import type { Properties } from "../wire/command.js"
import { hideInsides } from "./hide-insides.js"

/** Whoever has the connections of links. */
export interface LinkOwner {
  /** Ends the connection of this pipe, if there is one. */
  cut(pipe: Pipe, error: Error | null): void
  /** Ends it for good when what was sent is written. */
  finish(pipe: Pipe): void
}

/** What is at the other end of a link when that is no peer: datagrams go there, or come from there, and nobody says what he wants. */
export interface Place {
  /** Throws EMSGSIZE or EINVAL for a message that cannot be sent there. */
  check(message: Message): void
  /** Tells which messages that come from there the socket wants; null: all. */
  wanted: ((message: Message) => boolean) | null
}

/** What is known of a connection beside ZMTP. */
export type Connection = Pick<ByteStream, "remote" | "certificate">

/** One peer of a socket: its pipe, and what is known of it. Lives as long as the pipe; a connecting one outlives connections. */
export class Link {
  /** The endpoint that was connected to, or that accepted. */
  endpoint = ""
  /** The connection that is there now. */
  connection: Connection | null = null
  type = ""
  mechanism = "NULL"
  /** By which this side knows it: given where this side connects, or what the peer calls itself, once it is let in. */
  routingId: Uint8Array | null = null
  /** What the peer calls itself; null before it has said so. */
  identity: Uint8Array | null = null
  /** Who the authenticator says it is; null: nobody was asked, or no name was given. */
  userId: string | null = null
  /** What else the peer said of itself, and the authenticator of it; null: nothing, as most do. */
  metadata: Properties | null = null
  /** When the handshake was done, in milliseconds since 1970; null while there is no connection. */
  since: number | null = null
  /** Where it leads, if not to a peer. */
  place: Place | null = null
  /** The pattern has it. */
  attached = false
  /** The pattern had it, and the peer is not gone for good. */
  live = false

  constructor(
    readonly pipe: Pipe,
    private readonly owner: LinkOwner,
  ) {}

  /** Ends the connection: as if the peer had (null), or for its fault, which is final for a connecting side. */
  end(error: Error | null): void {
    this.owner.cut(this.pipe, error)
  }

  /** Ends the connection when what was sent is written, and makes no other. For {@link Connections.finish}. */
  finish(): void {
    this.owner.finish(this.pipe)
  }
}

/** Most bytes of names and values that are kept of one peer's metadata; what comes beyond is left out. */
const MOST_METADATA = 65536

/**
 * What was said of a peer, by the authenticator, which comes first, and by itself, beside its type and its id, which are kept
 * anyway. Null when that is nothing. Who it is only the authenticator says (27/ZAP).
 */
export function otherProperties(properties: Properties, vouched: Properties | null): Properties | null {
  let others: Properties | null = vouched !== null && vouched.size > 0 ? new Map(vouched) : null
  let size = 0
  for (const [name, value] of properties) {
    if (name === "Socket-Type" || name === "Identity" || name === "User-Id" || others?.has(name)) continue
    size += name.length + value.length
    if (size > MOST_METADATA) break
    others ??= new Map()
    others.set(name, value)
  }
  return others
}

/** How many messages were dropped: in total, and by each reason that occurred. */
export interface Dropped {
  total: number
  [reason: string]: number
}

/** What a peer, or a socket in all, has carried so far, and holds now. Sizes are those of frames, without framing. */
export interface PeerStats {
  messagesIn: number
  bytesIn: number
  messagesOut: number
  bytesOut: number
  /** Messages that wait to be received. */
  queuedIn: number
  /** Messages that wait to be encoded. */
  queuedOut: number
  /**
   * Messages that never reach anybody: `full` (the peer's queue, PUB and ROUTER), `unroutable` (ROUTER to nobody, REP to
   * a peer that left, a datagram that the operating system refused), `disconnected` (queued, or on their way, when the connection ended: at most so many), `closed`
   * (not sent within `linger`, or not read before this side left), `filtered` and `malformed` (came, and were not for
   * this socket), `conflated` (a newer one took its place), `forbidden` (a subscription that `permit` does not let the peer have).
   */
  dropped: Dropped
}

/** How many peers were not let in, or were ended, for going beyond a limit: in total, and by each limit that was met. */
export interface Refused {
  total: number
  [limit: string]: number
}

/** What a socket has carried in all, with peers that have left, and holds now. */
export interface SocketStats extends PeerStats {
  /** Peers whose handshake is done. */
  peers: number
  /** Connections that a limit ended, by the option's name, or `accept`: see docs/limits.md. */
  refused: Refused
}

export function statsOf(counters: Counters, queuedIn: number, queuedOut: number): PeerStats {
  const { messagesIn, bytesIn, messagesOut, bytesOut } = counters
  return { messagesIn, bytesIn, messagesOut, bytesOut, queuedIn, queuedOut, dropped: countsOf(counters.dropped) }
}

/** Counts by name, and all of them together. */
export function countsOf(counts: ReadonlyMap<string, number> | null): Dropped & Refused {
  const all: Dropped = { total: 0 }
  for (const [name, count] of counts ?? []) {
    all[name] = count
    all.total += count
  }
  return all
}

/** A peer of a socket. Stays valid, and tells the last that was known, when the peer has left. */
export class Peer<B extends Uint8Array = Uint8Array> {
  constructor(
    private readonly link: Link,
    private readonly bytes: Bytes,
  ) {}

  /** The other end of the connection: `tcp://127.0.0.1:40312`; empty while there is none. */
  get address(): string {
    return this.link.connection?.remote ?? ""
  }

  /** The endpoint that this socket connected to, or bound, to have this peer. */
  get endpoint(): string {
    return this.link.endpoint
  }

  /** The peer's socket type by its name on the wire (`PULL`); empty when it did not say (inproc, ZMTP 1.0 and 2.0). */
  get type(): string {
    return this.link.type
  }

  /** The id by which a Router sends to this peer, or the one that the peer gave itself; null when there is none. A copy. */
  get routingId(): B | null {
    const id = this.link.routingId ?? this.link.identity
    return id === null || id.length === 0 ? null : (this.bytes.copy(id, 0, id.length) as B)
  }

  /** The security mechanism of the connection. */
  get mechanism(): string {
    return this.link.mechanism
  }

  /** The certificate that it has shown over TLS, checked; null when there is none, or no connection. */
  get certificate(): PeerCertificate | null {
    return this.link.connection?.certificate ?? null
  }

  /** Who it is, as the authenticator said (27/ZAP); null when nobody was asked, or no name was given. */
  get userId(): string | null {
    return this.link.userId
  }

  /**
   * What the authenticator said of it, and the peer of itself in its handshake beside `Socket-Type` and `Identity`, by name (37/ZMTP, metadata): see the
   * option `metadata`. Copies; at most 64 KiB.
   */
  get metadata(): ReadonlyMap<string, B> {
    const copies = new Map<string, B>()
    for (const [name, value] of this.link.metadata ?? []) {
      copies.set(name, this.bytes.copy(value, 0, value.length) as B)
    }
    return copies
  }

  /** When its handshake was done; null while it is not connected. */
  get since(): Date | null {
    const { since } = this.link
    return since === null ? null : new Date(since)
  }

  /** Whether there is room for a message to this peer. */
  get writable(): boolean {
    const { pipe } = this.link
    return !pipe.ended && pipe.admits(0)
  }

  stats(): PeerStats {
    const { counters, inbound, outbound } = this.link.pipe
    return statsOf(counters, inbound.length, outbound.length)
  }

  /** Ends the connection. A socket that connected to this peer connects again, unless it is told to disconnect(). */
  disconnect(): void {
    this.link.end(null)
  }
}

hideInsides(Peer)

/** A message with the peer that it came from. */
export interface ReceivedFrom<M, P> {
  message: M
  peer: P
}
