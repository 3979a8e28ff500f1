/** What a job costs in memory while it waits: by what the process grows that holds the queue. */

import { Redis } from "ioredis"
import { together } from "../processes.js"
import type { BullQueue, JobQueue } from "./driver.js"
import { bullmq, type JobCase, type JobContender, type JobPlan, peerlane, rabbitmq, type Variant } from "./plan.js"
import type { FillTask } from "./tasks.js"

const fill = new URL("./peers/fill.js", import.meta.url)
const limitMs = 120_000

interface Memory {
  live: number
  resident: number
}

export function queuedCases(plan: JobPlan): JobCase[] {
  const contender = (
    variants: Variant[],
    holder: (queue: JobQueue) => Promise<Memory> | null = () => null,
  ): JobContender[] =>
    variants.map(variant => ({
      engine: variant.engine,
      label: variant.label,
      run: jobs => variant.withQueues(1, ([queue]) => grown(queue!, jobs, () => holder(queue!))),
    }))
  const redis = (queue: JobQueue) => redisMemory((queue as BullQueue).port)
  const jobs = plan.quick ? 20_000 : 100_000
  return [
    {
      question: "queued",
      key: "200",
      title: `${jobs} jobs that wait, memory a job`,
      metrics: [
        { name: "live", unit: "B" },
        { name: "resident", unit: "B" },
      ],
      contenders: [
        ...contender(peerlane(plan, false)),
        ...contender(peerlane(plan, true)),
        ...contender(bullmq(plan, false), redis),
        ...contender(rabbitmq(plan, "classic"), () => plan.rabbit!.memory()),
      ],
      firstCount: jobs,
      scaled: false,
      maxRuns: 1,
    },
  ]
}

/** The process that sends is the one that holds, where there is no `holder`. */
function grown(queue: JobQueue, jobs: number, holder: () => Promise<Memory> | null) {
  return together(limitMs, async processes => {
    const before = await holder()
    const task: FillTask = { queue, jobs }
    const peer = processes.fork(fill, task, ["--expose-gc"])
    const own = await peer.expect("grown")
    const after = await holder()
    await peer.stop()
    const { live, resident } =
      before === null || after === null
        ? own
        : { live: after.live - before.live, resident: after.resident - before.resident }
    return { values: { live: live / jobs, resident: resident / jobs }, perSecond: 0 }
  })
}

async function redisMemory(port: number): Promise<Memory> {
  const redis = new Redis(port, "127.0.0.1")
  const said = await redis.info("memory")
  redis.disconnect()
  const number = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(said)?.[1])
  return { live: number("used_memory"), resident: number("used_memory_rss") }
}
