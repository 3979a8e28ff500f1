/**
 * One bound endpoint: a listener and the connections that came by it. A peer's pipe is made when its handshake is done,
 * and ends with its connection.
 */
import { type AuthError, ZmqError } from "../errors.js"
import type { Pipe } from "../pipe/pipe.js"
import type { ByteStream, ListenEvents, Listener, Transport } from "../transport/transport.js"
import type { PeerInfo } from "../wire/engine.js"
import type { Admission } from "./admission.js"
import {
  type BindingUser,
  type ConnectionHost,
  type EndpointOptions,
  type EventDetails,
  owes,
} from "./connection-host.js"
import type { LostRole } from "./connections.js"
import type { Link } from "./link.js"
import type { EventType } from "./observer.js"
import { countLimit, reportEnd, reportHandshake } from "./report.js"
import { Session, type SessionOwner } from "./session.js"

/** Any interface, or any port. */
const WILDCARD = /\*|:0$/

/** Where it listens: a transport, or the names of all threads. */
type Listening = Pick<Transport, "scheme" | "listen" | "listenSync">

export class Acceptor implements BindingUser, SessionOwner, ListenEvents {
  readonly role = "bound"
  /** As it was given: the name of a host may stand for its address. */
  private readonly given: string
  private listener: Listener | null = null
  private readonly sessions = new Map<Session, Link | null>()
  private done: (() => void) | null = null
  private over = false
  /** Null: other threads of the process, which are no strangers. */
  private readonly admission: Admission | null

  constructor(
    private readonly host: ConnectionHost,
    private readonly transport: Listening,
    private readonly address: string,
    public endpoint: string,
    private readonly options: EndpointOptions,
    /** What its peers are lost as. inproc has no events. */
    private readonly lostAs: LostRole = "bound",
  ) {
    this.given = endpoint
    this.admission = lostAs === "bound" ? host.admission : null
  }

  async start(): Promise<void> {
    try {
      this.started(await this.transport.listen(this.address, this.options, this))
    } catch (cause) {
      throw this.failed(cause)
    }
  }

  startSync(): void {
    const { transport, endpoint } = this
    try {
      if (transport.listenSync === undefined) {
        throw new ZmqError("ENOTSUP", { address: endpoint, detail: `${transport.scheme} cannot bind at once` })
      }
      this.started(transport.listenSync(this.address, this.options, this))
    } catch (cause) {
      throw this.failed(cause)
    }
  }

  /** By what was given as well, unless that was a wildcard (libzmq). */
  goesBy(endpoint: string): boolean {
    return endpoint === this.endpoint || (endpoint === this.given && !WILDCARD.test(endpoint))
  }

  get links(): Link[] {
    return [...this.sessions.values()].filter(link => link !== null)
  }

  get pending(): boolean {
    for (const link of this.sessions.values()) if (link !== null && owes(link.pipe)) return true
    return false
  }

  close(done: () => void): void {
    this.done = done
    this.stopListening()
    for (const [session, link] of this.sessions) {
      if (link === null) session.abort()
      else session.finish()
    }
    this.finishIfDone()
  }

  abort(): void {
    this.stopListening()
    for (const [session, link] of this.sessions) {
      link?.pipe.dropOutbound("closed")
      session.abort()
    }
    this.finishIfDone()
  }

  flushNow(): void {
    for (const session of this.sessions.keys()) {
      session.pull()
      session.flush()
    }
  }

  marksChanged(): void {
    for (const { pipe } of this.links) {
      pipe.outbound.setMarks(this.host.marks.out)
      pipe.inbound.setMarks(this.host.marks.wireIn)
    }
  }

  onStream(stream: ByteStream): void {
    const { context } = this.host
    const refusal = this.admission?.refusal(stream, this.options) ?? null
    if (refusal !== null) {
      stream.destroy()
      this.onError(refusal)
      return
    }
    const session = new Session(context, this.options, Session.unwrittenMark(this.options.conflate), stream, this)
    this.sessions.set(session, null)
    this.admission?.came(session, this.options)
    stream.open()
    session.expectOpen(this.options.handshakeInterval)
  }

  onError(error: Error): void {
    countLimit(this.host, error)
    this.emit("accept:error", { address: this.endpoint, error: ZmqError.from(error, this.endpoint) })
  }

  onConnected(session: Session): void {
    if (this.observed) this.emit("accept", { address: this.nameOf(session) })
  }

  onReady(session: Session, peer: PeerInfo): Pipe | null {
    const { host, admission } = this
    if (admission?.joins(session, this.options) === false) return null
    const link = host.createLink(this.endpoint, session)
    host.describe(link, peer, session.stream)
    if (admission !== null && !host.letsIn(link)) {
      session.abort(new ZmqError("ECONNREFUSED", { limit: "accept", detail: "accept() said no" }))
      return null
    }
    // Who was asked may have closed the socket, or let the peer go.
    if (!this.sessions.has(session) || !host.attach(link)) return null
    this.sessions.set(session, link)
    if (this.observed && peer.major >= 3) this.emit("handshake", { address: this.nameOf(session) })
    host.peerReady(link, peer)
    return link.pipe
  }

  onDeferred(session: Session, error: AuthError): void {
    this.emit("handshake:error:auth", { address: this.nameOf(session), error })
  }

  onEnded(session: Session, error: Error | null, handshaking: boolean): void {
    this.host.context.runtime.debug("%s lost a peer: %s", this.endpoint, error?.message ?? "it left")
    const link = this.sessions.get(session) ?? null
    if (this.lostAs === "bound" && session.opened) {
      const address = this.observed ? this.nameOf(session) : this.endpoint
      // To refuse a peer that has said all is still to fail its handshake.
      reportEnd(this.host, address, error, handshaking || (link === null && error !== null))
    } else {
      countLimit(this.host, error)
      if (this.observed) reportHandshake(this.host, this.nameOf(session), error)
    }
    if (link !== null) this.host.lost(link, this.lostAs)
    this.drop(session, link)
  }

  onFinished(session: Session): void {
    this.drop(session, this.sessions.get(session) ?? null)
  }

  private get observed(): boolean {
    return this.lostAs === "bound" && this.host.observed
  }

  private emit<T extends EventType>(type: T, details: EventDetails<T>): void {
    if (this.observed) this.host.emit(type, details)
  }

  private started(listener: Listener): void {
    this.listener = listener
    this.endpoint = listener.endpoint
    this.host.context.runtime.debug("%s bound", this.endpoint)
    this.emit("bind", { address: this.endpoint })
  }

  private failed(cause: unknown): ZmqError {
    const error = ZmqError.from(cause, this.endpoint)
    this.emit("bind:error", { address: this.endpoint, error })
    return error
  }

  private nameOf(session: Session): string {
    return session.stream.local || this.endpoint
  }

  private drop(session: Session, link: Link | null): void {
    if (!this.sessions.delete(session)) return
    this.admission?.left(session, this.options)
    if (link !== null) {
      link.since = null
      link.connection = null
      // First taken from the pattern: the room that dropping makes is for nobody.
      this.host.ended(link)
      link.pipe.dropOutbound("disconnected")
    }
    this.finishIfDone()
  }

  /** Takes no new peers; those that are there stay. */
  stopListening(): void {
    if (this.listener === null) return
    this.listener.close()
    this.listener = null
    this.emit("close", { address: this.endpoint })
  }

  private finishIfDone(): void {
    if (this.over || this.done === null || this.sessions.size > 0) return
    this.over = true
    this.done()
  }
}
