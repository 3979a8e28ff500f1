/**
 * One connection: a byte stream, the engine that speaks to the peer on it, and the pipe to the socket. Outbound, messages are
 * encoded while little waits in the stream, and written together when the running callback is over, or at once when a
 * slab is full, or where the pattern has nothing more to say. Inbound, a chunk is decoded a portion at a time, as the socket's user takes the messages; the rest stays
 * where it is, and the stream is paused when more comes meanwhile. Messages are made late, because those that wait long
 * cost the garbage collector most; only for a user who takes none is the pipe filled to its mark.
 */
import { AuthError, ZmqError } from "../errors.js"
import { type Encoded, type Message, overheadOf, sizeOf } from "../message.js"
import type { Drain, Pipe } from "../pipe/pipe.js"
import type { QueueWriter } from "../pipe/queue.js"
import type { ByteStream, StreamSink } from "../transport/transport.js"
import { OutBatch } from "../wire/batch.js"
import { Engine, type EngineSink, type PeerInfo } from "../wire/engine.js"
import type { Ask, HandshakeError } from "../wire/mechanism.js"
import type { PeerEngine } from "../wire/peer-engine.js"
import { RawEngine } from "../wire/raw-engine.js"
import { converses, isRaw, takesTurns } from "../wire/socket-types.js"
import { addressOf } from "./authenticator.js"
import type { EndpointOptions } from "./connection-host.js"
import type { ContextBase, Flushable } from "./context.js"
import type { LinkOwner } from "./link.js"
import type { Timer } from "./runtime.js"

/** A session encodes only while less than this waits in its stream. */
const MOST_UNWRITTEN = 256 * 1024

/** Milliseconds that a peer gets to end its side when this one has ended. */
const PATIENCE = 1000

/** Messages decoded ahead of the user who takes them. */
const PORTION = 64
/** Milliseconds without a message taken, after which twice as many are decoded ahead. */
const IDLE = 20

/** Who made the session: a dialer or an acceptor. */
export interface SessionOwner {
  /** The connection is there, the handshake begins. */
  onConnected(session: Session): void
  /** The handshake is done. Answers with the pipe to use; null refuses the peer. */
  onReady(session: Session, peer: PeerInfo): Pipe | null
  /** The peer was refused for now, and waits. */
  onDeferred(session: Session, error: AuthError): void
  /** The connection is over. Null: the peer, or this side, ended it in order. */
  onEnded(session: Session, error: Error | null, handshaking: boolean): void
  /** The connection is over as {@link Session.finish} asked for: all that was queued is written. */
  onFinished(session: Session): void
}

export class Session implements StreamSink, EngineSink, Drain, QueueWriter, Flushable, LinkOwner {
  pipe: Pipe | null = null
  /** The connection was there at some time. */
  opened = false
  private readonly batch: OutBatch
  private readonly engine: PeerEngine
  /** Writes each message at once, and stays awake for the answer. */
  private readonly eager: boolean
  /** What it says may be answered at once: {@link Vigil}. */
  private readonly converses: boolean
  /** Bytes in the stream at the last look. */
  private unwritten = 0
  private dirty = false
  private pulling = false
  /** Messages encoded since the last time that all was written. */
  private underway = 0
  /** What was not decoded yet: the rest of a chunk, and what came after it. */
  private chunk: Uint8Array | null = null
  private at = 0
  private more: Uint8Array[] | null = null
  private paused = false
  /** Why the stream closed while something was left to decode; undefined while it is open. */
  private fate: Error | null | undefined = undefined
  private finishing = false
  private ended = false
  private timer: Timer | null = null
  private timerAt = Number.POSITIVE_INFINITY
  /** When the chunk came. */
  private now = 0
  /** Of what was decoded since the queue was told of it. */
  private overhead = 0
  private portion = PORTION
  private portionTimer: Timer | null = null

  constructor(
    private readonly context: ContextBase,
    options: EndpointOptions,
    /** Bytes that may wait in the stream; 0 keeps all messages but one where a newer one can replace them (conflate). */
    private readonly mostUnwritten: number,
    readonly stream: ByteStream,
    private readonly owner: SessionOwner,
  ) {
    this.batch = new OutBatch(context.slabs)
    this.engine =
      isRaw(options.type) || options.raw
        ? new RawEngine(context.bytes, this.batch, this)
        : new Engine(options, context.bytes, this.batch, this, this.askOf(options))
    this.eager = takesTurns(options.type)
    this.converses = this.eager || converses(options.type)
    stream.sink = this
  }

  static unwrittenMark(conflate: boolean): number {
    return conflate ? 1 : MOST_UNWRITTEN
  }

  /** Ends an accepted stream that is not open yet, and will not be in time. */
  expectOpen(ms: number): void {
    if (this.opened || this.ended || ms === 0) return
    this.timer = this.context.runtime.after(ms, () => {
      this.end(new ZmqError("ETIMEDOUT", { detail: `no handshake of the transport after ${ms} ms` }))
    })
  }

  // From the stream

  onOpen(): void {
    this.timer?.cancel()
    this.timer = null
    this.opened = true
    this.owner.onConnected(this)
    this.engine.start(this.context.runtime.now())
    this.flush()
    this.watch()
  }

  onBytes(chunk: Uint8Array): void {
    if (this.ended) return
    if (this.chunk !== null) {
      this.more ??= []
      this.more.push(chunk)
      this.paused = true
      this.stream.pause()
      return
    }
    this.chunk = chunk
    this.at = 0
    this.now = this.context.runtime.now()
    this.context.turn.refresh()
    if (this.converses) this.context.vigil.end()
    this.decode()
  }

  onDrained(): void {
    if (this.ended || this.unwritten === 0) return
    this.unwritten = 0
    this.written()
    this.pull()
    this.finishIfDone()
  }

  /** What is left to decode is for whoever still receives: one who is finishing is not waited for. */
  onClosed(error: Error | null): void {
    if (this.chunk === null || this.finishing) this.end(error)
    else this.fate = error
  }

  // From the engine

  onReady(peer: PeerInfo): boolean {
    const pipe = this.owner.onReady(this, peer)
    if (pipe === null || this.ended) {
      this.end(null)
      return false
    }
    this.pipe = pipe
    pipe.inbound.writer = this
    pipe.inbound.setPortion(PORTION)
    pipe.drain = this
    this.watch()
    this.pull()
    return pipe.inbound.hasRoom(0)
  }

  onMessage(message: Message): boolean {
    const pipe = this.pipe
    if (pipe === null) return false
    pipe.deliver(message, sizeOf(message))
    this.overhead += overheadOf(message)
    return pipe.inbound.hasRoom(0)
  }

  get crowded(): boolean {
    return this.unwritten + this.batch.bytes >= MOST_UNWRITTEN
  }

  onOutput(): void {
    this.schedule()
  }

  onDeferred(error: AuthError): void {
    this.owner.onDeferred(this, error)
  }

  onFault(error: HandshakeError): void {
    const hasLastWords = this.batch.bytes > 0
    this.flush()
    this.end(error, error instanceof AuthError && hasLastWords)
  }

  // From the pipe

  take(message: Message, _size: number, encoded: Encoded | null): boolean {
    const pipe = this.pipe as Pipe
    // While pulling, one message is out of the queue and not encoded yet: nothing may pass it.
    if (this.pulling || pipe.outbound.length > 0 || !this.hasRoom()) return false
    this.encode(message, encoded)
    return true
  }

  pull(): void {
    const pipe = this.pipe
    if (pipe === null || this.ended || this.pulling) return
    this.pulling = true
    for (;;) {
      if (!this.hasRoom()) this.flush()
      if (!this.hasRoom()) break
      const message = pipe.outbound.shift()
      if (message === undefined) break
      this.encode(message, null)
    }
    this.pulling = false
  }

  /** The inbound queue has room again. */
  onCredit(): void {
    if (this.chunk !== null) this.decode()
  }

  // From the socket

  /** Writes what is encoded. */
  flush(): void {
    this.dirty = false
    if (this.batch.bytes === 0 || this.ended) return
    // Several at a time are work that goes on, and no question that somebody waits for.
    if (this.converses && this.underway === 1) this.context.vigil.begin()
    const ranges = this.batch.take()
    const stream = this.stream
    if (ranges.length === 1) {
      stream.write(ranges[0]!)
    } else {
      stream.cork()
      for (let i = 0; i < ranges.length; i++) stream.write(ranges[i]!)
      stream.uncork()
    }
    this.unwritten = stream.queuedBytes
    if (this.unwritten > 0) return
    this.written()
    this.pull()
    this.finishIfDone()
  }

  /** From the socket, and from the link: ends in order, when all that is queued is written. */
  finish(): void {
    if (this.ended) return
    if (this.fate !== undefined) {
      this.end(this.fate)
      return
    }
    this.finishing = true
    this.pull()
    this.flush()
    this.finishIfDone()
  }

  /** From the link, which is of this session alone. */
  cut(_pipe: Pipe, error: Error | null): void {
    this.end(error)
  }

  /** Ends now. */
  abort(error: Error | null = null): void {
    this.end(error)
  }

  private askOf({ authenticator }: EndpointOptions): Ask | null {
    if (authenticator === null) return null
    return (credentials, answer) => {
      const { remote, certificate = null } = this.stream
      authenticator.ask({ ...credentials, address: addressOf(remote), certificate }, said => {
        answer(said, this.context.runtime.now())
        this.watch()
      })
    }
  }

  private hasRoom(): boolean {
    return !this.ended && this.fate === undefined && this.unwritten + this.batch.bytes < this.mostUnwritten
  }

  private encode(message: Message, encoded: Encoded | null): void {
    this.engine.encode(message, encoded)
    this.underway++
    if (this.eager) this.flush()
    else if (this.batch.full) this.flush()
    else this.schedule()
  }

  private schedule(): void {
    if (this.dirty) return
    this.dirty = true
    this.context.flushSoon(this)
  }

  /** Everything encoded has gone to the operating system. */
  private written(): void {
    this.batch.recycle()
    const count = this.underway
    this.underway = 0
    if (count > 0) this.pipe?.onWritten(count)
    this.engine.written()
  }

  private finishIfDone(): void {
    if (!this.finishing || this.ended) return
    if (this.unwritten > 0 || this.batch.bytes > 0 || (this.pipe?.outbound.length ?? 0) > 0) return
    this.release()
    this.ended = true
    const { stream } = this
    stream.end(() => {
      this.owner.onFinished(this)
      // A peer that does not end its side is left after a while.
      this.context.runtime.after(PATIENCE, () => stream.destroy())
    })
  }

  private decode(): void {
    while (this.chunk !== null && !this.isFull()) {
      const chunk = this.chunk
      const from = this.at
      const at = this.engine.receive(chunk, from, this.now)
      if (this.ended) return
      this.pipe?.inbound.came(at - from + this.overhead, this.engine.pendingBytes)
      this.overhead = 0
      if (at < chunk.length) {
        this.at = at
      } else {
        this.chunk = this.more?.shift() ?? null
        this.at = 0
        this.now = this.context.runtime.now()
      }
    }
    if (this.chunk === null && this.paused) {
      this.paused = false
      this.stream.resume()
    }
    this.watch()
    this.pipe?.announce()
    if (this.chunk !== null && this.portionTimer === null) this.watchPortion()
    if (this.chunk === null && this.fate !== undefined) this.end(this.fate)
  }

  /** Whether the inbound queue takes nothing now; then {@link onCredit} comes when it does. */
  private isFull(): boolean {
    const pipe = this.pipe
    if (pipe === null) return false
    return !pipe.inbound.hasRoom(0, this.engine.pendingBytes) && !pipe.inbound.admits(this.engine.pendingBytes)
  }

  /** Sees to it that a pipe whose user takes nothing fills to its mark. */
  private watchPortion(): void {
    const queue = (this.pipe as Pipe).inbound
    const taken = queue.taken
    this.portionTimer = this.context.runtime.after(IDLE, () => {
      this.portionTimer = null
      if (this.chunk === null) return
      this.portion = queue.taken === taken ? this.portion * 2 : PORTION
      queue.setPortion(this.portion)
      if (queue.taken === taken) this.decode()
      else this.watchPortion()
    })
  }

  /** Sets the timer to when the engine wants to be called. */
  private watch(): void {
    const at = this.engine.nextTimeout()
    if (at === Number.POSITIVE_INFINITY && this.timer !== null) {
      this.timer.cancel()
      this.timer = null
      this.timerAt = at
    }
    if (at >= this.timerAt || this.ended) return
    this.timer?.cancel()
    this.timerAt = at
    const { runtime } = this.context
    this.timer = runtime.after(Math.max(1, at - runtime.now()), () => {
      this.timerAt = Number.POSITIVE_INFINITY
      // While nothing is read because the user is slow, silence says nothing of the peer.
      if (this.chunk !== null) this.engine.heard()
      this.engine.handleTimeout(runtime.now())
      this.watch()
    })
  }

  /** Lets go of everything around: the timer, the pipe, what was not decoded, what was encoded and not written. */
  private release(): void {
    this.timer?.cancel()
    this.portionTimer?.cancel()
    this.engine.end()
    this.chunk = null
    this.more = null
    const pipe = this.pipe
    if (pipe === null) return
    if (pipe.drain === this) pipe.drain = null
    if (pipe.inbound.writer === this) pipe.inbound.writer = null
    if (this.underway > 0) {
      pipe.counters.drop("disconnected", this.underway)
      pipe.onWritten(this.underway)
      this.underway = 0
    }
  }

  /**
   * Lets the peer read why it is refused. What it sends meanwhile must not be answered by a reset, which would make it lose that:
   * a libzmq peer would try again for ever.
   */
  private leave(): void {
    const { stream } = this
    stream.end(() => {})
    this.context.runtime.after(PATIENCE, () => stream.destroy())
  }

  /** The one way out of a connection that did not finish in order. Idempotent. */
  private end(error: Error | null, isHeardOut = false): void {
    if (this.ended) return
    // What came whole before is to be read.
    this.pipe?.announce()
    this.ended = true
    const handshaking = this.engine.handshaking
    this.release()
    if (isHeardOut) this.leave()
    else this.stream.destroy()
    this.owner.onEnded(this, error, handshaking)
  }
}
