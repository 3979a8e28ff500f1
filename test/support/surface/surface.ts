/** The table of docs/surface.md: what `zeromq` has, found in its declarations, and what Peerlane has for it. */
import type ts from "typescript"
import { Comparison } from "./comparison.js"
import { capabilityRows, eventRows } from "./events.js"
import { entryRows, exportRows } from "./exports.js"
import { contextOptionRows, memberRows, optionRows } from "./members.js"
import { type Entry, isClass, Packages } from "./packages.js"
import type { Section } from "./table.js"
import type { Row } from "./verdict.js"

/** A class of theirs, and ours of the same name. */
export interface Pair {
  readonly name: string
  readonly theirs: ts.Symbol
  readonly ours: ts.Symbol | undefined
  readonly entry: Entry
}

/** What both sides are, for those who make rows of it. */
export class Sides {
  readonly packages = new Packages()
  readonly comparison: Comparison
  readonly classes: readonly Pair[]

  constructor() {
    this.classes = this.packages.entries.flatMap(entry =>
      [...entry.theirs.values()]
        .filter(isClass)
        .map(theirs => ({ name: theirs.name, theirs, ours: entry.ours.get(theirs.name), entry })),
    )
    const shared = this.classes.filter(({ ours }) => ours !== undefined)
    this.comparison = new Comparison(this.packages, new Set(shared.map(({ name }) => name)))
  }

  /** The types of sockets. */
  get sockets(): readonly Pair[] {
    return this.classes.filter(({ name }) => !["Socket", ...OTHERS].includes(name))
  }

  named(...names: string[]): readonly Pair[] {
    return this.classes.filter(({ name }) => names.includes(name))
  }
}

/** Classes that are no sockets. */
const OTHERS = ["Observer", "Proxy", "Context"]

export interface RowSection extends Omit<Section, "rows"> {
  readonly rows: readonly Row[]
  /** Rows of which the same is said become one: of one member of several sockets, or of several members of one holder. */
  readonly alike?: "sockets" | "members"
}

export function sectionsOf(sides: Sides): RowSection[] {
  const all = sides.named("Socket").flatMap(pair => memberRows(sides, pair))
  const each = sides.sockets.flatMap(pair => memberRows(sides, pair))
  const others = sides.named(...OTHERS).flatMap(pair => memberRows(sides, pair))
  const options = optionRows(sides)
  const contextOptions = contextOptionRows(sides)
  const members = [...all, ...each, ...others, ...options, ...contextOptions]
  const exported = sides.packages.entries.map(entry => ({ entry, rows: exportRows(sides, entry, members) }))
  const of = ["of", "member"]
  return [
    { title: "Entry points", columns: ["theirs", "ours"], rows: entryRows(sides, exported) },
    ...exported.map(({ entry, rows }) => ({
      title: `Exports of \`${entry.theirName}\``,
      columns: ["name", "kind"],
      rows,
    })),
    {
      title: "All sockets",
      text: "Members that every socket has, beside the [options](#socket-options).",
      columns: of,
      rows: all,
      alike: "members",
    },
    {
      title: "Each type of socket",
      text: "What it has beyond that. A type that is missing as a whole has no rows here.",
      columns: of,
      rows: each,
      alike: "sockets",
    },
    { title: "Observers, proxies, contexts", columns: of, rows: others, alike: "members" },
    { title: "Socket options", columns: ["option", "sockets"], rows: options },
    { title: "Context options", columns: ["option"], rows: contextOptions },
    {
      title: "Event types",
      text: "An event is there when something in the sources tells of it.",
      columns: ["type", "with"],
      rows: eventRows(sides),
    },
    {
      title: "Capabilities",
      text: "Keys of `capability` that are true.",
      columns: ["key"],
      rows: capabilityRows(sides),
    },
  ]
}
