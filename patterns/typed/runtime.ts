/** What typed patterns take from their surroundings, besides sockets. `peerlane/testing` has one from a seed. */
import type { Disk } from "../store/disk.js"

export interface Clock {
  /** Milliseconds from some fixed point, never going back: leases and heartbeats. */
  now(): number
  /** Milliseconds since 1970, as the machine has it: delays and times to live, which outlive a process. */
  date(): number
  /** Calls once, after `ms` milliseconds. Does not keep the process alive. */
  after(ms: number, callback: () => void): { cancel(): void }
  /** Calls when what runs now has come to rest, promises included, before anything new is looked at. */
  soon(callback: () => void): void
}

export interface TypedRuntime {
  readonly clock: Clock
  /** 0 <= x < 1. */
  random(): number
  readonly disk: Disk
}
