/**
 * Changes become batches: one is in flight at a time, and what is called meanwhile is gathered for the next. A batch is one write
 * and one sync, then its promises resolve, which all its callers share: so many share the price of one sync, and of one promise.
 * There are two: one for what makes the log's entries longer, and one for what does not (setMeta, remove, a put that is shorter than
 * what it replaces), as a full disk refuses the first only, while the reserve lasts. Only what may fail by itself has a
 * promise of its own: a change of an entry whose put is on its way, and a copy.
 *
 * The index shows what is safe, and changes with a whole batch. Whether an entry is there is decided when its batch is made, as by
 * then all before it has happened or has failed.
 */
import type { EntryIndex, Place } from "./entry-index.js"
import { type Change, encodeBatch, HEAD, type Kind, PUT, REMOVE, SET_META, sizeOfChange } from "./record.js"
import type { Reserve } from "./reserve.js"
import { HalfMade, HEADER, type Segment } from "./segment.js"
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
  readonly growth: Verdict
  readonly ends: Verdict
}

/** A change that waits. */
class Waiting implements Change {
  /**
   * @param copyOf A copy of the entry at this place, by compaction: it is written only when the entry is still there.
   * @param isEnd It gives room back in the end.
   */
  constructor(
    readonly kind: Kind,
    readonly key: number,
    readonly meta: Uint8Array,
    readonly body: Uint8Array,
    readonly copyOf: Place | null,
    readonly isEnd: boolean,
    readonly verdict: Verdict,
  ) {}
}

/** A put that makes what lives longer: on a full disk it is refused first. */
const isGrowth = ({ copyOf, isEnd }: Waiting) => copyOf === null && !isEnd
const isCopy = ({ copyOf }: Waiting) => copyOf !== null

export interface CommitLimits {
  readonly segmentBytes: number
  readonly maxBatchBytes: number
}

/** Callers that await a change make their next one so many microtasks later at most, and it gets into the next batch. */
const PATIENCE = 8

/** So many batches take the reserve while the disk is full. */
const SMALL_BATCHES = 16

export class GroupCommit {
  /** They are written one after the other; the last one is open to more. */
  #batches: Batch[] = []
  #running: Promise<void> | null = null
  #broken: StoreError | null = null
  /** Something found no room, and none was made since: compaction does what it can, and says when that is done. */
  isFull = false
  #isRoomBack = false
  /** For each entry that a waiting put or remove is about: the last of them. */
  readonly #latest = new Map<number, Waiting>()

  /** `committed` is called when a batch is safe, with whether something was removed or made shorter. */
  constructor(
    readonly segments: Segments,
    readonly index: EntryIndex,
    private readonly reserve: Reserve,
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
    const batch = this.#room(HEAD + meta.length + body.length)
    // On a full disk some ends of a batch get in and others do not.
    const isAlone = copyOf !== null || this.isFull || (kind !== PUT && before !== undefined)
    // What replaces an entry by less ends it as well. Looked up only where nothing is left of a body: most puts are new.
    let isEnd = kind !== PUT
    if (body.length === 0 && !isEnd && copyOf === null && before === undefined) {
      isEnd = sizeOfChange(change) < this.index.lengthOf(key)
    }
    const verdict = isAlone ? new Verdict() : isEnd ? batch.ends : batch.growth
    const waiting = new Waiting(kind, key, meta, body, copyOf, isEnd, verdict)
    batch.changes.push(waiting)
    if (copyOf === null && kind !== SET_META) this.#latest.set(key, waiting)
    this.#running ??= this.#run()
    return verdict.promise
  }

  /** The batch that is open, or another one when that has no room. */
  #room(bytes: number): Batch {
    let batch = this.#batches[this.#batches.length - 1]
    // On a full disk small ones: each fails as a whole.
    const most = this.isFull ? this.reserve.size / SMALL_BATCHES : this.limits.maxBatchBytes
    if (batch === undefined || batch.bytes + bytes > most) {
      batch = { bytes: 0, changes: [], growth: new Verdict(), ends: new Verdict() }
      // Those who share them hear of it; perhaps nobody does.
      for (const { promise } of [batch.growth, batch.ends]) promise.catch(() => {})
      this.#batches.push(batch)
    }
    batch.bytes += bytes
    return batch
  }

  /** The last put or remove of an entry that is not safe yet. */
  latest(key: number): Change | undefined {
    return this.#latest.get(key)
  }

  /**
   * What lives in a segment takes less than a quarter of it, and of the reserve at most half. Not more: what is copied while it
   * ends anyway takes the room of the ends.
   */
  isSmall({ number, size }: Segment): boolean {
    const bytes = this.index.bytesIn(number)
    return 4 * bytes < size - HEADER && 2 * bytes <= this.reserve.size
  }

  /** A segment has gone. The reserve is made again when nothing waits; the next put would make it, too. */
  roomIsBack(): void {
    if (this.reserve.isHeld) this.isFull = false
    else {
      this.#isRoomBack = true
      this.#running ??= this.#run()
    }
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  async #run(): Promise<void> {
    await Promise.resolve()
    for (;;) {
      for (let batch = this.#batches.shift(); batch !== undefined; batch = this.#batches.shift()) {
        await this.#commit(batch.changes)
        for (let turn = 0; turn < PATIENCE; turn++) await Promise.resolve()
      }
      if (!this.#isRoomBack) break
      this.#isRoomBack = false
      await this.#makeReserve()
    }
    this.#running = null
  }

  /** `inNew`: in a new segment. */
  async #commit(taken: readonly Waiting[], inNew = false): Promise<void> {
    if (this.#broken !== null) return this.#fail(taken, this.#broken)
    const batch = this.#admit(taken)
    const offsets: number[] = []
    if (batch.length > 0) {
      let segment: Segment
      try {
        await this.#holdReserve(batch)
        segment = await this.#append(batch, offsets, inNew)
      } catch (error) {
        const reason = diskError(error)
        return reason.code === "ENOSPC" ? this.#retreat(batch, reason) : this.#fail(batch, reason)
      }
      for (let at = 0; at < batch.length; at++) this.#apply(batch[at]!, segment.number, offsets[at]!)
    }
    for (const change of batch) this.#settle(change).resolve()
    if (this.isFull) await this.#endTail()
    this.committed(batch.some(({ kind, isEnd }) => isEnd && kind !== SET_META))
  }

  /** Puts are only written while the reserve is there: else they would take what it was given up for. */
  async #holdReserve(batch: readonly Waiting[]): Promise<void> {
    if (this.reserve.isHeld) return
    const isForOldest = !this.reserve.isGone || batch.every(this.#isOfOldest)
    if ((!batch.some(isGrowth) && isForOldest) || (await this.#makeReserve())) return
    throw new StoreError("ENOSPC", "the disk is full", { file: this.segments.directory })
  }

  async #makeReserve(): Promise<boolean> {
    if (!(await this.reserve.make())) return false
    this.isFull = false
    return true
  }

  /**
   * There was no room for this batch: it is tried again without big copies, without puts, with the room of the reserve, and without
   * copies. When that is given up a new segment begins, so that the one before can go.
   */
  async #retreat(batch: readonly Waiting[], reason: StoreError): Promise<void> {
    this.isFull = true
    let isRefused = [this.#isBigCopy, isGrowth].find(group => batch.some(group))
    if (isRefused === undefined) {
      const { isHeld } = this.reserve
      if (await this.reserve.giveUp(false)) return this.#commit(batch, isHeld)
      // What is left is for the oldest segment alone.
      const others = batch.filter(change => !this.#isOfOldest(change))
      if (others.length === 0) {
        if (await this.reserve.giveUp(true)) return this.#commit(batch)
      } else if (!batch.some(sharesWith(others))) isRefused = change => !this.#isOfOldest(change)
    }
    isRefused ??= batch.some(isCopy) ? isCopy : () => true
    // Answered before anything that was called later is written.
    this.#fail(batch.filter(isRefused), reason)
    const rest = batch.filter(change => !isRefused(change))
    if (rest.length > 0) return this.#commit(rest)
    await this.#endTail()
    this.committed(false)
  }

  readonly #isOfOldest = ({ key }: Waiting) => this.index.place(key)?.segment === this.segments.oldest.number

  readonly #isBigCopy = ({ copyOf }: Waiting) => copyOf !== null && !this.isSmall(this.segments.get(copyOf.segment))

  /** Begins another segment when there is but one and little lives in it, so that it can go. */
  async #endTail(): Promise<void> {
    const { oldest, tail } = this.segments
    if (this.#broken !== null || oldest !== tail || !this.isSmall(tail)) return
    await this.reserve.giveUp(false)
    try {
      await this.#segment(0, true)
    } catch {
      // Perhaps later, when somebody else has left room.
    }
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
  async #append(batch: readonly Waiting[], offsets: number[], inNew: boolean): Promise<Segment> {
    const bytes = batch.reduce((sum, change) => sum + sizeOfChange(change), 0)
    const segment = await this.#segment(bytes, inNew || (this.#isCrowded() && batch.some(isGrowth)))
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

  /** The tail, or a new one when that has no room for so many bytes, or anyway. */
  async #segment(bytes: number, isNew: boolean): Promise<Segment> {
    try {
      return await this.segments.room(bytes, isNew ? 0 : this.limits.segmentBytes)
    } catch (error) {
      throw error instanceof HalfMade ? this.#break(error) : error
    }
  }

  /** The removes of all that lives in the tail take a quarter of the reserve: half of what is there for them, as disks give room by pages. */
  #isCrowded(): boolean {
    return this.index.entriesIn(this.segments.tail.number) * HEAD * 4 >= this.reserve.size
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

  #settle(change: Waiting): Verdict {
    if (this.#latest.get(change.key) === change) this.#latest.delete(change.key)
    return change.verdict
  }

  #break(cause: unknown, file?: string): StoreError {
    this.#broken ??= new StoreError("EIO", "the disk has failed; open the store again", { file, cause })
    return this.#broken
  }
}

/** Whether a change hears the same as one of these, and is none of them. */
function sharesWith(others: readonly Waiting[]): (change: Waiting) => boolean {
  const [theirs, verdicts] = [new Set(others), new Set(others.map(({ verdict }) => verdict))]
  return change => !theirs.has(change) && verdicts.has(change.verdict)
}
