/**
 * Changes become batches: one is in flight at a time, and what is called meanwhile is gathered for the next. A batch is one write
 * and one sync, then its promise resolves, which all its callers share: so many share the price of one sync, and of one promise.
 * Only what may fail by itself has a promise of its own: a change of an entry whose put is on its way, and a copy.
 *
 * The index shows what is safe, and changes with a whole batch. Whether an entry is there is decided when its batch is made, as by
 * then all before it has happened or has failed.
 */
import type { EntryIndex, Place } from "./entry-index.js"
import { type Change, encodeBatch, type Kind, PUT, REMOVE, SET_META, sizeOfChange } from "./record.js"
import { HalfMade, type Segment } from "./segment.js"
import type { Segments } from "./segments.js"
import { diskError, noSuchEntry, StoreError } from "./store-error.js"

/** Who waits for a change, or for several. */
class Verdict {
  resolve!: () => void
  reject!: (error: StoreError) => void
  readonly promise = new Promise<void>((resolve, reject) => {
    this.resolve = resolve
    this.reject = reject
  })
}

/** The changes that go to the disk together. */
interface Batch {
  bytes: number
  readonly changes: Waiting[]
  readonly verdict: Verdict
}

/** A change that waits. */
class Waiting implements Change {
  /** @param copyOf A copy of the entry at this place, by compaction: it is written only when the entry is still there. */
  constructor(
    readonly kind: Kind,
    readonly key: number,
    readonly meta: Uint8Array,
    readonly body: Uint8Array,
    readonly copyOf: Place | null,
    readonly verdict: Verdict,
  ) {}
}

export interface CommitLimits {
  readonly segmentBytes: number
  readonly maxBatchBytes: number
}

/** Callers that await a change make their next one so many microtasks later at most, and it gets into the next batch. */
const PATIENCE = 8

export class GroupCommit {
  /** They are written one after the other; the last one is open to more. */
  #batches: Batch[] = []
  #running: Promise<void> | null = null
  #broken: StoreError | null = null
  /** For each entry that a waiting put or remove is about: the last of them. */
  readonly #latest = new Map<number, Waiting>()

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
    const { kind, key, meta, body } = change
    const before = this.#latest.get(key)
    if (kind !== PUT && (before === undefined ? !this.index.has(key) : before.kind !== PUT)) {
      return Promise.reject(noSuchEntry(key))
    }
    const batch = this.#room(sizeOfChange(change))
    const isAlone = copyOf !== null || (kind !== PUT && before !== undefined)
    const verdict = isAlone ? new Verdict() : batch.verdict
    const waiting = new Waiting(kind, key, meta, body, copyOf, verdict)
    batch.changes.push(waiting)
    if (copyOf === null && kind !== SET_META) this.#latest.set(key, waiting)
    this.#running ??= this.#run()
    return verdict.promise
  }

  /** The batch that is open, or another one when that has no room. */
  #room(bytes: number): Batch {
    let batch = this.#batches[this.#batches.length - 1]
    if (batch === undefined || batch.bytes + bytes > this.limits.maxBatchBytes) {
      batch = { bytes: 0, changes: [], verdict: new Verdict() }
      batch.verdict.promise.catch(() => {}) // Those who share it hear of it; perhaps nobody does.
      this.#batches.push(batch)
    }
    batch.bytes += bytes
    return batch
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
    for (let batch = this.#batches.shift(); batch !== undefined; batch = this.#batches.shift()) {
      await this.#commit(batch.changes, batch.verdict)
      for (let turn = 0; turn < PATIENCE; turn++) await Promise.resolve()
    }
    this.#running = null
  }

  async #commit(taken: readonly Waiting[], shared: Verdict): Promise<void> {
    if (this.#broken !== null) return this.#fail(taken, shared, this.#broken)
    const batch = this.#admit(taken)
    const offsets: number[] = []
    if (batch.length > 0) {
      let segment: Segment
      try {
        segment = await this.#append(batch, offsets)
      } catch (error) {
        const reason = diskError(error)
        const copies = batch.filter(({ copyOf }) => copyOf !== null)
        if (reason.code !== "ENOSPC" || copies.length === 0) return this.#fail(batch, shared, reason)
        // Without what compaction wanted to have moved, the callers' own changes may find room.
        for (const { verdict } of copies) verdict.reject(reason)
        return this.#commit(
          batch.filter(({ copyOf }) => copyOf === null),
          shared,
        )
      }
      for (let at = 0; at < batch.length; at++) this.#apply(batch[at]!, segment.number, offsets[at]!)
    }
    shared.resolve()
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
        if (!isNeeded) change.verdict.resolve()
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

  #fail(changes: readonly Waiting[], shared: Verdict, error: StoreError): void {
    shared.reject(error)
    for (const change of changes) this.#settle(change).reject(error)
  }

  #settle(change: Waiting): Verdict {
    if (this.#latest.get(change.key) === change) this.#latest.delete(change.key)
    return change.verdict
  }

  #break(cause: unknown, file?: string): StoreError {
    this.#broken ??= new StoreError("EIO", "the disk has failed; open the store again", { file, cause })
    return this.#broken
  }
}
