/**
 * One end of a connection: messages for which the other side has no room yet, and the wire that carries the others there. The
 * other side has room for its receiveHighWaterMark, counting what is on the way; beyond it, sendHighWaterMark of them wait here.
 */
import type { Lane } from "./lane.js"
import type { Queue } from "./queue.js"
import { Event, type Life, type Timeline } from "./timeline.js"
import type { Wire } from "./wire.js"

/** The socket at this end. */
export interface PipeOwner {
  readonly life: Life
  readonly closed: boolean
  /** A send waits for room. */
  readonly blocked: boolean
  readonly sendLimit: number
  readonly receiveLimit: number
  pipeOpened(pipe: Pipe): void
  pipeArrived(pipe: Pipe, message: Buffer[]): void
  pipeWritable(pipe: Pipe): void
  pipeLost(pipe: Pipe): void
}

export class Pipe {
  /** Both set when the connection is made. */
  wire!: Wire
  peer!: Pipe
  /** Messages can be sent. */
  isOpen = false
  /** This end knows that the connection is no more. */
  isOver = false
  /** Delivered, and not read yet. */
  unread = 0
  /** By which a router knows the peer. */
  id = 0
  private readonly credit: Credit

  constructor(
    readonly owner: PipeOwner,
    readonly number: number,
    readonly lane: Lane,
    private readonly waiting: Queue<Buffer[]>,
    timeline: Timeline,
  ) {
    this.credit = new Credit(this, timeline)
  }

  get hasRoom(): boolean {
    return this.waiting.length < this.owner.sendLimit || (this.waiting.length === 0 && this.hasWindow)
  }

  /** Only where there is room. */
  send(message: Buffer[]): void {
    if (this.waiting.length === 0 && this.hasWindow) this.wire.push(message)
    else this.waiting.push(message)
  }

  pump(): void {
    while (this.waiting.length > 0 && this.hasWindow) this.wire.push(this.waiting.shift() as Buffer[])
  }

  /** A message of the peer has been read. */
  read(): void {
    this.unread--
    const { peer } = this
    if (peer.waiting.length > 0 || peer.owner.blocked) peer.credit.arrange()
  }

  opened(): void {
    if (this.isOver) return
    this.isOpen = true
    this.owner.pipeOpened(this)
  }

  arrived(message: Buffer[]): void {
    if (this.isOver || this.owner.closed) return
    this.unread++
    this.owner.pipeArrived(this, message)
  }

  /** The other side has gone, or cannot be reached. */
  lost(): void {
    if (this.isOver) return
    this.leave()
    this.wire.broken = true
    this.owner.pipeLost(this)
  }

  /** This side goes, and sends what waits first. */
  finish(): void {
    if (this.isOver) return
    this.leave()
    while (this.waiting.length > 0) this.wire.push(this.waiting.shift() as Buffer[])
    this.wire.end()
    this.peer.wire.discard()
  }

  /** This side is gone: the peer gets the first part of what was on the way. */
  drop(): void {
    if (this.isOver) return
    this.leave()
    this.wire.cut()
    this.peer.wire.discard()
  }

  private leave(): void {
    this.isOver = true
    this.isOpen = false
    if (!this.peer.isOver && this.peer.owner.life.alive) return
    this.lane.pipes.delete(this)
    this.lane.pipes.delete(this.peer)
  }

  private get hasWindow(): boolean {
    return this.wire.length + this.peer.unread < this.peer.owner.receiveLimit
  }
}

/** The news that the other side has read something, on the way back to who waits for it. */
class Credit extends Event {
  private arranged = false

  constructor(
    private readonly pipe: Pipe,
    private readonly timeline: Timeline,
  ) {
    super(pipe.owner.life)
  }

  get label(): string {
    return `${this.pipe.owner.life.name}: room (${this.pipe.number})`
  }

  arrange(): void {
    if (this.arranged) return
    this.arranged = true
    this.timeline.arrange(this, this.timeline.now + this.pipe.wire.delay)
  }

  fire(): void {
    const { pipe, timeline } = this
    this.arranged = false
    if (pipe.isOver) return
    if (pipe.lane.closedUntil > timeline.now) {
      this.arranged = true
      timeline.arrange(this, pipe.lane.closedUntil)
      return
    }
    pipe.pump()
    pipe.owner.pipeWritable(pipe)
  }
}
