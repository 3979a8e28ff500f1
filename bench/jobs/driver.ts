/**
 * What the bench wants of a queue, so that one producer and one consumer process do for all of them: a sender whose
 * `send` resolves when the job is safe by that queue's own measure, and a receiver that handles jobs and tells when all that
 * it handled has ended for good.
 */

/** 200 bytes as JSON, a few less as msgpack. */
export interface Job {
  /** What the consumer checks off. */
  readonly n: number
  /** When it was sent, by `now()`; 0 where nobody asks. */
  readonly at: number
  readonly text: string
}

export interface Sender {
  /** Where a consumer finds it; "": with the broker. */
  readonly address: string
  send(job: Job): Promise<void>
  /** Many in one call, where there is such a call. */
  sendAll?(jobs: readonly Job[]): Promise<void>
  /** No more will follow for now: what waits for a batch to be full is sent off. */
  flush?(): void
  close(): Promise<void>
}

export interface Receiver {
  /** Resolves when every end of what was handled is known to be where the queue keeps it. */
  settled(): Promise<void>
}

export type Handler = (job: Job) => void

export interface PeerlaneQueue {
  readonly engine: "peerlane"
  /** null: in memory. */
  readonly folder: string | null
  /** `send` waits while so many have not ended; undefined: the producer's default. */
  readonly maxJobs?: number
}

export interface BullQueue {
  readonly engine: "bullmq"
  readonly port: number
  /** The server's process. */
  readonly pid: number
  readonly name: string
}

export interface RabbitQueue {
  readonly engine: "rabbitmq"
  readonly port: number
  /** The server's process. */
  readonly pid: number
  readonly name: string
  readonly kind: "classic" | "quorum" | "transient"
  /** Each message is confirmed; otherwise the broker is asked once for every half of what is in flight. */
  readonly confirms: boolean
}

export type JobQueue = PeerlaneQueue | BullQueue | RabbitQueue
export type JobEngine = JobQueue["engine"]

const text = "x".repeat(160)

export function newJob(n: number, at: number): Job {
  return { n, at, text }
}
