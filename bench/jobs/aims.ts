/** What Peerlane's pipeline is after, as ratios of medians of one run. The bench says which hold; it fails on none. */

import type { JobEngine } from "./driver.js"
import type { JobResult } from "./report.js"

const aims: { question: string; key: string; engine: JobEngine; atLeast: number }[] = [
  { question: "durable", key: "256", engine: "bullmq", atLeast: 3 },
  { question: "durable", key: "256", engine: "rabbitmq", atLeast: 3 },
  { question: "memory", key: "256", engine: "bullmq", atLeast: 10 },
  { question: "memory", key: "256", engine: "rabbitmq", atLeast: 3 },
]

export interface Aim {
  title: string
  /** A row of its own for each way in which the other one was set up. */
  against: string
  atLeast: number
  ratio: number
}

export function judge(results: JobResult[]): Aim[] {
  return aims.flatMap(({ question, key, engine, atLeast }) => {
    const result = results.find(result => result.question === question && result.key === key)
    const own = result?.rows.find(row => row.engine === "peerlane")?.metrics.jobs?.median
    if (result === undefined || own === undefined) return []
    return result.rows.flatMap(row => {
      const other = row.engine === engine ? row.metrics.jobs?.median : undefined
      return other === undefined ? [] : { title: result.title, against: row.label, atLeast, ratio: own / other }
    })
  })
}
