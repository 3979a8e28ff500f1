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
import { closedError, PipelineError } from "./errors.js"
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
   * it throws is not remembered: that job is tried again.
   */
  once<T>(handler: Handler<T>): Handler<T> {
    return async (value, context) => {
      await this.opening
      if (this.closed) throw closedError()
      const { id } = context
      const running = this.running.get(id)
      if (running !== undefined) return running
      if (this.ids.has(id, this.runtime.clock.date())) return this.resultOf(this.ids.keyOf(id)!)
      const run = this.run(handler, value, context)
      this.running.set(id, run)
      try {
        return await run
      } finally {
        this.running.delete(id)
      }
    }
  }

  private async run<T>(handler: Handler<T>, value: T, context: JobContext): Promise<unknown> {
    const result = await handler(value, context)
    const { id } = context
    const date = this.runtime.clock.date()
    const until = date + this.window
    const key = this.next++
    const body = result === undefined ? NOTHING : this.codec.encode(result)
    await this.store.put(key, new TextEncoder().encode(JSON.stringify({ id, until })), body)
    this.ids.bury(id, key, until)
    const outdated = [...this.ids.outdated(date)]
    await Promise.all(outdated.map(key => this.store.remove(key)))
    return result
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
