/** What the processes of a run of jobs are told when they are started. */

import type { JobQueue } from "./driver.js"

export interface ProducerTask {
  readonly queue: JobQueue
  /** Its jobs have the numbers from here on, those of the warm-up first. */
  readonly first: number
  readonly warm: number
  readonly timed: number
  /** Sends that are not confirmed yet. */
  readonly inFlight: number
  /** As many as are in flight go in one call. */
  readonly bulk: boolean
  /** Rest between two sends, in ms; 0: none. */
  readonly rest: number
}

export interface ConsumerTask {
  readonly queue: JobQueue
  readonly addresses: readonly string[]
  readonly concurrency: number
  readonly senders: number
  /** Of each sender. */
  readonly warm: number
  readonly timed: number
  /** Tells how long jobs took from their send to their handler. */
  readonly latency: boolean
}

export interface FillTask {
  readonly queue: JobQueue
  readonly jobs: number
}

export interface ReopenTask {
  readonly folder: string
}
