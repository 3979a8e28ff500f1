/**
 * `inproc://`: two pipes that share their queues crosswise. Names belong to a context; one may connect to a name before
 * it is bound. The mark of each direction is the sum of the sender's and the receiver's (libzmq). There is no handshake,
 * no check of socket types and no event. Frames above 128 bytes reach the receiver by reference.
 */
import { ZmqError } from "../errors.js"
import { type Bytes, type Encoded, keep, type Message } from "../message.js"
import { type Drain, Pipe, type PipeOwner } from "../pipe/pipe.js"
import { type Marks, Queue } from "../pipe/queue.js"

/** A socket as the other end sees it. */
export interface InprocSocket extends PipeOwner {
  readonly bytes: Bytes
  /** Its marks for messages that it sends, and for those that it receives. */
  readonly marks: { readonly out: Marks; readonly in: Marks }
  readonly routingId: Uint8Array | null
  /** An end of a connection is there; `other` is the socket at the other end. */
  joined(end: InprocEnd, other: InprocSocket): void
  /** The other end has left. */
  left(end: InprocEnd): void
}

/** One end of a connection within the process, or half of one that waits for its name to be bound. */
export class InprocEnd implements Drain {
  readonly pipe: Pipe
  other: InprocEnd | null = null
  private closed = false

  constructor(
    readonly socket: InprocSocket,
    inbound: Queue,
    outbound: Queue,
  ) {
    this.pipe = new Pipe(socket, inbound, outbound, socket.bytes)
  }

  /** Half a connection: what is sent waits in its outbound queue. */
  static half(socket: InprocSocket): InprocEnd {
    return new InprocEnd(socket, new Queue(socket.marks.in), new Queue(socket.marks.out))
  }

  /** Gives a half its other end, and tells both sockets. */
  static join(first: InprocEnd, socket: InprocSocket): void {
    const second = new InprocEnd(socket, first.pipe.outbound, first.pipe.inbound)
    first.other = second
    second.other = first
    first.setMarks()
    second.setMarks()
    for (const end of [first, second]) end.pipe.drain = end
    if (!first.closed) first.socket.joined(first, socket)
    second.socket.joined(second, first.socket)
    const waiting = first.pipe.outbound.length
    second.pipe.counters.messagesIn += waiting
    if (waiting > 0) first.pipe.onWritten(waiting)
    if (first.closed) second.end()
    else if (!second.closed) second.pipe.announce()
  }

  /** Sets the mark of the outbound direction: the sum of both sides', where neither is unlimited. */
  setMarks(): void {
    const own = this.socket.marks.out
    const peer = this.other?.socket.marks.in
    if (peer === undefined) {
      this.pipe.outbound.setMarks(own)
      return
    }
    const sum = (a: number, b: number) => (a === 0 || b === 0 ? 0 : a + b)
    this.pipe.outbound.setMarks({
      messages: sum(own.messages, peer.messages),
      bytes: sum(own.bytes, peer.bytes),
      conflate: own.conflate || peer.conflate,
    })
  }

  take(message: Message, size: number, encoded: Encoded | null): boolean {
    const { other, pipe } = this
    const queue = pipe.outbound
    if (other === null || !queue.hasRoom(size)) return false
    keep(message, this.socket.bytes)
    other.pipe.deliver(encoded === null ? message : message.slice(), size)
    pipe.onWritten(1)
    other.pipe.announce()
    return true
  }

  pull(): void {
    // The receiver takes messages from the queue itself.
  }

  /** This side leaves. What it sent can still be read; what it was sent is gone. */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.pipe.drain = null
    const { other } = this
    if (other === null) return
    this.pipe.inbound.writer = null
    other.pipe.dropOutbound("disconnected")
    other.end()
  }

  /** The other side has left. */
  private end(): void {
    if (this.closed) return
    this.closed = true
    this.pipe.drain = null
    this.socket.left(this)
  }
}

/** The names of one context. */
export class InprocNames {
  private readonly bound = new Map<string, InprocSocket>()
  private readonly waiting = new Map<string, Set<InprocEnd>>()

  /** Gives a socket a name; EADDRINUSE when another has it. Those who wait for it are connected. */
  bind(name: string, socket: InprocSocket): void {
    if (this.bound.has(name)) throw new ZmqError("EADDRINUSE", { address: `inproc://${name}` })
    this.bound.set(name, socket)
    const waiting = this.waiting.get(name) ?? []
    this.waiting.delete(name)
    for (const half of waiting) InprocEnd.join(half, socket)
  }

  /** Whether somebody is bound to a name. */
  has(name: string): boolean {
    return this.bound.has(name)
  }

  /** Frees a name. Connections stay. */
  unbind(name: string): void {
    this.bound.delete(name)
  }

  /** Connects half a connection, now or when the name is bound. */
  connect(name: string, half: InprocEnd): void {
    const socket = this.bound.get(name)
    if (socket !== undefined) {
      InprocEnd.join(half, socket)
      return
    }
    const waiting = this.waiting.get(name)
    if (waiting === undefined) this.waiting.set(name, new Set([half]))
    else waiting.add(half)
  }

  /** Stops waiting for a name. */
  forget(name: string, half: InprocEnd): void {
    const waiting = this.waiting.get(name)
    if (waiting?.delete(half) && waiting.size === 0) this.waiting.delete(name)
  }
}
