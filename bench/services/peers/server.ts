/** Serves until it is told to stop; counts the processor time from "go" on. */

import { ownCpu } from "../../cpu.js"
import { runPeer } from "../../peers/peer.js"
import { openServer } from "../drivers/index.js"
import type { ServerTask } from "../tasks.js"

runPeer<ServerTask>(async ({ engine }, harness) => {
  harness.report({ type: "bound", endpoint: await openServer(engine) })
  await harness.order("go")
  const cpu = ownCpu()
  harness.report({ type: "ready" })
  await harness.order("stop")
  harness.report({ type: "spent", cpu: ownCpu() - cpu })
})
