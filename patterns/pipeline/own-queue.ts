/** The queue of a producer that holds one: its jobs, its store, its socket, and who wants to know what becomes of them. */
import type { Cut, Store } from "../store/store.js"
import { Meter } from "../typed/meter.js"
import type { TypedRuntime } from "../typed/runtime.js"
import type { TypedRouter } from "../typed/sockets.js"
import type { InnerWaitOptions } from "../typed/waiting.js"
import type { Backoff } from "./backoff.js"
import { closedError } from "./errors.js"
import { Host } from "./host.js"
import { type Job, State, type Ticket } from "./job.js"
import { Pace } from "./pace.js"
import { type Accepted, type NewJob, Queue } from "./queue.js"
import type { PlaceSink, PlaceStats, QueuePlace } from "./queue-place.js"
import type { Numbers } from "./settings.js"
import { deadError, goneError, type Wish, Wishes } from "./wishes.js"

export interface OwnQueueSink extends PlaceSink {
  onCut(cut: Cut): void
  onConsumer(event: "join" | "leave", name: string, group: string, why: string): void
  onRetry(ticket: Ticket, rest: number): void
  onDead(ticket: Ticket): void
  onStoreError(error: unknown): void
}

export class OwnQueue implements QueuePlace {
  readonly queue: Queue
  private readonly host: Host
  private readonly wishes = new Wishes()
  /** What came with the acks of jobs that are not done in all groups. */
  private readonly results = new WeakMap<Job, Map<string, Uint8Array>>()
  private readonly meters: { readonly accepted: Meter; readonly done: Meter; readonly retried: Meter }

  private readonly pace: Pace
  /** Sends that wait for their turn to be added, and the last of them. */
  private inLine = 0
  private line: Promise<void> = Promise.resolve()
  /** null: it is open. */
  private opening: Promise<void> | null = null

  constructor(
    private readonly router: TypedRouter,
    private readonly addresses: readonly string[],
    store: Store,
    readonly groups: readonly string[],
    settings: Numbers & { readonly backoff: Backoff; readonly maxBodyBytes: number },
    private readonly runtime: TypedRuntime,
    private readonly sink: OwnQueueSink,
  ) {
    const { clock } = runtime
    this.pace = new Pace(clock)
    this.meters = { accepted: new Meter(clock), done: new Meter(clock), retried: new Meter(clock) }
    this.queue = new Queue(
      store,
      runtime,
      { ...settings, groups },
      {
        onAccepted: () => this.meters.accepted.add(),
        onReady: lane => {
          this.host.dispatcher.dispatch(lane)
          if (Math.min(lane.nextDate, lane.nextRest) !== Number.POSITIVE_INFINITY) this.host.wake()
        },
        onRetry: (ticket, rest) => {
          this.meters.retried.add()
          sink.onRetry(ticket, rest)
        },
        onDead: ticket => this.died(ticket),
        onDone: (ticket, result) => this.done(ticket, result),
        onStoreError: error => sink.onStoreError(error),
      },
    )
    this.host = new Host(router, this, runtime, settings, sink)
  }

  get lastEndpoint(): string | null {
    return this.router.lastEndpoint
  }

  open(): Promise<void> {
    const opening = this.openAll()
    this.opening = opening
    return opening
  }

  private async openAll(): Promise<void> {
    const { cut } = await this.queue.open()
    if (cut !== null) this.sink.onCut(cut)
    try {
      for (const address of this.addresses) await this.router.bind(address)
    } catch (error) {
      await this.queue.close()
      throw error
    }
    this.host.start()
    this.opening = null
  }

  add(job: NewJob, wish: Wish | null, wait?: InnerWaitOptions): Promise<Accepted> {
    const isFree = this.opening === null && this.inLine === 0
    if (isFree && wish === null && this.pace.tryPass()) return this.queue.add(job, null, wait)
    return this.addLater(job, wish, wait)
  }

  /** One after the other, in the order of their coming. */
  private async addLater(job: NewJob, wish: Wish | null, wait?: InnerWaitOptions): Promise<Accepted> {
    this.inLine++
    const turn = this.turnAfter(this.line)
    this.line = turn.catch(() => {})
    try {
      await turn
    } finally {
      this.inLine--
    }
    return wish === null ? this.queue.add(job, null, wait) : this.addWanted(job, wish, wait)
  }

  private async turnAfter(before: Promise<void>): Promise<void> {
    await before
    if (this.opening !== null) await this.opening
    while (!this.pace.tryPass()) await this.pace.nextTurn
  }

  private async addWanted(job: NewJob, wish: Wish, wait?: InnerWaitOptions): Promise<Accepted> {
    let given: string | null = null
    const onId = (id: string) => {
      given = id
      this.wishes.add(id, wish)
    }
    try {
      const accepted = await this.queue.add(job, onId, wait)
      if (accepted.duplicate) this.attach(accepted.id, wish)
      return accepted
    } catch (error) {
      if (given !== null) this.wishes.remove(given, wish)
      throw error
    }
  }

  /** Somebody wants to know, later than when it was sent. */
  attach(id: string, wish: Wish): void {
    const job = this.queue.find(id)
    const dead = job?.tickets.find(({ state }) => state === State.Dead)
    if (dead !== undefined) wish.onFailed(deadError(id, dead.lane.group, dead.reason))
    else if (job?.want) this.wishes.add(id, wish)
    else wish.onFailed(goneError(id))
  }

  /** He does not want to know any more. */
  detach(id: string, wish: Wish): void {
    this.wishes.remove(id, wish)
  }

  progress({ job, lane }: Ticket, body: Uint8Array): void {
    this.wishes.progress(job.id, body, lane.group)
  }

  pause(): void {
    this.host.dispatcher.paused = true
  }

  resume(): void {
    this.host.dispatcher.paused = false
    for (const lane of this.queue.lanes) this.host.dispatcher.dispatch(lane)
  }

  get unfinished(): number {
    let unfinished = 0
    for (const { counts } of this.queue.lanes) {
      for (let state = State.Ready; state <= State.Settling; state++) unfinished += counts[state]!
    }
    return unfinished
  }

  stats(): PlaceStats {
    const total = (state: State) => this.queue.lanes.reduce((sum, { counts }) => sum + counts[state]!, 0)
    const { room } = this.queue
    const { accepted, done, retried } = this.meters
    return {
      ready: total(State.Ready),
      delayed: total(State.Delayed),
      blocked: total(State.Blocked),
      inFlight: total(State.InFlight) + total(State.Settling),
      dead: total(State.Dead),
      waiting: room.waiting,
      jobs: room.jobs,
      bytes: room.bytes,
      consumers: this.host.dispatcher.consumers.size,
      accepted: accepted.total,
      done: done.total,
      retried: retried.total,
      rates: { accepted: accepted.perSecond, done: done.perSecond, retried: retried.perSecond },
      oldestAge: this.oldestAge(),
    }
  }

  private oldestAge(): number {
    for (const { acceptedAt, tickets } of this.queue.jobs.values()) {
      if (tickets.some(({ state }) => state < State.Dead)) return Math.max(0, this.runtime.clock.date() - acceptedAt)
    }
    return 0
  }

  async close(): Promise<void> {
    const isOpen = await (this.opening ?? Promise.resolve()).then(
      () => true,
      () => false,
    )
    this.host.dispatcher.paused = true
    try {
      if (isOpen) await this.queue.close()
    } finally {
      await this.host.close()
      this.wishes.close(closedError())
    }
  }

  private done({ job, lane }: Ticket, result: Uint8Array | null): void {
    this.meters.done.add()
    if (this.wishes.has(job.id)) {
      let results = this.results.get(job)
      if (results === undefined) {
        results = new Map()
        this.results.set(job, results)
      }
      if (result !== null) results.set(lane.group, Uint8Array.from(result)) // It came as a view of more.
      if (job.tickets.every(({ state }) => state === State.Done)) this.wishes.done(job.id, results)
    }
    this.sink.onFinished()
  }

  private died(ticket: Ticket): void {
    const { job, lane, reason } = ticket
    this.sink.onDead(ticket)
    this.wishes.failed(job.id, deadError(job.id, lane.group, reason))
    this.sink.onFinished()
  }
}
