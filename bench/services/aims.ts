/** What Peerlane's service is after. */

import type { Aim } from "../aims.js"
import type { ServiceEngine } from "./driver.js"
import type { ServiceQuestion } from "./plan.js"

export const aims: Aim<ServiceEngine, ServiceQuestion>[] = [
  { question: "calls", key: "1", engine: "req-rep", atLeast: 1 },
  { question: "calls", key: "1", engine: "dealer-router", atLeast: 1 },
  { question: "calls", key: "1", engine: "http", atLeast: 1 },
  { question: "calls", key: "1", engine: "grpc", atLeast: 1 },
  { question: "calls", key: "64", engine: "dealer-router", atLeast: 1 },
  { question: "calls", key: "64", engine: "http", atLeast: 3 },
  { question: "calls", key: "64", engine: "grpc", atLeast: 3 },
  { question: "calls", key: "1024", engine: "dealer-router", atLeast: 1 },
  { question: "calls", key: "1024", engine: "http", atLeast: 1 },
  { question: "calls", key: "1024", engine: "grpc", atLeast: 1 },
  { question: "stream", key: "stream", engine: "grpc", atLeast: 1 },
]
