/** What a server does with calls, whoever they come from: finds the method, keeps the limits, runs it, ends it in time. */
import type { Codec } from "../codec/index.js"
import { Alarm } from "../typed/alarm.js"
import { Heap, type Placed } from "../typed/heap.js"
import { Meter } from "../typed/meter.js"
import type { Clock } from "../typed/runtime.js"
import { ServiceError } from "./errors.js"
import { Latency } from "./latency.js"
import type { Handler } from "./methods.js"
import { Running, type RunningSink } from "./running.js"

export interface CallSaid {
  readonly method: string
  readonly argument: Buffer
  readonly codec: Codec<unknown>
  /** In ms; null: no end. */
  readonly timeout: number | null
  readonly context: Readonly<Record<string, string>>
}

interface Method {
  readonly handler: Handler
  readonly limit: number
  running: number
  readonly calls: Meter
  readonly latency: Latency
  readonly errors: Record<string, number>
}

interface Deadline extends Placed {
  readonly at: number
  readonly running: Running
}

export interface MethodStats {
  readonly running: number
  readonly calls: number
  readonly callsPerSecond: number
  /** By code. */
  readonly errors: Readonly<Record<string, number>>
  /** In ms, from the arrival to the end. */
  readonly p50: number
  readonly p99: number
}

export class Desk {
  draining = false
  running = 0
  private readonly methods = new Map<string, Method>()
  private readonly deadlines = new Heap<Deadline>((a, b) => a.at < b.at)
  private readonly alarm: Alarm
  private idle: (() => void)[] = []

  /**
   * @param concurrency Of all calls; one more is EBUSY.
   * @param limits The same of single methods.
   */
  constructor(
    handlers: ReadonlyMap<string, Handler>,
    readonly concurrency: number,
    limits: Readonly<Record<string, number>>,
    private readonly clock: Clock,
  ) {
    for (const name of Object.keys(limits)) {
      if (!handlers.has(name)) throw new ServiceError("EINVAL", `there is no method ${name} to limit`)
    }
    for (const [name, handler] of handlers) {
      const limit = limits[name] ?? concurrency
      const nothing = { running: 0, calls: new Meter(clock), latency: new Latency(), errors: {} }
      this.methods.set(name, { handler, limit, ...nothing })
    }
    this.alarm = new Alarm(clock, () => this.tick())
  }

  get names(): string[] {
    return [...this.methods.keys()]
  }

  /** Begins it. ENOENT, EINVAL, EBUSY, EDRAINING, thrown: it was not begun. */
  begin(said: CallSaid, sink: RunningSink): Running {
    const method = this.methods.get(said.method)
    if (method === undefined) throw new ServiceError("ENOENT", `there is no method ${said.method}`)
    if (this.draining) throw new ServiceError("EDRAINING", "the server takes no more calls")
    if (this.running >= this.concurrency || method.running >= method.limit) {
      throw new ServiceError("EBUSY", `as many calls run as may, ${Math.min(this.concurrency, method.limit)}`)
    }
    const argument = this.argumentOf(said)
    const begun = this.clock.now()
    const ends = said.timeout === null ? Number.POSITIVE_INFINITY : begun + said.timeout
    let deadline: Deadline | null = null
    const ended = (code: string | null) => {
      if (code !== null) method.errors[code] = (method.errors[code] ?? 0) + 1
      method.latency.add(this.clock.now() - begun)
      if (deadline !== null) this.deadlines.remove(deadline)
    }
    const running = new Running(said.method, said.context, ends, said.codec, this.clock, {
      onResult: body => {
        ended(null)
        sink.onResult(body)
      },
      onItem: (body, n) => sink.onItem(body, n),
      onEnd: count => {
        ended(null)
        sink.onEnd(count)
      },
      onError: error => {
        ended(codeOf(error))
        sink.onError(error)
      },
      onGone: () => {
        this.running--
        method.running--
        if (deadline !== null) this.deadlines.remove(deadline)
        sink.onGone()
        if (this.running === 0) for (const resolve of this.idle.splice(0)) resolve()
      },
    })
    this.running++
    method.running++
    method.calls.add()
    if (ends !== Number.POSITIVE_INFINITY) {
      deadline = { at: ends, running, place: -1 }
      this.deadlines.add(deadline)
      this.alarm.set(ends)
    }
    void running.run(method.handler, argument)
    return running
  }

  private argumentOf({ argument, codec, timeout }: CallSaid): unknown {
    if (timeout === 0) throw new ServiceError("ETIMEDOUT", "its time was over before it was begun")
    if (argument.length === 0) return undefined
    try {
      return codec.decode(argument)
    } catch (error) {
      throw new ServiceError("EINVAL", `the argument: ${(error as Error).message}`, { cause: error })
    }
  }

  private tick(): void {
    const now = this.clock.now()
    for (let first = this.deadlines.top; first !== undefined && first.at <= now; first = this.deadlines.top) {
      this.deadlines.remove(first)
      first.running.abort(new ServiceError("ETIMEDOUT", "the caller's time is over"))
    }
    const next = this.deadlines.top
    if (next !== undefined) this.alarm.set(next.at)
  }

  stats(): Record<string, MethodStats> {
    const stats: Record<string, MethodStats> = {}
    for (const [name, { running, calls, errors, latency }] of this.methods) {
      const [p50, p99] = [latency.percentile(0.5), latency.percentile(0.99)]
      stats[name] = { running, calls: calls.total, callsPerSecond: calls.perSecond, errors: { ...errors }, p50, p99 }
    }
    return stats
  }

  /** Resolves when nothing runs. */
  async rest(): Promise<void> {
    while (this.running > 0) await new Promise<void>(resolve => this.idle.push(resolve))
  }

  close(): void {
    this.alarm.stop()
  }
}

/** Under which code a failure goes to the caller. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined
  return typeof code === "string" ? code : "EREMOTE"
}
