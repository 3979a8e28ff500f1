/**
 * Bytes to messages and commands (37/ZMTP, framing). Feed it chunks as they come, cut anywhere; it calls its sink for
 * each whole message and each command, and stops when the sink is full. It never allocates by a length that a peer
 * declares, only by what has come: a frame that is still arriving gets 16 times that at once, which spares most frames
 * a second copy, within 64 KiB and 1 MiB; beyond, its buffer doubles as its bytes come.
 */
import { type LimitName, ProtocolError } from "../errors.js"
import type { Bytes, Message } from "../message.js"
import { Assembly } from "./assembly.js"

const MORE = 0x01
const LONG = 0x02
const COMMAND = 0x04
const LONG_HEADER = 9
/** Of any version: that of a long 1.0 frame. */
const LONGEST_HEADER = 10
/** Received frames up to this size are views of a copied piece of the chunk, longer ones of the chunk itself. */
export const SHORT = 64
/** Bytes of such a piece: what a short frame that is kept holds at most, which is as much as short Buffers of Node do. */
const PIECE = 8192
/** Most bytes of one frame of a handshake, while nobody knows who sends it: twice the metadata that is kept of a peer. */
const LONGEST_HANDSHAKE = 131072
/** With less than this left of the chunk, memory of its own costs a frame less than a piece. */
const WORTH_A_PIECE = 1024
/** What a frame that is still arriving gets at once: so many times what has come of it, within these bounds. */
const AHEAD = 16
const LEAST_AT_ONCE = 64 * 1024
const MOST_AT_ONCE = 1024 * 1024

export interface DecoderSink {
  /** A whole message. False: take no more for now. */
  onMessage(message: Message): boolean
  /** The body of a command frame; a view that is valid during the call. */
  onCommand(body: Uint8Array): boolean
}

export interface DecoderLimits {
  /** Longest frame body in bytes; negative for no limit. */
  maxMessageSize: number
  /** Frames in one message. */
  maxFrames: number
}

export class Decoder {
  private readonly assembly: Assembly
  /** A header that was cut, made when the first one is. */
  protected header: Uint8Array | null = null
  protected headerLength = 0
  /** The frame that is still arriving: its buffer, how much of it is filled, its full size and flags. */
  protected body: Uint8Array | null = null
  private filled = 0
  private size = 0
  private flags = 0
  protected largest: number
  /** What a frame that is longer goes beyond. */
  private limit: LimitName = "maxMessageSize"
  /** The memory of the chunk that is being decoded; null: not asked for. To ask is a call that costs as much as a view. */
  private memory: ArrayBufferLike | null = null
  /** Where a place in the chunk is in the memory. */
  private base = 0
  /** The same for a copy of some bytes of the chunk, and up to which place it goes. */
  private piece: ArrayBufferLike | null = null
  private pieceBase = 0
  private pieceEnd = 0

  constructor(
    private readonly bytes: Bytes,
    private readonly limits: DecoderLimits,
    private readonly sink: DecoderSink,
  ) {
    this.assembly = new Assembly(limits.maxFrames)
    this.largest = limits.maxMessageSize < 0 ? Number.MAX_SAFE_INTEGER : limits.maxMessageSize
  }

  /** Until {@link trust}, frames are to be as short as those of a handshake, and each stands alone. */
  distrust(): void {
    this.assembly.maxFrames = 1
    if (this.largest <= LONGEST_HANDSHAKE) return
    this.largest = LONGEST_HANDSHAKE
    this.limit = "handshakeSize"
  }

  trust(): void {
    const { maxMessageSize, maxFrames } = this.limits
    this.assembly.maxFrames = maxFrames
    this.largest = maxMessageSize < 0 ? Number.MAX_SAFE_INTEGER : maxMessageSize
    this.limit = "maxMessageSize"
  }

  /** Bytes of the unfinished message that are held here. */
  get pendingBytes(): number {
    return this.assembly.bytes + (this.body === null ? 0 : this.filled)
  }

  /**
   * Decodes `chunk` from `from` on. Returns how far it came: the end, or less when the sink had enough. Then the next call
   * is for the rest of the same chunk.
   */
  decode(chunk: Uint8Array, from: number): number {
    const at = this.frames(chunk, from)
    if (at === chunk.length) this.memory = this.piece = null
    return at
  }

  protected frames(chunk: Uint8Array, from: number): number {
    const end = chunk.length
    let at = from
    if (this.body !== null || this.headerLength > 0) {
      at = this.continue(chunk, at)
      if (at < 0) return -at - 1
    }
    while (at < end) {
      const flags = chunk[at]!
      let size: number
      let start: number
      if ((flags & LONG) === 0) {
        if (at + 1 >= end) return this.keepHeader(chunk, at)
        size = chunk[at + 1]!
        start = at + 2
      } else {
        if (at + LONG_HEADER > end) return this.keepHeader(chunk, at)
        size = longSize(chunk, at)
        start = at + LONG_HEADER
      }
      if (size > this.largest) throw this.tooLarge(size)
      const next = start + size
      if (next > end) {
        this.begin(flags, size, end - start)
        return this.fill(chunk, start)
      }
      at = next
      if ((flags & COMMAND) !== 0) {
        if (!this.sink.onCommand(chunk.subarray(start, next))) return at
        continue
      }
      const frame = size <= SHORT ? this.short(chunk, start, size) : this.view(chunk, start, size)
      if ((flags & MORE) === 0 && this.assembly.empty) {
        if (!this.sink.onMessage([frame])) return at
      } else if (!this.part(flags, frame)) return at
    }
    return at
  }

  /** A frame that shares its memory with those around it: cheaper than memory of its own. */
  protected short(chunk: Uint8Array, start: number, size: number): Uint8Array {
    const next = start + size
    if (this.piece === null || next > this.pieceEnd) {
      if (chunk.length - start < WORTH_A_PIECE) return this.bytes.copy(chunk, start, next)
      this.pieceEnd = Math.min(chunk.length, start + PIECE)
      const piece = this.bytes.piece(chunk, start, this.pieceEnd)
      this.piece = piece.buffer
      this.pieceBase = piece.byteOffset - start
    }
    return this.bytes.view(this.piece, this.pieceBase + start, size)
  }

  protected view(chunk: Uint8Array, start: number, size: number): Uint8Array {
    if (this.memory === null) {
      this.memory = chunk.buffer
      this.base = chunk.byteOffset
    }
    return this.bytes.view(this.memory, this.base + start, size)
  }

  /**
   * Goes on with what the last chunk left unfinished. Returns where the next frame begins; or, when the sink had enough,
   * that place as a negative number (-place - 1).
   */
  protected continue(chunk: Uint8Array, from: number): number {
    let at = from
    if (this.body === null) {
      at = this.continueHeader(chunk, at)
      if (this.body === null) return at
    }
    at = this.fill(chunk, at)
    if (this.filled < this.size) return at
    const frame = this.body as Uint8Array
    this.body = null
    const goOn = (this.flags & COMMAND) !== 0 ? this.sink.onCommand(frame) : this.part(this.flags, frame)
    return goOn ? at : -at - 1
  }

  /** Completes a header that was cut, and begins its frame; returns where its body begins. */
  protected continueHeader(chunk: Uint8Array, from: number): number {
    const end = chunk.length
    let at = from
    const header = this.header as Uint8Array
    const need = () => ((header[0]! & LONG) === 0 ? 2 : LONG_HEADER)
    while (at < end && this.headerLength < need()) header[this.headerLength++] = chunk[at++]!
    if (this.headerLength < need()) return at
    const size = need() === 2 ? header[1]! : longSize(header, 0)
    this.headerLength = 0
    if (size > this.largest) throw this.tooLarge(size)
    this.begin(header[0]!, size, end - at)
    return at
  }

  /** A frame begins of which `come` bytes are there. */
  protected begin(flags: number, size: number, come: number): void {
    this.flags = flags
    this.size = size
    this.filled = 0
    const ahead = Math.min(MOST_AT_ONCE, Math.max(LEAST_AT_ONCE, come * AHEAD))
    this.body = this.bytes.alloc(Math.min(size, ahead))
  }

  protected fill(chunk: Uint8Array, from: number): number {
    const take = Math.min(this.size - this.filled, chunk.length - from)
    let body = this.body as Uint8Array
    if (this.filled + take > body.length) {
      const larger = this.bytes.alloc(Math.min(this.size, Math.max(this.filled + take, 2 * body.length)))
      larger.set(body.subarray(0, this.filled))
      this.body = body = larger
    }
    if (take > 0) body.set(from === 0 && take === chunk.length ? chunk : chunk.subarray(from, from + take), this.filled)
    this.filled += take
    return from + take
  }

  protected keepHeader(chunk: Uint8Array, from: number): number {
    this.header ??= new Uint8Array(LONGEST_HEADER)
    let at = from
    while (at < chunk.length) this.header[this.headerLength++] = chunk[at++]!
    return at
  }

  /** A frame of a message of several frames. */
  protected part(flags: number, frame: Uint8Array): boolean {
    const message = this.assembly.add(frame, (flags & MORE) !== 0)
    return message === null || this.sink.onMessage(message)
  }

  protected tooLarge(size: number): ProtocolError {
    return new ProtocolError(
      "ERR_ZMTP_UNSPECIFIED",
      `a frame of ${size} bytes, the limit is ${this.largest} (EMSGSIZE)`,
      this.limit,
    )
  }
}

/** The 64-bit size behind the byte at `at`, which says that there is one; beyond 2^53 it is only known to be too much. */
export function longSize(bytes: Uint8Array, at: number): number {
  let size = 0
  for (let i = at + 1; i < at + LONG_HEADER; i++) size = size * 256 + bytes[i]!
  return size
}
