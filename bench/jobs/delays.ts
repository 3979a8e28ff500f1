/** How long a job takes from its send to its handler while the queue is empty otherwise. */

import { durable, inMemory, type JobCase, type JobPlan, type Variant } from "./plan.js"
import { stream } from "./stream.js"

/** Between two sends, in ms: 100 to 200 jobs a second, which all of them keep up with. */
const REST = 5

export function delayCases(plan: JobPlan): JobCase[] {
  const scenario = (key: string, title: string, variants: Variant[]): JobCase => ({
    question: "latency",
    key,
    title,
    metrics: [
      { name: "p50", unit: "µs" },
      { name: "p99", unit: "µs" },
    ],
    contenders: variants.map(variant => ({
      engine: variant.engine,
      label: variant.label,
      async run(count) {
        const { p50, p99, perSecond } = await stream(plan, variant, { senders: 1, inFlight: 1, rest: REST }, count)
        return { values: { p50, p99 }, perSecond }
      },
    })),
    firstCount: plan.quick ? 100 : 400,
    scaled: false,
  })
  return [
    scenario("durable", `from send to handler, durable, 1 in flight, ${REST} ms between`, durable(plan)),
    scenario("memory", `from send to handler, in memory, 1 in flight, ${REST} ms between`, inMemory(plan)),
  ]
}
