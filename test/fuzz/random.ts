/**
 * Random numbers from one seed, so that a run that failed can be run again: mulberry32. A fuzz run takes `FUZZ_SEED` (the
 * time of day by default) and `FUZZ_RUNS`, and says on failure which seed to give.
 */

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 <= x < 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number, 0 <= x < below. */
  below(below: number): number {
    return Math.floor(this.next() * below)
  }

  /** True once in so many times. */
  once(inTimes: number): boolean {
    return this.below(inTimes) === 0
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  bytes(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => this.below(256))
  }

  text(size: number, alphabet: string): string {
    return Array.from({ length: size }, () => this.pick([...alphabet])).join("")
  }
}

/** A fuzz run that was made longer takes as long as it takes. */
export const fuzzing = { timeout: process.env.FUZZ_RUNS === undefined ? 60_000 : 0 }

/** Whether this is the run that everybody makes, of which it is known how many cases go one way and the other. */
export const isUsualRun = process.env.FUZZ_RUNS === undefined

/** Throws when something does not hold. It stands for `expect` where that would take most of the time. */
export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

/** Calls `run` with fresh random numbers, so many times; a failure names the seed that brings it back. */
export function fuzz(runs: number, run: (random: Random) => void): void {
  const times = isUsualRun ? runs : Number(process.env.FUZZ_RUNS)
  const first = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
  for (let seed = first; seed < first + times; seed++) {
    try {
      run(new Random(seed))
    } catch (cause) {
      throw new Error(`run again with FUZZ_SEED=${seed} FUZZ_RUNS=1: ${(cause as Error).message}`, { cause })
    }
  }
}

/** Changes bytes as faulty software and faulty people do: flips, cuts, repeats, swaps, and sizes that lie. */
export function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  const out = [...bytes]
  for (let times = 1 + random.below(6); times > 0; times--) {
    const at = random.below(out.length + 1)
    const length = random.below(Math.min(40, out.length - at + 1))
    switch (random.below(8)) {
      case 0:
        if (at < out.length) out[at]! ^= 1 << random.below(8)
        break
      case 1:
        if (at < out.length) out[at] = random.pick([0, 1, 2, 4, 6, 7, 0x7f, 0x80, 0xff])
        break
      case 2:
        out.splice(at, length)
        break
      case 3:
        out.splice(at, 0, ...random.bytes(length))
        break
      case 4:
        out.splice(at, 0, ...out.slice(at, at + length))
        break
      case 5:
        out.splice(at, 8, ...random.pick(SIZES))
        break
      case 6:
        out.splice(random.below(out.length + 1), 0, ...out.splice(at, length))
        break
      case 7:
        out.length = at
        break
    }
  }
  return Uint8Array.from(out)
}

/** Sizes of eight bytes that are worth trying. */
const SIZES = [
  [0x80, 0, 0, 0, 0, 0, 0, 0],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0, 0x20, 0, 0, 0, 0, 0, 0],
  [0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0, 0, 0, 1, 0, 0, 0, 0],
  [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
  [0, 0, 0, 0, 0, 0x10, 0, 1],
  [0, 0, 0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 3],
]
