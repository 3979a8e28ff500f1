/**
 * The jobs of one producer: what its store has, what of it is whose turn, and what becomes of each. Knows nothing of
 * sockets and consumers. A job is accepted when the store has it safe, and has ended when the store has that safe; in
 * between all that a crash can take away is who had it in hand, and how often that went wrong since the last note.
 */
import type { Opened, Store } from "../store/store.js"
import type { TypedRuntime } from "../typed/runtime.js"
import { type Backoff, restFor } from "./backoff.js"
import { PipelineError } from "./errors.js"
import {
  decodeMeta,
  encodeMeta,
  encodeRemembered,
  type Job,
  newTicket,
  resting,
  restoredTicket,
  State,
  type Ticket,
  untilStart,
} from "./job.js"
import { Lane } from "./lane.js"
import { RememberedIds } from "./remembered.js"
import { Room, type WaitOptions } from "./room.js"

/** The entry of a store that says whose it is. Jobs begin behind it. */
const QUEUE_ENTRY = 0
const FORMAT = 1
/** How long an end that the store could not take waits until it is tried again, in ms. */
const STORE_PATIENCE = 1000
const NOTHING = new Uint8Array(0)

export interface QueueSettings {
  readonly groups: readonly string[]
  readonly maxJobs: number
  readonly maxBytes: number
  readonly maxWaiting: number
  readonly maxAttempts: number
  readonly backoff: Backoff
  /** For how long the id of a job that is gone is remembered, in ms, and of how many. */
  readonly dedupeWindow: number
  readonly dedupeMax: number
  /** Of bodies that are kept in memory before they are handed out, in bytes. */
  readonly cacheBytes: number
}

/** Who wants to know. */
export interface QueueSink {
  /** Something of this lane may be ready now. */
  onReady(lane: Lane): void
  /** It failed and will be tried again, after `rest` ms. */
  onRetry(ticket: Ticket, rest: number): void
  onDead(ticket: Ticket): void
  /** A job has ended for this group, and the disk knows. */
  onDone(ticket: Ticket): void
  /** The store did not take what the queue wanted to keep; the queue goes on, and says what it could not note. */
  onStoreError(error: unknown): void
}

/** What a job is, as it is sent. Times are of the wall clock. */
export interface NewJob {
  readonly body: Uint8Array
  readonly codec: string
  readonly id: string | null
  readonly key: string | null
  readonly band: number
  readonly startAt: number
  readonly expiresAt: number
  readonly maxAttempts: number
  readonly lease: number
  /** Is told the id before anybody can have the job; null: nobody wants to know. Not called for a duplicate. */
  readonly onId: ((id: string) => void) | null
}

export interface Accepted {
  readonly id: string
  /** A job of this id was accepted before; this one was not. */
  readonly duplicate: boolean
}

export class Queue {
  readonly lanes: readonly Lane[]
  readonly room: Room
  /** Those that have not ended in all groups, by their entry in the store, in the order of acceptance. */
  readonly jobs = new Map<number, Job>()
  private readonly ids: RememberedIds
  /** Named ones on the way to the disk. */
  private readonly arriving = new Map<string, Promise<Accepted>>()
  private name = ""
  private next = QUEUE_ENTRY + 1
  private cached = 0
  /** Changes that are under way, and ends that could not be written yet. */
  private pending = 0
  private closed = false
  private quiet: (() => void) | null = null

  constructor(
    private readonly store: Store,
    private readonly runtime: TypedRuntime,
    private readonly settings: QueueSettings,
    private readonly sink: QueueSink,
  ) {
    this.lanes = settings.groups.map(group => new Lane(group))
    this.room = new Room(runtime.clock, settings)
    this.ids = new RememberedIds(settings.dedupeMax)
  }

  /** Its own name, the same as long as there is its store. */
  get id(): string {
    return this.name
  }

  async open(): Promise<Opened> {
    let [strange, header] = [0, null as Uint8Array | null]
    const idOf = (seq: number) => `${this.name}-${seq.toString(36)}`
    const gone: { id: string; until: number; key: number }[] = []
    const finished: number[] = []
    const opened = await this.store.open((key, meta) => {
      if (key === QUEUE_ENTRY) {
        header = meta
        this.readHeader(meta)
      } else if (header === null) strange++
      else this.restore(key, meta, idOf, gone, finished)
    })
    try {
      if (header === null) await this.begin(strange)
      await Promise.all(finished.map(key => this.store.remove(key)))
    } catch (error) {
      await this.store.close()
      throw error
    }
    gone.sort((a, b) => a.until - b.until)
    for (const { id, key, until } of gone) this.ids.bury(id, key, until)
    return opened
  }

  /** A new queue has a name. */
  private async begin(entries: number): Promise<void> {
    if (entries > 0) throw new PipelineError("EPROTO", "the store has entries, and they are not a queue's")
    this.name = randomName(this.runtime, 8)
    const text = JSON.stringify({ queue: this.name, format: FORMAT })
    await this.store.put(QUEUE_ENTRY, new TextEncoder().encode(text), NOTHING)
  }

  private readHeader(meta: Uint8Array): void {
    const { queue, format } = JSON.parse(new TextDecoder().decode(meta)) as { queue: string; format: number }
    if (format !== FORMAT) throw new PipelineError("EPROTO", `the queue has format ${format}, this reads ${FORMAT}`)
    this.name = queue
  }

  private restore(
    key: number,
    meta: Uint8Array,
    idOf: (seq: number) => string,
    gone: { id: string; until: number; key: number }[],
    finished: number[],
  ): void {
    this.next = Math.max(this.next, key + 1)
    const was = decodeMeta(key, meta, idOf)
    if (!("job" in was)) {
      gone.push({ ...was, key })
      return
    }
    const { job, told } = was
    this.jobs.set(key, job)
    this.room.take(job.size)
    if (job.named) this.ids.add(job.id, key)
    for (const lane of this.lanes) {
      const { clock } = this.runtime
      const ticket = restoredTicket(job, lane, told(lane.group), clock.date(), clock.now())
      job.tickets.push(ticket)
      lane.add(ticket)
    }
    // All groups that are left had done it when another one was taken away.
    this.leaveIfDone(job)
    if (!this.jobs.has(key)) finished.push(key)
  }

  /** Resolves when the job is safe. EMSGSIZE, EBUSY, ETIMEDOUT, ECLOSED; ENOSPC and EIO of the store. */
  add(job: NewJob, wait?: WaitOptions): Promise<Accepted> {
    if (this.closed) return Promise.reject(closedError())
    const { id } = job
    if (id === null) return this.room.tryEnter(job.body.length) ? this.accept(job) : this.addLater(job, wait)
    const before = this.arriving.get(id)
    if (before !== undefined) return before.then(({ id }) => ({ id, duplicate: true }))
    if (this.ids.has(id)) return Promise.resolve({ id, duplicate: true })
    const arriving = this.room.tryEnter(job.body.length) ? this.accept(job) : this.addLater(job, wait)
    this.arriving.set(id, arriving)
    const forget = () => this.arriving.delete(id)
    arriving.then(forget, forget)
    return arriving
  }

  private async addLater(job: NewJob, wait?: WaitOptions): Promise<Accepted> {
    const size = job.body.length
    if (size > this.settings.maxBytes) {
      throw new PipelineError("EMSGSIZE", `a job of ${size} bytes never fits into ${this.settings.maxBytes} (maxBytes)`)
    }
    await this.room.enter(size, wait)
    if (this.closed) {
      this.room.leave(size)
      throw closedError()
    }
    return this.accept(job)
  }

  private accept(sent: NewJob): Promise<Accepted> {
    const seq = this.next++
    const { body } = sent
    const job: Job = {
      seq,
      id: sent.id ?? `${this.name}-${seq.toString(36)}`,
      named: sent.id !== null,
      key: sent.key,
      band: sent.band,
      acceptedAt: this.runtime.clock.date(),
      startAt: sent.startAt,
      expiresAt: sent.expiresAt,
      codec: sent.codec,
      maxAttempts: sent.maxAttempts,
      lease: sent.lease,
      size: body.length,
      body,
      tickets: [],
      erasing: null,
    }
    sent.onId?.(job.id)
    this.cached += body.length
    this.pending++
    return this.store.put(seq, this.metaOf(job), body).then(
      () => {
        this.accepted(job)
        this.settled()
        return { id: job.id, duplicate: false }
      },
      error => {
        this.uncache(job)
        this.room.leave(job.size)
        this.settled()
        throw error
      },
    )
  }

  private accepted(job: Job): void {
    if (this.cached > this.settings.cacheBytes) this.uncache(job)
    this.jobs.set(job.seq, job)
    if (job.named) this.ids.add(job.id, job.seq)
    for (const lane of this.lanes) {
      const ticket = newTicket(job, lane)
      ticket.delay = untilStart(ticket)
      job.tickets.push(ticket)
      lane.add(ticket)
    }
    for (const lane of this.lanes) this.sink.onReady(lane)
  }

  /** The bodies of jobs, from memory where they are there. They are kept until `handed`. */
  async load(jobs: readonly Job[]): Promise<void> {
    const missing = jobs.filter(({ body }) => body === null)
    const bodies = await this.store.bodies(missing.map(({ seq }) => seq))
    missing.forEach((job, at) => {
      if (job.body !== null) return
      job.body = bodies[at]!
      this.cached += job.size
    })
  }

  /** The body of one job; its bytes must not change. */
  async read(job: Job): Promise<Uint8Array> {
    return job.body ?? (await this.store.bodies([job.seq]))[0]!
  }

  /** It is handed out to all who shall have it now: its body need not stay. */
  uncache(job: Job): void {
    if (job.body === null) return
    this.cached -= job.size
    job.body = null
  }

  /** It is done. Resolves when that is safe, however long it takes; false: not before the queue was closed. */
  async done(ticket: Ticket): Promise<boolean> {
    const { lane } = ticket
    lane.settling(ticket)
    const isSafe = await this.noteEnd(ticket)
    if (isSafe) {
      lane.end(ticket, State.Done)
      this.leaveIfDone(ticket.job)
      this.sink.onDone(ticket)
      this.sink.onReady(lane)
    }
    this.settled()
    return isSafe
  }

  /** The store is asked until it has taken it, or the queue is closed. The caller says `settled` behind it. */
  private async noteEnd(ticket: Ticket): Promise<boolean> {
    const { job } = ticket
    this.pending++
    for (;;) {
      try {
        // Another group's end may be on its way as well: the later of the two takes the job out.
        const isLast = job.tickets.every(
          other => other === ticket || other.state === State.Settling || other.state === State.Done,
        )
        if (isLast) job.erasing ??= this.erase(job)
        await (job.erasing ?? this.note(ticket, State.Done))
        return true
      } catch (error) {
        job.erasing = null
        this.sink.onStoreError(error)
        if (this.closed) return false
        await new Promise<void>(resolve => this.runtime.clock.after(STORE_PATIENCE, resolve))
      }
    }
  }

  /** Takes a job out of the store; its id stays for the window. */
  private erase(job: Job): Promise<void> {
    if (!job.named || this.settings.dedupeWindow === 0) return this.store.remove(job.seq)
    const until = this.runtime.clock.date() + this.settings.dedupeWindow
    return this.store
      .put(job.seq, encodeRemembered({ id: job.id, until }), NOTHING)
      .then(() => this.ids.bury(job.id, job.seq, until))
  }

  /** When all its groups have done it, it is not in the store any more. */
  private leaveIfDone(job: Job): void {
    if (!job.tickets.every(({ state }) => state === State.Done)) return
    if (!this.jobs.delete(job.seq)) return
    this.uncache(job)
    if (job.named && this.settings.dedupeWindow === 0) this.ids.forget(job.id)
    this.room.leave(job.size)
  }

  private metaOf(job: Job): Uint8Array {
    const { clock } = this.runtime
    return encodeMeta(job, clock.date(), clock.now())
  }

  /** Notes in the store what has become of a ticket, as if it were in `state`. */
  private note(ticket: Ticket, state = ticket.state): Promise<void> {
    const was = ticket.state
    ticket.state = state
    const meta = this.metaOf(ticket.job)
    ticket.state = was
    return this.store.setMeta(ticket.job.seq, meta)
  }

  /**
   * An attempt failed: it rests, or it is dead. Resolves when that is safe, or could not be made so (the sink is told).
   * @param rest In ms; null: by the back-off.
   */
  failed(ticket: Ticket, reason: string, stack: string, rest: number | null): Promise<void> {
    const { job, lane } = ticket
    const { clock } = this.runtime
    ticket.attempts++
    ticket.reason = reason
    ticket.stack = stack
    if (ticket.attempts >= (job.maxAttempts || this.settings.maxAttempts)) return this.die(ticket)
    if (job.expiresAt <= clock.date()) return this.expire(ticket)
    const pause = rest ?? restFor(this.settings.backoff, ticket.attempts, this.runtime.random())
    lane.again(ticket, resting(ticket, clock.now(), pause))
    this.sink.onRetry(ticket, pause)
    this.sink.onReady(lane)
    return this.keep(ticket)
  }

  /** Never again. */
  reject(ticket: Ticket, reason: string, stack: string): Promise<void> {
    ticket.attempts++
    ticket.reason = reason
    ticket.stack = stack
    return this.die(ticket)
  }

  expire(ticket: Ticket): Promise<void> {
    ticket.reason ||= "its time to live is over"
    return this.die(ticket)
  }

  private die(ticket: Ticket): Promise<void> {
    ticket.diedAt = this.runtime.clock.date()
    ticket.lane.end(ticket, State.Dead)
    this.uncache(ticket.job)
    this.sink.onDead(ticket)
    this.sink.onReady(ticket.lane)
    return this.keep(ticket)
  }

  private async keep(ticket: Ticket): Promise<void> {
    this.pending++
    try {
      await this.note(ticket)
    } catch (error) {
      this.sink.onStoreError(error)
    }
    this.settled()
  }

  /** A dead letter has all its attempts again, and no end of its time. Resolves when that is safe. */
  async putBack(ticket: Ticket): Promise<void> {
    const { job, lane } = ticket
    ticket.attempts = 0
    ticket.reason = ""
    ticket.stack = ""
    job.expiresAt = Number.POSITIVE_INFINITY
    this.pending++
    try {
      await this.note(ticket, State.Ready)
    } finally {
      this.settled()
    }
    lane.again(ticket, null)
    this.sink.onReady(lane)
  }

  /** A dead letter is wanted no more. Resolves when that is safe. */
  async discard(ticket: Ticket): Promise<void> {
    ticket.lane.forget(ticket)
    if (await this.noteEnd(ticket)) this.leaveIfDone(ticket.job)
    this.settled()
  }

  /** What time brings: delays and lives that are over, ids that are forgotten. */
  tick(): void {
    const date = this.runtime.clock.date()
    for (const lane of this.lanes) {
      for (const ticket of lane.due(date, this.runtime.clock.now())) void this.expire(ticket)
      this.sink.onReady(lane)
    }
    for (const key of this.ids.outdated(date)) {
      this.store.remove(key).catch(error => this.sink.onStoreError(error))
    }
  }

  /** When `tick` has something to do next, by the monotonic clock, as far as can be said now. */
  get nextDue(): number {
    const { clock } = this.runtime
    const now = clock.now()
    const ahead = now - clock.date()
    let first = Number.POSITIVE_INFINITY
    for (const lane of this.lanes) first = Math.min(first, lane.nextRest, Math.max(now, lane.nextDate + ahead))
    return first
  }

  /** Accepts nothing more, waits for what is on its way to the disk, and gives the store up. */
  async close(): Promise<void> {
    this.closed = true
    this.room.close(closedError())
    if (this.pending > 0) {
      await new Promise<void>(resolve => {
        this.quiet = resolve
      })
    }
    await this.store.close()
  }

  private settled(): void {
    if (--this.pending === 0) this.quiet?.()
  }
}

export function closedError(): PipelineError {
  return new PipelineError("ECLOSED", "it is closed")
}

const LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"

/** A name that nobody else is likely to have; no secret. */
export function randomName({ random }: TypedRuntime, length: number): string {
  let name = ""
  while (name.length < length) name += LETTERS[Math.floor(random() * LETTERS.length)]
  return name
}
