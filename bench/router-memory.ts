/**
 * 2,000 peers on one ROUTER: what a connected pair costs in memory. One process has the ROUTER, the other one the
 * DEALERs; each has sent a small message and received one. The growth of both processes, after garbage collection, is
 * divided by the number of pairs. Memory in the kernel is not in it.
 */

import { execFileSync } from "node:child_process"
import type { Case, Contender } from "./measure.js"
import { freshEndpoint, freshNetEndpoint, labels, type Plan } from "./plan.js"
import { together } from "./processes.js"

const router = new URL("./peers/router.js", import.meta.url)
const dealers = new URL("./peers/dealers.js", import.meta.url)
const rawServer = new URL("./peers/raw-server.js", import.meta.url)
const rawClients = new URL("./peers/raw-clients.js", import.meta.url)

const peers = 2000
// A DEALER of libzmq takes a descriptor for its mailbox and one for its connection.
const filesPerPeer = 2
const filesBesides = 200
const limitMs = 60_000
const metric = "memory a pair"

export interface MemoryPlan {
  cases: Case[]
  /** Said when the limit of open files allows fewer peers. */
  notes: string[]
}

export function routerMemory(plan: Plan): MemoryPlan {
  const files = openFileLimit()
  const allowed = Math.min(peers, Math.floor((files - filesBesides) / filesPerPeer))
  const scenario: Case = {
    question: "router-memory",
    key: "tcp",
    title: `${allowed} peers on one ROUTER`,
    metrics: [{ name: metric, unit: "B" }],
    contenders: contenders(plan),
    firstCount: allowed,
    scaled: false,
    maxRuns: plan.quick ? 1 : undefined,
  }
  const short = `ulimit -n is ${files}: ${allowed} peers on one ROUTER instead of ${peers}`
  return { cases: allowed > 0 ? [scenario] : [], notes: allowed < peers ? [short] : [] }
}

/** `ulimit -n`, as a process that we start has it; Node has raised its own to the hard limit. */
function openFileLimit(): number {
  const limit = execFileSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" }).trim()
  return limit === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(limit)
}

function contenders(plan: Plan): Contender[] {
  const list: Contender[] = []
  for (const { engine, loop } of plan.variants) {
    if (loop !== "await") continue
    const endpoint = freshEndpoint(plan, "tcp")
    list.push({ engine, label: labels[engine], run: count => pairs(router, dealers, { engine, endpoint }, count) })
  }
  if (plan.raw) {
    const task = { engine: "raw" as const, endpoint: freshNetEndpoint(plan, "tcp") }
    list.push({ engine: "raw", label: labels.raw, run: count => pairs(rawServer, rawClients, task, count) })
  }
  return list
}

function pairs(serverFile: URL, clientsFile: URL, task: { engine: string; endpoint: string }, count: number) {
  return together(limitMs, async processes => {
    const gc = ["--expose-gc"]
    const server = processes.fork(serverFile, { ...task, peers: count }, gc)
    const serverBefore = await server.expect("memory")
    const { endpoint } = await server.expect("bound")
    const clients = processes.fork(clientsFile, { ...task, endpoint, peers: count }, gc)
    const clientsBefore = await clients.expect("memory")
    await clients.expect("ready")
    server.order("go")
    clients.order("go")
    const [serverAfter, clientsAfter] = await Promise.all([server.expect("memory"), clients.expect("memory")])
    await Promise.all([server.stop(), clients.stop()])
    const grown = serverAfter.bytes - serverBefore.bytes + clientsAfter.bytes - clientsBefore.bytes
    return { values: { [metric]: grown / count }, perSecond: count }
  })
}
