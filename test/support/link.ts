/**
 * Two engines joined by a simulated link and clock: no sockets, no timers, no waiting. An {@link End} is one engine with
 * what came out of it, written down; a {@link Link} carries the bytes of two of them, cut and delayed as a test likes,
 * and calls their timeouts when their time has come. All of it happens inside of `advance`, in order, at once.
 */
import { AuthError } from "../../src/errors.js"
import type { Bytes, Message } from "../../src/message.js"
import { OutBatch, SlabPool } from "../../src/wire/batch.js"
import { Engine, type EngineOptions, type EngineSink, type PeerInfo } from "../../src/wire/engine.js"
import type { Ask, HandshakeError } from "../../src/wire/mechanism.js"
import { nullMechanism } from "../../src/wire/null.js"
import type { SocketTypeName } from "../../src/wire/socket-types.js"

/** The options of an engine as sockets have them by default. */
export function engineOptions(type: SocketTypeName, changes: Partial<EngineOptions> = {}): EngineOptions {
  return {
    type,
    routingId: null,
    handshakeInterval: 30_000,
    mechanism: nullMechanism,
    maxMessageSize: -1,
    maxFrames: 65_536,
    heartbeatInterval: 0,
    heartbeatTimeout: -1,
    heartbeatTimeToLive: 0,
    ...changes,
  }
}

/** Makes plain Uint8Arrays, and counts what it is asked for. */
export class CountingBytes implements Bytes {
  /** The sizes of all calls of alloc, in order. */
  readonly allocs: number[] = []
  allocated = 0
  copies = 0
  views = 0

  alloc(size: number): Uint8Array {
    this.allocs.push(size)
    this.allocated += size
    return new Uint8Array(size).fill(0xaa, 0, 4096) // contents are unspecified, so nobody may count on zeros
  }

  copy(chunk: Uint8Array, from: number, to: number): Uint8Array {
    this.copies++
    return chunk.slice(from, to)
  }

  piece(chunk: Uint8Array, from: number, to: number): Uint8Array {
    return chunk.slice(from, to)
  }

  view(memory: ArrayBufferLike, offset: number, size: number): Uint8Array {
    this.views++
    return new Uint8Array(memory, offset, size)
  }
}

export const toHex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")

export function concat(ranges: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(ranges))
}

/** One engine, and all that it told, as text. */
export class End implements EngineSink {
  readonly bytes = new CountingBytes()
  readonly batch = new OutBatch(new SlabPool(size => new Uint8Array(size)))
  readonly engine: Engine
  /** `ready TYPE id=… minor=…`, `message …|…` in hex, `fault CODE`. */
  readonly events: string[] = []
  readonly messages: Message[] = []
  readonly faults: HandshakeError[] = []
  /** Refusals for now, which end nothing. */
  readonly deferred: AuthError[] = []
  peer: PeerInfo | null = null
  /** Says "no more for now" to every message. */
  reluctant = false

  constructor(options: EngineOptions, ask: Ask | null = null) {
    this.engine = new Engine(options, this.bytes, this.batch, this, ask)
  }

  onReady(peer: PeerInfo): boolean {
    this.peer = peer
    this.events.push(`ready ${peer.type} id=${toHex(peer.identity)} minor=${peer.minor}`)
    return true
  }

  onMessage(message: Message): boolean {
    this.messages.push(message)
    this.events.push(`message ${message.map(toHex).join("|")}`)
    return !this.reluctant
  }

  crowded = false
  onOutput(): void {}

  onDeferred(error: AuthError): void {
    this.deferred.push(error)
    this.events.push(`deferred ${error.status}`)
  }

  onFault(error: HandshakeError): void {
    this.faults.push(error)
    this.events.push(`fault ${error instanceof AuthError ? error.status : error.code}`)
  }

  /** Takes what is to be sent, as one range. */
  output(): Uint8Array {
    const bytes = concat(this.batch.take())
    this.batch.recycle()
    return bytes
  }

  /** Gives a chunk to the engine, again and again while it takes only a part of it. */
  receive(chunk: Uint8Array, now = 0): void {
    for (let at = 0; at < chunk.length; ) {
      const next = this.engine.receive(chunk, at, now)
      if (next <= at) throw new Error(`the engine did not get past byte ${at} of ${chunk.length}`)
      at = next
    }
  }

  /** When its engine wants to be called. A finished one is not called any more. */
  get wakesAt(): number {
    return this.faults.length > 0 ? Number.POSITIVE_INFINITY : this.engine.nextTimeout()
  }
}

export interface LinkOptions {
  /** Milliseconds that bytes are under way. */
  latency?: number
  /** Chunks are cut to this size. */
  cut?: number
}

interface Parcel {
  readonly at: number
  readonly from: End
  readonly to: End
  readonly bytes: Uint8Array
}

/** More steps than this without rest are an endless exchange. */
const MOST_STEPS = 100_000

export class Link {
  now = 0
  /** An end whose bytes get lost from now on, as if its host had lost power: nobody is told. */
  mute: End | null = null
  /** Bytes that were delivered. */
  carried = 0
  readonly left: End
  readonly right: End
  private readonly parcels: Parcel[] = []
  private readonly latency: number
  private readonly cut: number

  constructor(
    left: EngineOptions,
    right: EngineOptions,
    { latency = 0, cut = Number.POSITIVE_INFINITY }: LinkOptions = {},
  ) {
    this.left = new End(left)
    this.right = new End(right)
    this.latency = latency
    this.cut = cut
    this.left.engine.start(0)
    this.right.engine.start(0)
  }

  /** Lets `ms` milliseconds pass: delivers what arrives meanwhile and calls the timeouts that are due. */
  advance(ms: number): void {
    const until = this.now + ms
    for (let steps = 0; ; steps++) {
      if (steps > MOST_STEPS) throw new Error(`the link did not come to rest at ${this.now} ms`)
      this.collect(this.left, this.right)
      this.collect(this.right, this.left)
      const parcelAt = this.parcels[0]?.at ?? Number.POSITIVE_INFINITY
      const next = Math.min(parcelAt, this.left.wakesAt, this.right.wakesAt)
      if (next > until) break
      this.now = Math.max(this.now, next)
      if (parcelAt === next) this.deliver(this.parcels.shift()!)
      else for (const end of [this.left, this.right]) if (end.wakesAt <= this.now) end.engine.handleTimeout(this.now)
    }
    this.now = until
  }

  /** Exchanges what there is to say without letting time pass. */
  settle(): void {
    this.advance(0)
  }

  private collect(from: End, to: End): void {
    const bytes = from.output()
    if (bytes.length > 0 && from !== this.mute) this.parcels.push({ at: this.now + this.latency, from, to, bytes })
  }

  private deliver({ from, to, bytes }: Parcel): void {
    if (from === this.mute) return
    for (let at = 0; at < bytes.length; at += this.cut) to.receive(bytes.slice(at, at + this.cut), this.now)
    this.carried += bytes.length
  }
}
