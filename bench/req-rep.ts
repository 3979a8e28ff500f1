/**
 * REQ / REP over tcp: how long one request and its reply take, one after the other, between two processes. Beside it an
 * echo between two plain sockets.
 */

import type { Case, Contender, Sample } from "./measure.js"
import { freshEndpoint, freshNetEndpoint, labels, type Plan, sizeName } from "./plan.js"
import { type PeerProcess, together } from "./processes.js"

const reply = new URL("./peers/reply.js", import.meta.url)
const request = new URL("./peers/request.js", import.meta.url)
const rawReply = new URL("./peers/raw-reply.js", import.meta.url)
const rawRequest = new URL("./peers/raw-request.js", import.meta.url)

const sizes = [16, 1024]
const quickSizes = [16]
const limitMs = 60_000

export function reqRepCases(plan: Plan): Case[] {
  return (plan.sizes ?? (plan.quick ? quickSizes : sizes)).map(size => ({
    question: "req-rep",
    key: `tcp ${size}`,
    title: `REQ/REP round trip tcp ${sizeName(size)}`,
    metrics: [
      { name: "p50", unit: "µs" },
      { name: "p99", unit: "µs" },
    ],
    contenders: contenders(plan, size),
    firstCount: 1000,
    scaled: true,
  }))
}

function contenders(plan: Plan, size: number): Contender[] {
  const stream = (count: number) => ({ size, warm: Math.ceil(count / 4), timed: count })
  const list: Contender[] = []
  for (const { engine, loop } of plan.variants) {
    if (loop !== "await") continue
    list.push({
      engine,
      label: labels[engine],
      run: count =>
        together(limitMs, async processes => {
          const task = { engine, loop, ...stream(count), endpoint: freshEndpoint(plan, "tcp") }
          const server = processes.fork(reply, task)
          const { endpoint } = await server.expect("bound")
          return timed(processes.fork(request, { ...task, endpoint }), server)
        }),
    })
  }
  if (plan.raw) {
    list.push({
      engine: "raw",
      label: `${labels.raw} echo`,
      run: count =>
        together(limitMs, async processes => {
          const task = { ...stream(count), endpoint: freshNetEndpoint(plan, "tcp") }
          const server = processes.fork(rawReply, task)
          const { endpoint } = await server.expect("bound")
          return timed(processes.fork(rawRequest, { ...task, endpoint }), server)
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
          const { warm, timed: trips } = stream(count)
          const server = processes.native(native.program, ["rep", freshEndpoint(plan, "tcp"), warm + trips])
          const { endpoint } = await server.expect("bound")
          return timed(processes.native(native.program, ["req", endpoint, size, warm, trips]), server)
        }),
    })
  }
  return list
}

async function timed(client: PeerProcess, server: PeerProcess): Promise<Sample> {
  const { p50, p99, messages, seconds } = await client.expect("latency")
  await Promise.all([client.stop(), server.stop()])
  return { values: { p50, p99 }, perSecond: messages / seconds }
}
