/** What a client counts of its calls. */
import { Meter } from "../typed/meter.js"
import type { Clock } from "../typed/runtime.js"
import { Latency } from "./latency.js"

/** Methods, and codes of errors, that are counted one by one: handlers may throw any. */
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
  private readonly errors = new Map<string, number>()
  private readonly latencies = new Map<string, Latency>()

  constructor(clock: Clock) {
    this.calls = new Meter(clock)
  }

  begun(): void {
    this.calls.add()
  }

  /** @param code null: it ended well. */
  ended(method: string, ms: number, code: string | null): void {
    if (code !== null) {
      const known = this.errors.get(code)
      if (known !== undefined || this.errors.size < MOST) this.errors.set(code, (known ?? 0) + 1)
    }
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
      errors: Object.fromEntries(this.errors),
      methods: Object.fromEntries(methods),
    }
  }
}
