/** What a client counts of its calls. */
import { Meter } from "../typed/meter.js"
import type { Clock } from "../typed/runtime.js"
import { Counts } from "./counts.js"
import { Latency } from "./latency.js"

/** Methods that are timed one by one: there is one for each name that was called. */
const MOST = 1000

export interface TallyStats {
  readonly calls: number
  readonly callsPerSecond: number
  /** How often a call was tried again with another server. */
  readonly retries: number
  /** By code. */
  readonly errors: Readonly<Record<string, number>>
  /** By method, in ms, as the caller saw it. */
  readonly methods: Readonly<Record<string, { readonly p50: number; readonly p99: number }>>
}

export class Tally {
  retries = 0
  private readonly calls: Meter
  private readonly errors = new Counts()
  private readonly latencies = new Map<string, Latency>()

  constructor(clock: Clock) {
    this.calls = new Meter(clock)
  }

  begun(): void {
    this.calls.add()
  }

  /** @param code null: it ended well. */
  ended(method: string, ms: number, code: string | null): void {
    if (code !== null) this.errors.add(code)
    let latency = this.latencies.get(method)
    if (latency === undefined && this.latencies.size < MOST) {
      latency = new Latency()
      this.latencies.set(method, latency)
    }
    latency?.add(ms)
  }

  stats(): TallyStats {
    const methods = [...this.latencies].map(
      ([name, latency]) => [name, { p50: latency.percentile(0.5), p99: latency.percentile(0.99) }] as const,
    )
    return {
      calls: this.calls.total,
      callsPerSecond: this.calls.perSecond,
      retries: this.retries,
      errors: this.errors.all(),
      methods: Object.fromEntries(methods),
    }
  }
}
