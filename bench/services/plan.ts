/** What one call of the bench of services measures, and how each contender is set up. */

import type { Case } from "../measure.js"
import type { ServiceEngine, Setup } from "./driver.js"

export const caseNames = ["1", "64", "1024", "stream"] as const
/** Calls in flight, or a stream; the key of the case as well. */
export type CaseName = (typeof caseNames)[number]
export type ServiceQuestion = "calls" | "stream"
export type ServiceCase = Case<ServiceEngine, ServiceQuestion>

export interface ServicePlan {
  readonly engines: readonly ServiceEngine[]
  /** Profiles of Peerlane's processes are written there. */
  readonly profile?: string
}

/** One contender, set up in one way. */
export interface Variant {
  readonly label: string
  readonly setup: Setup
}

const peerlane: Variant = { label: "peerlane", setup: { engine: "peerlane" } }
const onZeromq: Variant = { label: "peerlane on zeromq's sockets", setup: { engine: "peerlane-zeromq" } }
const reqRep: Variant = { label: "zeromq REQ/REP", setup: { engine: "req-rep" } }
const dealerRouter: Variant = { label: "zeromq DEALER/ROUTER", setup: { engine: "dealer-router" } }
const grpc: Variant = { label: "gRPC", setup: { engine: "grpc" } }

function http(connections: number, pipelining = 1): Variant {
  const label = `HTTP, ${connections} ${connections === 1 ? "connection" : "connections"}`
  return {
    label: pipelining === 1 ? label : `${label} of ${pipelining}`,
    setup: { engine: "http", connections, pipelining },
  }
}

/** In the order in which they take turns. HTTP is set up in the ways that were the fastest of those tried: see the report's notes. */
export const variants: Record<CaseName, Variant[]> = {
  "1": [peerlane, onZeromq, reqRep, dealerRouter, http(1), grpc],
  "64": [peerlane, onZeromq, dealerRouter, http(32), http(4, 16), grpc],
  "1024": [peerlane, onZeromq, dealerRouter, http(64), http(4, 256), grpc],
  stream: [peerlane, onZeromq, grpc],
}
