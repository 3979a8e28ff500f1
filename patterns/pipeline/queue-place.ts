/** Where a producer's jobs are: in a queue of its own, or in one that another producer holds. */

import type { WaitOptions } from "../typed/waiting.js"
import type { Accepted, NewJob } from "./queue.js"
import type { Wish } from "./wishes.js"

export interface PlaceStats {
  readonly ready: number
  readonly delayed: number
  /** Behind another one of their key. */
  readonly blocked: number
  readonly inFlight: number
  readonly dead: number
  /** Sends that wait for room. */
  readonly waiting: number
  /** That have not left, dead letters included. Of a producer that connects: that are on their way. */
  readonly jobs: number
  readonly bytes: number
  readonly consumers: number
  readonly accepted: number
  readonly done: number
  readonly retried: number
  /** A second, in the last ten seconds. */
  readonly rates: { readonly accepted: number; readonly done: number; readonly retried: number }
  /** Of the oldest job that has not ended, in ms; 0: there is none. */
  readonly oldestAge: number
}

export interface QueuePlace {
  readonly lastEndpoint: string | null
  readonly groups: readonly string[]
  open(): Promise<void>
  add(job: NewJob, wish: Wish | null, wait: WaitOptions): Promise<Accepted>
  pause(): void
  resume(): void
  /** How many jobs that it was given are not where they are to be: ended; or accepted, where that is another's queue. */
  readonly unfinished: number
  stats(): PlaceStats
  close(): Promise<void>
}

export interface PlaceSink {
  /** `unfinished` may have become 0. */
  onFinished(): void
  /** A peer said what is no message of this protocol in this version, or what cannot be decoded. */
  onMalformed(message: string): void
}
