/** The trie of topics against a map of texts. 29/PUBSUB: a message matches a topic that its first frame begins with. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Trie } from "../../src/pipe/trie.js"
import { toHex } from "../support/link.js"
import { text, words } from "./pipes.js"

/** Topics of few letters, so that many of them share beginnings. */
const topic = fc.oneof(
  { weight: 8, arbitrary: fc.array(fc.constantFrom(0, 1, 255), { maxLength: 6 }).map(bytes => Uint8Array.from(bytes)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
)
const op = fc.record({
  op: fc.constantFrom("set", "set", "delete", "get"),
  topic,
  value: fc.integer({ min: 0, max: 3 }),
})

class Model {
  readonly values = new Map<string, number>()

  matches(frame: Uint8Array): number[] {
    const all = toHex(frame)
    return [...this.values].filter(([topic]) => all.startsWith(topic)).map(([, value]) => value)
  }
}

interface Node {
  value: unknown
  label: Uint8Array
  children: Map<number, Node> | null
}

/** All nodes of the tree below its root. */
function nodesOf(trie: Trie<number>): Node[] {
  const nodes: Node[] = []
  const visit = (node: Node) => {
    for (const child of node.children?.values() ?? []) {
      nodes.push(child)
      visit(child)
    }
  }
  visit((trie as unknown as { root: Node }).root)
  return nodes
}

function run(ops: { op: string; topic: Uint8Array; value: number }[], trie: Trie<number>, model: Model): void {
  for (const { op, topic, value } of ops) {
    const key = toHex(topic)
    if (op === "set") {
      const bytes = topic.slice()
      trie.set(bytes, value)
      bytes.fill(7) // a copy is kept
      model.values.set(key, value)
    } else if (op === "delete") {
      expect(trie.delete(topic)).toBe(model.values.delete(key))
    }
    expect(trie.get(topic)).toBe(model.values.get(key))
    expect(trie.size).toBe(model.values.size)
  }
}

describe("a trie", () => {
  it("holds topics and their values as a map does", () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 60 }), fc.array(topic, { maxLength: 10 }), (ops, others) => {
        const [trie, model] = [new Trie<number>(), new Model()]
        run(ops, trie, model)
        for (const other of [...others, ...ops.map(({ topic }) => topic)]) {
          expect(trie.get(other)).toBe(model.values.get(toHex(other)))
        }
        const entries = [...trie.entries()].map(([topic, value]) => [toHex(topic), value] as const)
        expect(entries).toHaveLength(model.values.size)
        expect(new Map(entries)).toEqual(model.values)
      }),
      { numRuns: 300 },
    )
  })

  it("finds all topics that a frame begins with, and none else", () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 40 }), fc.array(topic, { minLength: 1, maxLength: 15 }), (ops, frames) => {
        const [trie, model] = [new Trie<number>(), new Model()]
        run(ops, trie, model)
        for (const frame of frames) {
          const found: number[] = [42] // what is there stays
          trie.match(frame, found)
          expect(found.shift()).toBe(42)
          expect(found.sort()).toEqual(model.matches(frame).sort())
          expect(trie.matches(frame)).toBe(found.length > 0)
        }
      }),
      { numRuns: 300 },
    )
  })

  it("has a size that follows the number of its topics, also after deleting", () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 60 }), ops => {
        const [trie, model] = [new Trie<number>(), new Model()]
        run(ops, trie, model)
        const nodes = nodesOf(trie)
        expect(nodes.length).toBeLessThanOrEqual(2 * model.values.size)
        // A node without a value is there because ways part at it, and no edge is empty.
        for (const { value, label, children } of nodes) {
          expect(value !== undefined || (children?.size ?? 0) >= 2).toBe(true)
          expect(label.length).toBeGreaterThan(0)
        }
        for (const { topic } of ops) trie.delete(topic)
        expect(nodesOf(trie)).toEqual([])
        expect(trie.size).toBe(0)
      }),
      { numRuns: 200 },
    )
  })

  it("of the empty topic matches everything, an empty frame as well", () => {
    const trie = new Trie<string>()
    expect(trie.matches(text(""))).toBe(false)
    trie.set(text(""), "all")
    expect(trie.matches(text(""))).toBe(true)
    expect(trie.matches(text("anything"))).toBe(true)
    expect(trie.delete(text(""))).toBe(true)
    expect(trie.delete(text(""))).toBe(false)
    expect(trie.matches(text("anything"))).toBe(false)
  })

  it("hands out topics that nobody else holds", () => {
    const trie = new Trie<number>()
    for (const word of ["", "news", "newsletter", "new"]) trie.set(text(word), word.length)
    for (const [topic] of trie.entries()) topic.fill(0)
    expect([...trie.entries()].map(([topic]) => words(topic)).sort()).toEqual(["", "new", "news", "newsletter"])
  })

  it("holds many topics that are deep in each other", () => {
    const trie = new Trie<number>()
    const long = "x".repeat(2000)
    for (let length = 0; length <= 2000; length++) trie.set(text(long.slice(0, length)), length)
    const found: number[] = []
    trie.match(text(long), found)
    expect(found).toEqual(Array.from({ length: 2001 }, (_, length) => length))
    for (let length = 0; length <= 2000; length += 2) expect(trie.delete(text(long.slice(0, length)))).toBe(true)
    expect(trie.size).toBe(1000)
    expect(trie.get(text("xxx"))).toBe(3)
    expect(trie.get(text("xx"))).toBeUndefined()
  })
})
