/** What the bench prints: a head that says on what, a table for each case, and the bars. */

import { ratioTo, type Verdict } from "./bars.js"
import type { EngineName } from "./engine.js"
import { type Environment, environmentLines } from "./environment.js"
import type { Metric, Result, Row } from "./measure.js"
import { labels } from "./plan.js"

const compared: EngineName[] = ["zeromq", "c", "raw"]

export function headText(environment: Environment, notes: string[]): string {
  const { cores } = environment
  const lines = [
    ...environmentLines("peerlane bench", environment),
    "  fsync     not used (no disk involved)",
    "  method    default high-water marks; every body is checked for its sequence number; contenders take turns, fresh",
    "            processes each run; median (min..max); ratios are of medians",
  ]
  if (cores <= 2)
    lines.push(
      `  note      ${cores} cores handicap libzmq, in zeromq and in C, whose I/O threads want cores of their own`,
    )
  return [...lines, ...notes.map(note => `  note      ${note}`)].join("\n")
}

export function resultText(result: Result): string {
  const { metrics, rows, size } = result
  const rated = metrics[0]!.unit === "/s" && size !== undefined
  const others = compared.filter(engine => rows.some(row => row.engine === engine))
  const head = ["", ...metrics.flatMap(metric => [metricHead(metric), "min..max"])]
  if (rated) head.push("bytes/s")
  head.push(...others.map(engine => `x ${labels[engine]}`))
  const body = rows.map(row => {
    if (row.failure !== undefined) return [row.label, "failed"]
    return [row.label, ...metrics.flatMap(metric => metricCells(metric, row)), ...ratedCell(result, row, rated)].concat(
      others.map(engine => ratioCell(ratioTo(result, row, engine))),
    )
  })
  const failures = rows.filter(row => row.failure !== undefined).map(row => `  ${row.label} failed: ${row.failure}`)
  return [result.title, table([head, ...body]), ...failures].join("\n")
}

export function barsText(verdicts: Verdict[]): string {
  if (verdicts.length === 0) return "Bars: none of them was measured (they take peerlane and what it is compared with)"
  const rows = verdicts.map(({ level, work, bar, ratio, holds }) => [
    `${level} ${work}`,
    bar,
    ratioCell(ratio),
    holds ? "holds" : "SHORT",
  ])
  return ["Bars", table([["", "bar", "came to", ""], ...rows])].join("\n")
}

export function format(value: number, { unit }: Metric): string {
  if (unit === "µs") return value.toFixed(1)
  if (unit === "s") return value.toFixed(2)
  if (unit === "B") return value >= 1000 ? `${(value / 1000).toFixed(1)} k` : value.toFixed(0)
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`
  return value >= 1e4 ? `${(value / 1e3).toFixed(1)} k` : value.toFixed(0)
}

export function metricHead({ name, unit }: Metric): string {
  return unit === "/s" ? `${name}/s` : `${name}, ${unit}`
}

export function metricCells(metric: Metric, { metrics }: Pick<Row, "metrics">): string[] {
  const { median, min, max } = metrics[metric.name]!
  return [format(median, metric), `${format(min, metric)}..${format(max, metric)}`]
}

function ratedCell({ metrics, size }: Result, row: Row, rated: boolean): string[] {
  if (!rated) return []
  const bytes = row.metrics[metrics[0]!.name]!.median * size!
  return [bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(1)} MB`]
}

export function ratioCell(ratio: number | undefined): string {
  if (ratio === undefined) return "-"
  return `${ratio >= 10 ? ratio.toFixed(1) : ratio >= 0.1 ? ratio.toFixed(2) : ratio.toPrecision(2)}x`
}

/** First column to the left, the others to the right, each as wide as its widest cell. */
export function table(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const cell = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!)
  return rows.map(row => `  ${row.map(cell).join("  ")}`.trimEnd()).join("\n")
}
