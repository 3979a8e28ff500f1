/** What a producer may be told, what it takes with a job, and what it tells. */
import type { CodecLike } from "../codec/index.js"
import type { Cut, Store } from "../store/store.js"
import type { TypedRuntime } from "../typed/runtime.js"
import type { Sockets } from "../typed/sockets.js"
import type { WaitOptions } from "../typed/waiting.js"
import type { Backoff } from "./backoff.js"
import type { PipelineError } from "./errors.js"
import type { Priority } from "./job.js"
import type { PlaceStats } from "./queue-place.js"
import type { Numbers } from "./settings.js"

/** Of any producer. */
interface AnyProducerOptions {
  /** How jobs are encoded (default msgpack). Its name travels with each job. */
  readonly codec?: CodecLike
  /** Sends that wait for room (default 10,000). EBUSY beyond it. */
  readonly maxWaiting?: number
  /** Options of the socket: CURVE, TLS, limits. */
  readonly socket?: object
  /** The engine: Peerlane's sockets (default), or `import * as zeromq from "zeromq"`. */
  readonly sockets?: Sockets
  /** Clock, chance and disk (default: the machine's). */
  readonly runtime?: TypedRuntime
}

/** Hands its jobs to a producer that holds a queue, and holds none: for who does not live long, or has no disk. */
export interface ConnectingOptions extends AnyProducerOptions {
  /** The address of that producer. */
  readonly connect: string
  readonly bind?: never
}

/** Holds a queue. */
export interface HoldingOptions extends AnyProducerOptions, Partial<Numbers> {
  /** Where consumers connect to, and producers that hand their jobs to this one. */
  readonly bind: string | readonly string[]
  readonly connect?: never
  /** A folder for the queue, which this process then owns alone; or a store. Default: memory, gone with the process. */
  readonly store?: string | Store
  /** Each of them gets every job, and within each one consumer does it. Default: one, without a name. */
  readonly groups?: readonly string[]
  /** Jobs that have not left, dead letters included (default 1,000,000). `send` waits beyond it. */
  readonly maxJobs?: number
  /** Bytes of their bodies (default 1 GiB). */
  readonly maxBytes?: number
  /** Of one job, encoded (default 64 MiB). EMSGSIZE. */
  readonly maxJobBytes?: number
  /** Of each job, the first included (default 10); then it is a dead letter. */
  readonly maxAttempts?: number
  readonly backoff?: Partial<Backoff>
  /** How long a consumer may work on a job without `extend`, in ms (default 30,000). */
  readonly lease?: number
  /** How often consumers say that they are there, in ms (default 2,000). After three without a word their jobs are for others. */
  readonly heartbeat?: number
  /** How long the id of a job that is gone is remembered, in ms (default one hour; 0: not at all). */
  readonly dedupeWindow?: number
  /** The ids of how many jobs that are gone are remembered at most (default 100,000). */
  readonly dedupeMax?: number
  /** Bytes of bodies that are kept in memory until they are handed out (default 8 MiB); others are read from the store. */
  readonly cacheBytes?: number
}

export type ProducerOptions = HoldingOptions | ConnectingOptions

export interface SendOptions extends WaitOptions {
  /** A job of an id that was accepted before, within the window, is not accepted again. */
  readonly id?: string
  /** Jobs of one key are done one after another, in their order. */
  readonly key?: string
  /** Default normal. */
  readonly priority?: Priority
  /** Not before so many ms from now. */
  readonly delay?: number
  /** Not before this. */
  readonly startAt?: Date
  /** A dead letter if it was not done within so many ms from now. */
  readonly ttl?: number
  readonly maxAttempts?: number
  readonly lease?: number
  /** `done` is to be what the handler returns. */
  readonly want?: boolean
  /** What the handler tells meanwhile, and in which group ("" where there is one); comes with `want`. */
  readonly onProgress?: (value: unknown, group: string) => void
}

export interface Sent {
  readonly id: string
  /**
   * A job of this id was accepted before; this one was not. A producer that connects and had to hand a job over twice cannot
   * know, and says false.
   */
  readonly duplicate: boolean
  /**
   * With `want`: what the handler returned, by group where there are groups; rejects with EDEAD when it is a dead letter, with
   * ENOENT when it was accepted before and is done, or was sent without `want` then, with ECLOSED when the producer is closed first. Lives as
   * long as this process. Without `want`: undefined, at once.
   */
  readonly done: Promise<unknown>
}

export interface ProducerEvents {
  /** The store was repaired when it was opened: what a crash had left half written was cut off. */
  cut: Cut
  join: { readonly consumer: string; readonly group: string }
  leave: { readonly consumer: string; readonly group: string; readonly reason: string }
  retry: {
    readonly id: string
    readonly group: string
    readonly attempt: number
    readonly reason: string
    readonly rest: number
  }
  dead: { readonly id: string; readonly group: string; readonly attempts: number; readonly reason: string }
  /** The store could not keep the end of a job, or of an attempt. The end of a job is tried again until it can. */
  storeError: { readonly error: unknown }
  /** Of a producer that connects: the one that holds the queue knows it, or does again. */
  welcome: { readonly address: string }
  /** The same: that one speaks another version, or did not understand. */
  refused: { readonly address: string; readonly error: PipelineError }
  /** A peer said what is no message of this protocol in this version. */
  malformed: { readonly message: string }
}

export type ProducerStats = PlaceStats
