/**
 * The endpoints of one socket and the peers that came by them. It stands between the connections below, which come and
 * go, and the pattern above, which sees pipes; and it ends them, at once or after what is queued was sent.
 */
import { type LimitName, ZmqError } from "../errors.js"
import { Counters, Pipe, type PipeOwner } from "../pipe/pipe.js"
import { type Endpoint, parseEndpoint } from "../transport/endpoint.js"
import type { PeerInfo } from "../wire/engine.js"
import { datagramRole, isRaw, type SocketTypeName } from "../wire/socket-types.js"
import { Acceptor } from "./acceptor.js"
import { Admission } from "./admission.js"
import type {
  BindingUser,
  ConnectionHost,
  EndpointOptions,
  EndpointUser,
  EventDetails,
  Role,
  SocketMarks,
} from "./connection-host.js"
import type { ContextBase } from "./context.js"
import { Dialer } from "./dialer.js"
import { Endings } from "./endings.js"
import { INPROC, InprocEndpoint } from "./inproc-endpoint.js"
import { type Connection, Link, type LinkOwner, otherProperties, Peer } from "./link.js"
import { FlushWaiter, ReadyWaiter } from "./link-waiters.js"
import type { EventType } from "./observer.js"
import { GRACE } from "./thread-endpoint.js"
import { UdpEndpoint } from "./udp-endpoint.js"
import { WaitLine, type WaitOptions } from "./waiter.js"

/** How this side came to a connection that was lost. */
export type LostRole = "bound" | "connected" | "inproc"

/** What the pattern is told of its pipes. */
export interface Pattern extends PipeOwner {
  /** A new pipe, to be used from now on. False: no more of them, end it. */
  pipeAttached(link: Link): boolean
  /** The peer of a pipe is there, and has said who it is. */
  pipeReady(link: Link, identity: Uint8Array): void
  /**
   * A peer whose handshake was done left, or its connection broke; told before what becomes of the pipe. Not when this side
   * ends it.
   */
  pipeLost(link: Link, role: LostRole): void
  /** The connection of a pipe broke, and will come again. */
  pipeInterrupted(link: Link): void
  /** The peer of a pipe is gone for good. What it sent may be read, nothing can be sent. */
  pipeEnded(link: Link): void
}

/** What the socket decides. */
export interface ConnectionSettings {
  readonly marks: SocketMarks
  /** Whether the user lets this peer in. */
  letsIn(link: Link): boolean
  /** The options as they are now, for an endpoint to keep. */
  endpointOptions(): EndpointOptions
  /** Somebody wants events. */
  readonly observed: boolean
  emit<T extends EventType>(type: T, details: EventDetails<T>): void
}

const decoder = new TextDecoder()

/** Connecting twice to one endpoint makes one connection for these (libzmq). */
const CONNECT_ONCE: readonly SocketTypeName[] = ["DEALER", "SUB", "PUB", "REQ"]

export class Connections implements ConnectionHost {
  /** The endpoint that was last bound or connected, resolved. */
  lastEndpoint: string | null = null
  /** What peers that have left had carried, and what reached none. */
  readonly counters = new Counters()
  readonly admission = new Admission()
  /** How many were refused, by what they went beyond; null: nobody. */
  refusals: Map<LimitName, number> | null = null
  private users: EndpointUser[] = []
  private closed = false
  private readonly endings: Endings
  /** The process waited once for what is queued, as long as it may. */
  private lingered = false
  private readyLine: WaitLine<ReadyWaiter> | null = null
  private flushLine: WaitLine<FlushWaiter> | null = null

  constructor(
    readonly context: ContextBase,
    private readonly type: SocketTypeName,
    private readonly pattern: Pattern,
    private readonly settings: ConnectionSettings,
  ) {
    this.endings = new Endings(context)
  }

  get marks() {
    return this.settings.marks
  }

  /** Endpoints that are bound or connected. */
  get size(): number {
    return this.users.length
  }

  async bind(endpoint: string): Promise<void> {
    const { scheme, address } = this.parse(endpoint, "bound")
    const options = this.settings.endpointOptions()
    if (scheme === INPROC) {
      await this.bindInproc(address, options)
      return
    }
    const user = this.binding(scheme, address, endpoint, options)
    this.context.hold()
    try {
      await user.start()
    } finally {
      this.context.release()
    }
    this.add(user)
    if (this.closed) this.close(0, () => {})
  }

  bindSync(endpoint: string): void {
    const { scheme, address } = this.parse(endpoint, "bound")
    const options = this.settings.endpointOptions()
    if (scheme === INPROC) {
      this.nameInproc(address, options).bindOutsideNow()
      return
    }
    const user = this.binding(scheme, address, endpoint, options)
    user.startSync()
    this.add(user)
  }

  /** The rejecting form of {@link leave}. */
  async unbind(endpoint: string, linger: number): Promise<void> {
    this.leave(endpoint, linger)
  }

  connect(endpoint: string, routingId: Uint8Array | null): void {
    const { scheme, address } = this.parse(endpoint, "connected")
    const options = this.settings.endpointOptions()
    if (scheme === INPROC) {
      const user = new InprocEndpoint(this, address, options, routingId)
      this.add(user)
      user.connect()
      return
    }
    const datagrams = this.context.datagramTransport(scheme)
    if (datagrams !== undefined) {
      datagrams.check(address, options)
      const user = new UdpEndpoint(this, datagrams, address, endpoint, options, "connected")
      this.add(user)
      user.connect()
      return
    }
    const transport = this.context.transport(scheme, endpoint)
    transport.check(address, options)
    if (
      CONNECT_ONCE.includes(this.type) &&
      this.users.some(user => user instanceof Dialer && !user.over && user.endpoint === endpoint)
    ) {
      return
    }
    // One that is over only stays to be disconnected: there need not be more of them than endpoints.
    this.users = this.users.filter(user => !(user instanceof Dialer && user.over && user.endpoint === endpoint))
    const dialer = new Dialer(this, transport, address, endpoint, options, routingId)
    this.add(dialer)
    dialer.start()
  }

  /**
   * Ends all that was bound or connected to this endpoint, whichever it was, as in libzmq; of an inproc name, first that it
   * is bound. ENOENT when nothing was.
   */
  leave(endpoint: string, linger: number): void {
    this.parse(endpoint, null)
    const found = this.users.filter(user => user.goesBy(endpoint))
    if (found.length === 0) throw new ZmqError("ENOENT", { address: endpoint })
    for (const user of found) {
      if (user instanceof InprocEndpoint && user.role === "bound") {
        user.unbind()
        return
      }
    }
    for (const user of found) {
      this.remove(user)
      this.forget(user, user.role === "connected")
      if (user instanceof Dialer) user.disconnected()
      this.endings.end([user], linger, () => {})
    }
  }

  /** Takes a peer from the pattern at once, and ends its connection for good when what it was sent is written. */
  finish(link: Link): void {
    this.detach(link, true)
    link.finish()
  }

  /** Ends everything. `done` is called when nothing is left, or `linger` milliseconds are over. */
  close(linger: number, done: () => void): void {
    this.closed = true
    const users = this.users
    this.users = []
    for (const user of users) this.forget(user, true)
    for (const waiter of this.readyLine ?? []) waiter.reject(closedError())
    this.endings.end([...users, ...this.endings.users], linger, done)
  }

  /** The process has nothing left to do: keeps it alive while something is queued, as `linger` says. */
  linger(linger: number): void {
    if (linger === 0 || this.lingered || (this.flushLine?.length ?? 0) > 0) return
    const pending = this.users.some(user => user.pending)
    if (!pending && !this.users.some(user => user instanceof InprocEndpoint && user.searching)) return
    // Who is only looked for among the threads answers soon, or is not there.
    const timeout = pending ? linger : GRACE
    this.lingered = timeout > 0
    this.flushed({ timeout }).catch(error => this.context.runtime.debug("linger is over: %s", error.message))
  }

  flushNow(): void {
    for (const user of this.allUsers()) user.flushNow()
  }

  marksChanged(): void {
    for (const user of this.users) user.marksChanged()
  }

  /** Ends the connection of a pipe for a fault of its peer. */
  cut(pipe: Pipe, error: Error): void {
    const link = pipe.peer as Link
    link.end(error)
  }

  /** The peer at the other end of a pipe, even if it has left. */
  peerOf(pipe: Pipe): Peer {
    return new Peer(pipe.peer as Link, this.context.bytes)
  }

  /** The peers of all endpoints, those that are ending as well. */
  *links(): Iterable<Link> {
    for (const user of this.allUsers()) for (const link of user.links) if (link.live) yield link
  }

  /** Peers whose handshake is done. */
  get readyCount(): number {
    let count = 0
    for (const link of this.links()) if (link.since !== null) count++
    return count
  }

  /** Resolves when so many peers are there. */
  ready(peers: number, options: WaitOptions): Promise<void> {
    if (this.readyCount >= peers) return Promise.resolve()
    const line = this.readyLine ?? new WaitLine()
    this.readyLine = line
    const waiter = new ReadyWaiter(
      this.context,
      line,
      options,
      () => new ZmqError("EAGAIN", { detail: `${this.readyCount} of ${peers} peers are ready` }),
    )
    waiter.peers = peers
    return waiter.promise
  }

  /** Resolves when all that was sent so far has left the process, or is lost with its peer. */
  flushed(options: WaitOptions): Promise<void> {
    const targets = new Map<Pipe, number>()
    for (const { pipe } of this.links()) if (pipe.written < pipe.accepted) targets.set(pipe, pipe.accepted)
    if (targets.size === 0) return Promise.resolve()
    const line = this.flushLine ?? new WaitLine()
    this.flushLine = line
    const waiter = new FlushWaiter(
      this.context,
      line,
      options,
      () => new ZmqError("EAGAIN", { detail: "not all is written" }),
    )
    waiter.targets = targets
    return waiter.promise
  }

  // From the pipes

  onReadable(pipe: Pipe): void {
    if ((pipe.peer as Link | null)?.attached) this.pattern.onReadable(pipe)
  }

  onWritable(pipe: Pipe): void {
    if ((pipe.peer as Link | null)?.attached) this.pattern.onWritable(pipe)
  }

  onWritten(pipe: Pipe): void {
    if (this.flushLine === null || this.flushLine.length === 0) return
    for (const waiter of this.flushLine) waiter.progress(pipe)
  }

  // From the connections

  createLink(endpoint: string, owner: LinkOwner): Link {
    return this.adoptLink(Pipe.create(this, this.marks.wireIn, this.marks.out, this.context.bytes), endpoint, owner)
  }

  adoptLink(pipe: Pipe, endpoint: string, owner: LinkOwner): Link {
    const link = new Link(pipe, owner)
    pipe.peer = link
    link.endpoint = endpoint
    return link
  }

  attach(link: Link): boolean {
    link.attached = link.live = true
    if (!this.pattern.pipeAttached(link)) link.attached = link.live = false
    return link.live
  }

  letsIn(link: Link): boolean {
    return this.settings.letsIn(link)
  }

  describe(link: Link, peer: PeerInfo, connection: Connection): void {
    link.connection = connection
    link.type = peer.type
    link.mechanism = peer.mechanism
    link.identity = peer.identity
    link.metadata = otherProperties(peer.properties, peer.vouched)
    link.userId = peer.userId.length === 0 ? null : decoder.decode(peer.userId)
  }

  peerReady(link: Link, peer: PeerInfo): void {
    link.since = this.context.runtime.date()
    link.routingId ??= peer.identity
    if (link.attached) this.pattern.pipeReady(link, peer.identity)
    if (this.readyLine === null || this.readyLine.length === 0) return
    const count = this.readyCount
    for (const waiter of this.readyLine) if (count >= waiter.peers) waiter.resolve()
  }

  lost(link: Link, role: LostRole): void {
    if (link.attached) this.pattern.pipeLost(link, role)
  }

  interrupted(link: Link): void {
    if (link.attached) this.pattern.pipeInterrupted(link)
  }

  ended(link: Link): void {
    const { pipe } = link
    if (!link.live) return
    link.live = false
    pipe.ended = true
    pipe.counters.addTo(this.counters)
    for (const waiter of this.flushLine ?? []) waiter.forget(pipe)
    if (!link.attached) return
    link.attached = false
    this.pattern.pipeEnded(link)
  }

  refused(limit: LimitName): void {
    this.refusals ??= new Map()
    this.refusals.set(limit, (this.refusals.get(limit) ?? 0) + 1)
  }

  get observed(): boolean {
    return this.settings.observed
  }

  emit<T extends EventType>(type: T, details: EventDetails<T>): void {
    this.settings.emit(type, details)
  }

  /** Takes the pipes of an endpoint from the pattern at once; what they hold inbound may be dropped. */
  private forget(user: EndpointUser, dropInbound: boolean): void {
    for (const link of user.links) this.detach(link, dropInbound)
  }

  private detach(link: Link, dropInbound: boolean): void {
    if (dropInbound) link.pipe.dropInbound("closed")
    link.pipe.ended = true
    if (!link.attached) return
    link.attached = false
    this.pattern.pipeEnded(link)
  }

  private binding(scheme: string, address: string, endpoint: string, options: EndpointOptions): BindingUser {
    const datagrams = this.context.datagramTransport(scheme)
    return datagrams === undefined
      ? new Acceptor(this, this.context.transport(scheme, endpoint), address, endpoint, options)
      : new UdpEndpoint(this, datagrams, address, endpoint, options, "bound")
  }

  /**
   * Splits an endpoint. EPROTONOSUPPORT for a scheme that is not there, ENOCOMPATPROTO for one that this type of socket
   * does not have, or not in this role: datagrams are for some types only, and for a DGRAM there is nothing else.
   */
  private parse(endpoint: string, role: Role | null): Endpoint {
    const parsed = parseEndpoint(endpoint)
    const { scheme } = parsed
    const own = datagramRole(this.type)
    const isDatagrams = this.context.datagramTransport(scheme) !== undefined
    if (!isDatagrams && scheme !== INPROC) this.context.transport(scheme, endpoint)
    if (scheme === INPROC && isRaw(this.type)) {
      throw new ZmqError("ENOCOMPATPROTO", { address: endpoint, detail: "inproc has no bytes, only messages" })
    }
    if (isDatagrams ? own === null || (role !== null && role !== own) : this.type === "DGRAM") {
      throw new ZmqError("ENOCOMPATPROTO", { address: endpoint })
    }
    return parsed
  }

  /** Takes a name in this thread at once, and then among all of them. */
  private async bindInproc(name: string, options: EndpointOptions): Promise<void> {
    const user = this.nameInproc(name, options)
    this.context.hold()
    try {
      await user.bindOutside()
    } catch (error) {
      user.close(() => this.remove(user))
      throw error
    } finally {
      this.context.release()
    }
  }

  private nameInproc(name: string, options: EndpointOptions): InprocEndpoint {
    const user = new InprocEndpoint(this, name, options, null)
    user.bind()
    this.add(user)
    return user
  }

  private allUsers(): EndpointUser[] {
    const { users } = this.endings
    return users.length === 0 ? this.users : [...this.users, ...users]
  }

  private add(user: EndpointUser): void {
    // Not pushed: that would make room for 17, and most sockets have one.
    this.users = this.users.concat(user)
    this.lastEndpoint = user.endpoint
  }

  private remove(user: EndpointUser): void {
    this.users = this.users.filter(other => other !== user)
  }
}

function closedError(): ZmqError {
  return new ZmqError("EAGAIN", { detail: "the socket was closed" })
}
