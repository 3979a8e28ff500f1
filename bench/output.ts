/** Where a bench puts what it found: a line on the terminal while it runs, and files in `bench/results`. */

import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { packageRoot } from "./environment.js"

/** One line that is written over, where there is somebody to look at it. */
export function progress(note: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${note}`)
}

/** Returns where it is, as seen from the package. */
export function writeResult(name: string, content: string): string {
  const folder = join(packageRoot, "bench", "results")
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), content)
  return `bench/results/${name}`
}

export function jsonOf(record: object): string {
  return `${JSON.stringify(record, null, 2)}\n`
}
