/** How long a failed job rests: longer each time, up to a limit, and by chance a little less, so that not all come at once. */

export interface Backoff {
  /** After the first failure, in ms (default 1,000). */
  readonly min: number
  /** At most, in ms (default 60,000). */
  readonly max: number
  /** Times as long after each further failure (default 2). */
  readonly factor: number
  /** 0 to 1 (default 0.5): up to this share is taken off, by chance. */
  readonly jitter: number
}

export function restFor(backoff: Backoff, failures: number, random: number): number {
  const full = Math.min(backoff.max, backoff.min * backoff.factor ** (failures - 1))
  return Math.round(full * (1 - backoff.jitter * random))
}
