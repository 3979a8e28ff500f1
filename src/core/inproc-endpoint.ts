/** A bound or connected inproc endpoint of a socket: its ends of connections, as links. */
import type { Bytes } from "../message.js"
import type { Pipe } from "../pipe/pipe.js"
import type { PeerInfo } from "../wire/engine.js"
import type { ConnectionHost, EndpointUser, Role } from "./connection-host.js"
import { InprocEnd, type InprocSocket } from "./inproc.js"
import type { Link, LinkOwner } from "./link.js"

/** One scheme, without a transport: no bytes move. */
export const INPROC = "inproc"

export class InprocEndpoint implements EndpointUser, InprocSocket, LinkOwner {
  readonly endpoint: string
  private readonly ends = new Map<InprocEnd, Link>()
  private half: InprocEnd | null = null
  private state: Role = "connected"

  constructor(
    private readonly host: ConnectionHost,
    private readonly name: string,
    readonly routingId: Uint8Array | null,
    /** The routing id by which a ROUTER wants to know the peer that it connects to. */
    private readonly peerId: Uint8Array | null,
    /** What each connection begins with; null: nothing. */
    private readonly hello: Uint8Array | null,
  ) {
    this.endpoint = `${INPROC}://${name}`
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
    return this.ends.values()
  }

  /** What was sent is in the receiver's queue already, or waits for a name that may never be bound. */
  get pending(): boolean {
    return false
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

  connect(): void {
    const half = InprocEnd.half(this)
    const link = this.host.adoptLink(half.pipe, this.endpoint, this)
    link.routingId = this.peerId
    this.greet(half)
    if (!this.host.attach(link)) return
    this.ends.set(half, link)
    this.half = half
    this.host.context.inproc.connect(this.name, half)
  }

  close(done: () => void): void {
    this.leaveAll()
    done()
  }

  abort(): void {
    this.leaveAll()
  }

  /** Frees the name; connections stay, as in libzmq. */
  unbind(): void {
    if (this.state !== "bound") return
    this.host.context.inproc.unbind(this.name)
    this.state = "unbound"
  }

  flushNow(): void {
    // Nothing is ever on its way.
  }

  marksChanged(): void {
    for (const end of this.ends.keys()) {
      end.setMarks()
      end.other?.setMarks()
      if (end.other === null) end.pipe.inbound.setMarks(this.marks.in)
    }
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

  cut(pipe: Pipe): void {
    for (const end of this.ends.keys()) if (end.pipe === pipe) this.disconnect(end)
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
    this.host.peerReady(link, { ...UNKNOWN, identity: other.routingId ?? UNKNOWN.identity }, this)
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
    const { hello, bytes } = this
    if (hello !== null) pipe.write([bytes.copy(hello, 0, hello.length)])
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
    for (const end of [...this.ends.keys()]) this.disconnect(end)
  }
}

const UNKNOWN: PeerInfo = {
  type: "",
  identity: new Uint8Array(0),
  mechanism: "NULL",
  major: 3,
  minor: 0,
  properties: new Map(),
}
