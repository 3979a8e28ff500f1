/** The public context, and the one that sockets use when none is given. */
import {
  ContextBase,
  type ContextSettings,
  datagrams,
  hideInsides,
  nodeRuntime,
  otherThreads,
  transports,
  ZmqError,
} from "../src/index.js"
import { bufferBytes, newSlab } from "./bytes.js"
import { sodium } from "./curve/sodium.js"

/** What can be set on a context, by its constructor or as properties. */
export interface ContextOptions extends Partial<ContextSettings> {
  /** Kept, without effect: there are no I/O threads. */
  threadPriority?: number
  threadSchedulingPolicy?: number
}

/**
 * What sockets share: names of `inproc://` endpoints, and settings that new sockets begin with. It is usually enough to
 * use the global {@link context}. Every open socket belongs to one, and {@link close} closes them all.
 */
export class Context {
  /** @internal */
  readonly core: ContextBase

  /** @internal `surroundings` replace the real ones: a simulated clock and network in tests. */
  constructor(options?: ContextOptions, surroundings?: Partial<ConstructorParameters<typeof ContextBase>[0]>) {
    this.core = new ContextBase({
      runtime: nodeRuntime,
      bytes: bufferBytes,
      slab: newSlab,
      transports,
      threads: null,
      datagrams,
      boxes: sodium,
      ...surroundings,
    })
    if (options !== undefined && (typeof options !== "object" || options === null)) {
      throw new TypeError("Options must be an object")
    }
    Object.seal(this)
    Object.assign(this, options)
  }

  /** False: new sockets drop what is queued when they close (linger 0). Default true. */
  get blocky(): boolean {
    return this.core.settings.blocky
  }
  set blocky(value: boolean) {
    this.core.settings.blocky = checkBoolean(value)
  }

  /** Whether new sockets use IPv6 as well. Default false. */
  get ipv6(): boolean {
    return this.core.settings.ipv6
  }
  set ipv6(value: boolean) {
    this.core.settings.ipv6 = checkBoolean(value)
  }

  /** Kept, without effect: there are no I/O threads. Default 1. */
  get ioThreads(): number {
    return this.core.settings.ioThreads
  }
  set ioThreads(value: number) {
    this.core.settings.ioThreads = checkNumber(value, 0)
  }

  /** Longest frame that new sockets accept, in bytes, where they set no limit of their own. Default 2^31 - 1: no limit. */
  get maxMessageSize(): number {
    return this.core.settings.maxMessageSize
  }
  set maxMessageSize(value: number) {
    this.core.settings.maxMessageSize = checkNumber(value, 0)
  }

  /** Sockets that may be open at a time; one more is EMFILE. Default 1023. */
  get maxSockets(): number {
    return this.core.settings.maxSockets
  }
  set maxSockets(value: number) {
    this.core.settings.maxSockets = checkNumber(value, 1)
  }

  /** The most that {@link maxSockets} can be. */
  get maxSocketsLimit(): number {
    return 65535
  }

  /** Taken, without effect: there are no I/O threads. */
  set threadPriority(value: number) {
    checkNumber(value, 0)
  }

  /** Taken, without effect: there are no I/O threads. */
  set threadSchedulingPolicy(value: number) {
    checkNumber(value, 0)
  }

  /** Closes all sockets of this context, as their `linger` says; resolves when all are done. Then it makes no more (EFAULT). */
  close(): Promise<void> {
    return this.core.closeAll()
  }

  /** Closes, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

hideInsides(Context)

function checkBoolean(value: unknown): boolean {
  if (typeof value !== "boolean") throw new TypeError("Option value must be a boolean")
  return value
}

function checkNumber(value: unknown, min: number): number {
  if (typeof value !== "number") throw new TypeError("Option value must be a number")
  if (!(value >= min && value <= 2147483647))
    throw new ZmqError("EINVAL", { detail: `expected ${min} or more, got ${value}` })
  return Math.trunc(value)
}

/** The context of every socket that is made without one. Its inproc names are shared by all threads of the process. */
export const context = new Context(undefined, { threads: otherThreads })
