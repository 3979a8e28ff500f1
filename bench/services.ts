/**
 * `npm run bench:services`: calls and streams through Peerlane's service, sockets of the `zeromq` package, HTTP and gRPC, in one
 * run and in turn. Prints what it found, and writes it to `bench/results/services-latest.json`. Exits with 1 when a contender
 * failed, never because of a time.
 */

import { aimsText, judgeAims } from "./aims.js"
import { environment, loadPackage, versionOf } from "./environment.js"
import { measure } from "./measure.js"
import { jsonOf, progress, writeResult } from "./output.js"
import { killAll } from "./processes.js"
import { aims } from "./services/aims.js"
import { serviceCase } from "./services/cases.js"
import type { ServiceEngine } from "./services/driver.js"
import { parseServiceOptions, type ServiceOptions, usage } from "./services/options.js"
import type { ServicePlan } from "./services/plan.js"
import { headText, resultText, type ServiceResult } from "./services/report.js"

const onZeromq: ServiceEngine[] = ["peerlane-zeromq", "req-rep", "dealer-router"]

async function main(options: ServiceOptions): Promise<void> {
  let { engines } = options
  const versions: Record<string, string> = { peerlane: versionOf("peerlane") }
  const notes: string[] = []
  if (engines.some(engine => onZeromq.includes(engine))) {
    const zeromq = await loadPackage("zeromq")
    if ("version" in zeromq) versions.zeromq = zeromq.version
    else {
      notes.push(`what takes zeromq is not measured: ${zeromq.reason}`)
      engines = engines.filter(engine => !onZeromq.includes(engine))
    }
  }
  if (engines.includes("http")) versions.undici = versionOf("undici")
  if (engines.includes("grpc")) versions["@grpc/grpc-js"] = versionOf("@grpc/grpc-js")
  const where = environment(versions)
  console.log(headText(where, notes))
  const results = await measureAll({ engines, profile: options.profile }, options)
  const verdicts = judgeAims(aims, results)
  console.log(`\n${aimsText(verdicts)}`)
  const record = { environment: where, notes, options, results, aims: verdicts }
  console.log(`\nwritten: ${writeResult("services-latest.json", jsonOf(record))}`)
  if (results.some(({ rows }) => rows.some(row => row.failure !== undefined))) process.exitCode = 1
}

async function measureAll(plan: ServicePlan, options: ServiceOptions): Promise<ServiceResult[]> {
  const results: ServiceResult[] = []
  for (const name of options.cases) {
    const scenario = serviceCase(plan, name)
    if (scenario.contenders.length === 0) continue
    const result = await measure(scenario, { ...options, runs: options.rounds }, progress)
    progress("")
    results.push(result)
    console.log(`\n${resultText(result)}`)
  }
  return results
}

let options: ServiceOptions
try {
  options = parseServiceOptions(process.argv.slice(2))
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`)
  process.exit(2)
}
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    killAll()
    process.exit(1)
  })
}
await main(options)
