/** How a row of the table comes to its verdict: from the types, from the table of options, or from a note. */
import type { OptionRow } from "../../../src/options.js"
import { NOTES, type Note, type Verdict } from "./notes.js"
import { code } from "./table.js"

export interface Row {
  /** By which notes are about it: `option noDrop`, `Socket.close`. */
  readonly id: string
  /** The cells that say what it is. */
  readonly cells: readonly string[]
  readonly verdict: Verdict
  readonly why: string
  /** Peerlane has it, by its types. */
  readonly present: boolean
  /** And it can stand in for theirs, as far as the compiler can tell. */
  readonly fits: boolean
  /** The note that it goes by, which may be that of an interface. */
  readonly note: string | undefined
}

interface Subject extends Pick<Row, "id" | "cells" | "present" | "fits"> {
  /** Whose note holds when there is none of its own. */
  readonly like?: string
  /** What the table of options, or the text above a declaration, says already. */
  readonly told?: Note | undefined
}

/** What a row says when its types differ and nothing tells why. The test of the table allows none. */
export const UNEXPLAINED = "by its type, and no note says why"

/** What is told comes first: a note must not hide that something is only stored, or refused, or missing in part. */
export function judge({ like, told, ...subject }: Subject): Row {
  const { id, present, fits } = subject
  const noted =
    told === undefined ? [id, like].find(name => name !== undefined && NOTES[name] !== undefined) : undefined
  const note = noted === undefined ? told : NOTES[noted]
  if (note !== undefined && (present || note.verdict === "out" || note.verdict === "refused for now")) {
    return { ...subject, verdict: note.verdict, why: note.why, note: noted }
  }
  if (!present) return { ...subject, verdict: "missing", why: "", note: undefined }
  return { ...subject, verdict: fits ? "same" : "differs", why: fits ? "" : UNEXPLAINED, note: undefined }
}

/** Of a whole, when parts of it are missing. */
export function partly(rows: readonly Row[]): Note | undefined {
  const missing = rows.filter(({ verdict }) => verdict === "missing").map(({ id }) => code(id.replace(/^\w+[. ]/, "")))
  return missing.length === 0 ? undefined : { verdict: "missing", why: `in part: ${missing.join(", ")}` }
}

/** Of what the table of options keeps or refuses. */
export function toldByOption(row: OptionRow | undefined): Note | undefined {
  if (row?.stored) return { verdict: "stored only", why: reason(row.doc) }
  if (!row?.refused) return undefined
  const isLater = row.doc.includes("not there yet")
  return { verdict: isLater ? "refused for now" : "out", why: `${reason(row.doc)}; a value is \`ENOTSUP\`` }
}

/** Of what is kept as the text above its declaration says. */
export function toldByDoc(doc: string): Note | undefined {
  const [, why] = /^(?:Kept|Taken), without effect: (.+)$/.exec(doc) ?? []
  return why === undefined ? undefined : { verdict: "stored only", why: reason(why) }
}

/** The first sentence, to stand in a table. */
function reason(doc: string): string {
  const sentence = doc.replace(/\.(?: .*)?$/, "")
  const begins = /^(?!Node\b)[A-Z][a-z]/.test(sentence)
  return begins ? sentence[0]!.toLowerCase() + sentence.slice(1) : sentence
}
