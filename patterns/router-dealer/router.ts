/**
 * ROUTER (28/REQREP): each received message begins with the routing id of its peer, and the first frame of a message to
 * send says which peer it is for. A message to a peer that is not there, or full, is dropped and counted; with
 * `mandatory` it is EHOSTUNREACH, or waits.
 */
import {
  FairQueue,
  type Link,
  type LostRole,
  type Message,
  type OptionsOf,
  type Pipe,
  sizeOf,
  ZmqError,
} from "../../src/index.js"
import { Duplex, type SocketOptions, withOptions } from "../socket.js"
import { probe } from "./probe.js"

export interface RouterConnectOptions {
  /** The id by which this Router will know the peer, whatever the peer calls itself. 1 to 255 bytes. */
  routingId?: string | Buffer
}

/** Bits of routerNotify. */
enum Notify {
  Connect = 1,
  Disconnect = 2,
}

/** Ids that a Router makes up: a zero, which no peer may begin its own with, and a counter. */
const MADE_UP_SIZE = 5

export class Router extends Duplex {
  private readonly in = new FairQueue()
  private readonly peersById = new Map<string, Link>()
  private readonly ids = new Map<Pipe, Buffer>()
  private counter: number

  constructor(options?: SocketOptions<Router>) {
    super("ROUTER", options)
    this.counter = Math.floor(this.core.runtime.random() * 0x100000000)
    this.begin(options)
  }

  /** Connects to an endpoint; with `routingId` the peer can be sent to at once, by that id. */
  override connect(endpoint: string, { routingId }: RouterConnectOptions = {}): void {
    const next = this.store.bytesOf("connectRoutingId")
    this.store.set("connectRoutingId", null)
    const id = routingId === undefined || routingId.length === 0 ? next : Buffer.from(routingId as string)
    if (id !== null && id.length > 255) {
      throw new ZmqError("EINVAL", { detail: `expected a routingId of 1 to 255 bytes, got ${id.length}` })
    }
    this.connectTo(endpoint, id)
  }

  override pipeAttached(link: Link): boolean {
    if (this.store.values.probeRouter) probe(link.pipe)
    if (link.routingId !== null && link.routingId.length > 0) this.identify(link, Buffer.from(link.routingId))
    return true
  }

  override pipeReady(link: Link, identity: Uint8Array): void {
    if (!this.ids.has(link.pipe)) this.identify(link, identity.length === 0 ? this.makeUpId() : Buffer.from(identity))
    link.routingId = this.ids.get(link.pipe) ?? null
    const notes = this.store.values.routerNotify & Notify.Connect
    if (notes !== 0 && !link.endpoint.startsWith("inproc:") && this.ids.has(link.pipe)) link.pipe.note(Buffer.alloc(0))
  }

  override pipeLost(link: Link, role: LostRole): void {
    const id = this.ids.get(link.pipe)
    // A peer whose id another one has taken over is not spoken of any more.
    if (id === undefined || this.peersById.get(id.toString("latin1")) !== link) return
    if ((this.store.values.routerNotify & Notify.Disconnect) !== 0 && role !== "inproc") link.pipe.note(Buffer.alloc(0))
    const bye = this.store.bytesOf("disconnectMessage")
    if (bye !== null && role !== "connected") link.pipe.note(Buffer.from(bye))
  }

  override pipeEnded({ pipe }: Link): void {
    const id = this.ids.get(pipe)
    if (id === undefined) return
    this.in.end(pipe)
    const key = id.toString("latin1")
    if (this.peersById.get(key)?.pipe === pipe) this.peersById.delete(key)
    if (pipe.inbound.length === 0) this.ids.delete(pipe)
  }

  override onReadable(pipe: Pipe): void {
    this.in.activate(pipe)
    this.receives.serve()
  }

  override sendNow(message: Message): boolean {
    const { mandatory } = this.store.values
    const id = message[0] as Buffer
    const link = this.peersById.get(id.toString("latin1"))
    if (link === undefined) {
      if (mandatory) throw new ZmqError("EHOSTUNREACH", { detail: `no peer has the routing id ${printable(id)}` })
      this.counters.drop("unroutable")
      return true
    }
    if (message.length === 1) {
      this.counters.drop("malformed")
      return true
    }
    const body = message.slice(1)
    if (mandatory && !link.pipe.admits(sizeOf(body))) return false
    if (!link.pipe.write(body)) link.pipe.counters.drop("full")
    return true
  }

  override receiveNow(): Message | undefined {
    const message = this.in.read()
    if (message === undefined) return undefined
    const pipe = this.in.from as Pipe
    this.from = pipe
    // A copy: the frame is the receiver's, and may be changed.
    const id = this.ids.get(pipe) as Buffer
    message.unshift(this.core.bytes.copy(id, 0, id.length))
    if (pipe.ended && pipe.inbound.length === 0) this.ids.delete(pipe)
    return message
  }

  protected override get canSend(): boolean {
    if (!this.store.values.mandatory) return true
    for (const { pipe } of this.peersById.values()) if (pipe.admits(0)) return true
    return false
  }

  protected override get canReceive(): boolean {
    return this.in.readable
  }

  /**
   * A peer has an id from here on. Where another has the same, the older one keeps it and the newcomer stays outside,
   * its messages unread; with `handover` the older one is cut off.
   */
  private identify(link: Link, id: Buffer): void {
    const key = id.toString("latin1")
    const older = this.peersById.get(key)
    if (older !== undefined) {
      if (!this.store.values.handover) return
      this.peersById.delete(key)
      older.end(null)
    }
    this.peersById.set(key, link)
    this.ids.set(link.pipe, id)
    this.in.add(link.pipe)
    this.sends.serve()
  }

  private makeUpId(): Buffer {
    const id = Buffer.alloc(MADE_UP_SIZE)
    id.writeUInt32BE(this.counter, 1)
    this.counter = (this.counter + 1) >>> 0
    return id
  }
}

function printable(id: Buffer): string {
  const text = id.toString("latin1", 0, 32)
  return /^[\x21-\x7e]+$/.test(text) ? `"${text}"` : `0x${id.toString("hex", 0, 32)}`
}

export interface Router extends OptionsOf<"ROUTER"> {}

withOptions(Router, "ROUTER")
