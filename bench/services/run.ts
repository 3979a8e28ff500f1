/** One run: a server and a client in processes of their own, and what the timed part took in both. */

import { type PeerProcess, together } from "../processes.js"
import type { Setup } from "./driver.js"
import type { ServicePlan } from "./plan.js"
import type { CallerTask, ReaderTask, ServerTask } from "./tasks.js"

const server = new URL("./peers/server.js", import.meta.url)
const caller = new URL("./peers/caller.js", import.meta.url)
const reader = new URL("./peers/reader.js", import.meta.url)
const limitMs = 120_000

export interface Ran {
  readonly perSecond: number
  /** Of both processes, in microseconds a call, or an item. */
  readonly cpu: number
}

export interface Called extends Ran {
  /** From call to result, in microseconds. */
  readonly p50: number
  readonly p99: number
}

/** Makes about so many calls. */
export async function call(plan: ServicePlan, setup: Setup, inFlight: number, count: number): Promise<Called> {
  const end = (client: PeerProcess) => client.expect("latency")
  const { said, perSecond, cpu } = await run(plan, setup, count, { peer: caller, told: { inFlight }, end })
  return { perSecond, cpu, p50: said.p50, p99: said.p99 }
}

/** Reads a stream of about so many items. */
export function read(plan: ServicePlan, setup: Setup, count: number): Promise<Ran> {
  return run(plan, setup, count, { peer: reader, told: {}, end: client => client.expect("measured") })
}

interface Client<Said> {
  readonly peer: URL
  /** Besides what every client is told. */
  readonly told: Partial<CallerTask>
  /** Resolves when it is through with the timed part. */
  end(client: PeerProcess): Promise<Said>
}

function run<Said extends { messages: number; seconds: number }>(
  { profile }: ServicePlan,
  setup: Setup,
  count: number,
  { peer, told, end }: Client<Said>,
): Promise<Ran & { said: Said }> {
  const isProfiled = profile !== undefined && setup.engine.startsWith("peerlane")
  const execArgv = isProfiled ? ["--cpu-prof", `--cpu-prof-dir=${profile}`] : []
  return together(limitMs, async processes => {
    const serving: ServerTask = { engine: setup.engine }
    const host = processes.fork(server, serving, execArgv)
    const { endpoint: address } = await host.expect("bound")
    const task: ReaderTask = { setup, address, warm: count, timed: count }
    const client = processes.fork(peer, { ...task, ...told }, execArgv)
    await client.expect("ready")
    host.order("go")
    await host.expect("ready")
    client.order("go")
    const said = await end(client)
    await Promise.all([client.stop(), host.stop()])
    const cpu = (await client.expect("spent")).cpu + (await host.expect("spent")).cpu
    return { said, perSecond: said.messages / said.seconds, cpu: cpu / said.messages }
  })
}
