/**
 * PUSH → PULL between two threads of one process over inproc, and beside it over ipc between the same threads. (`zeromq`
 * is measured on inproc alone: what its threads do over ipc is what its processes do.)
 */
import type { Case, Contender } from "./measure.js"
import { freshEndpoint, type Plan, sizeName } from "./plan.js"
import { together } from "./processes.js"
import { measured, messageRate } from "./push-pull.js"

const threads = new URL("./peers/threads.js", import.meta.url)

const sizes = [16, 1024, 64 * 1024]
const quickSizes = [16]
const limitMs = 60_000

export function threadsCases(plan: Plan): Case[] {
  return (plan.sizes ?? (plan.quick ? quickSizes : sizes)).map(size => ({
    question: "threads",
    key: `inproc ${size}`,
    title: `PUSH→PULL between threads ${sizeName(size)}`,
    metrics: [messageRate],
    contenders: contenders(plan, size),
    size,
    firstCount: Math.max(50, Math.min(20_000, Math.round((50 << 20) / size))),
    scaled: true,
  }))
}

function contenders(plan: Plan, size: number): Contender[] {
  return plan.variants.flatMap(({ engine, loop, label }) =>
    (engine === "peerlane" ? (["inproc", "ipc"] as const) : (["inproc"] as const)).map(transport => ({
      engine,
      loop,
      label: transport === "inproc" ? label : `${label}, ipc`,
      run: count =>
        together(limitMs, async processes => {
          const stream = { size, warm: Math.ceil(count / 4), timed: count }
          return measured(
            processes.fork(threads, { engine, loop, ...stream, endpoint: freshEndpoint(plan, transport) }),
          )
        }),
    })),
  )
}
