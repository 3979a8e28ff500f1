/** What a server does with calls, whoever they come from: finds the method, keeps the limits, ends them in time, and counts. */
import { Alarm } from "../typed/alarm.js"
import { Heap } from "../typed/heap.js"
import { Meter } from "../typed/meter.js"
import type { Clock } from "../typed/runtime.js"
import { Counts } from "./counts.js"
import { ServiceError } from "./errors.js"
import { tooLarge } from "./inflow.js"
import { Latency } from "./latency.js"
import type { Handler, Served } from "./methods.js"
import { behind, type ServerMiddleware } from "./middleware.js"
import { type Asker, type CallSaid, Running } from "./running.js"
import { checkKind, described, type Schemas } from "./schema.js"

/** A method, and what has become of its calls. */
export interface Method {
  readonly name: string
  readonly handler: Handler
  readonly schemas: Schemas
  readonly limit: number
  running: number
  readonly calls: Meter
  readonly latency: Latency
  readonly errors: Counts
}

export interface MethodStats {
  /** Now. */
  readonly running: number
  readonly calls: number
  readonly callsPerSecond: number
  /** By code. */
  readonly errors: Readonly<Record<string, number>>
  /** In ms, from the arrival to the end. */
  readonly p50: number
  readonly p99: number
}

export interface Limits {
  /** Of all calls; one more is EBUSY. */
  readonly concurrency: number
  /** The same of single methods, by name. */
  readonly methods: Readonly<Record<string, number>>
  /** Bytes of an argument. */
  readonly maxArgument: number
  /** Bytes of all arguments that are on their way. */
  readonly maxArriving: number
}

export class Desk {
  draining = false
  /** Of these, calls that nobody wants any more, whose handlers go on all the same. */
  overdue = 0
  /** Bytes of arguments that are not put together yet. */
  arriving = 0
  readonly maxArgument: number
  readonly maxArriving: number
  readonly concurrency: number
  private readonly methods = new Map<string, Method>()
  private readonly deadlines = new Heap<Running>((a, b) => a.ends < b.ends)
  private readonly alarm: Alarm
  private readonly calls = new Set<Running>()
  private idle: (() => void)[] = []

  constructor(
    served: ReadonlyMap<string, Served>,
    limits: Limits,
    middleware: readonly ServerMiddleware[],
    readonly clock: Clock,
  ) {
    this.concurrency = limits.concurrency
    this.maxArgument = limits.maxArgument
    this.maxArriving = limits.maxArriving
    for (const name of Object.keys(limits.methods)) {
      if (!served.has(name)) throw new ServiceError("EINVAL", `there is no method ${name} to limit`)
    }
    for (const [name, { handler, schemas }] of served) {
      this.methods.set(name, {
        name,
        handler: behind(middleware, handler),
        schemas,
        limit: Object.hasOwn(limits.methods, name) ? limits.methods[name]! : limits.concurrency,
        running: 0,
        calls: new Meter(clock),
        latency: new Latency(),
        errors: new Counts(),
      })
    }
    this.alarm = new Alarm(clock, () => this.tick())
  }

  get running(): number {
    return this.calls.size
  }

  /** Begins it, or lets its argument come. ENOENT, EBUSY, EDRAINING, ETIMEDOUT, EINVAL, EMSGSIZE, thrown: it was not begun. */
  begin(said: CallSaid, body: Uint8Array, asker: Asker): Running {
    const method = this.methods.get(said.method)
    if (method === undefined) throw new ServiceError("ENOENT", `there is no method ${said.method.slice(0, 200)}`)
    if (this.draining) throw new ServiceError("EDRAINING", "the server takes no more calls")
    if (said.timeout <= 0) throw new ServiceError("ETIMEDOUT", "its time was over before it was begun")
    if (this.running >= this.concurrency || method.running >= method.limit) {
      throw new ServiceError("EBUSY", `as many calls run as may, ${Math.min(this.concurrency, method.limit)}`)
    }
    checkKind(method.schemas.argument, method.schemas.items, said.argument === "stream", "the argument")
    if (body.length > this.maxArgument) throw tooLarge(this.maxArgument)
    const running = new Running(said, method, asker, this)
    this.calls.add(running)
    method.running++
    method.calls.add()
    if (running.ends !== Number.POSITIVE_INFINITY) {
      this.deadlines.add(running)
      this.alarm.set(running.ends)
    }
    running.start(said.argument, body)
    return running
  }

  /** It is over. @param code null: it went well. */
  left(running: Running, code: string | null): void {
    const method = running.of
    this.deadlines.remove(running)
    this.calls.delete(running)
    method.running--
    method.latency.add(this.clock.now() - running.begun)
    if (code !== null) method.errors.add(code)
    if (this.running === 0) for (const resolve of this.idle.splice(0)) resolve()
  }

  private tick(): void {
    const now = this.clock.now()
    for (let first = this.deadlines.top; first !== undefined && first.ends <= now; first = this.deadlines.top) {
      this.deadlines.remove(first)
      first.abort(new ServiceError("ETIMEDOUT", "the caller's time is over"))
    }
    const next = this.deadlines.top
    if (next !== undefined) this.alarm.set(next.ends)
  }

  stats(): Record<string, MethodStats> {
    const stats = [...this.methods.values()].map(({ name, running, calls, errors, latency }) => {
      const [p50, p99] = [latency.percentile(0.5), latency.percentile(0.99)]
      const counts = { calls: calls.total, callsPerSecond: calls.perSecond, errors: errors.all() }
      return [name, { running, ...counts, p50, p99 }] as const
    })
    return Object.fromEntries(stats)
  }

  /** What a client may know: methods with their schemas, and how busy they are. */
  describe(): object {
    const methods = [...this.methods.values()].map(({ name, limit, running, schemas }) => {
      const said: Record<string, unknown> = { running, limit }
      for (const [of, schema] of Object.entries(schemas)) {
        if (schema !== undefined) said[of] = described(schema, of === "argument" || of === "items" ? "input" : "output")
      }
      return [name, said] as const
    })
    const { running, concurrency, draining } = this
    return { methods: Object.fromEntries(methods), running, concurrency, draining }
  }

  /** Resolves when nothing runs. */
  async rest(): Promise<void> {
    while (this.running > 0) await new Promise<void>(resolve => this.idle.push(resolve))
  }

  /** Aborts what runs, whoever asked. */
  close(): void {
    this.alarm.stop()
    for (const running of this.calls) running.abort(new ServiceError("ELOST", "the server is closed"))
  }
}
