/**
 * The endpoints of one socket and the peers that came by them. It stands between the connections below, which come and
 * go, and the pattern above, which sees pipes; and it ends them, at once or after what is queued was sent.
 */
import { ZmqError } from "../errors.js"
import { Counters, Pipe, type PipeOwner } from "../pipe/pipe.js"
import type { Marks } from "../pipe/queue.js"
import { type Endpoint, parseEndpoint } from "../transport/endpoint.js"
import type { PeerInfo } from "../wire/engine.js"
import { isRaw, type SocketTypeName } from "../wire/socket-types.js"
import { Acceptor } from "./acceptor.js"
import type { ConnectionHost, EndpointOptions, EndpointUser, EventDetails, Role } from "./connection-host.js"
import type { ContextBase } from "./context.js"
import { Dialer } from "./dialer.js"
import { INPROC, InprocEndpoint } from "./inproc-endpoint.js"
import { type Connection, Link, type LinkOwner, otherProperties, Peer } from "./link.js"
import { FlushWaiter, ReadyWaiter } from "./link-waiters.js"
import type { EventType } from "./observer.js"
import { GRACE } from "./thread-endpoint.js"
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
  readonly marks: { readonly out: Marks; readonly in: Marks }
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
  private users: EndpointUser[] = []
  private closed = false
  /** Endpoints that are ending, and send what is queued. */
  private leaving: Map<EndpointUser, (() => void)[]> | null = null
  /** The process waited once for what is queued, as long as it may. */
  private lingered = false
  private readyLine: WaitLine<ReadyWaiter> | null = null
  private flushLine: WaitLine<FlushWaiter> | null = null

  constructor(
    readonly context: ContextBase,
    private readonly type: SocketTypeName,
    private readonly pattern: Pattern,
    private readonly settings: ConnectionSettings,
  ) {}

  get marks() {
    return this.settings.marks
  }

  /** Endpoints that are bound or connected. */
  get size(): number {
    return this.users.length
  }

  async bind(endpoint: string): Promise<void> {
    const { scheme, address } = this.parse(endpoint)
    const options = this.settings.endpointOptions()
    if (scheme === INPROC) {
      await this.bindInproc(address, options)
      return
    }
    const acceptor = new Acceptor(this, options)
    this.context.hold()
    try {
      await acceptor.start(this.context.transport(scheme, endpoint).listen(address, options, acceptor), endpoint)
    } finally {
      this.context.release()
    }
    this.add(acceptor)
    if (this.closed) this.close(0, () => {})
  }

  bindSync(endpoint: string): void {
    const { scheme, address } = this.parse(endpoint)
    const options = this.settings.endpointOptions()
    if (scheme === INPROC) {
      this.nameInproc(address, options).bindOutsideNow()
      return
    }
    const acceptor = new Acceptor(this, options)
    const transport = this.context.transport(scheme, endpoint)
    acceptor.startSync(() => {
      if (transport.listenSync !== undefined) return transport.listenSync(address, options, acceptor)
      throw new ZmqError("ENOTSUP", { detail: `${scheme} cannot bind at once`, address: endpoint })
    }, endpoint)
    this.add(acceptor)
  }

  /** The rejecting form of {@link leave}. */
  async unbind(endpoint: string, linger: number): Promise<void> {
    this.leave(endpoint, "bound", linger)
  }

  connect(endpoint: string, routingId: Uint8Array | null): void {
    const { scheme, address } = this.parse(endpoint)
    const options = this.settings.endpointOptions()
    if (scheme === INPROC) {
      const user = new InprocEndpoint(this, address, options, routingId)
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

  /** Ends all that was bound to, or connected to, this endpoint; ENOENT when nothing was. */
  leave(endpoint: string, role: Role, linger: number): void {
    const { scheme } = parseEndpoint(endpoint)
    if (scheme !== INPROC) this.context.transport(scheme, endpoint)
    const found = this.users.filter(user => user.endpoint === endpoint && user.role === role)
    if (found.length === 0) throw new ZmqError("ENOENT", { address: endpoint })
    for (const user of found) {
      if (role === "bound" && user instanceof InprocEndpoint) {
        user.unbind()
        continue
      }
      this.remove(user)
      this.forget(user, role === "connected")
      if (user instanceof Dialer) user.disconnected()
      this.end([user], linger, () => {})
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
    this.end([...users, ...(this.leaving?.keys() ?? [])], linger, done)
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
    return this.adoptLink(Pipe.create(this, this.marks.in, this.marks.out, this.context.bytes), endpoint, owner)
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

  peerReady(link: Link, peer: PeerInfo, connection: Connection): void {
    link.connection = connection
    link.type = peer.type
    link.mechanism = peer.mechanism
    link.routingId ??= peer.identity
    link.metadata = otherProperties(peer.properties, peer.vouched)
    link.userId = peer.userId.length === 0 ? null : decoder.decode(peer.userId)
    link.since = this.context.runtime.date()
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

  private parse(endpoint: string): Endpoint {
    const parsed = parseEndpoint(endpoint)
    if (parsed.scheme === INPROC && isRaw(this.type)) {
      throw new ZmqError("ENOCOMPATPROTO", { address: endpoint, detail: "inproc has no bytes, only messages" })
    }
    return parsed
  }

  private end(users: EndpointUser[], linger: number, done: () => void): void {
    let left = users.length
    if (left === 0) {
      done()
      return
    }
    this.context.hold()
    const timer = linger > 0 ? this.context.runtime.after(linger, () => users.forEach(user => void user.abort())) : null
    const one = () => {
      if (--left > 0) return
      timer?.cancel()
      this.context.release()
      done()
    }
    for (const user of users) {
      this.endOne(user, one)
      if (linger === 0) user.abort()
    }
  }

  /** Ends an endpoint in order, or waits for one that is ending already. */
  private endOne(user: EndpointUser, done: () => void): void {
    this.leaving ??= new Map()
    const { leaving } = this
    const waiting = leaving.get(user)
    if (waiting !== undefined) {
      waiting.push(done)
      return
    }
    const callbacks = [done]
    leaving.set(user, callbacks)
    user.close(() => {
      leaving.delete(user)
      for (const callback of callbacks) callback()
    })
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
    return this.leaving === null ? this.users : [...this.users, ...this.leaving.keys()]
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
