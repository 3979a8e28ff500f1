/** The cases: calls with so many in flight, and a stream from the server. */

import { type CaseName, type ServiceCase, type ServicePlan, type Variant, variants } from "./plan.js"
import { call, read } from "./run.js"

export function serviceCase(plan: ServicePlan, name: CaseName): ServiceCase {
  return name === "stream" ? streamCase(plan) : callCase(plan, name)
}

function callCase(plan: ServicePlan, name: Exclude<CaseName, "stream">): ServiceCase {
  const inFlight = Number(name)
  return {
    question: "calls",
    key: name,
    title: `add({ a, b }), ${name} in flight`,
    metrics: [
      { name: "calls", unit: "/s" },
      { name: "p50", unit: "µs" },
      { name: "p99", unit: "µs" },
      { name: "CPU a call", unit: "µs" },
    ],
    contenders: chosen(plan, name).map(({ label, setup }) => ({
      engine: setup.engine,
      label,
      async run(count) {
        const { perSecond, p50, p99, cpu } = await call(plan, setup, inFlight, count)
        return { values: { calls: perSecond, p50, p99, "CPU a call": cpu }, perSecond }
      },
    })),
    firstCount: inFlight === 1 ? 2000 : 10_000,
    scaled: true,
  }
}

function streamCase(plan: ServicePlan): ServiceCase {
  return {
    question: "stream",
    key: "stream",
    title: "count(n), a stream of numbers from the server",
    metrics: [
      { name: "items", unit: "/s" },
      { name: "CPU an item", unit: "µs" },
    ],
    contenders: chosen(plan, "stream").map(({ label, setup }) => ({
      engine: setup.engine,
      label,
      async run(count) {
        const { perSecond, cpu } = await read(plan, setup, count)
        return { values: { items: perSecond, "CPU an item": cpu }, perSecond }
      },
    })),
    firstCount: 20_000,
    scaled: true,
  }
}

function chosen({ engines }: ServicePlan, name: CaseName): Variant[] {
  return variants[name].filter(({ setup }) => engines.includes(setup.engine))
}
