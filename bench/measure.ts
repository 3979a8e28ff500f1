/**
 * How a measurement is taken. A case is one question at one size and transport; its contenders take turns, one run
 * each, as often as asked for, so that what else the machine does falls on all alike. Each run is a set of fresh
 * processes. A first run that is thrown away tells how many messages fill the time a run shall take, and every run
 * tells it to the next one.
 */

import type { EngineName } from "./engine.js"
import type { Loop } from "./reports.js"

export type Question = "push-pull" | "req-rep" | "pub-sub" | "router-memory" | "proxy" | "threads" | "curve"

/** What one run came to: a value for each metric of its case, and the rate that the next run is scaled by. */
export interface Sample {
  values: Record<string, number>
  perSecond: number
}

/** The engines and questions are those of `run.ts`, unless a bench has its own. */
export interface Contender<Engine extends string = EngineName> {
  engine: Engine
  loop?: Loop
  /** Where it is measured with several. */
  library?: string
  label: string
  /** One run of about that many messages. */
  run(count: number): Promise<Sample>
}

export interface Metric {
  name: string
  unit: "/s" | "µs" | "B" | "s"
}

export interface Case<Engine extends string = EngineName, Asked extends string = Question> {
  question: Asked
  /** Names the case within its question: "tcp 16". */
  key: string
  title: string
  /** The first one is what ratios are made of. */
  metrics: Metric[]
  contenders: Contender<Engine>[]
  /** Body size where the rate is also shown in bytes. */
  size?: number
  /** Messages in the first run, or in every run where there is nothing to scale. */
  firstCount: number
  scaled: boolean
  /** No more runs than that, where one tells enough for the time it takes. */
  maxRuns?: number
}

interface Summary {
  median: number
  min: number
  max: number
  values: number[]
}

export interface Row<Engine extends string = EngineName> {
  engine: Engine
  loop?: Loop
  library?: string
  label: string
  /** By the name of the metric; empty when the contender failed. */
  metrics: Record<string, Summary>
  failure?: string
}

export interface Result<Engine extends string = EngineName, Asked extends string = Question>
  extends Omit<Case<Engine, Asked>, "contenders" | "firstCount" | "scaled" | "maxRuns"> {
  rows: Row<Engine>[]
}

export interface Pace {
  runs: number
  /** What the timed part of a run shall take. */
  seconds: number
  quick: boolean
}

const minCount = 20
const maxCount = 20_000_000
/** A first run at a guessed count is often too short to tell; then there is a second one. */
const calibrations = 2

export async function measure<Engine extends string, Asked extends string>(
  scenario: Case<Engine, Asked>,
  pace: Pace,
  progress: (note: string) => void,
): Promise<Result<Engine, Asked>> {
  const turns = scenario.contenders.map(contender => ({
    contender,
    count: scenario.firstCount,
    samples: [] as Sample[],
    failure: undefined as string | undefined,
  }))
  const take = async (turn: (typeof turns)[number], round: string): Promise<Sample | undefined> => {
    if (turn.failure !== undefined) return undefined
    progress(`${scenario.title}: ${turn.contender.label}, ${round}`)
    try {
      const sample = await turn.contender.run(turn.count)
      if (scenario.scaled)
        turn.count = Math.ceil(Math.min(maxCount, Math.max(minCount, sample.perSecond * pace.seconds)))
      return sample
    } catch (error) {
      turn.failure = error instanceof Error ? error.message : String(error)
      return undefined
    }
  }
  if (scenario.scaled) {
    for (const turn of turns) {
      for (let i = 0; i < (pace.quick ? 1 : calibrations); i++) {
        const before = turn.count
        await take(turn, "calibration")
        if (turn.count < before * 3) break
      }
    }
  }
  const runs = Math.min(pace.runs, scenario.maxRuns ?? pace.runs)
  for (let round = 1; round <= runs; round++) {
    for (const turn of turns) {
      const sample = await take(turn, `run ${round} of ${runs}`)
      if (sample) turn.samples.push(sample)
    }
  }
  const { question, key, title, size } = scenario
  const rows = turns.map(({ contender: { engine, loop, library, label }, samples, failure }): Row<Engine> => {
    if (failure !== undefined) return { engine, loop, library, label, metrics: {}, failure }
    const metrics = scenario.metrics.map(({ name }) => [name, summarize(samples.map(sample => sample.values[name]!))])
    return { engine, loop, library, label, metrics: Object.fromEntries(metrics) as Record<string, Summary> }
  })
  return { question, key, title, metrics: scenario.metrics, size, rows }
}

function summarize(values: number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted[sorted.length - 1]!, values }
}
