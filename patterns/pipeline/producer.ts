/**
 * PRODUCER: makes jobs for the consumers that connect to it. There is no server: the queue lives with whoever makes the jobs,
 * in memory or in a folder of its own, or with another producer that this one connects to. `send` resolves once a job is
 * safe there; it leaves when a consumer's ack is.
 */
import { type Codec, codecOf } from "../codec/index.js"
import { logStore } from "../store/log.js"
import { memoryStore } from "../store/memory.js"
import { Events } from "../typed/events.js"
import type { TypedRuntime } from "../typed/runtime.js"
import { peerlaneSockets, realRuntime } from "../typed/surroundings.js"
import { Waiting, type WaitOptions } from "../typed/waiting.js"
import { DeadLetters } from "./dead-letters.js"
import { closedError, PipelineError } from "./errors.js"
import { priorities, type Ticket } from "./job.js"
import { OwnQueue } from "./own-queue.js"
import type {
  ConnectingOptions,
  HoldingOptions,
  ProducerEvents,
  ProducerOptions,
  ProducerStats,
  SendOptions,
  Sent,
} from "./producer-options.js"
import type { NewJob } from "./queue.js"
import type { QueuePlace } from "./queue-place.js"
import { RemoteQueue } from "./remote-queue.js"
import { backoffOf, type Numbers, numbersOf } from "./settings.js"
import { SenderWish } from "./wishes.js"

export class Producer<T = unknown> {
  private readonly runtime: TypedRuntime
  private readonly codec: Codec<unknown, T>
  private readonly numbers: Numbers
  private readonly events: Events<ProducerEvents>
  private readonly place: QueuePlace
  private readonly letters: DeadLetters<T> | null
  private readonly opening: Promise<void>
  private draining: Waiting[] = []
  private closing: Promise<void> | null = null

  constructor(options: ProducerOptions) {
    this.runtime = options.runtime ?? realRuntime
    this.codec = codecOf(options.codec) as Codec<unknown, T>
    this.numbers = numbersOf(options)
    this.events = new Events(this.runtime.clock)
    if ((options.bind === undefined) === (options.connect === undefined)) {
      throw new PipelineError("EINVAL", "a producer is to have either bind or connect")
    }
    if (options.connect !== undefined) {
      this.place = this.remoteQueue(options)
      this.letters = null
    } else {
      const own = this.ownQueue(options)
      this.place = own
      this.letters = new DeadLetters(own.queue, this.codec as unknown as Codec<T>)
    }
    this.opening = this.place.open()
    this.opening.catch(() => {}) // `ready`, and each `send`, rejects with it.
  }

  private ownQueue(options: HoldingOptions): OwnQueue {
    const { bind, groups = [""], store, socket, sockets = peerlaneSockets } = options
    if (groups.length === 0 || new Set(groups).size < groups.length) {
      throw new PipelineError("EINVAL", "groups are to be names, each once, and at least one")
    }
    const opened = typeof store === "string" ? logStore(store, this.runtime.disk) : (store ?? memoryStore())
    const maxBodyBytes = Math.min(this.numbers.maxJobBytes, longestFrame(socket))
    const settings = { ...this.numbers, maxBodyBytes, backoff: backoffOf(options.backoff) }
    const router = new sockets.Router({
      mandatory: true,
      sendTimeout: 0,
      sendHighWaterMark: 16_384,
      linger: 1000,
      ...socket,
    })
    return new OwnQueue(router, typeof bind === "string" ? [bind] : bind, opened, groups, settings, this.runtime, {
      onCut: cut => this.events.emit("cut", cut),
      onConsumer: (event, consumer, group, reason) =>
        event === "join"
          ? this.events.emit("join", { consumer, group })
          : this.events.emit("leave", { consumer, group, reason }),
      onRetry: ({ job, lane, attempts, reason }, rest) =>
        this.events.emit("retry", { id: job.id, group: lane.group, attempt: attempts, reason, rest }),
      onDead: ({ job, lane, attempts, reason }: Ticket) =>
        this.events.emit("dead", { id: job.id, group: lane.group, attempts, reason }),
      onStoreError: error => this.events.emit("storeError", { error }),
      onFinished: () => this.checkDrained(),
      onMalformed: message => this.events.emit("malformed", { message }),
    })
  }

  private remoteQueue({ connect, sockets = peerlaneSockets, socket = {} }: ConnectingOptions): RemoteQueue {
    return new RemoteQueue(connect, sockets, socket, this.numbers.maxWaiting, this.runtime, {
      onWelcome: address => this.events.emit("welcome", { address }),
      onRefused: (address, error) => this.events.emit("refused", { address, error }),
      onFinished: () => this.checkDrained(),
      onMalformed: message => this.events.emit("malformed", { message }),
    })
  }

  /**
   * Resolves when the store is open and consumers can connect; where the queue is another's, when that one knows us. Rejects
   * with what the store or the socket says against it, and with ECLOSED.
   */
  ready(): Promise<void> {
    return this.opening
  }

  /** The address that was bound last; null where the queue is another's. */
  get lastEndpoint(): string | null {
    return this.place.lastEndpoint
  }

  /** The jobs that failed for good. Where the queue is another's, they are with it: EINVAL. */
  get dead(): DeadLetters<T> {
    if (this.letters !== null) return this.letters
    throw new PipelineError("EINVAL", "dead letters are with the producer that holds the queue")
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
   * Resolves when the job is safe: on the disk of whoever holds the queue. EENCODE and ESCHEMA of the codec; EMSGSIZE;
   * ETIMEDOUT and EBUSY while there is no room; ECLOSED; ENOSPC and EIO of the store. After an error the job is not in the
   * queue; but where the queue is another's, ETIMEDOUT, ECLOSED and the reason of a signal may come too late to stop it:
   * who sends it again under the same `id` does no harm.
   */
  send(value: T, options: SendOptions = {}): Promise<Sent> {
    try {
      options.signal?.throwIfAborted()
      const job = this.newJob(value, options)
      if (this.closing !== null) throw closedError()
      return job.want ? this.sendWanted(job, options) : this.place.add(job, null, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  private async sendWanted(job: NewJob, options: SendOptions): Promise<Sent> {
    const wish = this.wish(options)
    const { id, duplicate } = await this.place.add(job, wish, options)
    return { id, duplicate, done: wish.done }
  }

  private wish({ onProgress }: SendOptions): SenderWish {
    const groups = () => this.place.groups
    return new SenderWish(this.codec as Codec<unknown>, groups, onProgress, ({ message }) =>
      this.events.emit("malformed", { message: `progress that cannot be decoded: ${message}` }),
    )
  }

  private newJob(value: T, options: SendOptions): NewJob {
    const body = this.codec.encode(value)
    if (body.length > this.numbers.maxJobBytes) {
      const message = `a job of ${body.length} bytes is above ${this.numbers.maxJobBytes} (maxJobBytes)`
      throw new PipelineError("EMSGSIZE", message)
    }
    const { id = null, key = null, priority = "normal", delay = 0, startAt, ttl, maxAttempts = 0, lease = 0 } = options
    const band = priorities.indexOf(priority)
    if (band < 0)
      throw new PipelineError("EINVAL", `priority is to be one of ${priorities.join(", ")}, not ${priority}`)
    checkText("id", id)
    checkText("key", key)
    checkAmount("startAt", startAt?.getTime() ?? 0)
    checkAmount("delay", delay)
    checkAmount("ttl", ttl ?? 0)
    checkAmount("maxAttempts", maxAttempts, Number.isSafeInteger(maxAttempts))
    checkAmount("lease", lease, Number.isSafeInteger(lease))
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
      want: isWanted(options),
    }
  }

  /** Hands out nothing more, until `resume`. */
  pause(): void {
    this.place.pause()
  }

  resume(): void {
    this.place.resume()
  }

  /**
   * Resolves when every job that was accepted is done or a dead letter; where the queue is another's, when everything that
   * was sent is accepted. ETIMEDOUT, ECLOSED.
   */
  async drain(wait: WaitOptions = {}): Promise<void> {
    wait.signal?.throwIfAborted()
    await this.opening
    if (this.place.unfinished === 0) return
    if (this.closing !== null) {
      await this.closing.catch(() => {}) // `close` itself says what went wrong.
      throw closedError()
    }
    const { clock } = this.runtime
    const waiting = new Waiting(
      clock,
      wait,
      () => new PipelineError("ETIMEDOUT", `${this.place.unfinished} jobs are not done after ${wait.timeout} ms`),
      () => {
        this.draining = this.draining.filter(other => other !== waiting)
      },
    )
    this.draining.push(waiting)
    await waiting.promise
  }

  stats(): ProducerStats {
    return this.place.stats()
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
    try {
      await this.place.close()
    } finally {
      for (const waiting of this.draining.splice(0)) waiting.fail(closedError())
    }
  }

  private checkDrained(): void {
    if (this.draining.length > 0 && this.place.unfinished === 0) {
      for (const waiting of this.draining.splice(0)) waiting.end()
    }
  }
}

function isWanted({ want, onProgress }: SendOptions): boolean {
  return want === true || onProgress !== undefined
}

function checkAmount(name: string, amount: number, isWhole = true): void {
  if (!(amount >= 0 && Number.isFinite(amount) && isWhole)) {
    throw new PipelineError("EINVAL", `${name} is to be a ${isWhole ? "" : "whole "}number from 0 on, not ${amount}`)
  }
}

function checkText(name: string, text: unknown): void {
  if (text !== null && !(typeof text === "string" && text.length > 0)) {
    throw new PipelineError("EINVAL", `${name} is to be a text, and not empty`)
  }
}

/** What a peer may put into one frame of ours, with some room for the others. */
function longestFrame(socket: object | undefined): number {
  const { maxMessageSize = -1 } = (socket ?? {}) as { maxMessageSize?: number }
  return maxMessageSize < 0 ? Number.POSITIVE_INFINITY : Math.max(0, maxMessageSize - 256)
}
