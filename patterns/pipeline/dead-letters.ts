/** The jobs that failed for good, as long as nobody puts them back or removes them. They count in the queue's limits. */
import type { Codec } from "../codec/index.js"
import { PipelineError } from "./errors.js"
import { State, type Ticket } from "./job.js"
import type { Queue } from "./queue.js"

export interface DeadLetter<T> {
  readonly id: string
  /** "" where there is only one. */
  readonly group: string
  readonly key: string | null
  readonly attempts: number
  readonly reason: string
  /** Of the error that a handler threw last; "": none. */
  readonly stack: string
  readonly acceptedAt: Date
  readonly diedAt: Date
  /** What was sent; EDECODE if it cannot be decoded (`bytes` has it then). */
  value(): Promise<T>
  bytes(): Promise<Uint8Array>
}

export class DeadLetters<T> {
  private readonly queue: Queue
  private readonly codec: Codec<T>

  constructor(queue: Queue, codec: Codec<T>) {
    this.queue = queue
    this.codec = codec
  }

  /** How many there are, in all groups. */
  get size(): number {
    let size = 0
    for (const { counts } of this.queue.lanes) size += counts[State.Dead]!
    return size
  }

  /** In the order in which they were accepted. */
  *[Symbol.iterator](): Generator<DeadLetter<T>> {
    for (const ticket of this.tickets()) yield this.letterOf(ticket)
  }

  /** All attempts again, and no end of its time. ENOENT. Resolves when that is on disk. */
  putBack(id: string, group?: string): Promise<void> {
    return this.all(id, group, ticket => this.queue.putBack(ticket))
  }

  /** Not wanted any more. ENOENT. Resolves when that is on disk. */
  remove(id: string, group?: string): Promise<void> {
    return this.all(id, group, ticket => this.queue.discard(ticket))
  }

  private async all(id: string, group: string | undefined, act: (ticket: Ticket) => Promise<void>): Promise<void> {
    const found = [...this.tickets()].filter(({ job, lane }) => job.id === id && (group ?? lane.group) === lane.group)
    if (found.length === 0) throw new PipelineError("ENOENT", `there is no dead letter ${id}`)
    for (const ticket of found) {
      // Somebody else may have been faster.
      if (ticket.state === State.Dead) await act(ticket)
    }
  }

  private *tickets(): Generator<Ticket> {
    if (this.size === 0) return
    for (const { tickets } of this.queue.jobs.values()) yield* tickets.filter(({ state }) => state === State.Dead)
  }

  private letterOf(ticket: Ticket): DeadLetter<T> {
    const { job, lane, attempts, reason, stack } = ticket
    const bytes = async () => (await this.queue.bodies([job]))[0]!.slice()
    return {
      id: job.id,
      group: lane.group,
      key: job.key,
      attempts,
      reason,
      stack,
      acceptedAt: new Date(job.acceptedAt),
      diedAt: new Date(ticket.diedAt),
      bytes,
      value: async () => this.codec.decode(await bytes()),
    }
  }
}
