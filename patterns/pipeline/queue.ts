/**
 * The jobs of one producer: whose turn each is, and what becomes of it. Knows nothing of sockets and consumers. A job is
 * accepted when the store has it safe, and has ended when the store has that safe; in between all that a crash can take
 * away is who had it in hand, and how often that went wrong since the last note.
 */
import type { Opened, Store } from "../store/store.js"
import type { TypedRuntime } from "../typed/runtime.js"
import type { WaitOptions } from "../typed/waiting.js"
import { type Backoff, restFor } from "./backoff.js"
import { Arrival, Discarded, Done, type Ending } from "./changes.js"
import { closedError, PipelineError } from "./errors.js"
import { type Job, newTicket, resting, restoredTicket, State, type Ticket, untilStart } from "./job.js"
import { Lane } from "./lane.js"
import { type Found, Records } from "./records.js"
import { RememberedIds } from "./remembered.js"
import { Room } from "./room.js"

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
  /** It is safe, and nobody has it yet. */
  onAccepted(job: Job): void
  /** Something of this lane may be ready now. */
  onReady(lane: Lane): void
  /** It failed and will be tried again, after `rest` ms. */
  onRetry(ticket: Ticket, rest: number): void
  onDead(ticket: Ticket): void
  /** A job has ended for this group, with a result or without one, and the disk knows. */
  onDone(ticket: Ticket, result: Uint8Array | null): void
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
  /** What the handler returns is to come with its ack. */
  readonly want: boolean
}

export interface Accepted {
  readonly id: string
  /** A job of this id was accepted before; this one was not. */
  readonly duplicate: boolean
  /** What comes of it, where somebody wants to know. */
  readonly done: Promise<unknown>
}

/** Nobody does. */
export const UNWANTED: Promise<unknown> = Promise.resolve(undefined)

/** Is told the id of a job before anybody can have it. Not called for a duplicate. */
export type OnId = ((id: string) => void) | null

export class Queue {
  readonly lanes: readonly Lane[]
  readonly room: Room
  /** Those that have not ended in all groups, by their entry in the store, in the order of acceptance. */
  readonly jobs = new Map<number, Job>()
  private readonly records: Records
  private readonly ids: RememberedIds
  /** Named ones on the way to the disk. */
  private readonly arriving = new Map<string, Promise<Accepted>>()
  private cached = 0
  private closed = false
  /** Why the store would not take an end, the last time. */
  private lastRefusal: unknown = null

  constructor(
    store: Store,
    private readonly runtime: TypedRuntime,
    private readonly settings: QueueSettings,
    private readonly sink: QueueSink,
  ) {
    this.lanes = settings.groups.map(group => new Lane(group))
    this.room = new Room(runtime.clock, settings, settings.maxWaiting)
    this.ids = new RememberedIds(settings.dedupeMax)
    this.records = new Records(store, runtime, error => sink.onStoreError(error))
  }

  /** Its own name, the same as long as there is its store. */
  get id(): string {
    return this.records.name
  }

  async open(): Promise<Opened> {
    const gone: { id: string; until: number; key: number }[] = []
    const finished: Job[] = []
    const opened = await this.records.open({
      onJob: found => this.restore(found, finished),
      onRemembered: ({ id, until }, key) => gone.push({ id, until, key }),
    })
    try {
      await Promise.all(finished.map(job => this.erase(job)))
    } catch (error) {
      await this.records.close()
      throw error
    }
    for (const job of finished) this.leaveIfDone(job)
    gone.sort((a, b) => a.until - b.until)
    for (const { id, key, until } of gone) this.ids.bury(id, key, until)
    return opened
  }

  /** @param finished Gets it, if nobody is left who has to do it. */
  private restore({ job, told }: Found, finished: Job[]): void {
    const { clock } = this.runtime
    this.jobs.set(job.seq, job)
    this.room.take(job.size)
    if (job.named) this.ids.add(job.id, job.seq)
    for (const lane of this.lanes) {
      const ticket = restoredTicket(job, lane, told(lane.group), clock.date(), clock.now())
      job.tickets.push(ticket)
      lane.add(ticket)
    }
    // All groups that are left had done it when another one was taken away.
    if (job.tickets.every(({ state }) => state === State.Done)) finished.push(job)
  }

  /** One that is here, and was given its id by its sender. */
  find(id: string): Job | undefined {
    const seq = this.ids.keyOf(id)
    return seq === undefined ? undefined : this.jobs.get(seq)
  }

  /** Resolves when the job is safe. EMSGSIZE, EBUSY, ETIMEDOUT, ECLOSED; ENOSPC and EIO of the store. */
  add(job: NewJob, onId: OnId, wait?: WaitOptions): Promise<Accepted> {
    if (this.closed) return Promise.reject(closedError())
    const { id, body } = job
    if (body.length > this.settings.maxBytes) {
      const message = `a job of ${body.length} bytes never fits into ${this.settings.maxBytes} (maxBytes)`
      return Promise.reject(new PipelineError("EMSGSIZE", message))
    }
    if (id === null) return this.enter(job, onId, wait)
    const before = this.arriving.get(id)
    if (before !== undefined) {
      return before.then(
        () => ({ id, duplicate: true, done: UNWANTED }),
        () => this.add(job, onId, wait), // Whoever was first gave it up.
      )
    }
    if (this.ids.has(id, this.runtime.clock.date())) return Promise.resolve({ id, duplicate: true, done: UNWANTED })
    const arriving = this.enter(job, onId, wait)
    this.arriving.set(id, arriving)
    const forget = () => this.arriving.delete(id)
    arriving.then(forget, forget)
    return arriving
  }

  private enter(job: NewJob, onId: OnId, wait?: WaitOptions): Promise<Accepted> {
    const size = job.body.length
    if (this.room.tryEnter(size)) return this.accept(job, onId)
    return this.room.enter(size, wait, () => this.accept(job, onId))
  }

  private accept(sent: NewJob, onId: OnId): Promise<Accepted> {
    const seq = this.records.nextSeq()
    const { body, id } = sent
    const job: Job = {
      seq,
      id: id ?? this.records.idOf(seq),
      named: id !== null,
      key: sent.key,
      band: sent.band,
      acceptedAt: this.runtime.clock.date(),
      startAt: sent.startAt,
      expiresAt: sent.expiresAt,
      codec: sent.codec,
      maxAttempts: sent.maxAttempts,
      lease: sent.lease,
      want: sent.want,
      size: body.length,
      body,
      tickets: [],
      erasing: null,
      buriedUntil: 0,
    }
    onId?.(job.id)
    this.cached += body.length
    return new Promise((resolve, reject) => {
      this.records.put(job, body, new Arrival(this, job, resolve, reject))
    })
  }

  /** Its arrival was refused. */
  notAccepted(job: Job): void {
    this.uncache(job)
    this.room.leave(job.size)
  }

  /** It is safe. */
  accepted(job: Job): Accepted {
    if (this.cached > this.settings.cacheBytes) this.uncache(job)
    this.jobs.set(job.seq, job)
    if (job.named) this.ids.add(job.id, job.seq)
    for (const lane of this.lanes) {
      const ticket = newTicket(job, lane)
      ticket.delay = untilStart(ticket)
      job.tickets.push(ticket)
      lane.add(ticket)
    }
    this.sink.onAccepted(job)
    for (const lane of this.lanes) this.sink.onReady(lane)
    return { id: job.id, duplicate: false, done: UNWANTED }
  }

  /** The bodies of jobs, from memory where they are there; their bytes must not change. */
  async bodies(jobs: readonly Job[]): Promise<Uint8Array[]> {
    const bodies = jobs.map(({ body }) => body)
    const absent = jobs.filter(({ body }) => body === null)
    const read = (await this.records.bodies(absent)).values()
    return bodies.map(body => body ?? (read.next().value as Uint8Array))
  }

  /** It is handed out to all who shall have it now: its body need not stay. */
  uncache(job: Job): void {
    if (job.body === null) return
    this.cached -= job.size
    job.body = null
  }

  /**
   * It is done; the store is asked until it has that, or the queue is closed.
   * @param onSafe Is called with `handle` then.
   */
  done<H>(ticket: Ticket, result: Uint8Array | null, handle: H, onSafe: (handle: H) => void): void {
    ticket.lane.settling(ticket)
    this.noteEnd(new Done(this, ticket, result, handle, onSafe))
  }

  /** That is safe. */
  isDone(ticket: Ticket, result: Uint8Array | null): void {
    const { lane, job } = ticket
    lane.end(ticket, State.Done)
    this.leaveIfDone(job)
    this.sink.onDone(ticket, result)
    this.sink.onReady(lane)
  }

  /** The last of its groups takes a job out of the store, the others note what they have done. */
  noteEnd(ending: Ending): void {
    const { ticket } = ending
    const { job } = ticket
    this.records.end(this.isLast(ticket) ? this.erase(job) : this.records.note(ticket, State.Done), ending)
  }

  /** The store would not take an end. */
  endRefused(ending: Ending, error: unknown): void {
    // Those that failed together are told of together.
    if (error !== this.lastRefusal) this.sink.onStoreError(error)
    this.lastRefusal = error
    if (!this.records.later(() => this.noteEnd(ending))) ending.onGivenUp()
  }

  /** Another group's end may be on its way as well: the later of the two takes the job out. */
  private isLast(ticket: Ticket): boolean {
    for (const other of ticket.job.tickets) {
      if (other !== ticket && other.state !== State.Settling && other.state !== State.Done) return false
    }
    return true
  }

  /** Takes a job out of the store; its id stays for the window. */
  private erase(job: Job): Promise<void> {
    if (job.erasing !== null) return job.erasing
    const erasing = this.eraseAnew(job)
    job.erasing = erasing
    // Before anybody who follows it: who tries again is to erase again.
    erasing.catch(() => {
      job.erasing = null
    })
    return erasing
  }

  private eraseAnew(job: Job): Promise<void> {
    if (!job.named || this.settings.dedupeWindow === 0) return this.records.remove(job.seq)
    job.buriedUntil = this.runtime.clock.date() + this.settings.dedupeWindow
    return this.records.remember(job.seq, { id: job.id, until: job.buriedUntil })
  }

  /** When all its groups have done it, it is not in the store any more. */
  leaveIfDone(job: Job): void {
    for (const { state } of job.tickets) if (state !== State.Done) return
    if (!this.jobs.delete(job.seq)) return
    this.uncache(job)
    if (job.buriedUntil > 0) this.ids.bury(job.id, job.seq, job.buriedUntil)
    else if (job.named) this.ids.forget(job.id)
    this.room.leave(job.size)
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
    return this.records.keep(ticket)
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
    return this.records.keep(ticket)
  }

  /** A dead letter has all its attempts again, and no end of its time. Resolves when that is safe. */
  async putBack(ticket: Ticket): Promise<void> {
    const { job, lane, attempts, reason, stack } = ticket
    const { expiresAt } = job
    Object.assign(ticket, { attempts: 0, reason: "", stack: "" })
    job.expiresAt = Number.POSITIVE_INFINITY
    try {
      await this.records.note(ticket, State.Ready)
    } catch (error) {
      Object.assign(ticket, { attempts, reason, stack })
      job.expiresAt = expiresAt
      throw error
    }
    if (ticket.state !== State.Dead) return // Somebody else was faster.
    lane.again(ticket, null)
    this.sink.onReady(lane)
  }

  /** A dead letter is wanted no more. Resolves when that is safe, or the queue is closed. */
  discard(ticket: Ticket): Promise<void> {
    ticket.lane.forget(ticket)
    return new Promise(resolve => this.noteEnd(new Discarded(this, ticket, resolve)))
  }

  /** What time brings: delays and lives that are over, ids that are forgotten. */
  tick(): void {
    const date = this.runtime.clock.date()
    for (const lane of this.lanes) {
      for (const ticket of lane.due(date, this.runtime.clock.now())) void this.expire(ticket)
      this.sink.onReady(lane)
    }
    for (const key of this.ids.outdated(date)) {
      this.records.remove(key).catch(error => this.sink.onStoreError(error))
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
    await this.records.close()
  }
}
