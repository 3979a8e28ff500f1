/** What Peerlane's pipeline is after. */

import type { Aim } from "../aims.js"
import type { JobEngine } from "./driver.js"
import type { JobQuestion } from "./plan.js"

export const aims: Aim<JobEngine, JobQuestion>[] = [
  { question: "durable", key: "256", engine: "bullmq", atLeast: 3 },
  { question: "durable", key: "256", engine: "rabbitmq", atLeast: 3 },
  { question: "memory", key: "256", engine: "bullmq", atLeast: 10 },
  { question: "memory", key: "256", engine: "rabbitmq", atLeast: 3 },
]
