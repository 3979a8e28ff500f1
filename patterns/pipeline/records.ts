/**
 * A queue as its store has it: an entry that says whose it is, one for each job with what has become of it, and one for the
 * id of each job that is gone but must not be accepted again. Knows when everything that was begun is on disk.
 */
import type { Opened, Store } from "../store/store.js"
import { randomName } from "../typed/names.js"
import type { TypedRuntime } from "../typed/runtime.js"
import { PipelineError } from "./errors.js"
import { decodeMeta, encodeMeta, encodeRemembered, type Job, type Remembered, type State, type Ticket } from "./job.js"

/** The entry that says whose it is. Jobs begin behind it. */
const QUEUE_ENTRY = 0
const FORMAT = 1
/** How long an end that the store could not take waits until it is tried again, in ms. */
const STORE_PATIENCE = 1000
const NOTHING = new Uint8Array(0)

export type Found = Exclude<ReturnType<typeof decodeMeta>, Remembered>

/** Who is shown what is there, in the order of acceptance. */
export interface Finder {
  onJob(found: Found): void
  onRemembered(remembered: Remembered, key: number): void
}

/** Something on its way to the disk. One of these ends it, in a turn of its own. */
export interface Change {
  onSafe(): void
  onRefused(error: unknown): void
}

/**
 * Calls changes when the promise of the store is settled. A store may give one promise to many changes; then they cost one
 * promise in all.
 */
class Followers {
  /** The promise that the store gave last, and who follows it. */
  private latest: Promise<void> | null = null
  private changes: Change[] = []

  follow(promise: Promise<void>, change: Change): void {
    if (promise === this.latest) {
      this.changes.push(change)
      return
    }
    const changes = [change]
    this.latest = promise
    this.changes = changes
    const settled = () => {
      if (this.latest === promise) this.latest = null
    }
    promise.then(
      () => {
        settled()
        for (const change of changes) change.onSafe()
      },
      error => {
        settled()
        for (const change of changes) change.onRefused(error)
      },
    )
  }
}

export class Records {
  /** The queue's own name, the same as long as there is its store. */
  name = ""
  private next = QUEUE_ENTRY + 1
  /** Ends that could not be written yet. */
  private insisting = 0
  private closed = false
  private readonly arrivals = new Followers()
  private readonly endings = new Followers()
  private quiet: (() => void) | null = null

  /** @param onError The store could not take what is not to fail; it is tried again where that makes sense. */
  constructor(
    private readonly store: Store,
    private readonly runtime: TypedRuntime,
    private readonly onError: (error: unknown) => void,
  ) {}

  async open(finder: Finder): Promise<Opened> {
    let [strange, isQueue] = [0, false]
    const opened = await this.store.open((key, meta) => {
      if (key === QUEUE_ENTRY) {
        this.readHeader(meta)
        isQueue = true
      } else if (isQueue) this.find(key, meta, finder)
      else strange++
    })
    try {
      if (strange > 0) throw new PipelineError("EPROTO", "the store has entries, and they are not a queue's")
      if (!isQueue) await this.begin()
    } catch (error) {
      await this.store.close()
      throw error
    }
    return opened
  }

  /** A new queue has a name. */
  private begin(): Promise<void> {
    this.name = randomName(this.runtime, 8)
    const text = JSON.stringify({ queue: this.name, format: FORMAT })
    return this.store.put(QUEUE_ENTRY, new TextEncoder().encode(text), NOTHING)
  }

  private readHeader(meta: Uint8Array): void {
    const { queue, format } = JSON.parse(new TextDecoder().decode(meta)) as { queue: string; format: number }
    if (format !== FORMAT) throw new PipelineError("EPROTO", `the queue has format ${format}, this reads ${FORMAT}`)
    this.name = queue
  }

  private find(key: number, meta: Uint8Array, finder: Finder): void {
    this.next = Math.max(this.next, key + 1)
    const was = decodeMeta(key, meta, seq => this.idOf(seq))
    if ("job" in was) finder.onJob(was)
    else finder.onRemembered(was, key)
  }

  nextSeq(): number {
    return this.next++
  }

  /** Of a job to which its sender gave none. */
  idOf(seq: number): string {
    return `${this.name}-${seq.toString(36)}`
  }

  /** A new job. */
  put(job: Job, body: Uint8Array, change: Change): void {
    this.arrivals.follow(this.store.put(job.seq, this.metaOf(job), body), change)
  }

  /** Notes what has become of a ticket, as if it were in `state`. */
  note(ticket: Ticket, state: State = ticket.state): Promise<void> {
    const was = ticket.state
    ticket.state = state
    const meta = this.metaOf(ticket.job)
    ticket.state = was
    return this.store.setMeta(ticket.job.seq, meta)
  }

  /** The same until the store has it, or the queue is closed, or the job is gone. */
  keep(ticket: Ticket): Promise<void> {
    return new Promise(resolve => {
      const attempt = () => {
        this.note(ticket).then(resolve, (error: Error & { code?: string }) => {
          if (error.code !== "ENOENT") this.onError(error)
          if (error.code === "ENOENT" || !this.later(attempt)) resolve()
        })
      }
      attempt()
    })
  }

  remove(key: number): Promise<void> {
    return this.store.remove(key)
  }

  /** Of a job that is gone its id stays. */
  remember(key: number, remembered: Remembered): Promise<void> {
    return this.store.put(key, encodeRemembered(remembered), NOTHING)
  }

  /** What the store would not take is tried again later; false: no more, the queue is closed. */
  later(again: () => void): boolean {
    if (this.closed) return false
    this.insisting++
    this.runtime.clock.after(STORE_PATIENCE, () => {
      again()
      if (--this.insisting === 0) this.quiet?.()
    })
    return true
  }

  /** The end of a job for one group: what `note`, `remove` or `remember` promise. */
  end(promise: Promise<void>, ending: Change): void {
    this.endings.follow(promise, ending)
  }

  bodies(jobs: readonly Job[]): Promise<Uint8Array[]> {
    return this.store.bodies(jobs.map(({ seq }) => seq))
  }

  /** Waits for what is on its way to the disk, and for those who are to know of it, and gives the store up. */
  async close(): Promise<void> {
    this.closed = true
    if (this.insisting > 0) {
      await new Promise<void>(resolve => {
        this.quiet = resolve
      })
    }
    await this.store.close()
    await new Promise<void>(resolve => this.runtime.clock.after(0, resolve))
  }

  private metaOf(job: Job): Uint8Array {
    const { clock } = this.runtime
    return encodeMeta(job, clock.date(), clock.now())
  }
}
