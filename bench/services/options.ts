/** The command line of the bench of services. */

import { parseArgs } from "node:util"
import { names, numbers } from "../options.js"
import { type ServiceEngine, serviceEngines } from "./driver.js"
import { type CaseName, caseNames } from "./plan.js"

export const usage = `npm run bench:services -- [options]
  --quick              shorter and fewer runs, about two minutes in all
  --only ENGINE,...    peerlane, peerlane-zeromq, req-rep, dealer-router, http, grpc
  --cases NAME,...     1, 64, 1024 (calls in flight), stream
  --rounds N           runs of each contender (5; quick 2)
  --seconds S          what the timed part of a run shall take (2; quick 0.5)
  --profile FOLDER     a CPU profile of each of Peerlane's processes`

export interface ServiceOptions {
  quick: boolean
  engines: ServiceEngine[]
  cases: CaseName[]
  rounds: number
  seconds: number
  profile?: string
}

/** Throws a TypeError that says what was expected. */
export function parseServiceOptions(args: string[]): ServiceOptions {
  const string = { type: "string" } as const
  const many = { type: "string", multiple: true } as const
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      only: many,
      cases: many,
      rounds: string,
      seconds: string,
      profile: string,
    },
  })
  const { quick, profile } = values
  return {
    quick,
    engines: names("only", values.only, serviceEngines) ?? [...serviceEngines],
    cases: names("cases", values.cases, caseNames) ?? [...caseNames],
    rounds: numbers("rounds", values.rounds)?.[0] ?? (quick ? 2 : 5),
    seconds: numbers("seconds", values.seconds)?.[0] ?? (quick ? 0.5 : 2),
    profile,
  }
}
