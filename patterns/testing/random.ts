/**
 * Chance from a seed: sfc32, a small generator that passes the usual batteries, in streams. A fork is a stream of its own, made
 * of its parent's seed and a label and of nothing that was drawn, so that one more draw in one place changes no other.
 */

export interface Random {
  /** 0 <= x < 1. */
  (): number
  /** A stream of its own; the same label gives the same one. */
  fork(label: string): Random
  /** A whole number, 0 <= x < limit. */
  below(limit: number): number
  /** from <= x < to. */
  between(from: number, to: number): number
  /** True with this probability. */
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
}

/** Draws after which every bit of the seed has reached every bit of the state. */
const WARM_UP = 12

export function createRandom(seed: string): Random {
  const state = stateOf(seed)
  const draw = () => next(state)
  for (let turn = 0; turn < WARM_UP; turn++) draw()
  return Object.assign(draw, {
    fork: (label: string) => createRandom(`${seed}/${label}`),
    below: (limit: number) => Math.floor(next(state) * limit),
    between: (from: number, to: number) => from + next(state) * (to - from),
    chance: (probability: number) => next(state) < probability,
    pick: <T>(list: readonly T[]) => list[Math.floor(next(state) * list.length)] as T,
  })
}

function next(state: Int32Array): number {
  const a = state[0]!
  const b = state[1]!
  const c = state[2]!
  const d = state[3]!
  const result = (((a + b) | 0) + d) | 0
  state[0] = b ^ (b >>> 9)
  state[1] = (c + (c << 3)) | 0
  state[2] = (((c << 21) | (c >>> 11)) + result) | 0
  state[3] = (d + 1) | 0
  return (result >>> 0) / 0x100000000
}

/** Four words of a text, each of which depends on all of it. */
function stateOf(seed: string): Int32Array {
  const state = Int32Array.of(0x3c6ef372, 0x1b873593, 0x85ebca6b, 0x27d4eb2f)
  for (let at = 0; at < seed.length; at++) {
    const unit = seed.charCodeAt(at)
    for (let word = 0; word < 4; word++) {
      const mixed = Math.imul(state[word]! ^ unit ^ (word << 16), 0x9e3779b1 + 2 * word)
      state[word] = mixed ^ (mixed >>> 15) ^ (state[(word + 3) & 3]! << 5)
    }
  }
  return state
}
