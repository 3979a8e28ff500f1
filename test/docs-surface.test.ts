/**
 * docs/surface.md lists what `zeromq` has and what Peerlane has for it. This makes the page anew and compares; after a
 * change of either, `UPDATE_DOCS=1 npx vitest run test/docs-surface.test.ts` writes it. The other tests hold the page to
 * what is there when a program runs, and the notes to what the types say.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { afterAll, describe, expect, it } from "vitest"
import * as theirs from "zeromq"
import * as theirDraft from "zeromq/draft.js"
import * as ourDraft from "../patterns/draft/index.js"
import * as ours from "../patterns/index.js"
import { OPTIONS, type OptionRow } from "../src/options.js"
import { additionsOf } from "./support/surface/additions.js"
import { NOTES } from "./support/surface/notes.js"
import { isValue } from "./support/surface/packages.js"
import { pageOf } from "./support/surface/page.js"
import { Sides, sectionsOf } from "./support/surface/surface.js"
import { UNEXPLAINED } from "./support/surface/verdict.js"

const page = fileURLToPath(new URL("../docs/surface.md", import.meta.url))
const sides = new Sides()
const sections = sectionsOf(sides)
const rows = sections.flatMap(({ rows }) => rows)
const modules: Record<string, Record<string, unknown>> = { peerlane: ours, "peerlane/draft": ourDraft }

it("docs/surface.md says what the declarations, the options and the notes say", () => {
  const text = pageOf(sides, sections)
  if (process.env.UPDATE_DOCS === "1") writeFileSync(page, text)
  expect(readFileSync(page, "utf8"), "UPDATE_DOCS=1 npx vitest run test/docs-surface.test.ts").toBe(text)
})

describe("the table", () => {
  it("has all that can be imported from zeromq when a program runs", () => {
    const known = new Set(rows.map(({ id }) => id))
    const imported = [...Object.keys(theirs), ...Object.keys(theirDraft)]
    const isNode = (name: string) => name === "default" || name === "module.exports" || name === "__esModule"
    expect(imported.filter(name => !known.has(name) && !isNode(name))).toEqual([])
    expect(imported).toEqual(expect.arrayContaining(["Push", "curveKeyPair", "Server"]))
  })

  it("knows every row by a name of its own", () => {
    const ids = rows.map(({ id }) => id)
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
  })

  it("differs nowhere without saying how", () => {
    expect(rows.filter(({ why }) => why === UNEXPLAINED).map(({ id }) => id)).toEqual([])
  })

  it("calls no option the same, or better, that is refused or only stored", () => {
    const verdicts = new Map(rows.map(({ id, verdict }) => [id, verdict]))
    for (const [name, { stored, refused }] of Object.entries(OPTIONS) as [string, OptionRow][]) {
      const verdict = verdicts.get(`option ${name}`)
      if (stored) expect([undefined, "stored only"], name).toContain(verdict)
      else if (refused) expect([undefined, "refused for now", "out"], name).toContain(verdict)
    }
    expect(verdicts.get("option affinity")).toBe("stored only")
    expect(verdicts.get("option gssapiServer")).toBe("out")
    expect(verdicts.get("option linger")).toBe("same")
    expect(verdicts.get("zeromq/v5-compat")).toBe("out")
  })

  it("says what Peerlane adds in words", () => {
    const silent = additionsOf(sides.packages).flatMap(({ rows }) => rows.filter(cells => cells.at(-1) === ""))
    expect(silent).toEqual([])
  })
})

describe("what is there by its types", () => {
  const opened: ours.Socket[] = []
  afterAll(() => Promise.all(opened.map(socket => socket.close())))

  const sockets = sides.sockets.filter(({ ours }) => ours !== undefined)

  it.each(sockets.map(pair => [pair.name, pair] as const))("is there when a program runs: %s", (name, pair) => {
    const Class = modules[pair.entry.ourName]![name] as new () => ours.Socket
    const socket = new Class()
    opened.push(socket)
    expect(absent(pair, socket)).toEqual([])
  })

  it("is there when a program runs: Context, Observer, Proxy", () => {
    const socket = new ours.Pair()
    opened.push(socket)
    const made: Record<string, object> = {
      Context: ours.context,
      Observer: socket.events,
      Proxy: new ours.Proxy(socket, socket),
    }
    const pairs = sides.named(...Object.keys(made))
    expect(pairs).toHaveLength(3)
    for (const pair of pairs) expect(absent(pair, made[pair.name]!), pair.name).toEqual([])
  })

  it("is exported when a program imports it", () => {
    for (const { ourName, theirs, ours: own } of sides.packages.entries) {
      const both = [...own.values()].filter(symbol => isValue(symbol) && theirs.has(symbol.name))
      expect(Object.keys(modules[ourName]!), ourName).toEqual(expect.arrayContaining(both.map(({ name }) => name)))
    }
  })

  /** Public members that both have by their types, and the object has not. */
  function absent({ theirs, ours: own }: (typeof sockets)[number], object: object): string[] {
    const { packages } = sides
    const has = packages.membersOf(packages.declared(own!))
    return [...packages.membersOf(packages.declared(theirs)).values()]
      .filter(({ name, isProtected }) => !isProtected && has.has(name))
      .map(({ name }) => name)
      .filter(name => !((name === "[Symbol.asyncIterator]" ? Symbol.asyncIterator : name) in object))
  }
})

describe("notes", () => {
  const notes = Object.entries(NOTES)

  it("are about rows that are there", () => {
    const used = new Set(rows.map(({ note }) => note))
    expect(notes.filter(([id]) => !used.has(id)).map(([id]) => id)).toEqual([])
  })

  it("say nothing that the types deny", () => {
    const wrong = rows.filter(({ note, present, fits }) => {
      if (note === undefined) return false
      const { verdict, seen = false } = NOTES[note]!
      const isGone = verdict === "out" || verdict === "refused for now"
      return isGone ? present && fits : !present || fits === seen
    })
    expect(wrong.map(({ id }) => id)).toEqual([])
  })

  it("leave to the table of options what that says", () => {
    expect(notes.filter(([, { verdict }]) => verdict === "stored only" || verdict === "missing")).toEqual([])
  })

  it.each(notes)("name what exists: %s", (_, { why }) => {
    const words = [...why.matchAll(/`([^`]+)`/g)].map(([, span]) => span!)
    // Endpoints, and programs, are no names.
    const names = words.filter(word => !/:\/\/|^import /.test(word)).map(word => word.replace(/\(\)$/, ""))
    expect(names.filter(name => !exists(name))).toEqual([])
  })

  const vocabulary = new Set<string>()
  for (const { theirs, ours: own } of sides.packages.entries) {
    for (const symbol of [...theirs.values(), ...own.values()]) {
      vocabulary.add(symbol.name)
      for (const name of sides.packages.membersOf(sides.packages.declared(symbol)).keys()) vocabulary.add(name)
    }
  }
  for (const { id } of rows) vocabulary.add(id.replace(/^\w+ /, ""))

  /** A name of an export, a member, an option, an event; or the code of an error. */
  function exists(name: string): boolean {
    return vocabulary.has(name) || (/^E[A-Z]+$/.test(name) && new ours.ZmqError(name).errno !== 0)
  }
})
