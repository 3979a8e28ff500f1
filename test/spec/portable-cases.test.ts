/**
 * Holds the list of libzmq's cases to the tests: each is shown by tests that are there and run over the transports that it
 * names, or says why it is not. Files are read, not run, so titles are looked for as they are written.
 */
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { describe, expect, it } from "vitest"
import { type Transport, transports, wired } from "../support/endpoints.js"
import { CASES, type Case } from "./portable-cases.js"

const LAST = 125

const nameOf = ({ number, part }: Case) => [number, part].filter(one => one !== undefined).join(" ")

/** A test as it is written, and the heads of the describes that it stands in. */
interface Written {
  heads: string
  text: string
}

const testsOf = new Map<string, Map<string, Written[]>>()

/** The tests of a file by their titles. */
function read(file: string): Map<string, Written[]> {
  const known = testsOf.get(file)
  if (known !== undefined) return known
  const tests = new Map<string, Written[]>()
  testsOf.set(file, tests)
  const path = fileURLToPath(new URL(`../${file}.test.ts`, import.meta.url))
  if (!existsSync(path)) return tests
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true)
  const visit = (node: ts.Node, heads: string): void => {
    let inner = heads
    if (ts.isCallExpression(node)) {
      const [title] = node.arguments
      const called = rootOf(node)
      if (called === "describe") inner += `${node.expression.getText()} ${title?.getText()} `
      if (called === "it" && title !== undefined && ts.isStringLiteral(title)) {
        tests.set(title.text, [...(tests.get(title.text) ?? []), { heads, text: node.getText() }])
      }
    }
    ts.forEachChild(node, child => visit(child, inner))
  }
  visit(source, "")
  return tests
}

/** What is called in the end: `it` of `it.skipIf(...).each(...)(...)`. */
function rootOf(call: ts.CallExpression): string {
  let callee: ts.Expression = call.expression
  while (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) callee = callee.expression
  return callee.getText()
}

/** The transports that a test runs over, by what its lines and the heads of its describes say. */
function transportsOf({ heads, text }: Written): Transport[] {
  const lines = `${heads}\n${text}`
  if (/\beach\(transports\)/.test(lines)) return [...transports]
  if (/\beach\(wired\)/.test(lines)) return [...wired]
  return transports.filter(transport => new RegExp(`\\b${transport}\\b`, "i").test(lines))
}

describe("the cases of libzmq's own tests", () => {
  it(`are all there, from 1 to ${LAST}, each with a name of its own`, () => {
    const numbers = new Set(CASES.map(({ number }) => number))
    for (let number = 1; number <= LAST; number++) expect(numbers).toContain(number)
    const names = CASES.map(nameOf)
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })

  it.each(CASES.map(one => [nameOf(one), one] as const))("%s is shown, or says why not", (_, one) => {
    const reasons = [one.shown, one.later, one.notPortable].filter(reason => reason !== undefined)
    expect(reasons, "one of shown, later and notPortable").toHaveLength(1)
    const over = new Set<Transport>()
    for (const [file, title] of one.shown ?? []) {
      const written = read(file).get(title)
      expect(written, `no test of test/${file}.test.ts has the title "${title}"`).toBeDefined()
      for (const test of written!) {
        expect(test.text, "is skipped").not.toMatch(/^it\.(skip|todo|fails)\b/)
        for (const transport of transportsOf(test)) over.add(transport)
      }
    }
    expect([...over], "transports of its tests").toEqual(expect.arrayContaining([...(one.over ?? [])]))
  })
})
