/** What Peerlane is after, as ratios of medians of one run, for benches that have aims and no bars. They fail on none. */

import type { Result } from "./measure.js"
import { ratioCell, table } from "./report.js"

export interface Aim<Engine extends string, Asked extends string> {
  question: Asked
  key: string
  engine: Engine
  atLeast: number
}

export interface AimVerdict {
  title: string
  /** A row of its own for each way in which the other one was set up. */
  against: string
  atLeast: number
  ratio: number
}

/** By the first metric of each case; what was not measured has no verdict. */
export function judgeAims<Engine extends string, Asked extends string>(
  aims: readonly Aim<Engine | "peerlane", Asked>[],
  results: readonly Result<Engine | "peerlane", Asked>[],
): AimVerdict[] {
  return aims.flatMap(({ question, key, engine, atLeast }) => {
    const result = results.find(result => result.question === question && result.key === key)
    if (result === undefined) return []
    const { title, metrics, rows } = result
    const medianOf = (row: (typeof rows)[number] | undefined) => row?.metrics[metrics[0]!.name]?.median
    const own = medianOf(rows.find(row => row.engine === "peerlane"))
    return rows.flatMap(row => {
      const other = row.engine === engine ? medianOf(row) : undefined
      return own === undefined || other === undefined ? [] : { title, against: row.label, atLeast, ratio: own / other }
    })
  })
}

export function aimsText(verdicts: readonly AimVerdict[]): string {
  if (verdicts.length === 0) return "Aims: none of them was measured (they take peerlane and what it is compared with)"
  const rows = verdicts.map(({ title, against, atLeast, ratio }) => [
    title,
    against,
    `>= ${atLeast}x`,
    ratioCell(ratio),
    ratio >= atLeast ? "holds" : "SHORT",
  ])
  return ["Aims (ratios of medians)", table([["", "against", "aim", "came to", ""], ...rows])].join("\n")
}
