/** A producer that starts on a folder with many jobs: how long until it is ready, and what it holds then. */

import { together } from "../processes.js"
import type { PeerlaneQueue } from "./driver.js"
import { type JobCase, type JobPlan, peerlane } from "./plan.js"
import type { FillTask, ReopenTask } from "./tasks.js"

const fill = new URL("./peers/fill.js", import.meta.url)
const reopen = new URL("./peers/reopen.js", import.meta.url)
const limitMs = 300_000

export function reopenCases(plan: JobPlan): JobCase[] {
  const jobs = plan.quick ? 100_000 : 1_000_000
  return [
    {
      question: "reopen",
      key: String(jobs),
      title: `a folder with ${jobs} jobs opened again`,
      metrics: [
        { name: "ready", unit: "s" },
        { name: "live a job", unit: "B" },
        { name: "resident a job", unit: "B" },
      ],
      contenders: peerlane(plan, true).map(({ engine, label, withQueues }) => ({
        engine,
        label,
        run: count =>
          withQueues(1, ([queue]) =>
            together(limitMs, async processes => {
              const filling: FillTask = { queue: queue!, jobs: count }
              const filler = processes.fork(fill, filling, ["--expose-gc"])
              await filler.expect("grown")
              await filler.stop()
              const opening: ReopenTask = { folder: (queue as PeerlaneQueue).folder! }
              const opener = processes.fork(reopen, opening, ["--expose-gc"])
              const opened = await opener.expect("opened")
              if (opened.jobs !== count) throw new Error(`${opened.jobs} of ${count} jobs are there`)
              await opener.stop()
              const values = {
                ready: opened.seconds,
                "live a job": opened.live / count,
                "resident a job": opened.resident / count,
              }
              return { values, perSecond: count / opened.seconds }
            }),
          ),
      })),
      firstCount: jobs,
      scaled: false,
      maxRuns: 1,
    },
  ]
}
