/** The segments of a log, oldest first, with open handles. Batches go to the last one, the tail; only the oldest is ever removed. */
import type { Disk } from "./disk.js"
import { HEADER, Segment } from "./segment.js"

export class Segments {
  readonly #byNumber: Map<number, Segment>
  /** Oldest first. */
  readonly #list: Segment[]

  constructor(
    readonly directory: string,
    readonly disk: Disk,
    list: readonly Segment[],
  ) {
    this.#list = [...list]
    this.#byNumber = new Map(list.map(segment => [segment.number, segment]))
  }

  get oldest(): Segment {
    return this.#list[0]!
  }

  get tail(): Segment {
    return this.#list.at(-1)!
  }

  /** On the disk, headers included. */
  get bytes(): number {
    return this.#list.reduce((sum, { size }) => sum + size, 0)
  }

  get(number: number): Segment {
    return this.#byNumber.get(number)!
  }

  /** The tail, or a new one when a batch of so many bytes would make this one longer than `limit`. */
  async room(bytes: number, limit: number): Promise<Segment> {
    const { tail } = this
    if (tail.size === HEADER || tail.size + bytes <= limit) return tail
    const next = await Segment.create(this.directory, this.disk, tail.number + 1, tail.size)
    this.#list.push(next)
    this.#byNumber.set(next.number, next)
    return next
  }

  /** Removes the oldest one, for good when it resolves. After a rejection no other one may be removed: see compaction.ts. */
  async dropOldest(): Promise<void> {
    const { oldest } = this
    await this.disk.remove(oldest.path)
    this.#list.shift()
    this.#byNumber.delete(oldest.number)
    await oldest.close()
    await this.disk.syncDirectory(this.directory)
  }

  async close(): Promise<void> {
    for (const segment of this.#list) await segment.close()
  }
}
