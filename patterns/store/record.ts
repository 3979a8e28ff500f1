/**
 * A record of the log: one change of one entry.
 *
 *      0  u32  length of all that follows the checksum
 *      4  u32  CRC-32 of all that follows, begun with the place where the record stands (see `seed`)
 *      8  u32  where in this segment the batch begins that the record was written in
 *     12  u8   kind: 1 put, 2 setMeta, 3 remove
 *     13  u48  key
 *     19  u32  length of meta
 *     23       meta, body
 *
 * Numbers are little-endian. Bodies may hold anything, a log as well; as the checksum knows the place, a record that was
 * copied into a body, or that a disk has put elsewhere, is not taken for one.
 */
import { crc32 } from "node:zlib"

export const PUT = 1
export const SET_META = 2
export const REMOVE = 3

export type Kind = typeof PUT | typeof SET_META | typeof REMOVE

/** Bytes before meta. */
export const HEAD = 23
/** Bytes before what the length and the checksum are of. */
const COVERED = 8
/** The longest record: positions in a segment, whose last batch may be one such record, stay below 2^32. */
export const LONGEST_RECORD = 2 ** 31 - 1

/** What stands in a record. One object is used for all records of a scan; `meta` is only good until the next one is read. */
export class RecordView {
  /** In its segment. */
  offset = 0
  /** All of the record, in bytes. */
  length = 0
  checksum = 0
  batchStart = 0
  kind: Kind = PUT
  key = 0
  metaLength = 0
  meta: Uint8Array = NOTHING

  get bodyLength(): number {
    return this.length - HEAD - this.metaLength
  }

  /**
   * Takes the head that begins at `at` of `bytes`, which stands at `offset` of a segment of `size` bytes. False when no
   * record can begin so; true says nothing of the checksum yet.
   */
  readHead(bytes: Uint8Array, at: number, offset: number, size: number): boolean {
    if (at + HEAD > bytes.length) return false
    const kind = bytes[at + 12]!
    if (kind < PUT || kind > REMOVE) return false
    const length = u32(bytes, at) + COVERED
    if (length < HEAD || length > size - offset) return false
    const batchStart = u32(bytes, at + 8)
    const metaLength = u32(bytes, at + 19)
    if (batchStart > offset || metaLength > length - HEAD) return false
    if (kind !== PUT && metaLength !== length - HEAD) return false
    if (kind === REMOVE && metaLength !== 0) return false
    this.offset = offset
    this.length = length
    this.checksum = u32(bytes, at + 4)
    this.batchStart = batchStart
    this.kind = kind as Kind
    this.key = u32(bytes, at + 13) + (bytes[at + 17]! + bytes[at + 18]! * 256) * 2 ** 32
    this.metaLength = metaLength
    return true
  }

  /** Whether the whole record, which begins at `at` of `bytes`, is as it was written; then `meta` is set. */
  check(bytes: Uint8Array, at: number, segment: number): boolean {
    const sum = crc32(bytes.subarray(at + COVERED, at + this.length), seed(segment, this.offset))
    if (sum !== this.checksum) return false
    this.meta = this.metaLength === 0 ? NOTHING : bytes.subarray(at + HEAD, at + HEAD + this.metaLength)
    return true
  }
}

const NOTHING = new Uint8Array(0)

/** The checksum of a record that comes in pieces: give it all that follows the checksum. */
export class Checksum {
  value: number

  constructor(segment: number, offset: number) {
    this.value = seed(segment, offset)
  }

  add(bytes: Uint8Array): void {
    this.value = crc32(bytes, this.value)
  }
}

/** Where the covered bytes of a record begin. */
export const coveredFrom = (offset: number) => offset + COVERED

export interface Change {
  readonly kind: Kind
  readonly key: number
  readonly meta: Uint8Array
  readonly body: Uint8Array
}

/** Bytes that a change takes in the log. */
export const sizeOfChange = ({ meta, body }: Change) => HEAD + meta.length + body.length

/** Bodies from this size on are written from where they are; smaller ones are copied into the slab. */
const BY_REFERENCE = 8192

/**
 * The bytes of a batch that is to stand at `batchStart` of a segment: heads, metas and small bodies in one slab, big bodies by
 * reference. `offsets[i]` becomes the place of change i.
 */
export function encodeBatch(
  changes: readonly Change[],
  segment: number,
  batchStart: number,
  offsets: number[],
): Uint8Array[] {
  const slab = new Uint8Array(changes.reduce((sum, change) => sum + slabSize(change), 0))
  const chunks: Uint8Array[] = []
  let [from, to, offset] = [0, 0, batchStart]
  for (const [index, change] of changes.entries()) {
    const { kind, key, meta, body } = change
    const length = sizeOfChange(change)
    const copied = body.length < BY_REFERENCE
    const at = to
    to += slabSize(change)
    putU32(slab, at, length - COVERED)
    putU32(slab, at + 8, batchStart)
    slab[at + 12] = kind
    putU32(slab, at + 13, key)
    const high = Math.floor(key / 2 ** 32)
    slab[at + 17] = high
    slab[at + 18] = high >>> 8
    putU32(slab, at + 19, meta.length)
    slab.set(meta, at + HEAD)
    if (copied) slab.set(body, at + HEAD + meta.length)
    const sum = crc32(slab.subarray(at + COVERED, to), seed(segment, offset))
    putU32(slab, at + 4, copied ? sum : crc32(body, sum))
    if (!copied) {
      chunks.push(slab.subarray(from, to), body)
      from = to
    }
    offsets[index] = offset
    offset += length
  }
  if (to > from) chunks.push(slab.subarray(from, to))
  return chunks
}

function slabSize({ meta, body }: Change): number {
  return HEAD + meta.length + (body.length < BY_REFERENCE ? body.length : 0)
}

/** What the checksum of a record begins with. */
function seed(segment: number, offset: number): number {
  return (Math.imul(segment, 0x9e3779b1) ^ offset) >>> 0
}

export function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

/** The low 32 bits of a whole number. */
export function putU32(bytes: Uint8Array, at: number, value: number): void {
  const low = value >>> 0
  bytes[at] = low
  bytes[at + 1] = low >>> 8
  bytes[at + 2] = low >>> 16
  bytes[at + 3] = low >>> 24
}
