/**
 * What is encoded for one peer and not yet written: a list of byte ranges in order. Short bodies are copied behind each
 * other into a slab, long ones go by reference. Slabs are borrowed from a pool between the first encoding and the
 * moment all of it is written, so an idle peer owns none; their size follows the traffic of the peer.
 */
import type { Encoded, Frame } from "../message.js"

/** Bodies from this size go by reference: measured, copying wins below (2.4 GB/s), references above (docs/performance.md). */
export const BY_REFERENCE = 32 * 1024
/** Up to here a loop beats the call of `set` (Node 20). */
const LOOP_UP_TO = 12
const LONG_HEADER = 9
const SHORT_HEADER = 2
const LONG_FLAG = 0x02

/** Slab sizes. A batch that overflows one gets the next larger next time; one that uses little of it, the next smaller. */
const SIZES = [1024, 16 * 1024, 256 * 1024] as const
const LARGEST = SIZES.length - 1
/** Room in a slab, which serves again, is given up to here: two such frames fit into the largest. */
const MOST_ROOM = 127 * 1024
/** Bytes for one write: at 64 KiB a loopback connection moved 1.3 GB/s, at 128 KiB 2.5, at 256 KiB 3.0. */
const WRITE_AT = 256 * 1024 - 1024
/** Slabs kept for reuse, of each size. */
const KEPT = [256, 64, 16] as const

const setBytes = Uint8Array.prototype.set

/** Slabs that nobody uses, shared by all batches of a context. */
export class SlabPool {
  private readonly free: Uint8Array[][] = SIZES.map(() => [])

  constructor(private readonly alloc: (size: number) => Uint8Array) {}

  /** Memory that is not used again. */
  memory(size: number): Uint8Array {
    return this.alloc(size)
  }

  take(level: number): Uint8Array {
    return this.free[level]!.pop() ?? this.alloc(SIZES[level]!)
  }

  give(slab: Uint8Array): void {
    const level = slab.length === SIZES[0] ? 0 : slab.length === SIZES[1] ? 1 : 2
    const free = this.free[level]!
    if (free.length < KEPT[level]!) free.push(slab)
  }
}

export class OutBatch {
  /** Bytes encoded and not taken yet. */
  bytes = 0
  private slab: Uint8Array | null = null
  /** Where the range of the slab that is not sealed yet begins, and where it ends. */
  private start = 0
  private at = 0
  private level = 0
  private sealed: Uint8Array[] | null = null
  /** Slabs that are full, and perhaps not written yet. */
  private spent: Uint8Array[] | null = null
  /** A range of somebody else's slab that is not sealed yet. */
  private shared: Uint8Array | null = null
  private sharedFrom = 0
  private sharedTo = 0

  constructor(private readonly pool: SlabPool) {}

  /** Appends one frame: header and body (37/ZMTP, framing). `flags` without the LONG bit, which follows from the size. */
  frame(flags: number, body: Frame): void {
    if (this.shared !== null) this.seal()
    const size = body.length
    if (size > 255) {
      this.longFrame(flags, body)
      return
    }
    let slab = this.slab
    if (slab === null || slab.length - this.at < size + SHORT_HEADER) slab = this.nextSlab()
    let at = this.at
    slab[at++] = flags
    slab[at++] = size
    if (size <= LOOP_UP_TO) for (let i = 0; i < size; i++) slab[at + i] = body[i]!
    else setBytes.call(slab, body, at)
    this.at = at + size
    this.bytes += size + SHORT_HEADER
  }

  /** Appends a frame whose body the caller writes into the bytes that this returns, at once and all of them. */
  room(flags: number, size: number): Uint8Array {
    if (this.shared !== null) this.seal()
    if (size > MOST_ROOM) {
      const body = this.pool.memory(size)
      this.longFrame(flags, body)
      return body
    }
    const slab = this.header(flags, size, size)
    const from = this.at
    this.at = from + size
    this.bytes += size
    return slab.subarray(from, this.at)
  }

  /** Appends a range that is encoded already and shared with other batches; ranges that follow each other become one. */
  append({ slab, from, to }: Encoded): void {
    if (this.shared === slab && this.sharedTo === from) {
      this.sharedTo = to
    } else {
      this.seal()
      this.shared = slab
      this.sharedFrom = from
      this.sharedTo = to
    }
    this.bytes += to - from
  }

  /** Appends bytes as they are (greeting, frames of ZMTP 1.0). */
  raw(bytes: Uint8Array): void {
    this.bytes += bytes.length
    if (bytes.length >= BY_REFERENCE) {
      this.seal()
      this.add(bytes)
      return
    }
    if (this.shared !== null) this.seal()
    const slab =
      this.slab === null || this.slab.length - this.at < bytes.length ? this.nextSlab(bytes.length) : this.slab
    slab.set(bytes, this.at)
    this.at += bytes.length
  }

  /**
   * Hands over all ranges in order, and goes on behind them in the same slab. They may be read until {@link recycle} says
   * that they were all written.
   */
  take(): Uint8Array[] {
    this.seal()
    const ranges = this.sealed ?? []
    this.sealed = null
    this.bytes = 0
    return ranges
  }

  /** All that was taken is written: the slab may serve again, here or elsewhere. */
  recycle(): void {
    if (this.bytes > 0) return
    if (this.spent !== null) for (const spent of this.spent) this.pool.give(spent)
    this.spent = null
    if (this.slab === null) return
    if (this.level > 0 && this.at < SIZES[this.level - 1]! / 2) this.level--
    this.pool.give(this.slab)
    this.slab = null
    this.start = this.at = 0
  }

  /** True when enough is there to be worth a write of its own: large writes wake the reader less often. */
  get full(): boolean {
    return this.bytes >= WRITE_AT
  }

  private longFrame(flags: number, body: Frame): void {
    const size = body.length
    if (size < BY_REFERENCE) {
      setBytes.call(this.header(flags, size, size), body, this.at)
      this.at += size
    } else {
      this.header(flags, size, 0)
      this.seal()
      this.add(body)
    }
    this.bytes += size
  }

  /** Appends the header of a frame of `size` bytes, of which `here` are to follow in the slab; returns that. */
  private header(flags: number, size: number, here: number): Uint8Array {
    const room = here + LONG_HEADER
    const slab = this.slab === null || this.slab.length - this.at < room ? this.nextSlab(room) : this.slab
    let at = this.at
    if (size <= 255) {
      slab[at++] = flags
      slab[at++] = size
    } else {
      slab[at++] = flags | LONG_FLAG
      const high = Math.floor(size / 0x100000000)
      slab[at++] = high >>> 24
      slab[at++] = high >>> 16
      slab[at++] = high >>> 8
      slab[at++] = high
      slab[at++] = size >>> 24
      slab[at++] = size >>> 16
      slab[at++] = size >>> 8
      slab[at++] = size
    }
    this.bytes += at - this.at
    this.at = at
    return slab
  }

  private seal(): void {
    if (this.shared !== null) {
      this.add(this.shared.subarray(this.sharedFrom, this.sharedTo))
      this.shared = null
    }
    if (this.slab !== null && this.at > this.start) {
      this.add(this.slab.subarray(this.start, this.at))
      this.start = this.at
    }
  }

  /** Most lists are of one range: pushed to an empty array it would make room for 17. */
  private add(range: Uint8Array): void {
    if (this.sealed === null) this.sealed = [range]
    else this.sealed.push(range)
  }

  private nextSlab(room = 0): Uint8Array {
    this.seal()
    if (this.slab !== null) {
      this.spent ??= []
      this.spent.push(this.slab)
      if (this.level < LARGEST) this.level++
    }
    while (SIZES[this.level]! < room) this.level++
    this.slab = this.pool.take(this.level)
    this.start = this.at = 0
    return this.slab
  }
}
