/**
 * `npm run bench:jobs`: jobs through Peerlane's pipeline, BullMQ on Redis, and RabbitMQ, in one run and in turn. The servers
 * are started here, each with ports and folders of its own, and are gone at the end; one that is not installed is not
 * measured. Prints what it found, and writes it to `bench/results/jobs-latest.json`. Exits with 1 when a contender failed,
 * never because of a time.
 */

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { aimsText, judgeAims } from "./aims.js"
import { environment, versionOf } from "./environment.js"
import { aims } from "./jobs/aims.js"
import { delayCases } from "./jobs/delays.js"
import { diskText } from "./jobs/disk.js"
import { type JobOptions, parseJobOptions, usage } from "./jobs/options.js"
import type { JobCase, JobPlan, JobQuestion } from "./jobs/plan.js"
import { queuedCases } from "./jobs/queued.js"
import { rateCases } from "./jobs/rates.js"
import { reopenCases } from "./jobs/reopen.js"
import { headText, type JobResult, resultText } from "./jobs/report.js"
import { RabbitNode } from "./jobs/servers/rabbitmq.js"
import { redisVersion } from "./jobs/servers/redis.js"
import { killServers } from "./jobs/servers/server.js"
import { measure } from "./measure.js"
import { jsonOf, progress, writeResult } from "./output.js"
import { killAll } from "./processes.js"

async function main(options: JobOptions, folder: string): Promise<void> {
  const versions: Record<string, string> = { peerlane: versionOf("peerlane") }
  const notes = [`queues are on ${diskText(folder)}`]
  /** What is not there is not measured; why, is said. */
  const orNote = async <T>(name: JobOptions["engines"][number], find: () => T | Promise<T>): Promise<T | null> => {
    if (!options.engines.includes(name)) return null
    try {
      return await find()
    } catch (error) {
      notes.push(`${name} is not measured: ${error instanceof Error ? error.message : error}`)
      return null
    }
  }
  const redis = await orNote("bullmq", redisVersion)
  if (redis !== null) Object.assign(versions, { bullmq: versionOf("bullmq"), ioredis: versionOf("ioredis"), redis })
  const rabbit = await orNote("rabbitmq", () => RabbitNode.start(folder))
  if (rabbit !== null) Object.assign(versions, { amqplib: versionOf("amqplib"), rabbitmq: rabbit.version })
  try {
    const { quick, jobs, profile } = options
    const plan: JobPlan = {
      peerlane: options.engines.includes("peerlane"),
      redis: redis !== null,
      rabbit,
      folder,
      quick,
      jobs,
      profile,
    }
    const where = environment(versions)
    console.log(headText(where, notes))
    const results = await measureAll(plan, options)
    const verdicts = judgeAims(aims, results)
    console.log(`\n${aimsText(verdicts)}`)
    const record = { environment: where, notes, options, results, aims: verdicts }
    console.log(`\nwritten: ${writeResult("jobs-latest.json", jsonOf(record))}`)
    if (results.some(({ rows }) => rows.some(row => row.failure !== undefined))) process.exitCode = 1
  } finally {
    await rabbit?.stop()
  }
}

async function measureAll(plan: JobPlan, options: JobOptions): Promise<JobResult[]> {
  const rates = rateCases(plan)
  const cases: Record<JobQuestion, JobCase[]> = {
    durable: rates.filter(({ question }) => question === "durable"),
    memory: rates.filter(({ question }) => question === "memory"),
    latency: delayCases(plan),
    queued: queuedCases(plan),
    reopen: reopenCases(plan),
  }
  const results: JobResult[] = []
  for (const scenario of options.questions.flatMap(question => cases[question])) {
    if (scenario.contenders.length === 0) continue
    const result = await measure(scenario, { ...options, runs: options.rounds }, progress)
    progress("")
    results.push(result)
    console.log(`\n${resultText(result)}`)
  }
  return results
}

let options: JobOptions
try {
  options = parseJobOptions(process.argv.slice(2))
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`)
  process.exit(2)
}
const folder = mkdtempSync(join(tmpdir(), "peerlane-bench-"))
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    killAll()
    killServers()
    rmSync(folder, { recursive: true, force: true })
    process.exit(1)
  })
}
try {
  await main(options, folder)
} finally {
  killServers()
  rmSync(folder, { recursive: true, force: true })
}
