/**
 * One bound endpoint: a listener and the connections that came by it. A peer's pipe is made when its handshake is done,
 * and ends with its connection.
 */
import { type AuthError, ZmqError } from "../errors.js"
import type { Pipe } from "../pipe/pipe.js"
import type { ByteStream, ListenEvents, Listener } from "../transport/transport.js"
import type { PeerInfo } from "../wire/engine.js"
import {
  type ConnectionHost,
  type EndpointOptions,
  type EndpointUser,
  type EventDetails,
  owes,
} from "./connection-host.js"
import type { LostRole } from "./connections.js"
import { reportHandshake } from "./dialer.js"
import type { Link } from "./link.js"
import type { EventType } from "./observer.js"
import { Session, type SessionOwner } from "./session.js"

export class Acceptor implements EndpointUser, SessionOwner, ListenEvents {
  readonly role = "bound"
  endpoint = ""
  private listener: Listener | null = null
  private readonly sessions = new Map<Session, Link | null>()
  private done: (() => void) | null = null
  private over = false

  constructor(
    private readonly host: ConnectionHost,
    private readonly options: EndpointOptions,
    /** What its peers are lost as. inproc has no events. */
    private readonly lostAs: LostRole = "bound",
  ) {}

  /** Goes on with a listener that was asked to tell this acceptor. Rejects when it cannot listen. */
  async start(listening: Promise<Listener>, endpoint: string): Promise<void> {
    try {
      this.started(await listening)
    } catch (cause) {
      throw this.failed(cause, endpoint)
    }
  }

  /** Binds at once. Throws when it cannot. */
  startSync(listen: () => Listener, endpoint: string): void {
    try {
      this.started(listen())
    } catch (cause) {
      throw this.failed(cause, endpoint)
    }
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
      pipe.inbound.setMarks(this.host.marks.in)
    }
  }

  onStream(stream: ByteStream): void {
    const { context } = this.host
    const session = new Session(context, this.options, Session.unwrittenMark(this.options.conflate), stream, this)
    this.sessions.set(session, null)
    stream.open()
    session.expectOpen(this.options.handshakeInterval)
  }

  onError(error: Error): void {
    this.emit("accept:error", { address: this.endpoint, error: ZmqError.from(error, this.endpoint) })
  }

  onConnected(session: Session): void {
    if (this.observed) this.emit("accept", { address: this.nameOf(session) })
  }

  onReady(session: Session, peer: PeerInfo): Pipe | null {
    const link = this.host.createLink(this.endpoint, session)
    if (!this.host.attach(link)) return null
    this.sessions.set(session, link)
    if (this.observed && peer.major >= 3) this.emit("handshake", { address: this.nameOf(session) })
    this.host.peerReady(link, peer, session.stream)
    return link.pipe
  }

  onDeferred(session: Session, error: AuthError): void {
    this.emit("handshake:error:auth", { address: this.nameOf(session), error })
  }

  onEnded(session: Session, error: Error | null, handshaking: boolean): void {
    this.host.context.runtime.debug("%s lost a peer: %s", this.endpoint, error?.message ?? "it left")
    if (this.observed) {
      const address = this.nameOf(session)
      reportHandshake(this.host, address, error, handshaking)
      if (session.opened) this.emit("disconnect", { address })
    }
    const link = this.sessions.get(session) ?? null
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

  private failed(cause: unknown, endpoint: string): ZmqError {
    const error = ZmqError.from(cause, endpoint)
    this.emit("bind:error", { address: endpoint, error })
    return error
  }

  private nameOf(session: Session): string {
    return session.stream.local || this.endpoint
  }

  private drop(session: Session, link: Link | null): void {
    if (!this.sessions.delete(session)) return
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
