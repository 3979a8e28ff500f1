/**
 * PUSH → PULL: how many messages a second go from one process to another, over tcp and ipc, and within one over
 * inproc. Beside them the same bytes between two plain sockets, which is the ceiling.
 */

import type { Case, Contender, Metric, Sample } from "./measure.js"
import { chosen, freshEndpoint, freshNetEndpoint, labels, type Plan, sizeName, type Transport } from "./plan.js"
import { type PeerProcess, together } from "./processes.js"

export const pull = new URL("./peers/pull.js", import.meta.url)
export const push = new URL("./peers/push.js", import.meta.url)
const inproc = new URL("./peers/inproc.js", import.meta.url)
const rawReceiver = new URL("./peers/raw-receiver.js", import.meta.url)
const rawSender = new URL("./peers/raw-sender.js", import.meta.url)

const allSizes = [16, 1024, 64 * 1024, 1024 * 1024]
const localSizes = [16, 1024]
const quickLocalSizes = [16]
const limitMs = 60_000
/** What a case of messages is measured by. */
export const messageRate: Metric = { name: "messages", unit: "/s" }

export function pushPullCases(plan: Plan): Case[] {
  const cases: Case[] = []
  for (const transport of chosen<Transport>(["tcp", "ipc", "inproc"], plan.transports)) {
    for (const size of plan.sizes ?? (transport === "tcp" ? allSizes : plan.quick ? quickLocalSizes : localSizes)) {
      cases.push({
        question: "push-pull",
        key: `${transport} ${size}`,
        title: `PUSH→PULL ${transport} ${sizeName(size)}`,
        metrics: [messageRate],
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
  const stream = (count: number) => ({ size, warm: Math.ceil(count / 4), timed: count })
  const list: Contender[] = plan.variants.map(({ engine, loop, label }) => ({
    engine,
    loop,
    label,
    run: count =>
      together(limitMs, async processes => {
        const task = { engine, loop, ...stream(count), endpoint: freshEndpoint(plan, transport) }
        if (transport === "inproc") {
          const both = processes.fork(inproc, task)
          return measured(both)
        }
        const receiver = processes.fork(pull, task)
        const { endpoint } = await receiver.expect("bound")
        return measured(receiver, processes.fork(push, { ...task, endpoint }))
      }),
  }))
  if (plan.raw && transport !== "inproc") {
    list.push({
      engine: "raw",
      label: labels.raw,
      run: count =>
        together(limitMs, async processes => {
          const task = { ...stream(count), endpoint: freshNetEndpoint(plan, transport) }
          const receiver = processes.fork(rawReceiver, task)
          const { endpoint } = await receiver.expect("bound")
          return measured(receiver, processes.fork(rawSender, { ...task, endpoint }))
        }),
    })
  }
  const { native } = plan
  if (native) {
    list.push({
      engine: "c",
      label: labels.c,
      run: count =>
        together(limitMs, async processes => {
          const { warm, timed } = stream(count)
          if (transport === "inproc") return measured(processes.native(native.program, ["inproc", size, warm, timed]))
          const address = freshEndpoint(plan, transport)
          const receiver = processes.native(native.program, ["pull", address, size, warm, timed])
          const { endpoint } = await receiver.expect("bound")
          return measured(receiver, processes.native(native.program, ["push", endpoint, size, warm, timed]))
        }),
    })
  }
  return list
}

/** The rate that the reader reports; then the processes are stopped. */
export async function measured(reader: PeerProcess, ...others: PeerProcess[]): Promise<Sample> {
  const { messages, seconds } = await reader.expect("measured")
  await Promise.all([reader, ...others].map(peer => peer.stop()))
  const perSecond = messages / seconds
  return { values: { [messageRate.name]: perSecond }, perSecond }
}
