/** What the bench of jobs prints: a head that says on what and how safe, and a table for each case. */

import { type Environment, environmentLines } from "../environment.js"
import type { Result } from "../measure.js"
import { metricCells, metricHead, ratioCell, table } from "../report.js"
import type { JobEngine } from "./driver.js"
import type { JobQuestion } from "./plan.js"

export type JobResult = Result<JobEngine, JobQuestion>

/** How safe a job is, by case and engine; printed beside each figure. */
const safety: Record<"durable" | "memory", Record<JobEngine, string>> = {
  durable: {
    peerlane: "fdatasync before send and ack resolve, group commit",
    bullmq: "Redis AOF, appendfsync always: before each answer",
    rabbitmq: "persistent, confirms; synced in batches, acks never confirmed",
  },
  memory: { peerlane: "none", bullmq: "none (appendonly no, save off)", rabbitmq: "none (transient)" },
}

const notes = [
  "jobs/s: from the first send to the last end known; each job's number is checked, none lost, none twice",
  "in flight: sends that are not confirmed. Peerlane: `send`; BullMQ: `add`, removeOnComplete; RabbitMQ: publisher confirms",
  "consumer: one process; Peerlane concurrency 256, BullMQ Worker concurrency 64 (its best of six), RabbitMQ prefetch 256 and single acks",
  "last end known: Peerlane DONE (ack on disk), BullMQ `completed`, RabbitMQ the answer to a question behind the last ack",
  "RabbitMQ classic syncs in batches, confirms a message that was acked before without a sync, and loses acks in a crash;",
  "  quorum (one node) syncs its log before each confirm. No confirms: the broker is asked after each 128 messages",
  "Peerlane's sends into memory resolve at once, so 256 in flight bound nothing there; with maxJobs they wait for jobs to be done",
  "CPU a job: processor time of all processes, the server's included; other work on the machine changes it less than jobs/s",
  "a run warms up with half as many jobs as it times; quick ones leave JavaScript cold, and so favour the brokers",
  "Peerlane has no call for many: rows of addBulk are an extra",
  "latency: CLOCK_MONOTONIC of one machine in both processes",
  "memory a job: Peerlane: the producer's growth; BullMQ: Redis' used_memory, used_memory_rss; RabbitMQ: erlang:memory, VmRSS",
]

export function headText(environment: Environment, more: string[]): string {
  return [
    ...environmentLines("peerlane bench of jobs", environment),
    "  method    200-byte bodies; tcp on the loopback for all; contenders take turns, fresh processes each run; median (min..max)",
    ...[...more, ...notes].map(note => `  note      ${note}`),
  ].join("\n")
}

export function resultText({ title, question, key, metrics, rows }: JobResult): string {
  const isRate = metrics[0]!.unit === "/s"
  const own = rows.find(({ engine }) => engine === "peerlane")?.metrics[metrics[0]!.name]?.median
  const head = ["", ...metrics.flatMap(metric => [metricHead(metric), "min..max"])]
  if (isRate) head.push("peerlane is")
  head.push("fsync")
  const body = rows.map(row => {
    if (row.failure !== undefined) return [row.label, "failed"]
    const cells = metrics.flatMap(metric => metricCells(metric, row))
    if (isRate) cells.push(ratioCell(own === undefined ? undefined : own / row.metrics[metrics[0]!.name]!.median))
    return [row.label, ...cells, safetyText(question, key, row)]
  })
  const failures = rows.filter(row => row.failure !== undefined).map(row => `  ${row.label} failed: ${row.failure}`)
  return [title, table([head, ...body]), ...failures].join("\n")
}

function safetyText(question: JobQuestion, key: string, { label, engine }: JobResult["rows"][number]): string {
  if (label === "RabbitMQ, quorum") return "Raft log synced before each confirm, in batches; acks never confirmed"
  return safety[safetyOf(question, key, label)][engine]
}

function safetyOf(question: JobQuestion, key: string, label: string): keyof typeof safety {
  if (question === "latency") return key === "durable" ? "durable" : "memory"
  if (question === "queued") return label === "peerlane, folder" || label.startsWith("RabbitMQ") ? "durable" : "memory"
  return question === "memory" ? "memory" : "durable"
}
