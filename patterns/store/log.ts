/**
 * The store on an append-only log, in segments. A change is a record at the end of the last segment, safe together with all that
 * was called at the same time (group-commit.ts); what is in the log is known by an index in memory (entry-index.ts), which is
 * made anew from the log when it is opened (recovery.ts). Dead records go with their segment (compaction.ts). On a full disk there is
 * room left for what gives room back (reserve.ts).
 *
 * It asks the disk for everything and has no clock, no timers and no chance in it: a simulated disk runs this very code.
 */
import { Compaction } from "./compaction.js"
import type { Disk, DiskLock } from "./disk.js"
import { GroupCommit } from "./group-commit.js"
import { readRecords, type Wanted } from "./reads.js"
import { type Change, LONGEST_RECORD, PUT, REMOVE, SET_META, sizeOfChange } from "./record.js"
import { recover } from "./recovery.js"
import { Reserve } from "./reserve.js"
import type { Segments } from "./segments.js"
import type { Opened, Store } from "./store.js"
import { checkKey, diskError, noSuchEntry, notOpen, StoreError } from "./store-error.js"

export interface LogOptions {
  /** A segment is ended before a batch would make it longer, in bytes. Default 16 MiB; at most 1 GiB. */
  segmentBytes?: number
  /** What one write and one sync take at most, in bytes, unless one change is longer. Default 8 MiB; at most 1 GiB. */
  maxBatchBytes?: number
}

export interface LogStats {
  readonly entries: number
  /** All segments, in bytes; without the reserve. */
  readonly diskBytes: number
  /** What the entries alone would take. */
  readonly liveBytes: number
  /** Why dead records are no longer cleared away; null: they are. */
  readonly compactionFault: StoreError | null
}

export interface LogStore extends Store {
  /** EBADF when the store is not open. */
  readonly stats: LogStats
}

const LIMIT = 2 ** 30
const NOTHING = new Uint8Array(0)

/** A log in a directory, which is made when it is not there. Nothing is touched before `open`. EINVAL for options that cannot be. */
export function logStore(directory: string, disk: Disk, options: LogOptions = {}): LogStore {
  return new Log(directory, disk, options)
}

/** What an open log has. */
interface Parts {
  readonly lock: DiskLock
  readonly segments: Segments
  readonly commit: GroupCommit
  readonly compaction: Compaction
}

class Log implements LogStore {
  readonly #limits: Required<LogOptions>
  #parts: Parts | null = null
  #isBusy = false

  constructor(
    private readonly directory: string,
    private readonly disk: Disk,
    { segmentBytes = 16 << 20, maxBatchBytes = 8 << 20 }: LogOptions,
  ) {
    for (const [name, value] of Object.entries({ segmentBytes, maxBatchBytes })) {
      if (Number.isInteger(value) && value > 0 && value <= LIMIT) continue
      throw new StoreError("EINVAL", `${name} is a whole number from 1 to ${LIMIT}, not ${value}`)
    }
    this.#limits = { segmentBytes, maxBatchBytes }
  }

  get stats(): LogStats {
    const { segments, commit, compaction } = this.#opened()
    const { index } = commit
    const { size: entries, liveBytes } = index
    return { entries, diskBytes: segments.bytes, liveBytes, compactionFault: compaction.fault }
  }

  async open(visit: (key: number, meta: Uint8Array) => void): Promise<Opened> {
    if (this.#isBusy) throw new StoreError("EBUSY", "the store is open", { file: this.directory })
    this.#isBusy = true
    let lock: DiskLock | null = null
    let segments: Segments | null = null
    try {
      lock = await this.#lock()
      const { replay, cut, ...recovered } = await recover(this.directory, this.disk)
      segments = recovered.segments
      const { index } = replay
      for (const key of index.keys()) visit(key, replay.metaOf(key))
      const reserve = new Reserve(this.directory, this.disk, this.#limits.segmentBytes)
      await reserve.make()
      const commit = new GroupCommit(segments, index, reserve, this.#limits, removed => compaction.wake(removed))
      const compaction = new Compaction(segments, commit, reserve, this.#limits.segmentBytes)
      this.#parts = { lock, segments, commit, compaction }
      const entries = index.size
      compaction.wake(true)
      return { entries, cut }
    } catch (error) {
      await segments?.close()
      await lock?.unlock()
      this.#isBusy = false
      throw error
    }
  }

  put(key: number, meta: Uint8Array, body: Uint8Array): Promise<void> {
    return this.#change({ kind: PUT, key, meta, body })
  }

  setMeta(key: number, meta: Uint8Array): Promise<void> {
    return this.#change({ kind: SET_META, key, meta, body: NOTHING })
  }

  remove(key: number): Promise<void> {
    return this.#change({ kind: REMOVE, key, meta: NOTHING, body: NOTHING })
  }

  async bodies(keys: readonly number[]): Promise<Uint8Array[]> {
    const { segments, commit } = this.#opened()
    const wanted: Wanted[] = []
    // Looked up all at once: later some of them may be elsewhere.
    const found = keys.map(key => {
      const waiting = commit.latest(key)
      if (waiting !== undefined) return waiting.kind === PUT ? Uint8Array.from(waiting.body) : null
      const place = commit.index.place(key)
      if (place === null) return null
      wanted.push({ segment: segments.get(place.segment), offset: place.offset, length: place.length })
      return place.bodyLength
    })
    const missing = found.indexOf(null)
    if (missing >= 0) throw noSuchEntry(keys[missing]!)
    const records = (await readRecords(wanted)).values()
    return found.map(body => {
      if (typeof body !== "number") return body!
      const record = records.next().value as Uint8Array
      return record.slice(record.length - body)
    })
  }

  async close(): Promise<void> {
    const parts = this.#parts
    if (parts === null) return
    this.#parts = null
    const { lock, segments, commit, compaction } = parts
    await compaction.stop()
    await commit.idle()
    try {
      await segments.close()
    } finally {
      await lock.unlock()
      this.#isBusy = false
    }
  }

  async #lock(): Promise<DiskLock> {
    try {
      await this.disk.makeDirectory(this.directory)
      return await this.disk.lock(this.directory)
    } catch (error) {
      throw diskError(error, this.directory)
    }
  }

  #change(change: Change): Promise<void> {
    if (this.#parts === null) return Promise.reject(notOpen())
    try {
      checkKey(change.key)
    } catch (error) {
      return Promise.reject(error)
    }
    if (sizeOfChange(change) > LONGEST_RECORD) {
      return Promise.reject(new StoreError("EINVAL", "no entry may have 2 GiB"))
    }
    return this.#parts.commit.add(change)
  }

  #opened(): Parts {
    if (this.#parts === null) throw notOpen()
    return this.#parts
  }
}
