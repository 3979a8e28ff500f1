/**
 * One connected endpoint: keeps a connection, and waits longer and longer between attempts where asked to. Its pipe is
 * there from the start, so that messages queue before the peer does (unless `immediate`), and outlives connections.
 * A protocol error of the peer is final, as in libzmq: trying again would fail again.
 */
import { AuthError, ProtocolError, ZmqError } from "../errors.js"
import type { Pipe } from "../pipe/pipe.js"
import type { Transport } from "../transport/transport.js"
import type { PeerInfo } from "../wire/engine.js"
import { type ConnectionHost, type EndpointOptions, type EndpointUser, owes, ReconnectStop } from "./connection-host.js"
import type { Link, LinkOwner } from "./link.js"
import { reportEnd, reportHandshake } from "./report.js"
import type { Runtime, Timer } from "./runtime.js"
import { Session, type SessionOwner } from "./session.js"

export class Dialer implements EndpointUser, SessionOwner, LinkOwner {
  readonly role = "connected"
  private link: Link | null = null
  private session: Session | null = null
  private attempts = 0
  private retry: Timer | null = null
  private timeout: Timer | null = null
  private done: (() => void) | null = null
  /** The user disconnected. */
  private left = false
  /** It has ended, by the peer's fault or as it was told. */
  over = false

  constructor(
    private readonly host: ConnectionHost,
    private readonly transport: Transport,
    private readonly address: string,
    readonly endpoint: string,
    private readonly options: EndpointOptions,
    /** The routing id by which a ROUTER wants to know the peer. */
    private readonly routingId: Uint8Array | null,
  ) {}

  get links(): Iterable<Link> {
    return this.link === null ? [] : [this.link]
  }

  get pending(): boolean {
    return this.link !== null && owes(this.link.pipe)
  }

  goesBy(endpoint: string): boolean {
    return endpoint === this.endpoint
  }

  start(): void {
    if (!this.options.immediate && this.join() === null) {
      this.conclude()
      return
    }
    this.dial()
  }

  close(done: () => void): void {
    this.done = done
    if (this.over) {
      done()
      return
    }
    if (this.session?.pipe) this.session.finish()
    else if (!this.pending) this.abort()
  }

  abort(): void {
    this.retry?.cancel()
    const session = this.session
    this.session = null
    session?.abort()
    this.link?.pipe.dropOutbound("closed")
    this.conclude()
  }

  /** The user is done with this endpoint: told so before {@link close}. */
  disconnected(): void {
    this.left = true
    // Nothing is there to send what is queued on, and nothing is to be made.
    if (this.stopsAfterDisconnect && !this.session?.pipe) this.link?.pipe.dropOutbound("closed")
  }

  cut(_pipe: Pipe, error: Error | null): void {
    this.session?.abort(error)
  }

  finish(): void {
    this.close(() => {})
  }

  onFinished(): void {
    this.conclude()
  }

  flushNow(): void {
    this.session?.pull()
    this.session?.flush()
  }

  marksChanged(): void {
    if (this.link === null) return
    this.link.pipe.outbound.setMarks(this.host.marks.out)
    this.link.pipe.inbound.setMarks(this.host.marks.wireIn)
  }

  onConnected(): void {
    this.timeout?.cancel()
    this.attempts = 0
    this.host.context.runtime.debug("%s connected", this.endpoint)
    this.host.emit("connect", { address: this.endpoint })
  }

  onReady(session: Session, peer: PeerInfo): Pipe | null {
    const link = this.link ?? this.join()
    if (link === null) return null
    // libzmq: a peer of ZMTP 1.0 or 2.0 has no handshake that could succeed.
    if (peer.major >= 3) this.host.emit("handshake", { address: this.endpoint })
    this.host.describe(link, peer, session.stream)
    this.host.peerReady(link, peer)
    if (this.done !== null) this.host.context.runtime.soon(() => session.finish())
    return link.pipe
  }

  onDeferred(_session: Session, error: AuthError): void {
    this.host.emit("handshake:error:auth", { address: this.endpoint, error })
  }

  onEnded(session: Session, error: Error | null, handshaking: boolean): void {
    if (session !== this.session) return
    this.session = null
    this.timeout?.cancel()
    this.report(session, error, handshaking)
    const { link } = this
    if (link !== null) {
      if (link.since !== null) this.host.lost(link, "connected")
      link.since = null
      link.connection = null
    }
    if (
      error instanceof ProtocolError ||
      error instanceof AuthError ||
      this.options.reconnectInterval <= 0 ||
      this.stops(session, error, handshaking)
    ) {
      this.conclude()
      return
    }
    if (link !== null && this.options.immediate) this.leave(link)
    if (this.done !== null && !this.pending) {
      this.conclude()
      return
    }
    if (this.link !== null) this.host.interrupted(this.link)
    this.dialLater()
  }

  private dial(): void {
    this.retry = null
    const { context } = this.host
    context.runtime.debug("%s connects", this.endpoint)
    this.host.emit("connect:delay", { address: this.endpoint })
    const stream = this.transport.connect(this.address, this.options)
    const mark = Session.unwrittenMark(this.options.conflate)
    const session = new Session(context, this.options, mark, stream, this)
    this.session = session
    const { connectTimeout, socksProxy, handshakeInterval } = this.options
    // A proxy, or a TLS server, that accepts and stalls would be waited for for ever: no operating system's limit ends that.
    const stalls = socksProxy !== null || this.transport.handshakes === true
    const most = connectTimeout === 0 && stalls ? handshakeInterval : connectTimeout
    if (most > 0) {
      this.timeout = context.runtime.after(most, () => {
        session.abort(new ZmqError("ETIMEDOUT", { address: this.endpoint, detail: `not connected after ${most} ms` }))
      })
    }
  }

  private get stopsAfterDisconnect(): boolean {
    return this.left && (this.options.reconnectStop & ReconnectStop.AfterDisconnect) !== 0
  }

  /** Whether this end of a connection, or of an attempt to make one, is to be the last. */
  private stops(session: Session, error: Error | null, handshaking: boolean): boolean {
    if (this.stopsAfterDisconnect) return true
    const { reconnectStop } = this.options
    if (session.opened || session.stream.reached)
      return handshaking && (reconnectStop & ReconnectStop.HandshakeFailed) !== 0
    const refused = error !== null && ZmqError.from(error).code === "ECONNREFUSED"
    return refused && (reconnectStop & ReconnectStop.Refused) !== 0
  }

  private dialLater(): void {
    const { runtime } = this.host.context
    const interval = retryInterval(this.options, this.attempts++, runtime)
    this.host.emit("connect:retry", { address: this.endpoint, interval })
    this.retry = runtime.after(interval, () => this.dial())
  }

  private report(session: Session, error: Error | null, handshaking: boolean): void {
    const { host, endpoint } = this
    host.context.runtime.debug("%s ended: %s", endpoint, error?.message ?? "by the peer")
    if (!session.opened) {
      if (session.stream.reached) reportHandshake(host, endpoint, error)
      host.emit("close", { address: endpoint })
      return
    }
    reportEnd(host, endpoint, error, handshaking)
  }

  private join(): Link | null {
    const link = this.host.createLink(this.endpoint, this)
    link.routingId = this.routingId
    if (!this.host.attach(link)) return null
    this.link = link
    return link
  }

  private leave(link: Link): void {
    this.link = null
    // First taken from the pattern: the room that dropping makes is for nobody.
    this.host.ended(link)
    link.pipe.dropOutbound("disconnected")
  }

  /** This endpoint is over, by its own fault or as it was told. */
  private conclude(): void {
    if (this.over) return
    this.over = true
    this.retry?.cancel()
    this.timeout?.cancel()
    if (this.link !== null) this.leave(this.link)
    this.done?.()
  }
}

/**
 * Milliseconds before the next attempt, after so many that failed and the last. 5.1: the first failure waits already;
 * doubling, without jitter, only where there is a largest interval.
 */
export function retryInterval(
  { reconnectInterval, reconnectMaxInterval }: EndpointOptions,
  attempts: number,
  runtime: Runtime,
): number {
  return reconnectMaxInterval > 0
    ? Math.min(reconnectMaxInterval, reconnectInterval * 2 ** Math.min(attempts, 30))
    : reconnectInterval + Math.floor(runtime.random() * reconnectInterval)
}
