/**
 * One run of the pipeline, from main's point of view: tells each child its part once those it depends on are there,
 * shows the progress the sink publishes, and asks the sink for the results when it has them all.
 */
import { Request, Subscriber } from "peerlane"
import type { Controller } from "./control.js"
import { ProgressLine } from "./progress.js"
import { decode, encode, type Progress, type Query, type Share, type Totals } from "./protocol.js"
import { megabytes, percent, whole } from "./table.js"

export interface Outcome {
  totals: Totals
  shares: Share[]
  /** What each worker runs on, by its name. */
  engines: Map<string, string>
}

/** Names of the processes that take part. */
export interface Cast {
  ventilator: string
  sink: string
  workers: string[]
}

export async function runPipeline(
  controller: Controller,
  { ventilator, sink, workers }: Cast,
  paths: string[],
  passes: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const files = paths.length * passes
  const hellos = await controller.hear("hello", [ventilator, sink, ...workers], signal)
  const from = hellos.get(ventilator)!.endpoints
  const to = hellos.get(sink)!.endpoints

  await using progress = new Subscriber()
  progress.subscribe("progress")
  progress.connect(to.progress!)
  const showing = showProgress(progress, files)

  await controller.tell(sink, { type: "collect", files })
  await controller.hear("ready", [sink], signal)
  for (const worker of workers) await controller.tell(worker, { type: "work", files: from.files!, counts: to.counts! })
  await controller.hear("ready", workers, signal)
  await controller.tell(ventilator, { type: "ventilate", paths, passes, workers: workers.length })
  await controller.hear("complete", [sink], signal)
  await progress.close()
  await showing

  await using queries = new Request({ linger: 0 })
  queries.connect(to.queries!)
  const ask = async <T>(query: Query): Promise<T> => {
    await queries.send(encode(query), { signal })
    const [answer] = await queries.receive({ signal })
    return decode<T>(answer)
  }
  const totals = await ask<Totals>("totals")
  const shares = await ask<Share[]>("shares")
  return { totals, shares, engines: new Map(workers.map(worker => [worker, hellos.get(worker)!.engine])) }
}

/** Until the socket is closed. What a PUB sends is not sure to arrive, and here it need not: the last word counts. */
async function showProgress(progress: Subscriber, of: number): Promise<void> {
  const line = new ProgressLine()
  for await (const [, frame] of progress) {
    const { files, bytes, seconds } = decode<Progress>(frame)
    const rate = seconds > 0 ? `  ${whole(files / seconds)} files a second` : ""
    line.show(`  ${percent(files, of)}  ${whole(files)} of ${whole(of)} files  ${megabytes(bytes)}${rate}`)
  }
  line.end()
}
