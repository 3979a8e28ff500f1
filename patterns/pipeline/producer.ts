/**
 * PRODUCER: holds a queue of jobs, and hands them to the consumers that connect to it. There is no server: the queue lives
 * with whoever makes the jobs, in memory or in a folder of its own. `send` resolves once a job is safe there; it leaves
 * when a consumer's ack is.
 */
import { type Codec, type CodecLike, codecOf } from "../codec/index.js"
import { logStore } from "../store/log.js"
import { memoryStore } from "../store/memory.js"
import type { Cut, Store } from "../store/store.js"
import type { TypedRuntime } from "../typed/runtime.js"
import type { Sockets, TypedRouter } from "../typed/sockets.js"
import type { Backoff } from "./backoff.js"
import { DeadLetters } from "./dead-letters.js"
import { PipelineError } from "./errors.js"
import { Events } from "./events.js"
import { Host } from "./host.js"
import { type Priority, priorities, State, type Ticket } from "./job.js"
import { closedError, type NewJob, Queue } from "./queue.js"
import type { WaitOptions } from "./room.js"
import { backoffOf, type Numbers, numbersOf } from "./settings.js"
import { peerlaneSockets, realRuntime } from "./surroundings.js"
import { Wishes } from "./wishes.js"

export interface ProducerOptions extends Partial<Numbers> {
  /** Where consumers connect to. */
  readonly bind: string | readonly string[]
  /** A folder for the queue, which this process then owns alone; or a store. Default: memory, gone with the process. */
  readonly store?: string | Store
  /** How jobs are encoded (default msgpack). Its name travels with each job. */
  readonly codec?: CodecLike
  /** Each of them gets every job, and within each one consumer does it. Default: one, without a name. */
  readonly groups?: readonly string[]
  /** Jobs that have not left, dead letters included (default 1,000,000). `send` waits beyond it. */
  readonly maxJobs?: number
  /** Bytes of their bodies (default 1 GiB). */
  readonly maxBytes?: number
  /** Of one job, encoded (default 64 MiB). EMSGSIZE. */
  readonly maxJobBytes?: number
  /** Sends that wait for room (default 10,000). EBUSY beyond it. */
  readonly maxWaiting?: number
  /** Of each job, the first included (default 10); then it is a dead letter. */
  readonly maxAttempts?: number
  readonly backoff?: Partial<Backoff>
  /** How long a consumer may work on a job without `extend`, in ms (default 30,000). */
  readonly lease?: number
  /** How often consumers say that they are there, in ms (default 2,000). After three without a word their jobs are for others. */
  readonly heartbeat?: number
  /** How long the id of a job that is gone is remembered, in ms (default one hour; 0: not at all). */
  readonly dedupeWindow?: number
  /** The ids of how many jobs that are gone are remembered at most (default 100,000). */
  readonly dedupeMax?: number
  /** Bytes of bodies that are kept in memory until they are handed out (default 8 MiB); others are read from the store. */
  readonly cacheBytes?: number
  /** Options of the socket: CURVE, TLS, limits. */
  readonly socket?: object
  /** The engine: Peerlane's sockets (default), or `import * as zeromq from "zeromq"`. */
  readonly sockets?: Sockets
  /** Clock, chance and disk (default: the machine's). */
  readonly runtime?: TypedRuntime
}

export interface SendOptions extends WaitOptions {
  /** A job of an id that was accepted before, within the window, is not accepted again. */
  readonly id?: string
  /** Jobs of one key are done one after another, in their order. */
  readonly key?: string
  /** Default normal. */
  readonly priority?: Priority
  /** Not before so many ms from now. */
  readonly delay?: number
  /** Not before this. */
  readonly startAt?: Date
  /** A dead letter if it was not done within so many ms from now. */
  readonly ttl?: number
  readonly maxAttempts?: number
  readonly lease?: number
  /** `done` is to be what the handler returns. */
  readonly want?: boolean
  /** What the handler tells meanwhile; comes with `want`. */
  readonly onProgress?: (value: unknown) => void
}

export interface Sent {
  readonly id: string
  /** A job of this id was accepted before; this one was not. */
  readonly duplicate: boolean
  /**
   * With `want`: what the handler returned, by group where there are groups; rejects with EDEAD when it is a dead letter, with
   * ECLOSED when the producer is closed before. Lives as long as this process.
   */
  readonly done: Promise<unknown>
}

export interface ProducerEvents {
  /** The store was repaired when it was opened: what a crash had left half written was cut off. */
  cut: Cut
  join: { readonly consumer: string; readonly group: string }
  leave: { readonly consumer: string; readonly group: string; readonly reason: string }
  retry: {
    readonly id: string
    readonly group: string
    readonly attempt: number
    readonly reason: string
    readonly rest: number
  }
  dead: { readonly id: string; readonly group: string; readonly attempts: number; readonly reason: string }
  /** The store could not keep the end of a job, or of an attempt. The end of a job is tried again until it can. */
  storeError: { readonly error: unknown }
  /** A peer said what is no message of this protocol in this version. */
  malformed: { readonly message: string }
}

export interface ProducerStats {
  readonly ready: number
  readonly delayed: number
  /** Behind another one of their key. */
  readonly blocked: number
  readonly inFlight: number
  readonly dead: number
  /** Sends that wait for room. */
  readonly waiting: number
  readonly jobs: number
  readonly bytes: number
  readonly consumers: number
  readonly accepted: number
  readonly done: number
  readonly retried: number
  /** Of the oldest job that has not ended, in ms; 0: there is none. */
  readonly oldestAge: number
}

export class Producer<T = unknown> {
  /** The jobs that failed for good. */
  readonly dead: DeadLetters<T>
  private readonly runtime: TypedRuntime
  private readonly codec: Codec<unknown, T>
  private readonly numbers: Numbers
  private readonly queue: Queue
  private readonly host: Host
  private readonly router: TypedRouter
  private readonly events: Events<ProducerEvents>
  private readonly wishes: Wishes
  private readonly opening: Promise<void>
  private readonly counts = { accepted: 0, done: 0, retried: 0 }
  private drained: (() => void)[] = []
  private closing: Promise<void> | null = null

  constructor(options: ProducerOptions) {
    const { groups = [""], store, socket, sockets = peerlaneSockets, runtime = realRuntime } = options
    this.runtime = runtime
    this.codec = codecOf(options.codec) as Codec<unknown, T>
    this.numbers = numbersOf(options)
    this.events = new Events(runtime.clock)
    this.wishes = new Wishes(this.codec as Codec<unknown>, groups)
    if (groups.length === 0 || new Set(groups).size < groups.length) {
      throw new PipelineError("EINVAL", "groups are to be names, each once, and at least one")
    }
    const opened = typeof store === "string" ? logStore(store, runtime.disk) : (store ?? memoryStore())
    const settings = { ...this.numbers, groups, backoff: backoffOf(options.backoff) }
    this.queue = new Queue(opened, runtime, settings, {
      onReady: lane => {
        this.host.dispatcher.dispatch(lane)
        if (Math.min(lane.nextDate, lane.nextRest) !== Number.POSITIVE_INFINITY) this.host.wake()
      },
      onRetry: (ticket, rest) => this.retried(ticket, rest),
      onDead: ticket => this.died(ticket),
      onDone: ticket => this.done(ticket),
      onStoreError: error => this.events.emit("storeError", { error }),
    })
    this.router = new sockets.Router({
      mandatory: true,
      sendTimeout: 0,
      sendHighWaterMark: 16_384,
      linger: 1000,
      ...socket,
    })
    this.host = new Host(this.router, this.queue, runtime, this.numbers, {
      onConsumer: (event, consumer, group, reason) =>
        event === "join"
          ? this.events.emit("join", { consumer, group })
          : this.events.emit("leave", { consumer, group, reason }),
      wants: id => this.wishes.has(id),
      onProgress: (ticket, body) => {
        if (!this.wishes.progress(ticket, body)) {
          this.events.emit("malformed", { message: `the progress of ${ticket.job.id} cannot be decoded` })
        }
      },
      onResult: (ticket, body) => this.wishes.result(ticket, body),
      onMalformed: message => this.events.emit("malformed", { message }),
    })
    this.dead = new DeadLetters(this.queue, this.codec as unknown as Codec<T>)
    this.opening = this.open(typeof options.bind === "string" ? [options.bind] : options.bind)
    this.opening.catch(() => {}) // `ready`, and each `send`, rejects with it.
  }

  private async open(addresses: readonly string[]): Promise<void> {
    const { cut } = await this.queue.open()
    if (cut !== null) this.events.emit("cut", cut)
    try {
      for (const address of addresses) await this.router.bind(address)
    } catch (error) {
      await this.queue.close()
      throw error
    }
    this.host.start()
  }

  /** Resolves when the store is open and consumers can connect. Rejects with what the store or the socket says against it. */
  ready(): Promise<void> {
    return this.opening
  }

  /** The address that was bound last. */
  get lastEndpoint(): string | null {
    return this.router.lastEndpoint
  }

  on<Name extends keyof ProducerEvents>(name: Name, listener: (event: ProducerEvents[Name]) => void): this {
    this.events.on(name, listener)
    return this
  }

  off<Name extends keyof ProducerEvents>(name: Name, listener: (event: ProducerEvents[Name]) => void): this {
    this.events.off(name, listener)
    return this
  }

  /**
   * Resolves when the job is safe: on disk, where the queue is. EENCODE and ESCHEMA of the codec; EMSGSIZE; ETIMEDOUT
   * and EBUSY while there is no room; ECLOSED; ENOSPC and EIO of the store. After an error the job is not in the queue.
   */
  async send(value: T, options: SendOptions = {}): Promise<Sent> {
    const wish =
      options.want === true || options.onProgress !== undefined ? this.wishes.begin(options.onProgress) : null
    const job = this.newJob(value, options, wish?.onId ?? null)
    await this.opening
    if (this.closing !== null) throw closedError()
    const { id, duplicate } = await this.queue.add(job, options).catch(error => {
      wish?.drop()
      throw error
    })
    if (!duplicate) this.counts.accepted++
    return { id, duplicate, done: wish !== null && !duplicate ? wish.done : Promise.resolve(undefined) }
  }

  private newJob(value: T, options: SendOptions, onId: NewJob["onId"]): NewJob {
    const body = this.codec.encode(value)
    if (body.length > this.numbers.maxJobBytes) {
      const message = `a job of ${body.length} bytes is above ${this.numbers.maxJobBytes} (maxJobBytes)`
      throw new PipelineError("EMSGSIZE", message)
    }
    const { id = null, key = null, priority = "normal", delay = 0, startAt, ttl, maxAttempts = 0, lease = 0 } = options
    const band = priorities.indexOf(priority)
    if (band < 0)
      throw new PipelineError("EINVAL", `priority is to be one of ${priorities.join(", ")}, not ${priority}`)
    for (const [name, number] of Object.entries({ delay, ttl: ttl ?? 1, maxAttempts, lease })) {
      if (!(number >= 0 && Number.isFinite(number)))
        throw new PipelineError("EINVAL", `${name} is to be a number from 0 on`)
    }
    const date = this.runtime.clock.date()
    return {
      body,
      codec: this.codec.name,
      id,
      key,
      band,
      startAt: startAt?.getTime() ?? (delay > 0 ? date + delay : 0),
      expiresAt: ttl === undefined ? Number.POSITIVE_INFINITY : date + ttl,
      maxAttempts,
      lease,
      onId,
    }
  }

  /** Hands out nothing more, until `resume`. */
  pause(): void {
    this.host.dispatcher.paused = true
  }

  resume(): void {
    this.host.dispatcher.paused = false
    for (const lane of this.queue.lanes) this.host.dispatcher.dispatch(lane)
  }

  /** Resolves when every job that was accepted is done or a dead letter. ETIMEDOUT. */
  async drain({ timeout, signal }: WaitOptions = {}): Promise<void> {
    await this.opening
    if (this.unfinished() === 0) return
    signal?.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.drained = this.drained.filter(other => other !== finish)
        timer?.cancel()
        signal?.removeEventListener("abort", aborted)
      }
      const finish = () => {
        leave()
        if (this.unfinished() > 0) reject(closedError())
        else resolve()
      }
      const aborted = () => {
        leave()
        reject(signal!.reason)
      }
      const timer =
        timeout === undefined
          ? null
          : this.runtime.clock.after(timeout, () => {
              leave()
              reject(new PipelineError("ETIMEDOUT", `${this.unfinished()} jobs are not done after ${timeout} ms`))
            })
      signal?.addEventListener("abort", aborted)
      this.drained.push(finish)
    })
  }

  private unfinished(): number {
    let unfinished = 0
    for (const { counts } of this.queue.lanes) {
      for (let state = State.Ready; state <= State.Settling; state++) unfinished += counts[state]!
    }
    return unfinished
  }

  stats(): ProducerStats {
    const total = (state: State) => this.queue.lanes.reduce((sum, { counts }) => sum + counts[state]!, 0)
    const { room, jobs } = this.queue
    let oldestAge = 0
    for (const { acceptedAt, tickets } of jobs.values()) {
      if (tickets.every(({ state }) => state >= State.Dead)) continue
      oldestAge = Math.max(0, this.runtime.clock.date() - acceptedAt)
      break
    }
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
      ...this.counts,
      oldestAge,
    }
  }

  /** Accepts nothing more, waits for what is on its way to the disk, and leaves. What is not done stays in the store. Never rejects, but for the store's errors. */
  close(): Promise<void> {
    this.closing ??= this.shut()
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async shut(): Promise<void> {
    const isOpen = await this.opening.then(
      () => true,
      () => false,
    )
    this.host.dispatcher.paused = true
    if (isOpen) await this.queue.close()
    await this.host.close()
    this.wishes.close()
    for (const finish of this.drained) finish()
  }

  private done(ticket: Ticket): void {
    this.counts.done++
    this.wishes.done(ticket)
    this.checkDrained()
  }

  private died(ticket: Ticket): void {
    const { job, lane, attempts, reason } = ticket
    this.events.emit("dead", { id: job.id, group: lane.group, attempts, reason })
    this.wishes.died(ticket)
    this.checkDrained()
  }

  private retried({ job, lane, attempts, reason }: Ticket, rest: number): void {
    this.counts.retried++
    this.events.emit("retry", { id: job.id, group: lane.group, attempt: attempts, reason, rest })
  }

  private checkDrained(): void {
    if (this.drained.length > 0 && this.unfinished() === 0) for (const finish of this.drained) finish()
  }
}
