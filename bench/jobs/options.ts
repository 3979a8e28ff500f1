/** The command line of the bench of jobs. */

import { parseArgs } from "node:util"
import { names, numbers } from "../options.js"
import type { JobEngine } from "./driver.js"
import { type JobQuestion, jobEngines, jobQuestions } from "./plan.js"

export const usage = `npm run bench:jobs -- [options]
  --quick              shorter and fewer runs, about two minutes in all
  --only ENGINE,...    peerlane, bullmq, rabbitmq
  --cases NAME,...     durable, memory, latency, queued, reopen
  --jobs N             in each run of durable (256 in flight) and memory, instead of as many as fill its time
  --rounds N           runs of each contender (5; quick 2)
  --seconds S          what the timed part of a run shall take (2)
  --profile FOLDER     a CPU profile of each of Peerlane's processes`

export interface JobOptions {
  quick: boolean
  engines: JobEngine[]
  questions: JobQuestion[]
  jobs?: number
  rounds: number
  seconds: number
  profile?: string
}

/** Throws a TypeError that says what was expected. */
export function parseJobOptions(args: string[]): JobOptions {
  const string = { type: "string" } as const
  const many = { type: "string", multiple: true } as const
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      only: many,
      cases: many,
      jobs: string,
      rounds: string,
      seconds: string,
      profile: string,
    },
  })
  const { quick, profile } = values
  return {
    quick,
    engines: names("only", values.only, jobEngines) ?? jobEngines,
    questions: names("cases", values.cases, jobQuestions) ?? [...jobQuestions],
    jobs: numbers("jobs", values.jobs)?.[0],
    rounds: numbers("rounds", values.rounds)?.[0] ?? (quick ? 2 : 5),
    seconds: numbers("seconds", values.seconds)?.[0] ?? 2,
    profile,
  }
}
