/**
 * The results as one SVG: a panel a question, a bar a contender with a whisker from its slowest to its fastest run, on
 * a logarithmic scale, since the contenders are decades apart.
 */

import type { EngineName } from "./engine.js"
import type { Question, Result } from "./measure.js"
import { format } from "./report.js"

const colours: Record<EngineName, string> = { peerlane: "#1f6feb", zeromq: "#d4662a", raw: "#8c959f", c: "#2da44e" }
const headings: Record<Question, string> = {
  "push-pull": "PUSH→PULL, messages a second (more is better)",
  "req-rep": "REQ/REP round trip, p50 in µs (less is better)",
  "pub-sub": "PUB→SUB, deliveries a second (more is better)",
  "router-memory": "Peers on one ROUTER, bytes a pair (less is better)",
  proxy: "PUSH→proxy→PULL, messages a second (more is better)",
  threads: "PUSH→PULL between two threads",
  curve: "PUSH→PULL under CURVE, messages a second (more is better)",
}
const width = 900
const left = 250
const right = 90
const lineHeight = 18
const barHeight = 12

export function plot(results: Result[], caption: string): string {
  const parts: string[] = []
  let y = 24
  const text = (x: number, at: number, content: string, attributes = ""): void => {
    parts.push(`<text x="${x}" y="${at}" ${attributes}>${escapeXml(content)}</text>`)
  }
  text(12, y, caption, 'fill="#57606a"')
  for (const [question, heading] of Object.entries(headings)) {
    const panel = results.filter(result => result.question === question)
    const values = panel.flatMap(({ rows, metrics }) =>
      rows.flatMap(row => row.metrics[metrics[0]!.name]?.values ?? []),
    )
    if (values.length === 0) continue
    const low = Math.floor(Math.log10(Math.min(...values)) - 0.001)
    const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))
    const x = (value: number): number => left + ((Math.log10(value) - low) / (high - low)) * (width - left - right)
    y += 2 * lineHeight
    text(12, y, heading, 'font-weight="bold"')
    const top = y + 6
    const marks = parts.length
    for (const { title, rows, metrics } of panel) {
      y += lineHeight + 4
      text(12, y, title)
      for (const row of rows) {
        const summary = row.metrics[metrics[0]!.name]
        if (!summary) continue
        y += lineHeight
        const { median, min, max } = summary
        const middle = y - barHeight / 2 + 1
        text(left - 8, y, row.label, 'text-anchor="end" fill="#57606a"')
        parts.push(
          `<rect x="${left}" y="${y - barHeight + 1}" width="${at(x(median) - left)}" height="${barHeight}" fill="${colours[row.engine]}"/>`,
          `<path d="M${at(x(min))} ${middle}H${at(x(max))}" stroke="#24292f"/>`,
        )
        text(Math.max(x(median), x(max)) + 6, y, format(median, metrics[0]!))
      }
    }
    const grid: string[] = []
    for (let decade = low; decade <= high; decade++) {
      const line = at(x(10 ** decade))
      grid.push(`<path d="M${line} ${top}V${y + 6}" stroke="#d0d7de"/>`)
      text(Number(line), y + lineHeight, decadeName(decade), 'text-anchor="middle" fill="#57606a"')
    }
    parts.splice(marks, 0, ...grid)
    y += lineHeight
  }
  const height = y + lineHeight
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n")
}

function at(coordinate: number): string {
  return coordinate.toFixed(1)
}

function decadeName(decade: number): string {
  const unit = decade >= 6 ? "M" : decade >= 3 ? "k" : ""
  return `${10 ** (decade - (decade >= 6 ? 6 : decade >= 3 ? 3 : 0))}${unit}`
}

function escapeXml(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
}
