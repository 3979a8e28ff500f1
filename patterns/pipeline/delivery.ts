/** A job as who works on it sees it. */
import type { Codec } from "../codec/index.js"
import { PipelineError } from "./errors.js"
import { type Held, staleError } from "./link.js"

export class Delivery<T> {
  readonly #held: Held
  readonly #codec: Codec<T>
  /** What was sent. */
  readonly value: T

  /** Consumers make it. */
  constructor(held: Held, codec: Codec<T>, value: T) {
    this.#held = held
    this.#codec = codec
    this.value = value
  }

  /** The same at each attempt: what makes a handler idempotent remembers it. */
  get id(): string {
    return this.#held.id
  }

  /** 1 at first; how often it was begun, as far as the producer knows. */
  get attempt(): number {
    return this.#held.attempt
  }

  get key(): string | null {
    return this.#held.key
  }

  /** Aborted when the job is not ours any more (its lease has ended, the consumer closes): ESTALE. Stop then, somebody else has it. */
  get signal(): AbortSignal {
    const held = this.#held
    if (held.abort === null) {
      held.abort = new AbortController()
      if (held.lost) held.abort.abort(staleError(held.id))
    }
    return held.abort.signal
  }

  /**
   * It is done. Resolves when the producer has that on disk. ESTALE: its lease had ended, or it was settled before;
   * somebody else does it again. EMSGSIZE: the result is above what the producer takes, and the job is still ours.
   * @param result For the sender, if it asked for one (`want`).
   */
  async ack(result?: unknown): Promise<void> {
    await this.#held.link.ack(this.#held, this.#encoded(result))
  }

  /** The same for who does not wait. Throws what is wrong with the result; the job is still ours then. */
  finish(result: unknown): void {
    this.#held.link.finish(this.#held, this.#encoded(result))
  }

  #encoded(result: unknown): Uint8Array | null {
    return result !== undefined && this.#held.want ? (this.#codec as Codec<unknown>).encode(result) : null
  }

  /** This attempt failed. After `delay` ms, or the producer's back-off, comes the next, or it is a dead letter. */
  async nack({ delay, reason, stack }: { delay?: number; reason?: string; stack?: string } = {}): Promise<void> {
    if (delay !== undefined) delay = wholeMs(delay, "delay")
    return this.#held.link.nack(this.#held, { delay, reason, stack })
  }

  /** It will never be done: a dead letter. */
  reject(reason: string, stack?: string): Promise<void> {
    return this.#held.link.reject(this.#held, { reason, stack })
  }

  /** Its lease ends `ms` milliseconds from now. EINVAL. */
  get extend(): (ms: number) => void {
    return ms => this.#held.link.extend(this.#held, wholeMs(ms, "the time of extend"))
  }

  /** For the sender, if it asked. May be lost. EMSGSIZE. */
  get progress(): (value: unknown) => void {
    return value => this.#held.link.progress(this.#held, (this.#codec as Codec<unknown>).encode(value))
  }
}

function wholeMs(ms: number, name: string): number {
  if (ms >= 0 && ms <= Number.MAX_SAFE_INTEGER) return Math.ceil(ms)
  throw new PipelineError("EINVAL", `${name} is to be a number of milliseconds from 0 on, not ${ms}`)
}
