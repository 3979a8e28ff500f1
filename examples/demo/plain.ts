/**
 * The plain count: one process, no sockets, a loop over the files. What the pipeline found is held against it.
 */
import { setImmediate } from "node:timers/promises"
import { readCorpusFile } from "./corpus.js"
import { checksumLine, combine, countText } from "./count.js"
import type { Totals } from "./protocol.js"

/** Counts these files once; the sums and the checksum are those of so many passes over them. */
export async function countPlainly(paths: string[], passes: number, signal: AbortSignal): Promise<Totals> {
  const once = { words: 0, lines: 0, bytes: 0 }
  const lines: string[] = []
  for (const [i, path] of paths.entries()) {
    if (i % 100 === 0) await setImmediate(undefined, { signal }) // lets Ctrl-C through
    const { words, lines: newlines, bytes, sha1 } = countText(readCorpusFile(path))
    once.words += words
    once.lines += newlines
    once.bytes += bytes
    lines.push(checksumLine(path, sha1))
  }
  return {
    files: paths.length * passes,
    words: once.words * passes,
    lines: once.lines * passes,
    bytes: once.bytes * passes,
    checksum: combine(Array.from({ length: passes }, () => lines).flat()),
  }
}
