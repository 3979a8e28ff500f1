/** What the processes of a run of services are told when they are started. */

import type { ServiceEngine, Setup } from "./driver.js"

export interface ServerTask {
  readonly engine: ServiceEngine
}

export interface ReaderTask {
  readonly setup: Setup
  readonly address: string
  /** Items that are not timed, and then those that are; the same for calls. */
  readonly warm: number
  readonly timed: number
}

export interface CallerTask extends ReaderTask {
  readonly inFlight: number
}
