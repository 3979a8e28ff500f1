/**
 * What the engine takes from its surroundings besides the network. Nothing in `src` reads a clock, sets a timer or draws
 * a random number in any other way, so that the real sockets run, unchanged, on a simulated machine in tests.
 */
import type { Bytes } from "../message.js"
import type { DatagramTransport } from "../transport/datagram.js"
import type { Threads, Transport } from "../transport/transport.js"
import type { BoxLoader } from "../wire/curve-boxes.js"

export interface Timer {
  cancel(): void
}

/** Whoever wants to know that the process ends. */
export interface ExitWatcher {
  /** It has nothing left to do, and would end; more may be begun. */
  onIdle(): void
  /** It ends, whatever is begun. */
  onExit(): void
}

export interface Runtime {
  /** Milliseconds from some fixed point, never going back. */
  now(): number
  /** The time of day, in milliseconds since 1970. */
  date(): number
  /** Calls once, after `ms` milliseconds. Does not keep the process alive. */
  after(ms: number, callback: () => void): Timer
  /** Calls when the running callback is over, before anything else happens. */
  soon(callback: () => void): void
  /** Calls in a later turn of the event loop, after what has arrived was looked at. */
  later(callback: () => void): void
  /** 0 <= x < 1. */
  random(): number
  /** Keeps the process alive until as many calls of release. */
  hold(): void
  release(): void
  /** Tells about the end of the process, until unwatch. */
  watch(watcher: ExitWatcher): void
  unwatch(watcher: ExitWatcher): void
  warn(text: string): void
  /** Tells what happens, to whoever asked for it by NODE_DEBUG. */
  readonly debug: (format: string, ...details: unknown[]) => void
}

/** All that a context stands on. */
export interface Environment {
  readonly runtime: Runtime
  readonly bytes: Bytes
  /** New memory for encoded bytes; nobody may take it away (transfer it) later. */
  readonly slab: (size: number) => Uint8Array
  readonly transports: readonly Transport[]
  /** Other threads that the context is shared with; null: it is not. */
  readonly threads: Threads | null
  readonly datagrams: readonly DatagramTransport[]
  /** Where the boxes of CURVE come from. */
  readonly boxes: BoxLoader
}
