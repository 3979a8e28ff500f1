/** What the bench of services prints: a head that says on what and how, and a table for each case. */

import { type Environment, environmentLines } from "../environment.js"
import type { Result } from "../measure.js"
import { metricCells, metricHead, ratioCell, table } from "../report.js"
import type { ServiceEngine } from "./driver.js"
import type { ServiceQuestion } from "./plan.js"

export type ServiceResult = Result<ServiceEngine, ServiceQuestion>

const notes = [
  "calls/s: from the first call to the last result, each of which is checked; items likewise. p50, p99: from call to result, as the caller sees it",
  "CPU a call: processor time of both processes; other work on the machine changes it less than calls/s",
  "peerlane: `serve` with concurrency 4096 and `connect`, defaults otherwise: msgpack, a deadline of 30 s with each call, heartbeats, credit of 64 items",
  "zeromq REQ/REP and DEALER/ROUTER: JSON; the latter with a number in front of each call, a map of those that wait, and sends in line; no deadlines",
  "HTTP: node:http, POST of JSON; undici's Pool and `request`, each body read whole; no deadlines but undici's 300 s",
  "  one call at a time on a connection: at 64 in flight 32 connections were the fastest of 1, 4, 8, 16, 32, 64; at 1,024 64 of 8, 16, 32, 64, 128, 256, 1,024",
  '  "of 16" is pipelining, of calls that are said to be idempotent: 4 connections were as fast as any of 1, 2, 8 at 64 in flight, the fastest of 1, 2, 8, 16 at 1,024',
  "gRPC: @grpc/grpc-js by its defaults, one connection, no deadlines, JSON in place of protobuf, which for two numbers makes little difference; its",
  "  stream waits for `drain` where `write` says so, and is read by events",
  "a run warms up with as many calls as it times; quick ones leave JavaScript cold, and so favour what is native",
]

export function headText(environment: Environment, more: string[]): string {
  const { cores } = environment
  const shared = `${cores} cores for server, client, and the I/O threads of libzmq, which wants some of its own`
  return [
    ...environmentLines("peerlane bench of services", environment),
    "  method    tcp on the loopback, server and client a process each; contenders take turns, fresh processes each run; median (min..max)",
    ...[...more, ...(cores <= 2 ? [shared] : []), ...notes].map(note => `  note      ${note}`),
  ].join("\n")
}

export function resultText({ title, metrics, rows }: ServiceResult): string {
  const rate = metrics[0]!.name
  const own = rows.find(({ engine }) => engine === "peerlane")?.metrics[rate]?.median
  const head = ["", ...metrics.flatMap(metric => [metricHead(metric), "min..max"]), "peerlane is"]
  const body = rows.map(row => {
    if (row.failure !== undefined) return [row.label, "failed"]
    const ratio = own === undefined ? undefined : own / row.metrics[rate]!.median
    return [row.label, ...metrics.flatMap(metric => metricCells(metric, row)), ratioCell(ratio)]
  })
  const failures = rows.filter(row => row.failure !== undefined).map(row => `  ${row.label} failed: ${row.failure}`)
  return [title, table([head, ...body]), ...failures].join("\n")
}
