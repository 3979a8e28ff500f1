/** Jobs a second, end to end: durable ones, and ones in memory. */

import {
  bullmq,
  durable,
  inMemory,
  type JobCase,
  type JobContender,
  type JobPlan,
  peerlane,
  rabbitmq,
  type Variant,
} from "./plan.js"
import { type Load, stream } from "./stream.js"

/** Where a queue is in memory, `send` resolves at once, and nothing but this bounds what waits in it. */
const MAX_JOBS = 1024

export function rateCases(plan: JobPlan): JobCase[] {
  const one: Load = { senders: 1, inFlight: 1, rest: 0 }
  const many: Load = { senders: 1, inFlight: 256, rest: 0 }
  const four: Load = { senders: 4, inFlight: 64, rest: 0 }
  const contenders = (load: Load, variants: Variant[]) => variants.map(variant => contender(plan, variant, load))
  const base = {
    metrics: [
      { name: "jobs", unit: "/s" as const },
      { name: "CPU a job", unit: "µs" as const },
    ],
    scaled: plan.jobs === undefined && !plan.quick,
  }
  return [
    {
      question: "durable",
      key: "1",
      title: "durable, 1 job in flight",
      contenders: contenders(one, durable(plan)),
      ...base,
      firstCount: Math.min(plan.jobs ?? 200, 200),
    },
    {
      question: "durable",
      key: "256",
      title: "durable, 256 jobs in flight",
      contenders: contenders(many, [...durable(plan), ...bullmq(plan, true, true)]),
      ...base,
      firstCount: plan.jobs ?? 3000,
    },
    {
      question: "durable",
      key: "4x64",
      title: "durable, 4 producer processes with 64 jobs in flight each, 1 consumer",
      contenders: contenders(four, durable(plan)),
      ...base,
      firstCount: plan.jobs ?? 3000,
    },
    {
      question: "memory",
      key: "256",
      title: "in memory, 256 jobs in flight",
      contenders: contenders(many, [
        ...inMemory(plan),
        ...peerlane(plan, false, MAX_JOBS),
        ...rabbitmq(plan, "transient", false),
        ...bullmq(plan, false, true),
      ]),
      ...base,
      firstCount: plan.jobs ?? 8000,
    },
  ]
}

function contender(plan: JobPlan, variant: Variant, load: Load): JobContender {
  const { engine, label } = variant
  return {
    engine,
    label,
    async run(count) {
      const { perSecond, cpu } = await stream(plan, variant, load, count)
      return { values: { jobs: perSecond, "CPU a job": cpu }, perSecond }
    },
  }
}
