/** Who wants which topics, against a set of topics for each pipe (29/PUBSUB). */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Pipe } from "../../src/pipe/pipe.js"
import { Subscriptions } from "../../src/pipe/subscriptions.js"
import { toHex } from "../support/link.js"
import { createPipe, text, words } from "./pipes.js"

const topic = fc.array(fc.constantFrom(0, 1), { maxLength: 4 }).map(bytes => Uint8Array.from(bytes))
const step = fc.record({
  op: fc.constantFrom("add", "add", "add", "remove", "remove all", "forget"),
  which: fc.nat(3),
  topic,
})

describe("subscriptions", () => {
  it("are a set of topics for each pipe", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.array(topic, { minLength: 1, maxLength: 6 }),
        (steps, frames) => {
          const pipes = Array.from({ length: 4 }, () => createPipe())
          const subscriptions = new Subscriptions()
          const model = new Map<Pipe, Set<string>>(pipes.map(pipe => [pipe, new Set()]))
          const holders = (topic: string) => pipes.filter(pipe => model.get(pipe)!.has(topic)).length
          for (const { op, which, topic } of steps) {
            const pipe = pipes[which]!
            const own = model.get(pipe)!
            const key = toHex(topic)
            if (op === "add") {
              const bytes = topic.slice()
              expect(subscriptions.add(pipe, bytes)).toEqual({ first: holders(key) === 0, own: !own.has(key) })
              bytes.fill(7)
              own.add(key)
            } else if (op === "remove") {
              const had = own.delete(key)
              expect(subscriptions.remove(pipe, topic)).toEqual({ last: had && holders(key) === 0, own: had })
            } else if (op === "forget") {
              subscriptions.forget(pipe)
              own.clear()
            } else {
              const removed = subscriptions.removeAll(pipe).map(({ topic, last }) => `${toHex(topic)} ${last}`)
              const expected = [...own].map(key => `${key} ${holders(key) === 1}`)
              own.clear()
              expect(removed.sort()).toEqual(expected.sort())
            }
            const topics = new Set([...model.values()].flatMap(own => [...own]))
            expect(subscriptions.size).toBe(topics.size)
            for (const pipe of pipes) {
              const own = [...model.get(pipe)!]
              const bytes = own.reduce((sum, key) => sum + key.length / 2, 0)
              expect(subscriptions.countOf(pipe)).toEqual({ topics: own.length, bytes })
              expect(subscriptions.has(pipe, topic)).toBe(own.includes(key))
            }
            for (const frame of frames) {
              const matched: Pipe[] = []
              subscriptions.match(frame, matched)
              const expected = pipes.filter(pipe => [...model.get(pipe)!].some(topic => toHex(frame).startsWith(topic)))
              expect(matched).toHaveLength(expected.length)
              expect(new Set(matched)).toEqual(new Set(expected))
            }
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  it("match a pipe once, although several of its topics fit", () => {
    const subscriptions = new Subscriptions()
    const [one, other] = [createPipe(), createPipe()]
    for (const topic of ["", "a", "ab", "abc"]) subscriptions.add(one, text(topic))
    subscriptions.add(other, text("abc"))
    const matched: Pipe[] = []
    subscriptions.match(text("abcd"), matched)
    expect(new Set(matched)).toEqual(new Set([one, other]))
    expect(matched).toHaveLength(2)
  })

  it("append to what was found before", () => {
    const subscriptions = new Subscriptions()
    const [one, other] = [createPipe(), createPipe()]
    subscriptions.add(one, text("a"))
    const matched = [other]
    subscriptions.match(text("a"), matched)
    expect(matched).toEqual([other, one])
  })

  it("of a pipe that leaves are named once, and gone", () => {
    const subscriptions = new Subscriptions()
    const [one, other] = [createPipe(), createPipe()]
    for (const topic of ["a", "a", "b"]) subscriptions.add(one, text(topic))
    subscriptions.add(other, text("b"))
    subscriptions.add(one, text("c"))
    subscriptions.remove(one, text("c"))
    const removed = subscriptions.removeAll(one).map(({ topic, last }) => `${words(topic)} ${last}`)
    expect(removed.sort()).toEqual(["a true", "b false"])
    expect(subscriptions.removeAll(one)).toEqual([])
    expect(subscriptions.add(one, text("a"))).toEqual({ first: true, own: true })
  })

  it("of a pipe that departs go one at a time, whatever becomes of the others' meanwhile", () => {
    const subscriptions = new Subscriptions()
    const [one, other, third] = [createPipe(), createPipe(), createPipe()]
    for (const topic of ["a", "b", "c", "d"]) subscriptions.add(one, text(topic))
    for (const topic of ["b", "x", "y", "z", "xy", "xz", "yz"]) subscriptions.add(other, text(topic))
    const departure = subscriptions.depart(one)
    const gone = [departure.next().value!]
    expect(subscriptions.size).toBe(9)
    subscriptions.forget(other)
    expect(subscriptions.add(third, text("d"))).toEqual({ first: false, own: true })
    gone.push(...departure)
    expect(gone.map(({ topic, last }) => `${words(topic)} ${last}`).sort()).toEqual([
      "a true",
      "b true",
      "c true",
      "d false",
    ])
    expect(subscriptions.size).toBe(1)
    expect(subscriptions.has(third, text("d"))).toBe(true)
  })
})
