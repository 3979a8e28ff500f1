/** Who sent a job and wants to know what becomes of it: progress, and what the handler returned, by group where there are some. */
import { type Codec, CodecError } from "../codec/index.js"
import { PipelineError } from "./errors.js"
import { State, type Ticket } from "./job.js"
import { closedError } from "./queue.js"

interface Wish {
  readonly onProgress: ((value: unknown) => void) | undefined
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** A wish of a job that has no id yet. */
export interface WishBegun {
  readonly onId: (id: string) => void
  readonly done: Promise<unknown>
  /** It was not accepted. */
  drop(): void
}

export class Wishes {
  private readonly byId = new Map<string, Wish>()
  /** What came with the ack, as bytes: a consumer that sends rubbish is found out where the sender can be told. */
  private readonly results = new WeakMap<Ticket, Buffer>()

  constructor(
    private readonly codec: Codec<unknown>,
    private readonly groups: readonly string[],
  ) {}

  has(id: string): boolean {
    return this.byId.has(id)
  }

  begin(onProgress: ((value: unknown) => void) | undefined): WishBegun {
    let wish!: Wish
    let id: string | null = null
    const done = new Promise<unknown>((resolve, reject) => {
      wish = { onProgress, resolve, reject }
    })
    done.catch(() => {}) // Who does not look at it does not want to fall over it.
    return {
      onId: given => {
        id = given
        this.byId.set(given, wish)
      },
      done,
      drop: () => {
        if (id !== null) this.byId.delete(id)
      },
    }
  }

  /** false: it cannot be decoded. */
  progress({ job }: Ticket, body: Buffer): boolean {
    const onProgress = this.byId.get(job.id)?.onProgress
    if (onProgress === undefined) return true
    let value: unknown
    try {
      value = this.codec.decode(body)
    } catch (error) {
      if (error instanceof CodecError) return false
      throw error
    }
    // In a turn of its own: what a listener throws is not the producer's.
    void Promise.resolve().then(() => onProgress(value))
    return true
  }

  result(ticket: Ticket, body: Buffer): void {
    if (this.byId.has(ticket.job.id)) this.results.set(ticket, Buffer.from(body))
  }

  done({ job }: Ticket): void {
    const wish = this.byId.get(job.id)
    if (wish === undefined || !job.tickets.every(({ state }) => state === State.Done)) return
    this.byId.delete(job.id)
    try {
      const results = job.tickets.map(ticket => {
        const body = this.results.get(ticket)
        return body === undefined ? undefined : this.codec.decode(body)
      })
      const isPlain = this.groups.length === 1 && this.groups[0] === ""
      wish.resolve(
        isPlain ? results[0] : Object.fromEntries(job.tickets.map(({ lane }, at) => [lane.group, results[at]])),
      )
    } catch (error) {
      wish.reject(error)
    }
  }

  died({ job, lane, reason }: Ticket): void {
    const wish = this.byId.get(job.id)
    if (wish === undefined) return
    this.byId.delete(job.id)
    const where = lane.group === "" ? "" : ` in the group ${lane.group}`
    wish.reject(new PipelineError("EDEAD", `${job.id} is a dead letter${where}: ${reason}`))
  }

  close(): void {
    for (const { reject } of this.byId.values()) reject(closedError())
    this.byId.clear()
  }
}
