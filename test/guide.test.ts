/**
 * The guide, held to what it says. Each `ts` block of docs/guide/ is a program of its own: it is compiled as strictly as
 * Peerlane itself, in a folder where `peerlane` is an installed package, and zod, and run; what it prints must be the `text` block
 * that follows it. Programs are padded with empty lines, so that the lines in errors are those of the page. A block that
 * is not to be run has another tag. Needs `npm run build`.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { compile, LIMIT, type Outcome, programFolder, runAll } from "./support/programs.js"

const root = fileURLToPath(new URL("..", import.meta.url))
const guide = join(root, "docs", "guide")

interface Block {
  tag: string
  text: string
  /** The line of the page on which its first line is, from 1. */
  line: number
}

interface Program extends Block {
  /** `docs/guide/pair.md:12`, for messages. */
  where: string
  /** Its file in the folder, without the ending. */
  name: string
  /** What it should print; null when the page does not say. */
  expected: string | null
}

function blocksOf(page: string): Block[] {
  const blocks: Block[] = []
  let open: (Block & { lines: string[] }) | null = null
  for (const [index, line] of page.split("\n").entries()) {
    const [, tag] = /^```(\S*)$/.exec(line) ?? []
    if (tag === undefined) open?.lines.push(line)
    else if (open === null) open = { tag, text: "", lines: [], line: index + 2 }
    else {
      blocks.push({ tag: open.tag, text: `${open.lines.join("\n")}\n`, line: open.line })
      open = null
    }
  }
  if (open !== null) throw new Error(`the block at line ${open.line - 1} has no end`)
  return blocks
}

function programsOf(file: string, page: string): Program[] {
  const blocks = blocksOf(page)
  return blocks.flatMap((block, index) => {
    if (block.tag !== "ts") return []
    const next = blocks[index + 1]
    const expected = next?.tag === "text" ? next.text : null
    const where = `docs/guide/${file}:${block.line}`
    return [{ ...block, where, name: `${basename(file, ".md")}-${block.line}`, expected }]
  })
}

/** Writes and compiles all programs. Returns what is wrong, by the name of the program. */
function compileAll(folder: string, programs: Program[]): Map<string, string[]> {
  const files = programs.map(({ name }) => join(folder, `${name}.ts`))
  for (const [index, { line, text }] of programs.entries()) {
    writeFileSync(files[index]!, "\n".repeat(line - 1) + text)
  }
  const wrong = new Map<string, string[]>()
  for (const { file, line, text } of compile(folder, files)) {
    const name = basename(file, ".ts")
    const page = name.replace(/-\d+$/, ".md")
    wrong.set(name, [...(wrong.get(name) ?? []), `docs/guide/${page}:${line}: ${text}`])
  }
  return wrong
}

const pages = new Map(
  readdirSync(guide)
    .filter(file => file.endsWith(".md"))
    .map(file => [file, readFileSync(join(guide, file), "utf8")]),
)
const programs = [...pages].flatMap(([file, page]) => programsOf(file, page))

describe("the programs of the guide", () => {
  let folder = ""
  let wrong = new Map<string, string[]>()
  let runs = new Map<string, Promise<Outcome>>()

  beforeAll(() => {
    folder = programFolder(["zod"])
    wrong = compileAll(folder, programs)
    const right = programs.filter(({ name }) => !wrong.has(name))
    runs = runAll(right.map(({ name }) => join(folder, `${name}.js`)))
  }, 60_000)

  afterAll(async () => {
    await Promise.all(runs.values())
    rmSync(folder, { recursive: true, force: true })
  }, 2 * LIMIT)

  it("are there, on every page but the index", () => {
    const without = [...pages.keys()].filter(file => !programs.some(({ where }) => where.includes(`/${file}:`)))
    expect(without).toEqual(["README.md"])
  })

  const cases = programs.map(program => [program.where, program] as const)
  it.each(cases)("%s", { timeout: programs.length * LIMIT }, async (where, { name, expected }) => {
    expect(wrong.get(name) ?? [], `${where} does not compile`).toEqual([])
    if (expected === null) throw new Error(`${where}: no text block follows that says what it prints`)
    const { output, errors, end } = (await runs.get(join(folder, `${name}.js`)))!
    expect(errors, `${where} says something on stderr`).toBe("")
    expect(end, `${where} does not end well; it printed:\n${output}`).toBe(0)
    expect(output, `${where} prints something else`).toBe(expected)
  })
})

it.each([...pages])("the links of docs/guide/%s lead somewhere", (file, page) => {
  const links = [...page.matchAll(/\]\((?!https?:)([^)#]*)[^)]*\)/g)].map(([, to]) => to!)
  expect(links.filter(to => !existsSync(join(dirname(join(guide, file)), to)))).toEqual([])
})
