/**
 * Keeps the log from growing for ever: when more than half of it is dead, the oldest segment's live entries are written again at
 * the tail, with their current meta, by the ordinary batches and a bounded amount at a time; then the segment is removed. An
 * oldest segment in which nothing lives is removed at once. On a full disk little need be dead: it is enough that so little lives
 * in the oldest segment that its copy may take the reserve (`GroupCommit.isSmall`); else one entry that stays would keep it there.
 *
 * Why only the oldest, and why nothing but live entries needs a copy. A remove or setMeta only says something of a put that
 * stands before it. All puts before those of the oldest segment are gone from the disk, and those in it are either copied, with the
 * meta that they have now, or dead; so its removes and setMetas say nothing any more. (Later ones, of entries that went with
 * it, are of unknown entries, and replay ignores them.) This holds as long as no later segment is removed before it: hence
 * the directory is synced after each, and after a failure none is removed any more. A crash between copy and removal leaves the
 * entry twice; replay takes the later one. A meta never stands in an earlier segment than its body.
 *
 * What is copied is checked first: a copy gets a checksum of its own and would hide damage. Where damage is found, compaction ends
 * for good and the store goes on; `fault` says why.
 */
import type { Place } from "./entry-index.js"
import type { GroupCommit } from "./group-commit.js"
import { readRecords } from "./reads.js"
import { HEAD, PUT, RecordView } from "./record.js"
import type { Reserve } from "./reserve.js"
import { HEADER, type Segment } from "./segment.js"
import type { Segments } from "./segments.js"
import { diskError, StoreError } from "./store-error.js"

/** What is read and copied at a time, unless one record is longer. */
const STEP = 256 << 10

export class Compaction {
  /** Why compaction has ended; null: it has not. */
  fault: StoreError | null = null
  #running: Promise<void> | null = null
  #isPaused = false
  #isStopped = false
  /** How far the oldest segment was gone through. */
  #segment = 0
  #at = HEADER
  /** Live entries that were met on the way. */
  #met = 0

  constructor(
    private readonly segments: Segments,
    private readonly commit: GroupCommit,
    private readonly reserve: Reserve,
    private readonly segmentBytes: number,
  ) {}

  /** Call it when something has changed: `removed`, when that may have made room on a full disk. */
  wake(removed: boolean): void {
    if (removed) {
      this.#isPaused = false
      if (!this.reserve.isHeld) this.commit.isFull = true
    }
    if (this.#isDue()) this.#running ??= this.#run()
  }

  /** Resolves when it has ended for good. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  #isDue(): boolean {
    if (this.#isStopped || this.fault !== null || this.segments.oldest === this.segments.tail) return false
    if (this.#isDead() || (this.commit.isFull && this.commit.isSmall(this.segments.oldest))) return true
    // What the reserve has given up is not for this.
    return this.reserve.isHeld && !this.#isPaused && this.#isWasteful()
  }

  /** Nothing lives in the oldest segment. */
  #isDead(): boolean {
    return this.commit.index.entriesIn(this.segments.oldest.number) === 0
  }

  #isWasteful(): boolean {
    return this.segments.bytes > 2 * (this.commit.index.liveBytes + this.segmentBytes)
  }

  async #run(): Promise<void> {
    try {
      while (this.#isDue()) {
        if (!this.#isDead()) await this.#copySome(this.segments.oldest)
        else {
          await this.segments.dropOldest()
          this.commit.roomIsBack()
        }
      }
    } catch (error) {
      this.fault = diskError(error)
    }
    this.#running = null
  }

  async #copySome(oldest: Segment): Promise<void> {
    if (this.#segment !== oldest.number) this.#start(oldest)
    else if (this.#at >= oldest.size) {
      // An entry was changed while it was being copied, and so was not. But one that was not even met stands behind a false length.
      if (this.#met === 0)
        throw new StoreError("EDAMAGED", "an entry cannot be found", { file: oldest.path, offset: HEADER })
      this.#start(oldest)
    }
    const start = this.#at
    const live = await this.#liveFrom(oldest)
    this.#met += live.length
    const places = live.map(({ place }) => place)
    const records = await readRecords(places.map(({ offset, length }) => ({ segment: oldest, offset, length })))
    const metas = await this.#metasOf(places, records)
    const copies = live.map(({ key, place }, at) => {
      const body = records[at]!.subarray(place.length - place.bodyLength)
      return this.commit.add({ kind: PUT, key, meta: metas[at]!, body }, place)
    })
    for (const result of await Promise.allSettled(copies)) {
      if (result.status === "fulfilled") continue
      if (diskError(result.reason).code !== "ENOSPC") throw result.reason
      this.#isPaused = true
      this.commit.isFull = false
      this.#at = start
    }
  }

  #start({ number }: Segment): void {
    this.#segment = number
    this.#at = HEADER
    this.#met = 0
  }

  /** The next live entries, as many as one step takes. */
  async #liveFrom(oldest: Segment): Promise<{ key: number; place: Place }[]> {
    const live: { key: number; place: Place }[] = []
    const record = new RecordView()
    const chunk = await oldest.file.read(this.#at, STEP)
    const start = this.#at
    while (this.#at < oldest.size) {
      const at = this.#at - start
      if (at + HEAD > chunk.length && at > 0) break
      if (!record.readHead(chunk, at, this.#at, oldest.size)) {
        throw new StoreError("EDAMAGED", "no record begins here", { file: oldest.path, offset: this.#at })
      }
      // One that goes beyond the chunk is for the next step, unless it is the first.
      if (at + record.length > chunk.length && at > 0) break
      this.#at += record.length
      const place = record.kind === PUT ? this.commit.index.place(record.key) : null
      if (place?.segment === oldest.number && place.offset === record.offset) live.push({ key: record.key, place })
    }
    return live
  }

  /** Their current metas, from their put records or from where they were set later. */
  async #metasOf(places: readonly Place[], records: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const isLater = ({ segment, offset, metaSegment, metaOffset }: Place) =>
      metaSegment !== segment || metaOffset !== offset
    const later = places.filter(isLater).map(({ metaSegment, metaOffset, metaLength }) => ({
      segment: this.segments.get(metaSegment),
      offset: metaOffset,
      length: HEAD + metaLength,
    }))
    const set = (await readRecords(later)).values()
    return places.map((place, at) => {
      if (isLater(place)) return (set.next().value as Uint8Array).subarray(HEAD)
      return records[at]!.subarray(HEAD, HEAD + place.metaLength)
    })
  }
}
