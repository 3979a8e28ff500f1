/**
 * What the processes of a bench say to each other. A peer process is told its task when it starts, reports over the
 * channel of `fork`, and gets one of two orders. The C program prints the same reports, one JSON object a line.
 */

import type { PackageName } from "./engine.js"

/** How a socket is driven: one message at a time, or as fast as the engine can (`trySend` + `batches`). */
export type Loop = "await" | "batches"

export type Report =
  | { type: "bound"; endpoint: string }
  /** Connected, subscribed: the other side may begin. */
  | { type: "ready" }
  /** From the side that holds the clock: `messages` arrived in `seconds`. */
  | { type: "measured"; messages: number; seconds: number }
  /** Round trips, in microseconds. */
  | { type: "latency"; p50: number; p99: number; messages: number; seconds: number }
  /** Resident memory after garbage collection, in bytes. */
  | { type: "memory"; bytes: number }
  /** The first timed job is about to be sent; by the clock that all processes share, in microseconds. */
  | { type: "began"; at: number }
  /** So many timed jobs came, each once, and the last of their ends was known then. */
  | { type: "handled"; jobs: number; at: number }
  /** Processor time that the timed part took in this process, in microseconds. */
  | { type: "spent"; cpu: number }
  /** From send to handler, in microseconds. */
  | { type: "delays"; p50: number; p99: number }
  /** What this process grew by: live objects and buffers, and resident memory, in bytes. */
  | { type: "grown"; live: number; resident: number }
  /** A store was opened again. Memory is that of the whole process behind it. */
  | { type: "opened"; seconds: number; jobs: number; live: number; resident: number }

/** `go`: begin the next part of the task. `stop`: close the sockets and exit. */
export type Order = "go" | "stop"

/** What both ends of a stream are told so that they are secured. */
export interface SecurityTask {
  /** What Peerlane takes its boxes from; empty: whatever there is. */
  library: string
  pull: Record<string, unknown>
  push: Record<string, unknown>
}

/** A stream of `warm` messages that are not timed and then `timed` ones that are. */
export interface StreamTask {
  engine: PackageName
  loop: Loop
  endpoint: string
  size: number
  warm: number
  timed: number
  security?: SecurityTask
}

export interface RawTask {
  /** `tcp://127.0.0.1:port` (0 = any) or `ipc://path`. */
  endpoint: string
  size: number
  warm: number
  timed: number
}

export interface FanOutTask extends StreamTask {
  subscribers: number
}

export interface ProxyTask {
  engine: PackageName
  endpoint: string
  /** Where the messages go. */
  sink: string
}

export interface MemoryTask {
  engine: PackageName | "raw"
  endpoint: string
  peers: number
}
