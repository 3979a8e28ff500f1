/**
 * Changes become batches: one is in flight at a time, and what is called meanwhile is gathered for the next. A batch is one write
 * and one sync, then all its promises resolve: so many callers share the price of one sync.
 *
 * The index shows what is safe, and changes with a whole batch. Whether an entry is there is decided when its batch is made, as by
 * then all before it has happened or has failed.
 */
import type { EntryIndex, Place } from "./entry-index.js"
import { type Change, encodeBatch, PUT, REMOVE, SET_META, sizeOfChange } from "./record.js"
import { HalfMade, type Segment } from "./segment.js"
import type { Segments } from "./segments.js"
import { diskError, noSuchEntry, StoreError } from "./store-error.js"

/** A change that waits. */
interface Waiting extends Change {
  /** A copy of the entry at this place, by compaction: it is written only when the entry is still there. */
  readonly copyOf: Place | null
  readonly resolve: () => void
  readonly reject: (error: StoreError) => void
}

export interface CommitLimits {
  readonly segmentBytes: number
  readonly maxBatchBytes: number
}

/** Callers that await a change make their next one so many microtasks later at most, and it gets into the next batch. */
const PATIENCE = 8

export class GroupCommit {
  #queue: Waiting[] = []
  #running: Promise<void> | null = null
  #broken: StoreError | null = null
  /** For each entry that a waiting put or remove is about: the last of them. */
  readonly #latest = new Map<number, Change>()

  /** `committed` is called when a batch is safe, with whether something was removed. */
  constructor(
    readonly segments: Segments,
    readonly index: EntryIndex,
    private readonly limits: CommitLimits,
    private readonly committed: (removed: boolean) => void,
  ) {}

  /** Resolves when the change is safe, or when the entry of a copy is no longer where it was. */
  add(change: Change, copyOf: Place | null = null): Promise<void> {
    if (this.#broken !== null) return Promise.reject(this.#broken)
    return new Promise((resolve, reject) => {
      const waiting = { ...change, copyOf, resolve, reject }
      this.#queue.push(waiting)
      if (copyOf === null && change.kind !== SET_META) this.#latest.set(change.key, waiting)
      this.#running ??= this.#run()
    })
  }

  /** The last put or remove of an entry that is not safe yet. */
  latest(key: number): Change | undefined {
    return this.#latest.get(key)
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  async #run(): Promise<void> {
    await Promise.resolve()
    while (this.#queue.length > 0) {
      await this.#commit(this.#take())
      for (let turn = 0; turn < PATIENCE; turn++) await Promise.resolve()
    }
    this.#running = null
  }

  /** The next batch: at least one change, and no more than the limit allows. */
  #take(): Waiting[] {
    let bytes = 0
    const end = this.#queue.findIndex((change, at) => {
      bytes += sizeOfChange(change)
      return at > 0 && bytes > this.limits.maxBatchBytes
    })
    return this.#queue.splice(0, end < 0 ? this.#queue.length : end)
  }

  async #commit(taken: readonly Waiting[]): Promise<void> {
    if (this.#broken !== null) return this.#fail(taken, this.#broken)
    const batch = this.#admit(taken)
    if (batch.length === 0) return
    const offsets: number[] = []
    let segment: Segment
    try {
      segment = await this.#append(batch, offsets)
    } catch (error) {
      const reason = diskError(error)
      const copies = batch.filter(({ copyOf }) => copyOf !== null)
      if (reason.code !== "ENOSPC" || copies.length === 0) return this.#fail(batch, reason)
      // Without what compaction wanted to have moved, the callers' own changes may find room.
      this.#fail(copies, reason)
      return this.#commit(batch.filter(({ copyOf }) => copyOf === null))
    }
    for (const [at, change] of batch.entries()) this.#apply(change, segment.number, offsets[at]!)
    for (const change of batch) this.#settle(change).resolve()
    this.committed(batch.some(({ kind }) => kind === REMOVE))
  }

  /** Without those that cannot be: their promises are settled. */
  #admit(taken: readonly Waiting[]): Waiting[] {
    const isThere = new Map<number, boolean>()
    return taken.filter(change => {
      const { kind, key, copyOf } = change
      if (copyOf !== null) {
        const isNeeded = !isThere.has(key) && this.index.isAt(key, copyOf)
        if (!isNeeded) change.resolve()
        return isNeeded
      }
      if (kind !== PUT && !(isThere.get(key) ?? this.index.has(key))) {
        this.#settle(change).reject(noSuchEntry(key))
        return false
      }
      isThere.set(key, kind !== REMOVE)
      return true
    })
  }

  /** When it rejects, nothing of the batch is in the log, or the store is broken. */
  async #append(batch: readonly Waiting[], offsets: number[]): Promise<Segment> {
    const bytes = batch.reduce((sum, change) => sum + sizeOfChange(change), 0)
    let segment: Segment
    try {
      segment = await this.segments.room(bytes, this.limits.segmentBytes)
    } catch (error) {
      throw error instanceof HalfMade ? this.#break(error) : error
    }
    const { file, path, size, number } = segment
    try {
      await file.write(encodeBatch(batch, number, size, offsets), size)
    } catch (error) {
      await this.#undo(segment)
      throw diskError(error, path)
    }
    try {
      await file.sync()
    } catch (error) {
      // After this nobody knows what is on the disk. What has been rejected had better not come back.
      await this.#undo(segment).catch(() => {})
      throw this.#break(error, path)
    }
    segment.size += bytes
    return segment
  }

  /** Takes away what a batch that failed has left. Safe, too, before another segment follows: else it would come back in the middle. */
  async #undo({ file, path, size }: Segment): Promise<void> {
    try {
      await file.truncate(size)
      await file.sync()
    } catch (error) {
      throw this.#break(error, path)
    }
  }

  #apply({ kind, key, meta, body }: Change, segment: number, offset: number): void {
    if (kind === PUT) this.index.put(key, segment, offset, meta.length, body.length)
    else if (kind === SET_META) this.index.setMeta(key, segment, offset, meta.length)
    else this.index.remove(key)
  }

  #fail(changes: readonly Waiting[], error: StoreError): void {
    for (const change of changes) this.#settle(change).reject(error)
  }

  #settle(change: Waiting): Waiting {
    if (this.#latest.get(change.key) === change) this.#latest.delete(change.key)
    return change
  }

  #break(cause: unknown, file?: string): StoreError {
    this.#broken ??= new StoreError("EIO", "the disk has failed; open the store again", { file, cause })
    return this.#broken
  }
}
