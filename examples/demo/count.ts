/**
 * The work itself: a file's lines, bytes and words (runs of bytes between white space), much as `wc` counts them, its
 * checksum as `sha1sum` gives it, and how many files' checksums become one. The workers and the plain count both use
 * it; what differs is the way the files come and the results go.
 */
import { createHash } from "node:crypto"

export interface TextCount {
  words: number
  lines: number
  bytes: number
  sha1: string
}

const newline = 0x0a

export function countText(content: Buffer): TextCount {
  let words = 0
  let lines = 0
  let inWord = false
  for (const byte of content) {
    if (byte === newline) lines++
    const space = byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
    if (!space && !inWord) words++
    inWord = !space
  }
  return { words, lines, bytes: content.length, sha1: createHash("sha1").update(content).digest("hex") }
}

/** A checksum's line, as `sha1sum` prints it. */
export const checksumLine = (path: string, sha1: string): string => `${sha1}  ${path}\n`

/** One checksum over many files' lines, each in its place: a file lost, doubled or changed gives another one. */
export function combine(lines: Iterable<string | undefined>): string {
  const hash = createHash("sha1")
  for (const line of lines) hash.update(line ?? "missing\n")
  return hash.digest("hex")
}
