/**
 * PUB → 1, 16 and 128 SUBs over tcp, nothing dropped: one process publishes, all the SUBs are in another one. What is
 * counted are deliveries.
 */

import type { Case, Contender, Sample } from "./measure.js"
import { chosen, freshEndpoint, labels, type Plan, sizeName } from "./plan.js"
import { type PeerProcess, together } from "./processes.js"

const publish = new URL("./peers/publish.js", import.meta.url)
const subscribe = new URL("./peers/subscribe.js", import.meta.url)

const fanOuts = [1, 16, 128]
const defaultSize = 64
const limitMs = 60_000
const metric = "deliveries"

export function pubSubCases(plan: Plan): Case[] {
  return chosen(fanOuts, plan.subscribers).flatMap(subscribers =>
    (plan.sizes ?? [defaultSize]).map(
      (size): Case => ({
        question: "pub-sub",
        key: `${subscribers} ${size}`,
        title: `PUB→${subscribers} SUB tcp ${sizeName(size)}, lossless`,
        metrics: [{ name: metric, unit: "/s" }],
        contenders: contenders(plan, size, subscribers),
        firstCount: 40_000,
        scaled: true,
      }),
    ),
  )
}

/** Counts are deliveries, so each publishes that many divided by its subscribers. */
function contenders(plan: Plan, size: number, subscribers: number): Contender[] {
  const stream = (deliveries: number) => {
    const timed = Math.ceil(deliveries / subscribers)
    return { size, warm: Math.ceil(timed / 4), timed }
  }
  const list: Contender[] = plan.variants.map(({ engine, loop, label }) => ({
    engine,
    loop,
    label,
    run: count =>
      together(limitMs, async processes => {
        const task = { engine, loop, subscribers, ...stream(count), endpoint: freshEndpoint(plan, "tcp") }
        const publisher = processes.fork(publish, task)
        const { endpoint } = await publisher.expect("bound")
        const reader = processes.fork(subscribe, { ...task, endpoint })
        await reader.expect("ready")
        publisher.order("go")
        return delivered(reader, publisher)
      }),
  }))
  const { native } = plan
  if (native) {
    list.push({
      engine: "c",
      label: labels.c,
      run: count =>
        together(limitMs, async processes => {
          const { warm, timed } = stream(count)
          const address = freshEndpoint(plan, "tcp")
          const publisher = processes.native(native.program, ["pub", address, size, warm + timed, subscribers])
          const { endpoint } = await publisher.expect("bound")
          const args = ["sub", endpoint, size, warm, timed, subscribers]
          return delivered(processes.native(native.program, args), publisher)
        }),
    })
  }
  return list
}

async function delivered(reader: PeerProcess, publisher: PeerProcess): Promise<Sample> {
  const { messages, seconds } = await reader.expect("measured")
  await Promise.all([reader.stop(), publisher.stop()])
  const perSecond = messages / seconds
  return { values: { [metric]: perSecond }, perSecond }
}
