/** The ring against a plain array. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Ring } from "../../src/pipe/ring.js"

/** `push` so many, `shift` so many, or drop all. Large steps make it grow, wrap around and give its memory back. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant("push" as const), count: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant("shift" as const), count: fc.integer({ min: 1, max: 40 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant("push" as const), count: fc.integer({ min: 1000, max: 6000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant("shift" as const), count: fc.integer({ min: 1000, max: 6000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("clear" as const), count: fc.constant(1) }) },
)

describe("a ring", () => {
  it("is a first-in first-out list", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        const ring = new Ring<number>()
        let model: number[] = []
        let next = 0
        for (const { op, count } of steps) {
          if (op === "clear") {
            ring.clear()
            model = []
          } else if (op === "push") {
            for (let i = 0; i < count; i++) {
              model.push(next)
              ring.push(next++)
            }
          } else {
            const expected = model.splice(0, count)
            const shifted = Array.from({ length: count }, () => ring.shift())
            expect(shifted.slice(0, expected.length)).toEqual(expected)
            expect(shifted.slice(expected.length).every(item => item === undefined)).toBe(true)
          }
          expect(ring.length).toBe(model.length)
          expect(ring.first()).toBe(model[0])
        }
      }),
      { numRuns: 100 },
    )
  })

  it("that is empty has nothing, before and after its first item", () => {
    const ring = new Ring<string>()
    expect([ring.length, ring.first(), ring.shift()]).toEqual([0, undefined, undefined])
    ring.push("a")
    expect([ring.length, ring.first(), ring.shift(), ring.shift(), ring.length]).toEqual([1, "a", "a", undefined, 0])
  })

  it("does not hold on to what was taken", async () => {
    const ring = new Ring<object>()
    for (let i = 0; i < 20; i++) ring.push({ i })
    while (ring.shift() !== undefined);
    const slots = (ring as unknown as { slots: unknown[] }).slots
    expect(slots.every(slot => slot === undefined)).toBe(true)
  })

  it("that grew large gives its memory back when it runs empty", () => {
    const ring = new Ring<number>()
    for (let i = 0; i < 10_000; i++) ring.push(i)
    for (let i = 0; i < 10_000; i++) expect(ring.shift()).toBe(i)
    expect((ring as unknown as { slots: unknown }).slots).toBeNull()
    ring.push(1)
    expect(ring.shift()).toBe(1)
  })
})
