/** The numbers of a producer: one table says what they are, what they may be, and what they are when nobody says. */
import type { Backoff } from "./backoff.js"
import { PipelineError } from "./errors.js"

const HOUR = 3_600_000
const MiB = 1024 * 1024

/** Unit and meaning stand at `ProducerOptions`. */
const table = {
  maxJobs: { absent: 1_000_000, least: 1 },
  maxBytes: { absent: 1024 * MiB, least: 1 },
  maxJobBytes: { absent: 64 * MiB, least: 1 },
  maxWaiting: { absent: 10_000, least: 0 },
  maxAttempts: { absent: 10, least: 1 },
  lease: { absent: 30_000, least: 1 },
  heartbeat: { absent: 2000, least: 10 },
  dedupeWindow: { absent: HOUR, least: 0 },
  dedupeMax: { absent: 100_000, least: 1 },
  cacheBytes: { absent: 8 * MiB, least: 0 },
} as const

export type Numbers = { readonly [Name in keyof typeof table]: number }

export function numbersOf(options: Partial<Numbers>): Numbers {
  const numbers = {} as Record<keyof Numbers, number>
  for (const name of Object.keys(table) as (keyof Numbers)[]) {
    const { absent, least } = table[name]
    const value = options[name] ?? absent
    if (!(Number.isSafeInteger(value) && value >= least)) {
      throw new PipelineError("EINVAL", `${name} is to be a whole number from ${least} on, not ${value}`)
    }
    numbers[name] = value
  }
  return numbers
}

export function backoffOf({ min = 1000, max = 60_000, factor = 2, jitter = 0.5 }: Partial<Backoff> = {}): Backoff {
  if (!(min >= 0 && max >= min && factor >= 1 && jitter >= 0 && jitter <= 1)) {
    throw new PipelineError("EINVAL", "backoff is to have 0 <= min <= max, factor >= 1 and 0 <= jitter <= 1")
  }
  return { min, max, factor, jitter }
}
