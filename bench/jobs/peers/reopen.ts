/** A producer on a folder that has jobs. */

import { Producer } from "peerlane/pipeline"
import { runPeer } from "../../peers/peer.js"
import { memory } from "../memory.js"
import type { ReopenTask } from "../tasks.js"

runPeer<ReopenTask>(async ({ folder }, harness) => {
  const begun = performance.now()
  const producer = new Producer({ bind: "tcp://127.0.0.1:*", store: folder })
  await producer.ready()
  const seconds = (performance.now() - begun) / 1000
  harness.report({ type: "opened", seconds, jobs: producer.stats().jobs, ...memory() })
  await harness.order("stop")
  await producer.close()
})
