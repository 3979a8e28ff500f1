/**
 * A REQ and a REP keep the event loop turning for a moment after they wrote: a bounded moment, which ends when something
 * comes, and of which fewer are held the more were in vain.
 */
import { describe, expect, it } from "vitest"
import { nodeRuntime } from "../../src/core/node-runtime.js"
import { Vigil } from "../../src/core/vigil.js"

/** A vigil on an event loop that turns when it is told to. */
function watched() {
  const turns: (() => void)[] = []
  const vigil = new Vigil({ ...nodeRuntime, later: callback => void turns.push(callback) })
  return {
    vigil,
    /** Lets the loop turn until nothing keeps it; returns how often it did. */
    turn(most = Number.POSITIVE_INFINITY): number {
      let count = 0
      for (; count < most && turns.length > 0; count++) turns.shift()?.()
      return count
    },
    /** Holds one moment in which nothing comes; whether the loop was kept at all. */
    inVain(): boolean {
      vigil.begin()
      return this.turn() > 0
    },
  }
}

describe("after a write, the loop", () => {
  it("is kept for a bounded number of turns", () => {
    const { vigil, turn } = watched()
    vigil.begin()
    expect(turn()).toBe(100)
  })

  it("is kept by one chain of turns, however many write", () => {
    const { vigil, turn } = watched()
    for (let i = 0; i < 10; i++) vigil.begin()
    expect(turn()).toBe(100)
  })

  it("is let go as soon as something comes", () => {
    const { vigil, turn } = watched()
    vigil.begin()
    turn(3)
    vigil.end()
    expect(turn()).toBeLessThanOrEqual(1)
  })

  it("is kept again for the next one, in the same chain", () => {
    const { vigil, turn } = watched()
    vigil.begin()
    turn(3)
    vigil.end()
    vigil.begin()
    expect(turn()).toBeGreaterThanOrEqual(99)
  })
})

describe("moments in vain", () => {
  it("make it skip 1, 2, 4, up to 64 of those that follow", () => {
    const loop = watched()
    const gaps: number[] = []
    let gap = 0
    for (let i = 0; i < 400; i++) {
      if (loop.inVain()) {
        gaps.push(gap)
        gap = 0
      } else gap++
    }
    expect(gaps.slice(0, 9)).toEqual([0, 1, 2, 4, 8, 16, 32, 64, 64])
  })

  it("are forgiven by one in which something comes", () => {
    const loop = watched()
    for (let held = 0; held < 5; ) if (loop.inVain()) held++
    let skipped = 0
    for (loop.vigil.begin(); loop.turn(1) === 0; loop.vigil.begin()) skipped++
    expect(skipped).toBe(16)
    loop.vigil.end()
    loop.turn()
    expect([loop.inVain(), loop.inVain(), loop.inVain()]).toEqual([true, false, true])
  })
})
