/**
 * A socket's end of the two queues to one peer. Outbound, a message goes straight to the drain (the session that encodes,
 * or the peer's end on inproc) while that has room, and waits in the queue when it has not. Inbound, messages wait in
 * the queue until the socket takes them.
 */
import { type Bytes, type Encoded, keep, type Message, sizeOf } from "../message.js"
import { type Marks, Queue, type QueueWriter } from "./queue.js"

/** The socket that a pipe belongs to. */
export interface PipeOwner {
  /** The inbound queue was empty and is not any more. */
  onReadable(pipe: Pipe): void
  /** The outbound queue was full and has room. */
  onWritable(pipe: Pipe): void
  /** More of what was sent has left the process. */
  onWritten(pipe: Pipe): void
}

/** Where outbound messages go. */
export interface Drain {
  /**
   * Takes a message now; copies what it keeps of it. False: not now, let it wait in the queue. `encoded` is there when
   * the message goes to several peers: its bytes on the wire; then the array is not for keeping.
   */
  take(message: Message, size: number, encoded: Encoded | null): boolean
  /** Messages wait in the queue: make room there now if you can. */
  pull(): void
}

/** Why a message was dropped, as `stats()` counts it. */
export type DropReason =
  | "full"
  | "unroutable"
  | "disconnected"
  | "closed"
  | "filtered"
  | "malformed"
  | "conflated"
  | "forbidden"

/** What one pipe has carried. */
export class Counters {
  messagesIn = 0
  bytesIn = 0
  messagesOut = 0
  bytesOut = 0
  /** By reason; null: none. */
  dropped: Map<DropReason, number> | null = null
  /** Where these were added up when the pipe ended; what is dropped of its leftovers counts there, too. */
  private total: Counters | null = null

  drop(reason: DropReason, count = 1): void {
    if (count === 0) return
    this.dropped ??= new Map()
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + count)
    this.total?.drop(reason, count)
  }

  /** Adds these to those of the socket, now and later. */
  addTo(total: Counters): void {
    total.add(this)
    this.total = total
  }

  add(other: Counters): void {
    this.messagesIn += other.messagesIn
    this.bytesIn += other.bytesIn
    this.messagesOut += other.messagesOut
    this.bytesOut += other.bytesOut
    for (const [reason, count] of other.dropped ?? []) this.drop(reason, count)
  }
}

export class Pipe implements QueueWriter {
  drain: Drain | null = null
  /** The owner was told that there is something to read and has not found the queue empty since. */
  announced = false
  /** No longer attached: what is left inbound may still be read, nothing is sent any more. */
  ended = false
  readonly counters = new Counters()
  /** What the owner knows of the peer. */
  peer: object | null = null
  /** Messages accepted from the socket, and those of them that have left the process (or are lost with a connection). */
  accepted = 0
  written = 0

  constructor(
    readonly owner: PipeOwner,
    readonly inbound: Queue,
    readonly outbound: Queue,
    private readonly bytes: Bytes,
  ) {
    outbound.writer = this
  }

  static create(owner: PipeOwner, inbound: Marks, outbound: Marks, bytes: Bytes): Pipe {
    return new Pipe(owner, new Queue(inbound), new Queue(outbound), bytes)
  }

  /** Sends a message to this peer. False: there is no room; the owner hears of it when there is. */
  write(message: Message): boolean {
    return this.writeEncoded(message, sizeOf(message), null)
  }

  /** The same for a message that goes to several peers, of which size and encoding are known. */
  writeEncoded(message: Message, size: number, encoded: Encoded | null): boolean {
    if (!this.route(message, size, encoded)) return false
    this.accepted++
    this.counters.messagesOut++
    this.counters.bytesOut += size
    return true
  }

  /** Sends a message whatever the marks say: what a peer must know, and what is bounded elsewhere. */
  force(message: Message): void {
    const size = sizeOf(message)
    if (this.drain === null || !this.drain.take(message, size, null)) {
      keep(message, this.bytes)
      this.outbound.push(message, size)
      this.drain?.pull()
    }
    this.accepted++
  }

  /** Whether {@link write} would take a message of `size` bytes; if not, the owner hears when it would. */
  admits(size: number): boolean {
    if (this.outbound.hasRoom(size)) return true
    this.drain?.pull()
    return this.outbound.admits(size)
  }

  /** The next message of this peer. */
  read(): Message | undefined {
    const message = this.inbound.shift()
    if (message === undefined) this.announced = false
    return message
  }

  /** Puts a message of the peer into the inbound queue, which has room. {@link announce} makes it known. */
  deliver(message: Message, size: number): void {
    this.counters.drop("conflated", this.inbound.push(message, size))
    this.counters.messagesIn++
    this.counters.bytesIn += size
  }

  /** Puts a message of one frame there that this side makes up, for what became of the peer. */
  note(frame: Uint8Array): void {
    this.deliver([frame], frame.length)
    this.announce()
  }

  /** Tells the owner of what was delivered, once until it has read all. */
  announce(): void {
    if (this.announced || this.inbound.length === 0) return
    this.announced = true
    this.owner.onReadable(this)
  }

  /** The outbound queue has room again. */
  onCredit(): void {
    this.owner.onWritable(this)
  }

  /** `count` more messages have left the process. */
  onWritten(count: number): void {
    this.written += count
    this.owner.onWritten(this)
  }

  /** Drops what was received and not read, counting it. */
  dropInbound(reason: DropReason): void {
    this.counters.drop(reason, this.inbound.clear())
  }

  /** Drops what waits to be sent, counting it. */
  dropOutbound(reason: DropReason): void {
    const dropped = this.outbound.clear()
    this.counters.drop(reason, dropped)
    if (dropped > 0) this.onWritten(dropped)
  }

  private route(message: Message, size: number, encoded: Encoded | null): boolean {
    const { drain, outbound } = this
    if (drain?.take(message, size, encoded)) return true
    if (!outbound.hasRoom(size)) {
      drain?.pull()
      if (!outbound.admits(size)) return false
    }
    keep(message, this.bytes)
    const replaced = outbound.push(encoded === null ? message : message.slice(), size)
    if (replaced > 0) {
      this.counters.drop("conflated", replaced)
      this.onWritten(replaced)
    }
    return true
  }
}
