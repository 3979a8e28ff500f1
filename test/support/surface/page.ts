/** docs/surface.md as text. */
import { additionsOf } from "./additions.js"
import type { Verdict } from "./notes.js"
import type { RowSection, Sides } from "./surface.js"
import { listOf, render, type Section } from "./table.js"
import type { Row } from "./verdict.js"

/** In the order of the page. */
const VERDICTS: Record<Verdict, string> = {
  same: "the same types, and the same behaviour as far as the specs know it, which run on both",
  better: "what works there works here, and something that fails or misleads there does not",
  differs: "a program may notice, and not all will like it",
  "stored only": "is checked, kept and read back, without effect",
  "refused for now": "security that is not built yet: not ignored in silence",
  out: "will not come",
  missing: "not there yet",
}

/** Is said once of several. */
const PROTECTED = / \(protected\)$/

const HEAD = `# The surface of \`zeromq\`, row by row

What the \`zeromq\` package (6.8) exports, each member of its classes, each option, each type of event, and what Peerlane has for
it. "There" is \`zeromq\`. Behaviour is told in full by [interop.md](interop.md), options by [options.md](options.md).

The page is made of the declarations that \`zeromq\` ships, of Peerlane's sources as the TypeScript compiler sees them and of the table of
options; where types cannot tell, of the reviewed notes in \`test/support/surface/notes.ts\`. A test fails when it is not up to date.
`

const SECOND = `# What Peerlane adds

In the words of its declarations. What calls take beyond those of \`zeromq\` (\`signal\`, \`timeout\` and others) is told above.
`

export function pageOf(sides: Sides, sections: readonly RowSection[]): string {
  const names = sides.sockets.filter(({ ours }) => ours !== undefined).map(({ name }) => name)
  const tables = sections.map(({ rows, columns, alike, ...section }) => ({
    ...section,
    columns: [...columns, "Peerlane", "how, or why"],
    rows: (alike === "sockets" ? bySockets(rows, names) : alike === "members" ? byMembers(rows) : rows).map(cellsOf),
  }))
  const parts = [HEAD, summary(sections.flatMap(({ rows }) => rows)), ...tables.map(table => render(table, 2))]
  const additions: Section[] = additionsOf(sides.packages)
  return `${[...parts, SECOND, ...additions.map(table => render(table, 2))].map(part => part.trim()).join("\n\n")}\n`
}

function summary(rows: readonly Row[]): string {
  const verdicts = (Object.keys(VERDICTS) as Verdict[]).map(verdict => [
    `**${verdict}**`,
    `${rows.filter(row => row.verdict === verdict).length}`,
    VERDICTS[verdict],
  ])
  return render({ title: "Verdicts", columns: ["verdict", "rows", "means"], rows: verdicts }, 2)
}

function cellsOf({ cells, verdict, why }: Row): string[] {
  return [...cells, verdict === "same" ? verdict : `**${verdict}**`, why]
}

/** One row for all sockets of which the same is said. */
function bySockets(rows: readonly Row[], names: readonly string[]): Row[] {
  const alike = new Map<string, Row[]>()
  for (const row of rows) {
    const key = [row.cells[1], row.verdict, row.why].join("\n")
    alike.set(key, [...(alike.get(key) ?? []), row])
  }
  return [...alike.values()].map(group => {
    const [first] = group as [Row]
    const holders = group.map(({ id }) => id.slice(0, id.indexOf(".")))
    return { ...first, cells: [listOf(holders, names), first.cells[1]!] }
  })
}

/** One row for members that follow each other and of which the same is said; where nothing is said, each is on its own. */
function byMembers(rows: readonly Row[]): Row[] {
  const result: Row[] = []
  for (const row of rows) {
    const last = result.at(-1)
    if (row.why !== "" && row.why === last?.why && row.cells[0] === last.cells[0]) {
      const before = last.cells[1]!.replace(PROTECTED, "")
      result[result.length - 1] = { ...last, cells: [last.cells[0]!, `${before}, ${row.cells[1]}`] }
    } else result.push(row)
  }
  return result
}
