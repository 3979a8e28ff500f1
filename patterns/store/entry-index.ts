/**
 * Where each entry stands in the log. A hash table of numbers in one typed array, 40 bytes a slot and nothing on the heap, so that
 * a million entries take 50 to 75 MB; open addressing with linear probing, and what stands behind a removed slot moves up. It
 * also counts, for each segment, the entries whose body is in it, and their bytes.
 *
 * `mark` is a number that recovery keeps beside each entry.
 */
import { HEAD } from "./record.js"

/** Where an entry's put record stands, and the record that has its current meta: the same one, or a later setMeta. */
export interface Place {
  readonly segment: number
  readonly offset: number
  /** Of the put record. */
  readonly length: number
  readonly bodyLength: number
  readonly metaSegment: number
  readonly metaOffset: number
  /** Of the current meta. */
  readonly metaLength: number
}

// The numbers of a slot.
const KEY_LOW = 0
/** The upper 16 bits of the key, plus 1; 0: the slot is free. */
const KEY_HIGH = 1
const SEGMENT = 2
const OFFSET = 3
const LENGTH = 4
const BODY_LENGTH = 5
const META_SEGMENT = 6
const META_OFFSET = 7
const META_LENGTH = 8
const MARK = 9
const STRIDE = 10

/** What lives in a segment. */
interface Share {
  entries: number
  bytes: number
}

const FIRST_CAPACITY = 64
const GROWTH = 1.5
const FULLEST = 0.75

export class EntryIndex {
  #slots = new Uint32Array(FIRST_CAPACITY * STRIDE)
  #capacity = FIRST_CAPACITY
  #size = 0
  #liveBytes = 0
  readonly #shares = new Map<number, Share>()

  get size(): number {
    return this.#size
  }

  /** What the live entries would take if nothing else were in the log. */
  get liveBytes(): number {
    return this.#liveBytes
  }

  /** How many live entries have their body in a segment. */
  entriesIn(segment: number): number {
    return this.#shares.get(segment)?.entries ?? 0
  }

  /** What these would take elsewhere, with their current meta. */
  bytesIn(segment: number): number {
    return this.#shares.get(segment)?.bytes ?? 0
  }

  /** Of the put record of an entry; 0: there is no such entry. */
  lengthOf(key: number): number {
    const at = this.#find(key)
    return at < 0 ? 0 : this.#slots[at + LENGTH]!
  }

  has(key: number): boolean {
    return this.#find(key) >= 0
  }

  place(key: number): Place | null {
    const at = this.#find(key)
    if (at < 0) return null
    const slots = this.#slots
    return {
      segment: slots[at + SEGMENT]!,
      offset: slots[at + OFFSET]!,
      length: slots[at + LENGTH]!,
      bodyLength: slots[at + BODY_LENGTH]!,
      metaSegment: slots[at + META_SEGMENT]!,
      metaOffset: slots[at + META_OFFSET]!,
      metaLength: slots[at + META_LENGTH]!,
    }
  }

  /** Whether body and meta of an entry are where they were. */
  isAt(key: number, { segment, offset, metaSegment, metaOffset }: Place): boolean {
    const at = this.#find(key)
    const slots = this.#slots
    return (
      at >= 0 &&
      slots[at + SEGMENT] === segment &&
      slots[at + OFFSET] === offset &&
      slots[at + META_SEGMENT] === metaSegment &&
      slots[at + META_OFFSET] === metaOffset
    )
  }

  put(key: number, segment: number, offset: number, metaLength: number, bodyLength: number): void {
    let at = this.#find(key)
    if (at < 0) at = this.#insert(key)
    else this.#forget(at)
    const slots = this.#slots
    slots[at + SEGMENT] = slots[at + META_SEGMENT] = segment
    slots[at + OFFSET] = slots[at + META_OFFSET] = offset
    slots[at + LENGTH] = HEAD + metaLength + bodyLength
    slots[at + BODY_LENGTH] = bodyLength
    slots[at + META_LENGTH] = metaLength
    this.#count(segment, 1, HEAD + metaLength + bodyLength)
  }

  /** False when there is no such entry. */
  setMeta(key: number, segment: number, offset: number, metaLength: number): boolean {
    const at = this.#find(key)
    if (at < 0) return false
    const slots = this.#slots
    this.#count(slots[at + SEGMENT]!, 0, metaLength - slots[at + META_LENGTH]!)
    slots[at + META_SEGMENT] = segment
    slots[at + META_OFFSET] = offset
    slots[at + META_LENGTH] = metaLength
    return true
  }

  /** False when there is no such entry. */
  remove(key: number): boolean {
    const at = this.#find(key)
    if (at < 0) return false
    this.#forget(at)
    this.#size--
    this.#close(at / STRIDE)
    return true
  }

  /** -1: there is no such entry. */
  metaLengthOf(key: number): number {
    const at = this.#find(key)
    return at < 0 ? -1 : this.#slots[at + META_LENGTH]!
  }

  /** 0 for an entry that was given none. */
  markOf(key: number): number {
    const at = this.#find(key)
    return at < 0 ? 0 : this.#slots[at + MARK]!
  }

  mark(key: number, mark: number): void {
    const at = this.#find(key)
    if (at >= 0) this.#slots[at + MARK] = mark
  }

  /** All keys, in order. */
  keys(): Float64Array {
    const keys = new Float64Array(this.#size)
    let count = 0
    for (let at = 0; at < this.#slots.length; at += STRIDE) {
      if (this.#slots[at + KEY_HIGH] !== 0) keys[count++] = this.#keyAt(at)
    }
    return keys.sort()
  }

  /** Where the slot of a key begins; -1: it has none. */
  #find(key: number): number {
    const slots = this.#slots
    const low = key >>> 0
    const high = Math.floor(key / 2 ** 32) + 1
    for (let slot = this.#home(low, high); ; slot = this.#next(slot)) {
      const at = slot * STRIDE
      const found = slots[at + KEY_HIGH]!
      if (found === 0) return -1
      if (found === high && slots[at + KEY_LOW] === low) return at
    }
  }

  #insert(key: number): number {
    if (this.#size + 1 > this.#capacity * FULLEST) this.#grow()
    this.#size++
    const low = key >>> 0
    const high = Math.floor(key / 2 ** 32) + 1
    const at = this.#free(low, high)
    this.#slots.fill(0, at, at + STRIDE)
    this.#slots[at + KEY_LOW] = low
    this.#slots[at + KEY_HIGH] = high
    return at
  }

  #free(low: number, high: number): number {
    let slot = this.#home(low, high)
    while (this.#slots[slot * STRIDE + KEY_HIGH] !== 0) slot = this.#next(slot)
    return slot * STRIDE
  }

  #grow(): void {
    const old = this.#slots
    this.#capacity = Math.ceil(this.#capacity * GROWTH)
    this.#slots = new Uint32Array(this.#capacity * STRIDE)
    for (let at = 0; at < old.length; at += STRIDE) {
      if (old[at + KEY_HIGH] === 0) continue
      const to = this.#free(old[at + KEY_LOW]!, old[at + KEY_HIGH]!)
      for (let number = 0; number < STRIDE; number++) this.#slots[to + number] = old[at + number]!
    }
  }

  /** Frees a slot; those behind it that would no longer be found move up. */
  #close(hole: number): void {
    const slots = this.#slots
    let free = hole
    for (let slot = this.#next(hole); ; slot = this.#next(slot)) {
      const at = slot * STRIDE
      if (slots[at + KEY_HIGH] === 0) break
      const home = this.#home(slots[at + KEY_LOW]!, slots[at + KEY_HIGH]!)
      const isReached = free <= slot ? free < home && home <= slot : free < home || home <= slot
      if (isReached) continue
      slots.copyWithin(free * STRIDE, at, at + STRIDE)
      free = slot
    }
    slots[free * STRIDE + KEY_HIGH] = 0
  }

  #home(low: number, high: number): number {
    let hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    return Math.floor((((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * this.#capacity)
  }

  #next(slot: number): number {
    return slot + 1 === this.#capacity ? 0 : slot + 1
  }

  #keyAt(at: number): number {
    return this.#slots[at + KEY_LOW]! + (this.#slots[at + KEY_HIGH]! - 1) * 2 ** 32
  }

  #forget(at: number): void {
    const slots = this.#slots
    this.#count(slots[at + SEGMENT]!, -1, -(HEAD + slots[at + META_LENGTH]! + slots[at + BODY_LENGTH]!))
  }

  #count(segment: number, entries: number, bytes: number): void {
    this.#liveBytes += bytes
    const share = this.#shares.get(segment)
    if (share === undefined) this.#shares.set(segment, { entries, bytes })
    else {
      share.entries += entries
      share.bytes += bytes
      if (share.entries === 0) this.#shares.delete(segment)
    }
  }
}
