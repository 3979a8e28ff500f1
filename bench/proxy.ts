/**
 * PUSH → proxy of PULL and PUSH → PULL: how many messages a second a proxy passes on, each of the three in a process of its
 * own. Only the proxy is the contender: both ends are the same for all, the fastest that there are, so that it is the proxy
 * that is measured.
 */

import type { Case, Contender } from "./measure.js"
import { chosen, freshEndpoint, labels, type Plan, sizeName, type Transport } from "./plan.js"
import { together } from "./processes.js"

const pull = new URL("./peers/pull.js", import.meta.url)
const push = new URL("./peers/push.js", import.meta.url)
const proxy = new URL("./peers/proxy.js", import.meta.url)

const sizes = [16, 1024, 64 * 1024]
const quickSizes = [16]
const limitMs = 60_000
const metric = "messages"

export function proxyCases(plan: Plan): Case[] {
  const cases: Case[] = []
  const transports = plan.quick || plan.transports === undefined ? (["tcp"] as const) : (["tcp", "ipc"] as const)
  for (const transport of chosen<Transport>(transports, plan.transports)) {
    for (const size of plan.sizes ?? (plan.quick ? quickSizes : sizes)) {
      cases.push({
        question: "proxy",
        key: `${transport} ${size}`,
        title: `PUSH→proxy→PULL ${transport} ${sizeName(size)}`,
        metrics: [{ name: metric, unit: "/s" }],
        contenders: contenders(plan, transport, size),
        size,
        firstCount: Math.max(50, Math.min(20_000, Math.round((50 << 20) / size))),
        scaled: true,
      })
    }
  }
  return cases
}

function contenders(plan: Plan, transport: Transport, size: number): Contender[] {
  const fastest = plan.variants.find(({ engine, loop }) => engine === "peerlane" && loop === "batches")
  const ends = fastest ?? plan.variants[0]
  if (ends === undefined) return []
  return [...new Set(plan.variants.map(({ engine }) => engine))].map(engine => ({
    engine,
    label: labels[engine],
    run: count =>
      together(limitMs, async processes => {
        const stream = { engine: ends.engine, loop: ends.loop, size, warm: Math.ceil(count / 4), timed: count }
        const sink = processes.fork(pull, { ...stream, endpoint: freshEndpoint(plan, transport) })
        const bound = await sink.expect("bound")
        const between = processes.fork(proxy, {
          engine,
          endpoint: freshEndpoint(plan, transport),
          sink: bound.endpoint,
        })
        const { endpoint } = await between.expect("bound")
        const source = processes.fork(push, { ...stream, endpoint })
        const { messages, seconds } = await sink.expect("measured")
        await Promise.all([source, between, sink].map(peer => peer.stop()))
        const perSecond = messages / seconds
        return { values: { [metric]: perSecond }, perSecond }
      }),
  }))
}
