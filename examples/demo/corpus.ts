/**
 * The corpus: the text and source files under the project's own folder, node_modules included, so that there is
 * plenty of real data and nothing to download. Hidden folders, what the build and the bench write, and files beyond
 * 1 MiB are left out. The list is sorted: every run on the same tree sends the same files in the same order.
 */
import { readdirSync, readFileSync, statSync } from "node:fs"
import { extname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** The project's folder, seen from dist/examples/demo. */
const root = fileURLToPath(new URL("../../../", import.meta.url))

const textFile = new Set(
  ".ts .mts .cts .js .mjs .cjs .json .map .md .txt .c .cc .h .py .sh .yml .yaml .html .css".split(" "),
)
const leftOut = new Set(["dist", "coverage", "results"])
const largest = 1024 * 1024

/** Paths of the corpus, relative to the project's folder; with a limit, so many of them, evenly spread. */
export function listCorpus(limit = Number.POSITIVE_INFINITY): string[] {
  const paths = [...walk("")].sort()
  if (paths.length <= limit) return paths
  return Array.from({ length: limit }, (_, i) => paths[Math.floor((i * paths.length) / limit)]!)
}

export const readCorpusFile = (path: string): Buffer => readFileSync(join(root, path))

function* walk(folder: string): Generator<string> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`
    const installed = folder.startsWith("node_modules")
    if (entry.name.startsWith(".") || (!installed && leftOut.has(entry.name))) continue
    if (entry.isDirectory()) yield* walk(path)
    else if (entry.isFile() && textFile.has(extname(path)) && statSync(join(root, path)).size <= largest) yield path
  }
}
