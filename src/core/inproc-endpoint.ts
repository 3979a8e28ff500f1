/**
 * A bound or connected inproc endpoint of a socket: its ends of connections, as links. In a context that is shared by
 * threads, peers in other ones are with them (thread-endpoint.ts).
 */

import type { Bytes } from "../message.js"
import type { Pipe } from "../pipe/pipe.js"
import type { PeerInfo } from "../wire/engine.js"
import type { ConnectionHost, EndpointOptions, EndpointUser, Role } from "./connection-host.js"
import { InprocEnd, type InprocSocket } from "./inproc.js"
import type { Link, LinkOwner } from "./link.js"
import { countLimit } from "./report.js"
import { ThreadEndpoint, type ThreadUser } from "./thread-endpoint.js"

/** One scheme, without a transport: no bytes move. */
export const INPROC = "inproc"

export class InprocEndpoint implements EndpointUser, InprocSocket, LinkOwner, ThreadUser {
  readonly endpoint: string
  readonly routingId: Uint8Array | null
  private readonly ends = new Map<InprocEnd, Link>()
  /** The end of a connection whose name is waited for. */
  private half: InprocEnd | null = null
  /** The end whose other one is in another thread. */
  private distant: InprocEnd | null = null
  private state: Role = "connected"
  /** Its peers in other threads; null where those have no part in the context. */
  private readonly outside: ThreadEndpoint | null

  constructor(
    private readonly host: ConnectionHost,
    private readonly name: string,
    private readonly options: EndpointOptions,
    /** The routing id by which a ROUTER wants to know the peer that it connects to. */
    private readonly peerId: Uint8Array | null,
  ) {
    this.endpoint = `${INPROC}://${name}`
    this.routingId = options.routingId
    const { threads } = host.context
    this.outside = threads === null ? null : new ThreadEndpoint(threads, host, name, options, this)
  }

  get bytes(): Bytes {
    return this.host.context.bytes
  }

  get marks() {
    return this.host.marks
  }

  /** The other end of its connections has the same name. */
  get remote(): string {
    return this.endpoint
  }

  get links(): Iterable<Link> {
    return this.outside === null ? this.ends.values() : [...this.ends.values(), ...this.outside.links]
  }

  /** Within the thread, what was sent is in the receiver's queue already, or waits for a name that may never be bound. */
  get pending(): boolean {
    return this.outside?.pending ?? false
  }

  /** Something was sent to a name that is not bound here, and may be in another thread. */
  get searching(): boolean {
    return this.outside?.searching ?? false
  }

  get role(): Role {
    return this.state
  }

  /** Not once it is unbound, or its connection is over. */
  goesBy(endpoint: string): boolean {
    if (endpoint !== this.endpoint) return false
    return this.state === "bound" || (this.state === "connected" && this.ends.size > 0)
  }

  /** Throws EADDRINUSE when the name is taken. */
  bind(): void {
    this.host.context.inproc.bind(this.name, this)
    this.state = "bound"
  }

  /** Takes the name among all threads, too. */
  async bindOutside(): Promise<void> {
    await this.outside?.bind()
  }

  /** The same without asking the others. */
  bindOutsideNow(): void {
    this.outside?.bindNow()
  }

  connect(): void {
    const half = InprocEnd.half(this)
    const link = this.host.adoptLink(half.pipe, this.endpoint, this)
    link.routingId = this.peerId
    this.greet(half)
    if (!this.host.attach(link)) return
    this.ends.set(half, link)
    this.half = half
    this.host.context.inproc.connect(this.name, half)
    if (this.half !== null) this.outside?.seek(link)
  }

  close(done: () => void): void {
    this.leaveAll()
    if (this.outside === null) done()
    else this.outside.close(done)
  }

  abort(): void {
    this.leaveAll()
    this.outside?.abort()
  }

  /** Frees the name; connections stay, as in libzmq. */
  unbind(): void {
    if (this.state !== "bound") return
    this.host.context.inproc.unbind(this.name)
    this.outside?.unbind()
    this.state = "unbound"
  }

  flushNow(): void {
    this.outside?.flushNow()
  }

  marksChanged(): void {
    for (const end of this.ends.keys()) {
      end.setMarks()
      end.other?.setMarks()
      if (end.other === null) end.pipe.inbound.setMarks(this.marks.in)
    }
    this.outside?.marksChanged()
  }

  onReadable(pipe: Pipe): void {
    this.host.onReadable(pipe)
  }

  onWritable(pipe: Pipe): void {
    this.host.onWritable(pipe)
  }

  onWritten(pipe: Pipe): void {
    this.host.onWritten(pipe)
  }

  cut(pipe: Pipe, error: Error | null): void {
    countLimit(this.host, error)
    if (this.distant?.pipe === pipe) this.outside?.cut(error)
    else for (const end of this.ends.keys()) if (end.pipe === pipe) this.disconnect(end)
  }

  /** Within the thread, what was sent is with the other end already. */
  finish(pipe: Pipe): void {
    if (this.distant?.pipe === pipe) this.outside?.finish()
    else this.cut(pipe, null)
  }

  joined(end: InprocEnd, other: InprocSocket): void {
    let link = this.ends.get(end)
    if (link === undefined) {
      link = this.host.adoptLink(end.pipe, this.endpoint, this)
      this.greet(end)
      if (!this.host.attach(link)) {
        end.close()
        return
      }
      this.ends.set(end, link)
    }
    this.half = null
    this.outside?.forget()
    const peer = { ...UNKNOWN, identity: other.routingId ?? UNKNOWN.identity }
    this.host.describe(link, peer, this)
    this.host.peerReady(link, peer)
  }

  foundOutside(): void {
    const half = this.half as InprocEnd
    this.host.context.inproc.forget(this.name, half)
    this.half = null
    this.distant = half
  }

  missedOutside(): void {
    this.half = this.distant as InprocEnd
    this.distant = null
    this.host.context.inproc.connect(this.name, this.half)
  }

  lostOutside(): void {
    const end = this.distant as InprocEnd
    this.distant = null
    end.pipe.dropOutbound("disconnected")
    this.left(end)
  }

  left(end: InprocEnd): void {
    const link = this.ends.get(end)
    if (link === undefined) return
    this.ends.delete(end)
    this.host.lost(link, "inproc")
    link.since = null
    this.host.ended(link)
  }

  /** The first message of a connection. */
  private greet({ pipe }: InprocEnd): void {
    const { helloMessage: hello } = this.options
    if (hello !== null) pipe.write([this.bytes.copy(hello, 0, hello.length)])
  }

  private disconnect(end: InprocEnd): void {
    const link = this.ends.get(end)
    if (link === undefined) return
    this.ends.delete(end)
    end.close()
    this.host.ended(link)
  }

  private leaveAll(): void {
    this.unbind()
    const { half } = this
    // What waits for a name outlives its socket, whatever linger says, for whoever binds that (libzmq).
    if (half !== null && half.pipe.outbound.length === 0) this.host.context.inproc.forget(this.name, half)
    for (const end of [...this.ends.keys()]) if (end !== this.distant) this.disconnect(end)
  }
}

const UNKNOWN: PeerInfo = {
  type: "",
  identity: new Uint8Array(0),
  mechanism: "NULL",
  major: 3,
  minor: 0,
  properties: new Map(),
  userId: new Uint8Array(0),
  vouched: null,
}
