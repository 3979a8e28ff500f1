/** What a queue has on the way to its disk, and what comes of each when it is there, or is refused. */
import type { Job, Ticket } from "./job.js"
import type { Accepted, Queue } from "./queue.js"
import type { Change } from "./records.js"

/** A job on its way to the disk. */
export class Arrival implements Change {
  constructor(
    private readonly queue: Queue,
    private readonly job: Job,
    private readonly resolve: (accepted: Accepted) => void,
    private readonly reject: (error: unknown) => void,
  ) {}

  onSafe(): void {
    this.resolve(this.queue.accepted(this.job))
  }

  onRefused(error: unknown): void {
    this.queue.notAccepted(this.job)
    this.reject(error)
  }
}

/** The end of a job for one group, on its way to the disk. */
export interface Ending extends Change {
  readonly ticket: Ticket
  /** The queue was closed before the store would take it. */
  onGivenUp(): void
}

export class Done<H> implements Ending {
  constructor(
    private readonly queue: Queue,
    readonly ticket: Ticket,
    private readonly result: Uint8Array | null,
    private readonly handle: H,
    private readonly told: (handle: H) => void,
  ) {}

  onSafe(): void {
    this.queue.isDone(this.ticket, this.result)
    this.told(this.handle)
  }

  onRefused(error: unknown): void {
    this.queue.endRefused(this, error)
  }

  onGivenUp(): void {}
}

/** A dead letter that nobody wants. */
export class Discarded implements Ending {
  constructor(
    private readonly queue: Queue,
    readonly ticket: Ticket,
    readonly onGivenUp: () => void,
  ) {}

  onSafe(): void {
    this.queue.leaveIfDone(this.ticket.job)
    this.onGivenUp()
  }

  onRefused(error: unknown): void {
    this.queue.endRefused(this, error)
  }
}
