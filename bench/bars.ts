/**
 * The bars that Peerlane is held to, as ratios of medians of one run. *Must* bars are promises, *aim* ones are what we
 * are after. The bench says which hold; it fails on none of them.
 */

import type { EngineName } from "./engine.js"
import type { Question, Result, Row } from "./measure.js"
import { labels } from "./plan.js"
import type { Loop } from "./reports.js"

interface Bar {
  level: "must" | "aim"
  question: Question
  key: string
  loop?: Loop
  library?: string
  against: EngineName
  atLeast?: number
  atMost?: number
}

const bars: Bar[] = [
  { level: "must", question: "push-pull", key: "tcp 16", loop: "await", against: "zeromq", atLeast: 10 },
  { level: "aim", question: "push-pull", key: "tcp 16", loop: "await", against: "c", atLeast: 0.7 },
  { level: "must", question: "push-pull", key: "tcp 16", loop: "batches", against: "zeromq", atLeast: 20 },
  { level: "aim", question: "push-pull", key: "tcp 16", loop: "batches", against: "c", atLeast: 1 },
  { level: "must", question: "push-pull", key: "tcp 1024", loop: "await", against: "zeromq", atLeast: 4 },
  { level: "aim", question: "push-pull", key: "tcp 1024", loop: "await", against: "c", atLeast: 1 },
  { level: "aim", question: "push-pull", key: "tcp 1024", loop: "await", against: "raw", atLeast: 0.7 },
  { level: "must", question: "push-pull", key: "tcp 65536", loop: "await", against: "zeromq", atLeast: 1 },
  { level: "aim", question: "push-pull", key: "tcp 65536", loop: "await", against: "zeromq", atLeast: 1.2 },
  { level: "aim", question: "push-pull", key: "tcp 65536", loop: "await", against: "raw", atLeast: 0.8 },
  { level: "must", question: "push-pull", key: "tcp 1048576", loop: "await", against: "zeromq", atLeast: 0.7 },
  { level: "aim", question: "push-pull", key: "tcp 1048576", loop: "await", against: "zeromq", atLeast: 1 },
  { level: "must", question: "req-rep", key: "tcp 16", against: "zeromq", atMost: 0.75 },
  { level: "aim", question: "req-rep", key: "tcp 16", against: "raw", atMost: 1.15 },
  { level: "must", question: "pub-sub", key: "128 64", loop: "await", against: "zeromq", atLeast: 10 },
  { level: "aim", question: "pub-sub", key: "128 64", loop: "await", against: "c", atLeast: 1 },
  { level: "must", question: "push-pull", key: "inproc 16", loop: "await", against: "zeromq", atLeast: 8 },
  { level: "aim", question: "push-pull", key: "inproc 16", loop: "batches", against: "zeromq", atLeast: 50 },
  {
    level: "must",
    question: "curve",
    key: "tcp 16",
    loop: "await",
    library: "libsodium-wrappers",
    against: "zeromq",
    atLeast: 1.5,
  },
  {
    level: "aim",
    question: "curve",
    key: "tcp 16",
    loop: "await",
    library: "libsodium-wrappers",
    against: "zeromq",
    atLeast: 2,
  },
  {
    level: "must",
    question: "curve",
    key: "tcp 1024",
    loop: "await",
    library: "libsodium-wrappers",
    against: "zeromq",
    atLeast: 0.8,
  },
  {
    level: "aim",
    question: "curve",
    key: "tcp 1024",
    loop: "await",
    library: "libsodium-wrappers",
    against: "zeromq",
    atLeast: 1,
  },
  {
    level: "must",
    question: "curve",
    key: "tcp 1024",
    loop: "await",
    library: "sodium-native",
    against: "zeromq",
    atLeast: 1.5,
  },
  {
    level: "must",
    question: "curve",
    key: "tcp 65536",
    loop: "await",
    library: "sodium-native",
    against: "zeromq",
    atLeast: 1,
  },
  { level: "must", question: "router-memory", key: "tcp", against: "zeromq", atMost: 0.5 },
  { level: "aim", question: "router-memory", key: "tcp", against: "zeromq", atMost: 0.4 },
]

export interface Verdict {
  level: Bar["level"]
  work: string
  bar: string
  ratio: number
  holds: boolean
}

/** The verdict on every bar of which both sides were measured. */
export function judge(results: Result[]): Verdict[] {
  return bars.flatMap(bar => {
    const result = results.find(({ question, key }) => question === bar.question && key === bar.key)
    const row = result?.rows.find(
      ({ engine, loop, library }) => engine === "peerlane" && loop === bar.loop && library === bar.library,
    )
    const ratio = result && row ? ratioTo(result, row, bar.against) : undefined
    if (!result || !row || ratio === undefined) return []
    const { level, atLeast, atMost, against } = bar
    const sign = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`
    const holds = atLeast === undefined ? ratio <= atMost! : ratio >= atLeast
    const work = `${result.title}${bar.loop ? `, ${row.label.replace(/^peerlane /, "")}` : ""}`
    return [{ level, work, bar: `${sign}x ${labels[against]}`, ratio, holds }]
  })
}

/** Median over median, of the case's first metric; `undefined` when one of the two is not there. */
export function ratioTo({ rows, metrics }: Result, row: Row, against: EngineName): number | undefined {
  const name = metrics[0]!.name
  const other = rows.find(({ engine }) => engine === against)?.metrics[name]
  const own = row.metrics[name]
  return own && other ? own.median / other.median : undefined
}
