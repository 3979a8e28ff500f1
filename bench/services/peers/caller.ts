/** Calls: some to warm up as soon as it is there, then, when told, those that are timed. */

import { ownCpu } from "../../cpu.js"
import { runPeer } from "../../peers/peer.js"
import { percentile } from "../../percentile.js"
import { callAll } from "../calls.js"
import { openCaller } from "../drivers/index.js"
import type { CallerTask } from "../tasks.js"

runPeer<CallerTask>(async ({ setup, address, inFlight, warm, timed }, harness) => {
  const caller = await openCaller(setup, address)
  await callAll(caller, warm, inFlight)
  harness.report({ type: "ready" })
  await harness.order("go")
  const cpu = ownCpu()
  const begun = performance.now()
  const micros = await callAll(caller, timed, inFlight)
  const seconds = (performance.now() - begun) / 1000
  const spent = ownCpu() - cpu
  const [p50, p99] = [percentile(micros, 0.5), percentile(micros, 0.99)]
  harness.report({ type: "latency", p50, p99, messages: timed, seconds })
  harness.report({ type: "spent", cpu: spent })
  await harness.order("stop")
})
