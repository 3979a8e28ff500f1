/**
 * INBOX: makes a handler idempotent. It remembers the ids of jobs that were done, in a folder of its own, and answers one that
 * comes again with what it returned then. At least once becomes once, but for a crash between the handler's last act and the
 * note of it: what must never happen twice belongs into one transaction with the id, in the handler's own database.
 */
import { type Codec, type CodecLike, codecOf } from "../codec/index.js"
import { logStore } from "../store/log.js"
import { memoryStore } from "../store/memory.js"
import type { Store } from "../store/store.js"
import type { TypedRuntime } from "../typed/runtime.js"
import { realRuntime } from "../typed/surroundings.js"
import type { JobContext } from "./consumer.js"
import { closedError, PipelineError, Rejection } from "./errors.js"
import { RememberedIds } from "./remembered.js"

const DAY = 24 * 3_600_000
const NOTHING = new Uint8Array(0)

export interface InboxOptions {
  /** A folder, which this process then owns alone; or a store. Default: memory, gone with the process. */
  readonly store?: string | Store
  /** For how long a job that is done is remembered, in ms, on the wall clock (default one day). */
  readonly window?: number
  /** How many are remembered at most (default 1,000,000); then the oldest is forgotten. */
  readonly max?: number
  /** How what a handler returned is kept (default msgpack). */
  readonly codec?: CodecLike
  readonly runtime?: TypedRuntime
}

/** What a handler has done, and the store did not take. */
interface Unsaved {
  readonly result: unknown
  readonly body: Uint8Array
  /** What it returned cannot be kept; null: it can. */
  readonly fault: Rejection | null
}

/** So much may be done that the store did not take; then nothing more is begun until it does. */
const MOST_UNSAVED = 1000

export type Handler<T> = (value: T, context: JobContext) => unknown

export class Inbox {
  private readonly store: Store
  private readonly codec: Codec<unknown>
  private readonly window: number
  private readonly ids: RememberedIds
  private readonly runtime: TypedRuntime
  /** Those that a handler has in hand: who comes with the same id waits for it. */
  private readonly running = new Map<string, Promise<unknown>>()
  private readonly opening: Promise<void>
  private readonly unsaved = new Map<string, Unsaved>()
  /** Why the store did not take something, the last time. */
  private trouble: unknown = null
  private next = 0
  private closed = false

  constructor({ store, window = DAY, max = 1_000_000, codec, runtime = realRuntime }: InboxOptions = {}) {
    if (!(window > 0 && Number.isSafeInteger(max) && max > 0)) {
      throw new PipelineError("EINVAL", "window and max of an inbox are to be above 0")
    }
    this.store = typeof store === "string" ? logStore(store, runtime.disk) : (store ?? memoryStore())
    this.codec = codecOf(codec) as Codec<unknown>
    this.window = window
    this.ids = new RememberedIds(max)
    this.runtime = runtime
    this.opening = this.open()
    this.opening.catch(() => {}) // `ready`, and each handler, rejects with it.
  }

  private async open(): Promise<void> {
    const found: { id: string; until: number; key: number }[] = []
    await this.store.open((key, meta) => {
      this.next = Math.max(this.next, key + 1)
      const { id, until } = JSON.parse(new TextDecoder().decode(meta)) as { id: string; until: number }
      found.push({ id, until, key })
    })
    for (const { id, key, until } of found) this.ids.bury(id, key, until)
  }

  /** Resolves when the store is open. Rejects with what it says against it. */
  ready(): Promise<void> {
    return this.opening
  }

  /** How many ids are remembered. */
  get size(): number {
    return this.ids.size
  }

  /**
   * The same handler, called once for each id. It returns when its end is safe in the inbox; so the ack comes behind that. What
   * it throws is not remembered: that job is tried again. When the store does not take the note of what was done, the attempt
   * fails with its error, and the next one only makes the note.
   */
  once<T>(handler: Handler<T>): Handler<T> {
    return async (value, context) => {
      await this.opening
      if (this.closed) throw closedError()
      const { id } = context
      const running = this.running.get(id)
      if (running !== undefined) return running
      const run = this.answer(id, () => handler(value, context))
      this.running.set(id, run)
      try {
        return await run
      } finally {
        this.running.delete(id)
      }
    }
  }

  private async answer(id: string, act: () => unknown): Promise<unknown> {
    if (this.ids.has(id, this.runtime.clock.date())) return this.resultOf(this.ids.keyOf(id)!)
    let unsaved = this.unsaved.get(id)
    if (unsaved === undefined) {
      if (this.unsaved.size >= MOST_UNSAVED) throw this.trouble
      unsaved = this.encoded(await act())
    }
    try {
      await this.save(id, unsaved.body)
    } catch (error) {
      // It was done. When it comes again only the note of it is made again.
      this.unsaved.set(id, unsaved)
      this.trouble = error
      throw error
    }
    this.unsaved.delete(id)
    if (unsaved.fault !== null) throw unsaved.fault
    return unsaved.result
  }

  private encoded(result: unknown): Unsaved {
    try {
      const body = result === undefined ? NOTHING : this.codec.encode(result)
      return { result, body, fault: null }
    } catch (cause) {
      const fault = new Rejection(`it was done, and what it returned cannot be kept: ${cause}`, { cause })
      return { result: undefined, body: NOTHING, fault }
    }
  }

  private async save(id: string, body: Uint8Array): Promise<void> {
    const date = this.runtime.clock.date()
    const until = date + this.window
    const key = this.next++
    await this.store.put(key, new TextEncoder().encode(JSON.stringify({ id, until })), body)
    this.ids.bury(id, key, until)
    // One that cannot be forgotten now is forgotten at the next start.
    await Promise.allSettled([...this.ids.outdated(date)].map(key => this.store.remove(key)))
  }

  private async resultOf(key: number): Promise<unknown> {
    const [body] = await this.store.bodies([key])
    return body!.length === 0 ? undefined : this.codec.decode(body!)
  }

  /** Waits for the handlers that run, and gives the store up. */
  async close(): Promise<void> {
    this.closed = true
    await this.opening.catch(() => {})
    await Promise.allSettled(this.running.values())
    await this.store.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
