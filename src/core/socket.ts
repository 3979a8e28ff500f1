/**
 * What all sockets have: a type, a context, options, endpoints, events, an end. A socket type adds the pattern: what to
 * do with a message to send, where the next one comes from, and what a new or lost pipe means.
 */
import { ZmqError } from "../errors.js"
import type { Message } from "../message.js"
import { OPTIONS, type OptionName, type OptionRow, optionValues } from "../options.js"
import { Counters, type Pipe } from "../pipe/pipe.js"
import { nullMechanism } from "../wire/null.js"
import { numberOf, type SocketTypeName } from "../wire/socket-types.js"
import { AddressFilter } from "./address-filter.js"
import type { Authenticator } from "./authenticator.js"
import type { EndpointOptions, EventDetails } from "./connection-host.js"
import { type ConnectionSettings, Connections, type LostRole, type Pattern } from "./connections.js"
import type { ContextBase, ContextMember } from "./context.js"
import { Credentials } from "./credentials.js"
import { hideInsides } from "./hide-insides.js"
import { countsOf, type Link, Peer, type SocketStats, statsOf } from "./link.js"
import { Marks } from "./marks.js"
import { type Event, type EventType, type Observed, Observer } from "./observer.js"
import { OptionStore, type OptionTarget } from "./option-access.js"
import { Form, ReceiveQueue, type Receiver } from "./receive-queue.js"
import { Security } from "./security.js"
import { type Sender, SendQueue } from "./send-queue.js"
import { checkWait, type WaitOptions } from "./waiter.js"
import { Zap } from "./zap.js"

/** The context's limit when it sets none. */
const NO_LIMIT = 2147483647

/** Options that a socket type leaves out of the way of `linger`: what it sends is only subscriptions. */
const NEVER_LINGER: readonly SocketTypeName[] = ["SUB", "XSUB", "DISH"]

/** Options that choose a mechanism. */
const SECURITY: ReadonlySet<OptionName> = new Set([
  "plainServer",
  "plainUsername",
  "plainPassword",
  "curveServer",
  "curvePublicKey",
  "curveSecretKey",
  "curveServerKey",
])

/** Everybody may come in, and nothing is secret. */
const OPEN = { mechanism: nullMechanism, authenticator: null }

export interface CloseOptions {
  /** Milliseconds for sending what is queued, instead of the option `linger`. */
  linger?: number
}

/** Who uses a socket as a whole, as a proxy does. */
export interface SocketUser {
  socketClosed(): void
}

export abstract class SocketBase
  implements Pattern, Sender, Receiver, ConnectionSettings, OptionTarget, ContextMember, Observed
{
  /** Where the last message came from. */
  from: Pipe | null = null
  congested = false
  /** @internal Whoever has this socket for himself. */
  user: SocketUser | null = null
  protected readonly store = new OptionStore()
  private credentials: Credentials | null = null
  private security: Security | null = null
  protected readonly sends: SendQueue
  protected readonly receives: ReceiveQueue
  protected readonly connections: Connections
  private readonly home: ContextBase
  readonly marks: Marks
  private observer: Observer | null = null
  private closing: Promise<void> | null = null

  protected constructor(
    private readonly typeName: SocketTypeName,
    context: ContextBase,
  ) {
    this.home = context
    const { values } = this.store
    if (!context.settings.blocky || NEVER_LINGER.includes(typeName)) values.linger = 0
    if (context.settings.ipv6) values.ipv6 = true
    this.sends = new SendQueue(context, this, values)
    this.receives = new ReceiveQueue(context, this, values)
    this.marks = new Marks(values)
    this.connections = new Connections(context, typeName, this, this)
    context.join(this)
  }

  // The pattern: what socket types say

  /** A new pipe. False: this pattern takes no more of them. */
  abstract pipeAttached(link: Link): boolean
  abstract pipeEnded(link: Link): void
  /** By default a pipe is used the same whoever is at its other end. */
  pipeReady(_link: Link, _identity: Uint8Array): void {}
  /** By default what is queued waits for the next connection. */
  pipeInterrupted(_link: Link): void {}
  pipeLost(_link: Link, _role: LostRole): void {}
  abstract sendNow(message: Message): boolean
  abstract receiveNow(): Message | undefined
  /** Whether a message could be sent, or received, now; see {@link writable} and {@link readable}. */
  protected abstract get canSend(): boolean
  protected abstract get canReceive(): boolean

  receiveMany(into: Message[], max: number): void {
    while (into.length < max) {
      const message = this.receiveNow()
      if (message === undefined) return
      into.push(message)
    }
  }

  sendError(): ZmqError {
    return new ZmqError("EAGAIN")
  }

  receiveError(): ZmqError {
    return new ZmqError("EAGAIN")
  }

  /** Something came by a pipe. By default this socket does not receive: it is dropped, and counted. */
  onReadable(pipe: Pipe): void {
    while (pipe.read() !== undefined) pipe.counters.drop("filtered")
  }

  onWritable(_pipe: Pipe): void {
    this.sends.serve()
  }

  onWritten(_pipe: Pipe): void {}

  // Public

  /** The number of the socket's type, as in zmq.h. */
  get type(): number {
    return numberOf(this.typeName)
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.closing !== null
  }

  /** The endpoint that was last bound or connected, with wildcards resolved; null before. */
  get lastEndpoint(): string | null {
    return this.connections.lastEndpoint
  }

  /** The security mechanism of its connections, as the security option that was set last says; null stands for NULL. */
  get securityMechanism(): null | "plain" | "curve" {
    const mechanism = this.security?.mechanism
    return mechanism === "PLAIN" ? "plain" : mechanism === "CURVE" ? "curve" : null
  }

  /** Of no meaning in JavaScript: false. */
  get threadSafe(): boolean {
    return false
  }

  /** Whether the next receive has a message at once. */
  get readable(): boolean {
    return !this.closed && this.canReceive
  }

  /** Whether the next send is done at once. */
  get writable(): boolean {
    return !this.closed && this.canSend
  }

  /** The events of this socket, from the first call on: connections that come, go and fail, and why. */
  get events(): Observer {
    this.observer ??= new Observer(this)
    return this.observer
  }

  /**
   * Listens at an endpoint: `tcp://127.0.0.1:5555`, `tcp://*:*` (all interfaces, a free port), `ipc:///tmp/socket`,
   * `ipc://@name`, `ipc://*`, `inproc://name`, `tls+tcp://127.0.0.1:5555` (with `tlsCertPem` and `tlsKeyPem`), and of Dish and
   * Datagram `udp://127.0.0.1:5555`. Resolves when peers can connect; {@link lastEndpoint} tells to what. EINVAL for a malformed
   * one, EPROTONOSUPPORT, ENOCOMPATPROTO, EADDRINUSE, EADDRNOTAVAIL, ENODEV, ENAMETOOLONG.
   */
  bind(endpoint: string): Promise<void> {
    checkEndpoint(endpoint)
    this.checkOpen()
    return this.connections.bind(endpoint)
  }

  /**
   * Listens at once: when it returns, peers can connect. The errors of {@link bind} are thrown; ENOTSUP for a host name
   * that DNS would have to look up, and where the runtime has no means to.
   */
  bindSync(endpoint: string): void {
    checkEndpoint(endpoint)
    this.checkOpen()
    this.connections.bindSync(endpoint)
  }

  /** {@link unbind}, of which the errors are thrown. */
  unbindSync(endpoint: string): void {
    checkEndpoint(endpoint)
    this.checkOpen()
    this.connections.leave(endpoint, this.store.values.linger)
  }

  /**
   * Stops listening at an endpoint, as it was given or as {@link lastEndpoint} had it, and ends its connections. ENOENT when
   * there is none, and for a wildcard. What is connected to the endpoint ends, too, as in libzmq.
   */
  unbind(endpoint: string): Promise<void> {
    checkEndpoint(endpoint)
    this.checkOpen()
    return this.connections.unbind(endpoint, this.store.values.linger)
  }

  /** Connects to an endpoint, now and again whenever the connection is lost. Returns at once; EINVAL for a malformed endpoint. */
  connect(endpoint: string): void {
    this.connectTo(endpoint, null)
  }

  /**
   * Ends what {@link connect} began; what is queued is sent as `linger` says. ENOENT when there is none. What is bound to the
   * endpoint ends, too, as in libzmq.
   */
  disconnect(endpoint: string): void {
    checkEndpoint(endpoint)
    this.checkOpen()
    this.connections.leave(endpoint, this.store.values.linger)
  }

  /**
   * Closes the socket at once: what waits fails with EAGAIN, iterations end, further calls throw EBADF. What is queued is
   * sent in the background, as `linger` says. Resolves when all that is done, which with an endless linger and a peer
   * that never comes back may be never; it does not reject.
   */
  close({ linger = this.store.values.linger }: CloseOptions = {}): Promise<void> {
    if (this.closing !== null) return this.closing
    let done = () => {}
    this.closing = new Promise(resolve => {
      done = resolve
    })
    this.sends.close()
    this.receives.close()
    this.connections.close(linger, () => {
      this.home.leave(this)
      done()
    })
    this.observer?.record({ type: "end" })
    this.user?.socketClosed()
    return this.closing
  }

  /** Closes, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What this socket has sent, received and dropped so far, and what waits now. */
  stats(): SocketStats {
    const sum = new Counters()
    sum.add(this.connections.counters)
    let queuedIn = 0
    let queuedOut = 0
    for (const { pipe } of this.connections.links()) {
      sum.add(pipe.counters)
      queuedIn += pipe.inbound.length
      queuedOut += pipe.outbound.length
    }
    return {
      ...statsOf(sum, queuedIn, queuedOut),
      peers: this.connections.readyCount,
      refused: countsOf(this.connections.refusals),
    }
  }

  /** The peers whose handshake is done. */
  peers(): Peer[] {
    return [...this.connections.links()]
      .filter(link => link.since !== null)
      .map(link => new Peer(link, this.home.bytes))
  }

  /** Resolves when so many peers (1) have finished their handshake. EAGAIN after `timeout` milliseconds. */
  ready({ peers = 1, ...wait }: { peers?: number } & WaitOptions = {}): Promise<void> {
    this.checkOpen()
    checkWait(wait)
    return this.connections.ready(peers, wait)
  }

  // For the property options, the context, the socket types and proxies

  /** @internal Whether it is bound or connected to something. */
  get attached(): boolean {
    return this.connections.size > 0
  }

  /** @internal Resolves when {@link readable}, or closed. Nothing is taken. */
  async whenReadable(): Promise<void> {
    if (!this.closed) await this.receives.receive(Form.Ready, { timeout: -1 }, 0)
  }

  /** @internal Resolves when {@link writable}, or closed. */
  async whenWritable(signal?: AbortSignal): Promise<void> {
    if (!this.closed && !this.writable) await this.sends.room({ signal })
  }

  get observed(): boolean {
    return this.observer !== null
  }

  observedBy(observer: Observer): ContextBase {
    if (this.closed) throw new ZmqError("ENOTSOCK")
    this.observer?.record({ type: "end" })
    this.observer = observer
    return this.home
  }

  getOption(name: OptionName): unknown {
    if (this.closed) throw new ZmqError("ENOTSOCK")
    return this.store.values[name]
  }

  setOption(name: OptionName, value: unknown): void {
    if (this.closed) throw new ZmqError("ENOTSOCK")
    this.store.set(name, value)
    if (SECURITY.has(name)) {
      this.security ??= new Security()
      this.security.onSet(name, this.store.values[name])
      Object.assign(this.store.values, this.security.roles)
    }
    const row: OptionRow = OPTIONS[name]
    if (!row.live && this.connections.size > 0) {
      this.home.runtime.warn("Socket option will not take effect until next connect/bind.")
    }
    this.connections.marksChanged()
  }

  lingerAtExit(): void {
    this.connections.linger(this.store.values.linger)
  }

  flushNow(): void {
    this.connections.flushNow()
  }

  /** Resolves when every send that waits now was taken, or has failed; null: none waits. */
  protected settleSends(options: WaitOptions): Promise<unknown> | null {
    return this.sends.length === 0 ? null : this.sends.settle(options)
  }

  protected connectTo(endpoint: string, routingId: Uint8Array | null): void {
    checkEndpoint(endpoint)
    this.checkOpen()
    this.connections.connect(endpoint, routingId)
  }

  protected checkOpen(): void {
    if (this.closing !== null) throw new ZmqError("EBADF")
  }

  /** What messages that belong to no peer are counted in. */
  protected get counters(): Counters {
    return this.connections.counters
  }

  protected get core(): ContextBase {
    return this.home
  }

  letsIn(_link: Link): boolean {
    return true
  }

  /** Who decides about the peers of endpoints that are bound or connected now; null: whoever speaks ZAP. */
  protected authenticatorFor(_domain: string): Authenticator | null {
    return null
  }

  /** The mechanism, and whom it asks. */
  private securityNow(): Pick<EndpointOptions, "mechanism" | "authenticator"> {
    const { values } = this.store
    const domain = values.zapDomain ?? ""
    const own = this.authenticatorFor(domain)
    const asks = own !== null || domain !== ""
    if (this.security === null && !asks) return OPEN
    const settings = {
      domain,
      enforce: values.zapEnforceDomain,
      routingId: this.store.bytesOf("routingId"),
    }
    this.security ??= new Security()
    return {
      mechanism: this.security.factory(this.store, this.home.boxes, asks),
      authenticator: own ?? new Zap(this.home, settings),
    }
  }

  emit<T extends EventType>(type: T, details: EventDetails<T>): void {
    this.observer?.record({ type, ...details } as unknown as Event)
  }

  endpointOptions(): EndpointOptions {
    const { values } = this.store
    const most = this.home.settings.maxMessageSize
    // One for all endpoints: what is made of it is kept by it.
    this.credentials ??= new Credentials(values)
    const limit = values.maxMessageSize < 0 && most < NO_LIMIT ? most : values.maxMessageSize
    return Object.assign(optionValues(values), {
      maxMessageSize: limit,
      type: this.typeName,
      routingId: this.store.bytesOf("routingId"),
      ...this.securityNow(),
      helloMessage: this.store.bytesOf("helloMessage"),
      metadata: values.metadata,
      credentials: this.credentials,
      acceptFilter: values.tcpAcceptFilter === null ? null : new AddressFilter(values.tcpAcceptFilter.split(",")),
    })
  }
}

hideInsides(SocketBase)

function checkEndpoint(endpoint: unknown): void {
  if (typeof endpoint !== "string") throw new TypeError("Address must be a string")
}
