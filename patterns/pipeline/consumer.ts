/**
 * CONSUMER: works on the jobs of one or more producers. `run` calls a handler, some jobs at a time: that it returns is the
 * ack, that it throws a failed attempt. `for await` hands them over one by one, to be settled by hand.
 */
import { type Codec, type CodecLike, codecOf, json, msgpack, raw } from "../codec/index.js"
import { Alarm } from "../typed/alarm.js"
import { Deque } from "../typed/deque.js"
import { Events } from "../typed/events.js"
import { Meter } from "../typed/meter.js"
import { randomName } from "../typed/names.js"
import type { TypedRuntime } from "../typed/runtime.js"
import type { Sockets } from "../typed/sockets.js"
import { peerlaneSockets, realRuntime } from "../typed/surroundings.js"
import { Delivery } from "./delivery.js"
import { PipelineError, Rejection } from "./errors.js"
import { type Held, Link } from "./link.js"

export interface ConsumerOptions {
  /** Producers' addresses. */
  readonly connect: string | readonly string[]
  /** One of the producer's groups (default: it has none). */
  readonly group?: string
  /** How jobs of its name are decoded, and results encoded (default msgpack). Jobs in another of msgpack, json and raw are decoded by that. */
  readonly codec?: CodecLike
  /** Jobs in hand at a time, of each producer, those in work included (default: twice the concurrency of `run`; 1 by hand). */
  readonly prefetch?: number
  /** Bytes of jobs in hand, of each producer; one job more may come (default 16 MiB). */
  readonly prefetchBytes?: number
  /** Options of the sockets: CURVE, TLS, limits. */
  readonly socket?: object
  /** The engine: Peerlane's sockets (default), or `import * as zeromq from "zeromq"`. */
  readonly sockets?: Sockets
  /** Clock and chance (default: the machine's). */
  readonly runtime?: TypedRuntime
}

export interface RunOptions {
  /** Handlers that run at a time (default 1). */
  readonly concurrency?: number
  /** Ends the run as `close` does, when it is aborted. */
  readonly signal?: AbortSignal
}

export interface ConsumerEvents {
  /** A producer has welcomed us, or has again. */
  welcome: { readonly address: string }
  /** A producer speaks another version, has no such group, or did not understand. */
  refused: { readonly address: string; readonly error: PipelineError }
  /** A job could not be decoded; it is a dead letter, with its bytes, at its producer. */
  undecodable: { readonly id: string; readonly bytes: Buffer; readonly error: unknown }
  /** A handler threw; the job will be tried again, or is a dead letter. */
  failed: { readonly id: string; readonly attempt: number; readonly error: unknown }
  /** A job was lost while it was in work, or its end came too late: somebody else does it. */
  stale: { readonly id: string }
}

export interface ConsumerStats {
  readonly waiting: number
  readonly running: number
  readonly done: number
  readonly failed: number
  readonly stale: number
  /** A second, in the last ten seconds. */
  readonly rates: { readonly done: number; readonly failed: number }
  readonly producers: number
}

export type JobContext = Pick<Delivery<unknown>, "id" | "attempt" | "key" | "signal" | "extend" | "progress">

export class Consumer<T = unknown> {
  private readonly runtime: TypedRuntime
  private readonly codec: Codec<T>
  private readonly events: Events<ConsumerEvents>
  private readonly waiting = new Deque<Held>()
  private readonly running = new Set<Held>()
  private readonly alarm: Alarm
  private links: Link[] = []
  private wanting: ((held: Held | null) => void)[] = []
  private atRest: (() => void)[] = []
  private prefetch = 0
  private paused = false
  private byHand = false
  /** A loop by hand has been left. */
  private leftLoop = false
  /** What comes is given back at once. */
  private refusing = false
  private ended = false
  private closing: Promise<void> | null = null
  private readonly done: Meter
  private readonly failed: Meter
  private stale = 0

  constructor(private readonly options: ConsumerOptions) {
    this.runtime = options.runtime ?? realRuntime
    this.codec = codecOf(options.codec) as Codec<T>
    this.done = new Meter(this.runtime.clock)
    this.failed = new Meter(this.runtime.clock)
    this.events = new Events(this.runtime.clock)
    this.alarm = new Alarm(this.runtime.clock, () => this.endLeases())
    if (addressesOf(options.connect).length === 0) throw new PipelineError("EINVAL", "connect names no address")
    checkCount("prefetch", options.prefetch ?? 1)
    checkCount("prefetchBytes", options.prefetchBytes ?? 1)
  }

  on<Name extends keyof ConsumerEvents>(name: Name, listener: (event: ConsumerEvents[Name]) => void): this {
    this.events.on(name, listener)
    return this
  }

  off<Name extends keyof ConsumerEvents>(name: Name, listener: (event: ConsumerEvents[Name]) => void): this {
    this.events.off(name, listener)
    return this
  }

  get closed(): boolean {
    return this.ended
  }

  /** Works until the consumer is closed. A handler's return is the ack, what it throws a failed attempt, but for a `Rejection`: then the job is a dead letter. */
  async run(
    handler: (value: T, context: JobContext) => unknown,
    { concurrency = 1, signal }: RunOptions = {},
  ): Promise<void> {
    checkCount("concurrency", concurrency)
    this.begin(concurrency, this.options.prefetch ?? 2 * concurrency)
    const stop = () => void this.close()
    if (signal?.aborted) stop()
    signal?.addEventListener("abort", stop)
    await Promise.all(Array.from({ length: concurrency }, () => this.work(handler)))
    signal?.removeEventListener("abort", stop)
    await this.closing
  }

  /**
   * By hand: each is to be settled by `ack`, `nack` or `reject`, before its lease ends. Who leaves the loop gives back what
   * he was not handed, and may begin another.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Delivery<T>, void> {
    const prefetch = this.options.prefetch ?? 1
    if (this.leftLoop) this.resume()
    else {
      this.byHand = true
      this.begin(prefetch, prefetch)
    }
    this.leftLoop = false
    try {
      for (let held = await this.next(); held !== null; held = await this.next()) {
        const delivery = this.open(held)
        if (delivery !== null) yield delivery
      }
    } finally {
      this.leftLoop = true
      if (!this.ended) this.refuseAll()
    }
  }

  /** Takes no more jobs; those in hand that were not begun wait here. */
  pause(): void {
    this.paused = true
    for (const link of this.links) link.setPrefetch(0)
  }

  resume(): void {
    this.paused = false
    this.refusing = false
    for (const link of this.links) link.setPrefetch(this.prefetch)
    this.feed()
  }

  stats(): ConsumerStats {
    const producers = this.links.filter(({ isWelcome }) => isWelcome).length
    const { done, failed, stale } = this
    const rates = { done: done.perSecond, failed: failed.perSecond }
    const counts = { done: done.total, failed: failed.total, stale }
    return { waiting: this.waiting.size, running: this.running.size, ...counts, rates, producers }
  }

  /**
   * Takes no more, finishes what it has in hand, and resolves when the producers have that on disk. What a paused consumer, or
   * one by hand, has not begun, and what was on its way, is given back. It can then be resumed.
   */
  async drain(): Promise<void> {
    if (this.paused || this.byHand) this.refuseAll()
    else {
      this.refusing = true
      for (const link of this.links) link.setPrefetch(0)
    }
    while (this.waiting.size > 0 || this.running.size > 0) await new Promise<void>(resolve => this.atRest.push(resolve))
    await Promise.all(this.links.map(link => link.confirmed()))
  }

  /** Takes no more, gives back what was not begun, and what is on its way when it comes. */
  private refuseAll(): void {
    this.refusing = true
    while (this.waiting.shift() !== undefined);
    for (const link of this.links) {
      link.setPrefetch(0)
      link.giveBack()
    }
  }

  /**
   * Gives back what was not begun, waits for the rest, and leaves. Never rejects.
   * @param grace In ms (default 5,000): handlers that take longer are aborted, and their jobs are for others.
   */
  close({ grace = 5000 }: { grace?: number } = {}): Promise<void> {
    this.closing ??= this.shut(grace)
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async shut(grace: number): Promise<void> {
    this.ended = true
    this.refuseAll()
    for (const want of this.wanting.splice(0)) want(null)
    const finished = async () => {
      while (this.running.size > 0) await new Promise<void>(resolve => this.atRest.push(resolve))
      await Promise.all(this.links.map(link => link.confirmed()))
    }
    await new Promise<void>(resolve => {
      const timer = this.runtime.clock.after(grace, resolve)
      void finished().then(() => {
        timer.cancel()
        resolve()
      })
    })
    this.alarm.stop()
    await Promise.all(this.links.map(link => link.close()))
  }

  private begin(concurrency: number, prefetch: number): void {
    if (this.ended) throw new PipelineError("ECLOSED", "the consumer is closed")
    if (this.links.length > 0) throw new PipelineError("EINVAL", "the consumer runs already")
    const { group = "", prefetchBytes = 16 * 1024 * 1024, sockets = peerlaneSockets, socket = {} } = this.options
    this.prefetch = prefetch
    const terms = { consumer: randomName(this.runtime, 12), group, bytes: prefetchBytes, concurrency }
    this.links = addressesOf(this.options.connect).map(
      address =>
        new Link(address, sockets, socket, this.runtime.clock, terms, {
          onJob: held => this.arrived(held),
          onSettled: held => this.leave(held),
          onTooLate: held => this.tooLate(held),
          onLost: held => this.lost(held),
          onRefused: (address, error) => this.events.emit("refused", { address, error }),
          onWelcome: address => this.events.emit("welcome", { address }),
        }),
    )
    for (const link of this.links) link.start(this.paused ? 0 : prefetch)
  }

  private arrived(held: Held): void {
    if (this.refusing) {
      held.link.refuse(held)
      return
    }
    this.waiting.push(held)
    this.feed()
  }

  private feed(): void {
    while (!this.paused && this.wanting.length > 0) {
      const held = this.take()
      if (held === null) return
      this.wanting.shift()!(held)
    }
  }

  private take(): Held | null {
    for (let held = this.waiting.shift(); held !== undefined; held = this.waiting.shift()) {
      if (held.lost) continue
      if (held.ends <= this.runtime.clock.now()) {
        held.link.drop(held)
        continue
      }
      this.running.add(held)
      held.link.begin(held)
      this.alarm.set(held.ends)
      return held
    }
    this.rest()
    return null
  }

  /** The next job, which is begun; null: there will be none. */
  private next(): Promise<Held | null> {
    if (this.ended) return Promise.resolve(null)
    const held = this.paused ? null : this.take()
    if (held !== null) return Promise.resolve(held)
    return new Promise(resolve => this.wanting.push(resolve))
  }

  private async work(handler: (value: T, context: JobContext) => unknown): Promise<void> {
    for (let held = await this.next(); held !== null; held = await this.next()) {
      const delivery = this.open(held)
      if (delivery === null) continue
      let result: unknown
      try {
        result = await handler(delivery.value, delivery)
      } catch (error) {
        this.fail(delivery, held, error, error instanceof Rejection)
        continue
      }
      try {
        delivery.finish(result)
        this.done.add()
        this.leave(held)
      } catch (error) {
        // It was done, and what it returned cannot be sent: doing it again would not help.
        this.fail(delivery, held, error, true)
      }
    }
  }

  private fail(delivery: Delivery<T>, held: Held, error: unknown, forGood: boolean): void {
    this.failed.add()
    this.events.emit("failed", { id: held.id, attempt: held.attempt, error })
    const { reason, stack } = failureOf(error)
    this.watch(held, forGood ? delivery.reject(reason, stack) : delivery.nack({ reason, stack }))
    this.leave(held)
  }

  /** Nobody waits for the end of a job of `run`; that it came too late is told. */
  private watch(held: Held, end: Promise<void>): void {
    end.catch((error: PipelineError) => {
      if (error.code !== "ECLOSED") this.tooLate(held)
    })
  }

  private tooLate(held: Held): void {
    if (held.lost) return // That was told.
    this.stale++
    this.events.emit("stale", { id: held.id })
  }

  private leave(held: Held): void {
    this.running.delete(held)
    this.rest()
  }

  private rest(): void {
    for (const resolve of this.atRest.splice(0)) resolve()
  }

  private open(held: Held): Delivery<T> | null {
    try {
      const codec = this.codecFor(held.codec)
      return new Delivery(held, codec, codec.decode(held.body))
    } catch (error) {
      this.events.emit("undecodable", { id: held.id, bytes: held.body, error })
      this.watch(held, held.link.reject(held, { reason: `cannot be decoded: ${failureOf(error).reason}` }))
      this.leave(held)
      return null
    }
  }

  private codecFor(name: string): Codec<T> {
    if (name === this.codec.name) return this.codec
    const known: Codec<unknown> | undefined = { msgpack: msgpack(), json: json(), raw }[name]
    if (known === undefined) throw new PipelineError("EINVAL", `no codec of the name ${name} is here`)
    return known as Codec<T>
  }

  private lost(held: Held): void {
    if (!this.running.has(held)) return
    this.stale++
    this.events.emit("stale", { id: held.id })
    if (this.byHand) this.leave(held)
  }

  private endLeases(): void {
    const now = this.runtime.clock.now()
    let next = Number.POSITIVE_INFINITY
    for (const held of this.running) {
      if (held.lost) continue
      if (held.ends <= now) held.link.drop(held)
      else next = Math.min(next, held.ends)
    }
    if (next !== Number.POSITIVE_INFINITY) this.alarm.set(next)
  }
}

function addressesOf(connect: string | readonly string[]): readonly string[] {
  return typeof connect === "string" ? [connect] : connect
}

function checkCount(name: string, count: number): void {
  if (Number.isSafeInteger(count) && count > 0) return
  throw new PipelineError("EINVAL", `${name} is to be a whole number above 0, not ${count}`)
}

/** Of whatever was thrown, which may be anything. */
function failureOf(error: unknown): { reason: string; stack: string | undefined } {
  try {
    if (!(error instanceof Error)) return { reason: String(error), stack: undefined }
    return { reason: String(error.message), stack: typeof error.stack === "string" ? error.stack : undefined }
  } catch {
    return { reason: "what the handler threw cannot be shown as a text", stack: undefined }
  }
}
