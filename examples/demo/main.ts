/**
 * The demo: a pipeline of processes over real data, with Peerlane and libzmq side by side.
 *
 *                      ┌─> worker on Peerlane ──┐
 *   ventilator ──PUSH──┼─> worker on Peerlane ──┼──PUSH──> sink ──PUB──> progress line
 *                      └─> worker on libzmq  ───┘          └──REP──> results
 *
 * This process starts the others, directs them over ROUTER/DEALER, and compares what the sink has with a plain count
 * of its own. Every endpoint is on 127.0.0.1 and a port the system chose.
 */
import { Controller } from "./control.js"
import { listCorpus } from "./corpus.js"
import { Crew } from "./crew.js"
import { readOptions } from "./options.js"
import { type Outcome, runPipeline } from "./pipeline.js"
import { countPlainly } from "./plain.js"
import type { Totals } from "./protocol.js"
import { megabytes, percent, table, whole } from "./table.js"

const timeLimit = 55_000 // ms; the demo ends within a minute, whatever happens
const grace = 3000 // ms; for a child to end once it was told to

class Interrupted extends Error {
  constructor(
    signal: string,
    readonly exitCode: number,
  ) {
    super(`interrupted by ${signal}`)
  }
}

const options = readOptions()
if (options !== null) process.exitCode = await main(options.files, options.passes)

/** Resolves to the exit code. */
async function main(fileLimit: number, passes: number): Promise<number> {
  const ending = new AbortController()
  const timer = setTimeout(() => ending.abort(new Error(`not finished after ${timeLimit / 1000} s`)), timeLimit)
  process.on("SIGINT", () => ending.abort(new Interrupted("SIGINT", 130)))
  process.on("SIGTERM", () => ending.abort(new Interrupted("SIGTERM", 143)))

  const controller = new Controller()
  const crew = new Crew(error => ending.abort(error))
  const stop = (name: string) => controller.tell(name, { type: "stop" })
  try {
    const matched = await demonstrate(controller, crew, fileLimit, passes, ending.signal)
    const complaints = await crew.dismiss(stop, grace)
    for (const complaint of complaints) console.error(`When told to stop, ${complaint}.`)
    return matched && complaints.length === 0 ? 0 : 1
  } catch (error) {
    const complaints = await crew.dismiss(stop, grace)
    const reason = (ending.signal.reason ?? error) as Error
    const children = [`all ${crew.size} child processes have ended`, ...complaints].join("; ")
    if (reason instanceof Interrupted) console.log(`\nThe demo was ${reason.message}; ${children}.`)
    else console.error(`\nThe demo failed: ${reason.message}; ${children}.`)
    return reason instanceof Interrupted ? reason.exitCode : 1
  } finally {
    clearTimeout(timer)
    await controller.close()
  }
}

/** Resolves to whether the pipeline's totals are those of the plain count. */
async function demonstrate(
  controller: Controller,
  crew: Crew,
  fileLimit: number,
  passes: number,
  signal: AbortSignal,
): Promise<boolean> {
  const paths = listCorpus(fileLimit)
  const endpoint = await controller.bind()
  const cast = { ventilator: "ventilator", sink: "sink", workers: ["peerlane-1", "peerlane-2"] }
  const native = await zeromqLoads()
  cast.workers.push(native ? "zeromq-1" : "peerlane-3")
  crew.start(cast.ventilator, "ventilator", endpoint)
  crew.start(cast.sink, "sink", endpoint)
  for (const worker of cast.workers) crew.start(worker, "worker", worker.split("-")[0]!, endpoint)
  console.log(`Processes: main ${process.pid}, ${crew.roster}`)
  console.log(`Counting the words of ${whole(paths.length)} files, ${passes} times over`)

  const outcome = await runPipeline(controller, cast, paths, passes, signal)
  printShares(outcome)

  console.log("\nThe same count, plainly, in this process alone:")
  const plain = await countPlainly(paths, passes, signal)
  const matched = printComparison(outcome.totals, plain)

  const { files, bytes } = outcome.totals
  const workers = `${cast.workers.length} worker processes${native ? ", one of them on libzmq" : ""}`
  console.log(
    `\nShown: ${whole(files)} files (${megabytes(bytes)}) went over PUSH/PULL to ${workers}, and their counts to a sink ` +
      `with PUB/SUB progress and REQ/REP results, all directed over ROUTER/DEALER; ` +
      `${matched ? "nothing was lost, doubled or changed." : "but the totals DIFFER from a plain count."}`,
  )
  return matched
}

async function zeromqLoads(): Promise<boolean> {
  try {
    await import("zeromq")
    return true
  } catch (error) {
    const [reason] = (error as Error).message.split("\n")
    console.log(`The zeromq package does not load here (${reason}); going on with Peerlane's workers alone.`)
    return false
  }
}

function printShares({ totals, shares, engines }: Outcome): void {
  const seconds = Math.max(...shares.map(share => share.seconds))
  const row = (name: string, engine: string, files: number, bytes: number) => {
    const rate = whole((2 * files) / seconds)
    return [name, engine, whole(files), megabytes(bytes), rate, percent(bytes, totals.bytes)]
  }
  const rows = [["worker", "engine", "files", "bytes", "messages/s", "share"]]
  for (const [worker, engine] of engines) {
    const share = shares.find(share => share.worker === worker)
    rows.push(row(worker, engine, share?.files ?? 0, share?.bytes ?? 0))
  }
  rows.push(row("all", "", totals.files, totals.bytes))
  console.log(`\n${table(rows, 2)}`)
  console.log(`  in ${seconds.toFixed(1)} s; a message is a file received or a count sent`)
}

function printComparison(piped: Totals, plain: Totals): boolean {
  const rows = [["", "pipeline", "plain count", ""]]
  for (const key of ["files", "words", "lines", "bytes", "checksum"] as const) {
    const show = (value: string | number) => (typeof value === "number" ? whole(value) : value.slice(0, 16))
    rows.push([key, show(piped[key]), show(plain[key]), piped[key] === plain[key] ? "equal" : "DIFFERENT"])
  }
  const matched = rows.every(row => row[3] !== "DIFFERENT")
  console.log(table(rows))
  console.log(matched ? "  The totals match." : "  The totals do NOT match.")
  return matched
}
