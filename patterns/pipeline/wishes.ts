/** Who sent a job and wants to know what becomes of it: progress, and what the handler returned, by group where there are some. */
import type { Codec } from "../codec/index.js"
import { PipelineError } from "./errors.js"
import { State, type Ticket } from "./job.js"
import { closedError, type NewJob } from "./queue.js"

interface Wish {
  readonly onProgress: ((value: unknown) => void) | undefined
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** A wish of a job whose id is not known yet. */
export interface WishBegun {
  /** What is to be, now that the job has an id. */
  of(id: string, duplicate: boolean): Promise<unknown>
  drop(): void
}

export class Wishes {
  private readonly byId = new Map<string, Wish[]>()
  private readonly results = new WeakMap<Ticket, unknown>()

  constructor(
    private readonly codec: Codec<unknown>,
    private readonly groups: readonly string[],
  ) {}

  has(id: string): boolean {
    return this.byId.has(id)
  }

  /** Before it is accepted, so that nothing is missed: a job may be done before its sender knows that it was accepted. */
  begin({ id }: NewJob, onProgress: ((value: unknown) => void) | undefined): WishBegun {
    let settle!: Wish
    const done = new Promise<unknown>((resolve, reject) => {
      settle = { onProgress, resolve, reject }
    })
    done.catch(() => {}) // Who does not look at it does not want to fall over it.
    if (id !== null) this.add(id, settle)
    return {
      of: (given, duplicate) => {
        if (id === null) this.add(given, settle)
        else if (duplicate) this.remove(id, settle)
        return duplicate ? Promise.resolve(undefined) : done
      },
      drop: () => {
        if (id !== null) this.remove(id, settle)
      },
    }
  }

  private add(id: string, wish: Wish): void {
    this.byId.set(id, [...(this.byId.get(id) ?? []), wish])
  }

  private remove(id: string, wish: Wish): void {
    const left = (this.byId.get(id) ?? []).filter(other => other !== wish)
    if (left.length > 0) this.byId.set(id, left)
    else this.byId.delete(id)
  }

  progress({ job }: Ticket, body: Buffer): void {
    const wishes = this.byId.get(job.id)
    if (wishes === undefined) return
    const value = this.codec.decode(body)
    for (const { onProgress } of wishes) onProgress?.(value)
  }

  result(ticket: Ticket, body: Buffer): void {
    if (this.byId.has(ticket.job.id)) this.results.set(ticket, this.codec.decode(body))
  }

  done({ job }: Ticket): void {
    const wishes = this.byId.get(job.id)
    if (wishes === undefined || !job.tickets.every(({ state }) => state === State.Done)) return
    this.byId.delete(job.id)
    const results = job.tickets.map(ticket => this.results.get(ticket))
    const isPlain = this.groups.length === 1 && this.groups[0] === ""
    const value = isPlain ? results[0] : Object.fromEntries(job.tickets.map(({ lane }, at) => [lane.group, results[at]]))
    for (const { resolve } of wishes) resolve(value)
  }

  died({ job, lane, reason }: Ticket): void {
    const wishes = this.byId.get(job.id)
    if (wishes === undefined) return
    this.byId.delete(job.id)
    const where = lane.group === "" ? "" : ` in the group ${lane.group}`
    for (const { reject } of wishes) reject(new PipelineError("EDEAD", `${job.id} is a dead letter${where}: ${reason}`))
  }

  close(): void {
    for (const wishes of this.byId.values()) for (const { reject } of wishes) reject(closedError())
    this.byId.clear()
  }
}
