/**
 * What ROUTER and STREAM share: a peer has an id, which comes in front of each of its messages, and with which a message to
 * send begins. It is one that was given when connecting, or whatever the pattern says, or five bytes made up here.
 */
import { FairQueue, type Message as Frames, type Link, type Pipe, type SocketTypeName, ZmqError } from "../src/index.js"
import { type ContextOption, type Message, type Peer, Readable } from "./socket.js"

/** Ids that are made up: a zero, which no peer may begin its own with, and a counter. */
const MADE_UP_SIZE = 5
const LONGEST = 255

export interface ConnectOptions {
  /** The id by which this socket will know the peer, whatever the peer calls itself. 1 to 255 bytes. */
  routingId?: string | Buffer
}

export abstract class Addressed<M = Message[]> extends Readable<M> {
  protected readonly links = new Map<string, Link>()
  private readonly in = new FairQueue()
  /** Also of peers that have left with messages that were not read yet. */
  private readonly ids = new Map<Pipe, Buffer>()
  private counter: number

  protected constructor(type: SocketTypeName, options: ContextOption | undefined) {
    super(type, options)
    this.counter = Math.floor(this.core.runtime.random() * 0x100000000)
  }

  /** Connects to an endpoint; with `routingId` the peer can be sent to at once, by that id. */
  override connect(endpoint: string, { routingId }: ConnectOptions = {}): void {
    const next = this.store.bytesOf("connectRoutingId")
    this.store.set("connectRoutingId", null)
    const id = routingId === undefined || routingId.length === 0 ? next : Buffer.from(routingId as string)
    if (id !== null && id.length > LONGEST) {
      throw new ZmqError("EINVAL", { detail: `expected a routingId of 1 to ${LONGEST} bytes, got ${id.length}` })
    }
    this.connectTo(endpoint, id)
  }

  override pipeEnded({ pipe }: Link): void {
    const id = this.ids.get(pipe)
    if (id === undefined) return
    this.in.end(pipe)
    const key = keyOf(id)
    if (this.links.get(key)?.pipe === pipe) this.links.delete(key)
    if (pipe.inbound.length === 0) this.ids.delete(pipe)
  }

  override onReadable(pipe: Pipe): void {
    this.in.activate(pipe)
    this.receives.serve()
  }

  override receiveNow(): Frames | undefined {
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

  protected override get canReceive(): boolean {
    return this.in.readable
  }

  /** The peer that has this routing id now; null: none has. */
  peer(routingId: string | Buffer): Peer | null {
    const link = this.find(Buffer.from(routingId as string))
    return link === undefined || link.since === null ? null : (this.connections.peerOf(link.pipe) as Peer)
  }

  protected find(id: Buffer): Link | undefined {
    return this.links.get(keyOf(id))
  }

  /** A peer has an id, and is heard, from here on. */
  protected identify(link: Link, id: Buffer): void {
    this.links.set(keyOf(id), link)
    this.ids.set(link.pipe, id)
    this.in.add(link.pipe)
  }

  protected idOf(pipe: Pipe): Buffer | undefined {
    return this.ids.get(pipe)
  }

  protected makeUpId(): Buffer {
    const id = Buffer.alloc(MADE_UP_SIZE)
    do {
      id.writeUInt32BE(this.counter, 1)
      this.counter = (this.counter + 1) >>> 0
    } while (this.find(id) !== undefined)
    return id
  }
}

function keyOf(id: Buffer): string {
  return id.toString("latin1")
}

export function unreachable(id: Buffer): ZmqError {
  return new ZmqError("EHOSTUNREACH", { detail: `no peer has the routing id ${printable(id)}` })
}

export function printable(id: Buffer): string {
  const text = id.toString("latin1", 0, 32)
  return /^[\x21-\x7e]+$/.test(text) ? `"${text}"` : `0x${id.toString("hex", 0, 32)}`
}
