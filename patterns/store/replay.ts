/**
 * What the records of a log come to, one applied behind the other: where each entry is, and its current meta. A setMeta or remove of
 * an entry that is not there means nothing: its put was in a segment that has been removed.
 */
import { EntryIndex } from "./entry-index.js"
import { PUT, type RecordView, SET_META } from "./record.js"

export class Replay {
  readonly index = new EntryIndex()
  readonly #metas = new Metas()

  apply(segment: number, { kind, key, offset, metaLength, bodyLength, meta }: RecordView): void {
    const { index } = this
    const room = index.metaLengthOf(key)
    if (kind === PUT) index.put(key, segment, offset, metaLength, bodyLength)
    else if (kind === SET_META) {
      if (!index.setMeta(key, segment, offset, metaLength)) return
    } else {
      index.remove(key)
      return
    }
    index.mark(key, this.#metas.keep(meta, index.markOf(key), room))
  }

  /** A copy. */
  metaOf(key: number): Uint8Array {
    return this.#metas.read(this.index.markOf(key), this.index.metaLengthOf(key))
  }
}

const BLOCK = 1 << 20
/** Marks count so many bytes, so that 32 bits are enough. */
const UNIT = 8

/** Metas in blocks, until they are shown: objects of their own would take five times as much. */
class Metas {
  readonly #blocks: Uint8Array[] = []
  /** What the last block still has. */
  #left = 0

  /** Keeps a copy, in the place `mark` of the one before when that had as much room; the new mark. */
  keep(meta: Uint8Array, mark: number, room: number): number {
    if (meta.length === 0) return mark
    const to = meta.length <= room ? mark : this.#allot(meta.length)
    const [block, at] = this.#find(to)
    block.set(meta, at)
    return to
  }

  read(mark: number, length: number): Uint8Array {
    if (length === 0) return new Uint8Array(0)
    const [block, at] = this.#find(mark)
    return block.slice(at, at + length)
  }

  #allot(length: number): number {
    const size = Math.ceil(length / UNIT) * UNIT
    if (size > this.#left) {
      // One that is longer than a block takes the places of several, all of which are the one long block.
      const count = Math.ceil(size / BLOCK)
      const block = new Uint8Array(count * BLOCK)
      for (let index = 0; index < count; index++) this.#blocks.push(block)
      this.#left = count === 1 ? BLOCK : 0
      if (count > 1) return ((this.#blocks.length - count) * BLOCK) / UNIT
    }
    const at = this.#blocks.length * BLOCK - this.#left
    this.#left -= size
    return at / UNIT
  }

  #find(mark: number): [block: Uint8Array, at: number] {
    const position = mark * UNIT
    return [this.#blocks[Math.floor(position / BLOCK)]!, position % BLOCK]
  }
}
