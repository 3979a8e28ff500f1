/**
 * The loop of the fuzzers. A target takes any bytes and holds its invariant, or throws. Inputs are made from a corpus (seeds that
 * our own engines produce, and files of `corpus/<target>/`, where crashers go) by one seeded source of chance, so that a
 * run can be made again. Between two inputs a healthy pair of engines exchanges a message, which has to arrive.
 */
import { createHash } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { engineOptions, Link } from "../support/link.js"
import { check, mutate, Random } from "./random.js"

export interface Target {
  readonly name: string
  /** What holds for any input, in a sentence. */
  readonly invariant: string
  /** Valid inputs to begin with. */
  seeds(): readonly Uint8Array[]
  /** Throws when the invariant does not hold; returns how it ended, such as the code of a fault. What it does depends on the input alone. */
  run(input: Uint8Array): string
}

export interface Figures {
  inputs: number
  /** How inputs ended, and how many did so. */
  readonly outcomes: Map<string, number>
}

const CORPUS = "test/fuzz/corpus"
/** Longer inputs are cut. */
const LONGEST = 16_384

/** Files of the corpus of a target: the crashers, and whatever else was found worth keeping. */
function kept(target: Target): Uint8Array[] {
  const folder = join(CORPUS, target.name)
  mkdirSync(folder, { recursive: true })
  return readdirSync(folder)
    .sort()
    .map(file => new Uint8Array(readFileSync(join(folder, file))))
}

/** Puts an input into the corpus of its target; returns the name of the file. */
export function keep(target: Target, input: Uint8Array, kind: "crash" | "seed"): string {
  const folder = join(CORPUS, target.name)
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${kind}-${createHash("sha256").update(input).digest("hex").slice(0, 12)}.bin`)
  writeFileSync(file, input)
  return file
}

/** A connection that nobody attacks. */
class HealthyPair {
  private readonly link = new Link(engineOptions("PUSH"), engineOptions("PULL"))
  private sent = 0

  constructor() {
    this.link.settle()
    this.link.right.events.length = 0
  }

  exchange(): void {
    this.link.left.engine.encode([Uint8Array.of(this.sent++ & 0xff)])
    this.link.settle()
    const { messages, events, faults } = this.link.right
    check(messages.length === 1 && faults.length === 0, "the healthy pair was disturbed")
    check(messages[0]?.[0]?.[0] === ((this.sent - 1) & 0xff), "the healthy pair got another message")
    messages.length = 0
    events.length = 0
  }
}

/** Runs all of the corpus, then inputs made from it until `enough` says so. A failure puts its input into the corpus. */
export function fuzzTarget(target: Target, seed: number, enough: (inputs: number) => boolean): Figures {
  const random = new Random(seed)
  const corpus = [...target.seeds(), ...kept(target)]
  const pair = new HealthyPair()
  const figures: Figures = { inputs: 0, outcomes: new Map() }
  const one = (input: Uint8Array) => {
    try {
      const outcome = target.run(input)
      figures.outcomes.set(outcome, (figures.outcomes.get(outcome) ?? 0) + 1)
      pair.exchange()
    } catch (cause) {
      const file = keep(target, input, "crash")
      throw new Error(`${target.name}, seed ${seed}: ${(cause as Error).message} (${file})`, { cause })
    }
    figures.inputs++
  }
  for (const input of corpus) one(input)
  while (!enough(figures.inputs)) one(next(random, corpus))
  return figures
}

/** One input of the corpus, changed; or two of them, one's head before the other's tail. */
function next(random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  const first = random.pick(corpus)
  const second = random.pick(corpus)
  const base = random.once(4)
    ? Buffer.concat([
        first.subarray(0, random.below(first.length + 1)),
        second.subarray(random.below(second.length + 1)),
      ])
    : first
  return mutate(random, base.subarray(0, LONGEST)).subarray(0, LONGEST)
}
