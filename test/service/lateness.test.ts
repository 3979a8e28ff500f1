/** How late a message is, by two clocks that need not agree. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Lateness } from "../../patterns/service/lateness.js"

const MINUTE = 60_000

describe("Lateness", () => {
  it("is by the fastest message so far, whatever the clocks say", () => {
    const lateness = new Lateness()
    expect(lateness.of(1_000_000, 0)).toBe(0)
    expect(lateness.of(1_001_000, 1005)).toBe(5)
    expect(lateness.of(1_002_000, 1990)).toBe(0)
    expect(lateness.of(1_003_000, 3000)).toBe(10)
    expect(lateness.of(1_004_000, 4500)).toBe(510)
  })

  it("is never below zero, and never more than the slowest is behind the fastest", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(10_000), fc.nat(30_000))), messages => {
        const lateness = new Lateness()
        const delays: number[] = []
        let at = 0
        for (const [pause, delay] of messages) {
          at += pause
          delays.push(delay)
          const late = lateness.of(at, at + delay)
          expect(late).toBeGreaterThanOrEqual(0)
          expect(late).toBeLessThanOrEqual(delay - Math.min(...delays))
        }
      }),
    )
  })

  it("forgets what was fastest longer ago than two minutes, so that a clock that is slower makes nothing late", () => {
    for (const every of [1000, MINUTE, 3 * MINUTE, 600 * MINUTE]) {
      const lateness = new Lateness()
      for (let at = 0; at < 1000 * every; at += every) {
        // One second in a thousand.
        const late = lateness.of(at - at / 1000, at)
        expect(late).toBeLessThanOrEqual((2 * MINUTE) / 1000 + 0.001)
      }
    }
  })
})
