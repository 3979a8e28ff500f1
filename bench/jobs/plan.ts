/** What one call of the bench of jobs measures: the engines that are here, and how each of them is set up. */

import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { Case, Contender } from "../measure.js"
import type { JobEngine, JobQueue, RabbitQueue } from "./driver.js"
import type { RabbitNode } from "./servers/rabbitmq.js"
import { withRedis } from "./servers/redis.js"

export const jobEngines: JobEngine[] = ["peerlane", "bullmq", "rabbitmq"]
export const jobQuestions = ["durable", "memory", "latency", "queued", "reopen"] as const
export type JobQuestion = (typeof jobQuestions)[number]
export type JobCase = Case<JobEngine, JobQuestion>
export type JobContender = Contender<JobEngine>

export interface JobPlan {
  readonly peerlane: boolean
  readonly redis: boolean
  readonly rabbit: RabbitNode | null
  /** Where folders are made. */
  readonly folder: string
  readonly quick: boolean
  /** In each run, instead of as many as fill its time. */
  readonly jobs?: number
  /** Profiles of Peerlane's processes are written there. */
  readonly profile?: string
}

/** One engine, set up in one way. */
export interface Variant {
  readonly engine: JobEngine
  readonly label: string
  /** As many jobs as are in flight go in one call. */
  readonly bulk: boolean
  /** Runs `body` with a fresh queue for each sender; those of a broker are all the same one. Nothing is left of them behind it. */
  withQueues<T>(senders: number, body: (queues: JobQueue[]) => Promise<T>): Promise<T>
}

export function peerlane(plan: JobPlan, isDurable: boolean, maxJobs?: number): Variant[] {
  if (!plan.peerlane) return []
  const withQueues: Variant["withQueues"] = async (senders, body) => {
    const folders = Array.from({ length: senders }, () =>
      isDurable ? mkdtempSync(join(plan.folder, "peerlane-")) : null,
    )
    try {
      return await body(folders.map(folder => ({ engine: "peerlane", folder, maxJobs })))
    } finally {
      for (const folder of folders) if (folder !== null) rmSync(folder, { recursive: true, force: true })
    }
  }
  const label = `peerlane, ${isDurable ? "folder" : "memory"}${maxJobs === undefined ? "" : `, maxJobs ${maxJobs}`}`
  return [{ engine: "peerlane", label, bulk: false, withQueues }]
}

export function bullmq(plan: JobPlan, isDurable: boolean, bulk = false): Variant[] {
  if (!plan.redis) return []
  return [
    {
      engine: "bullmq",
      label: bulk ? "BullMQ, addBulk" : "BullMQ",
      bulk,
      withQueues: (senders, body) =>
        withRedis(plan.folder, isDurable, (port, pid) =>
          body(Array.from({ length: senders }, () => ({ engine: "bullmq", port, pid, name: "jobs" }))),
        ),
    },
  ]
}

export function rabbitmq({ rabbit }: JobPlan, kind: RabbitQueue["kind"], confirms = true): Variant[] {
  if (rabbit === null) return []
  return [
    {
      engine: "rabbitmq",
      label: `RabbitMQ, ${kind}${confirms ? "" : ", no confirms"}`,
      bulk: false,
      withQueues: (senders, body) =>
        rabbit.withQueue(name =>
          body(
            Array.from({ length: senders }, () => ({
              engine: "rabbitmq",
              port: rabbit.port,
              pid: rabbit.pid,
              name,
              kind,
              confirms,
            })),
          ),
        ),
    },
  ]
}

export const durable = (plan: JobPlan): Variant[] => [
  ...peerlane(plan, true),
  ...bullmq(plan, true),
  ...rabbitmq(plan, "classic"),
  ...rabbitmq(plan, "quorum"),
]

export const inMemory = (plan: JobPlan): Variant[] => [
  ...peerlane(plan, false),
  ...bullmq(plan, false),
  ...rabbitmq(plan, "transient"),
]
