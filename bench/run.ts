/**
 * `npm run bench`: measures what was asked for, prints it, and writes it to `bench/results` as JSON and as a plot. Exits
 * with 1 when a contender failed, never because of a time.
 */

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { judge } from "./bars.js"
import { curveCases } from "./curve.js"
import { hasFastLoop, type PackageName } from "./engine.js"
import { environment, loadPackage } from "./environment.js"
import { type Case, measure, type Question, type Result } from "./measure.js"
import { compileNative, type Native } from "./native.js"
import { type Options, parseOptions, usage } from "./options.js"
import { jsonOf, progress, writeResult } from "./output.js"
import { labels, loopLabels, type Plan, type Variant } from "./plan.js"
import { plot } from "./plot.js"
import { killAll } from "./processes.js"
import { proxyCases } from "./proxy.js"
import { pubSubCases } from "./pub-sub.js"
import { pushPullCases } from "./push-pull.js"
import { barsText, headText, resultText } from "./report.js"
import { reqRepCases } from "./req-rep.js"
import { routerMemory } from "./router-memory.js"
import { threadsCases } from "./threads.js"

async function main(options: Options, folder: string): Promise<void> {
  const versions: Record<string, string> = {}
  const notes: string[] = []
  const variants: Variant[] = []
  for (const name of ["peerlane", "zeromq"] satisfies PackageName[]) {
    if (!options.engines.includes(name)) continue
    const loaded = await loadPackage(name)
    if ("reason" in loaded) {
      notes.push(`${name} is not measured: ${loaded.reason}`)
      continue
    }
    versions[name] = loaded.version
    variants.push({ engine: name, loop: "await", label: `${labels[name]} ${loopLabels.await}` })
    if (hasFastLoop(loaded.engine))
      variants.push({ engine: name, loop: "batches", label: `${labels[name]} ${loopLabels.batches}` })
  }
  let native: Native | null = null
  if (options.engines.includes("c")) {
    const compiled = await compileNative(folder)
    if ("reason" in compiled)
      notes.push(`libzmq C is not measured (it takes cc and libzmq's headers): ${compiled.reason}`)
    else {
      native = compiled
      versions["libzmq C"] = compiled.version
    }
  }
  const { quick, sizes, transports, subscribers } = options
  const plan: Plan = {
    variants,
    raw: options.engines.includes("raw"),
    native,
    quick,
    folder,
    sizes,
    transports,
    subscribers,
  }
  const memory = routerMemory(plan)
  const cases: Record<Question, Case[]> = {
    "push-pull": pushPullCases(plan),
    "req-rep": reqRepCases(plan),
    "pub-sub": pubSubCases(plan),
    "router-memory": memory.cases,
    proxy: proxyCases(plan),
    threads: threadsCases(plan),
    curve: curveCases(plan),
  }
  if (options.questions.includes("router-memory")) notes.push(...memory.notes)
  const where = environment(versions)
  console.log(headText(where, notes))

  const results: Result[] = []
  for (const scenario of options.questions.flatMap(question => cases[question])) {
    if (scenario.contenders.length === 0) continue
    const result = await measure(scenario, options, progress)
    progress("")
    results.push(result)
    console.log(`\n${resultText(result)}`)
  }
  const bars = judge(results)
  console.log(`\n${barsText(bars)}`)
  const caption = `${where.date.slice(0, 10)}, node ${where.node}, ${where.cores} cores, ${where.cpu}; median, min to max`
  const written = write(where.date, { environment: where, notes, options, results, bars }, plot(results, caption))
  console.log(`\nwritten: ${written.join(", ")}`)
  if (results.some(({ rows }) => rows.some(row => row.failure !== undefined))) process.exitCode = 1
}

function write(date: string, record: object, svg: string): string[] {
  const json = jsonOf(record)
  const files = {
    [`${date.replaceAll(/[:.]/g, "-")}.json`]: json,
    "latest.json": json,
    "latest.svg": svg,
  }
  return Object.entries(files).map(([name, content]) => writeResult(name, content))
}

let options: Options
try {
  options = parseOptions(process.argv.slice(2))
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`)
  process.exit(2)
}
const folder = mkdtempSync(join(tmpdir(), "peerlane-bench-"))
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    killAll()
    rmSync(folder, { recursive: true, force: true })
    process.exit(1)
  })
}
try {
  await main(options, folder)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
