/** The command line of the bench. */

import { parseArgs } from "node:util"
import { type EngineName, engineNames } from "./engine.js"
import type { Question } from "./measure.js"
import type { Transport } from "./plan.js"

export const usage = `npm run bench -- [options]
  --quick                 shorter and fewer runs, under two minutes in all
  --only QUESTION,...     push-pull, req-rep, pub-sub, router-memory, proxy, threads, curve
  --engines ENGINE,...    peerlane, zeromq, raw, c
  --size BYTES,...        bodies of that size instead of the usual ones
  --transport NAME,...    tcp, ipc, inproc (push-pull; proxy without inproc)
  --subscribers N,...     1, 16, 128 (pub-sub)
  --runs N                runs of each contender (5; quick 3)
  --seconds S             what the timed part of a run shall take (1; quick 0.2)`

const questions: Question[] = ["push-pull", "req-rep", "pub-sub", "router-memory", "proxy", "threads", "curve"]
const transports: Transport[] = ["tcp", "ipc", "inproc"]

export interface Options {
  quick: boolean
  questions: Question[]
  engines: EngineName[]
  sizes?: number[]
  transports?: Transport[]
  subscribers?: number[]
  runs: number
  seconds: number
}

/** Throws a TypeError that says what was expected. */
export function parseOptions(args: string[]): Options {
  const string = { type: "string", multiple: true } as const
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      only: string,
      engines: string,
      size: string,
      transport: string,
      subscribers: string,
      runs: { type: "string" },
      seconds: { type: "string" },
    },
  })
  const { quick } = values
  return {
    quick,
    questions: names("only", values.only, questions) ?? questions,
    engines: names("engines", values.engines, engineNames) ?? [...engineNames],
    sizes: numbers("size", values.size),
    transports: names("transport", values.transport, transports),
    subscribers: numbers("subscribers", values.subscribers),
    runs: numbers("runs", values.runs)?.[0] ?? (quick ? 3 : 5),
    seconds: numbers("seconds", values.seconds)?.[0] ?? (quick ? 0.2 : 1),
  }
}

export function names<T extends string>(
  option: string,
  given: string[] | undefined,
  known: readonly T[],
): T[] | undefined {
  return given
    ?.flatMap(text => text.split(","))
    .map(text => {
      const name = known.find(one => one === text)
      if (name === undefined) throw new TypeError(`--${option} ${text}: expected one of ${known.join(", ")}`)
      return name
    })
}

export function numbers(option: string, given: string | string[] | undefined): number[] | undefined {
  if (given === undefined) return undefined
  return [given]
    .flat()
    .flatMap(text => text.split(","))
    .map(text => {
      const number = Number(text)
      if (!(number > 0)) throw new TypeError(`--${option} ${text}: expected a number above 0`)
      return number
    })
}
