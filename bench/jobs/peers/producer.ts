/** Sends jobs: some to warm up as soon as it is there, then, when told, those that are timed. */

import { ownCpu } from "../../cpu.js"
import { runPeer } from "../../peers/peer.js"
import { now } from "../clock.js"
import { openSender } from "../drivers/index.js"
import { sendAll, sendAtRate, sendInBulk } from "../send.js"
import type { ProducerTask } from "../tasks.js"

runPeer<ProducerTask>(async ({ queue, first, warm, timed, inFlight, bulk, rest }, harness) => {
  const sender = await openSender(queue)
  const send = (from: number, count: number) =>
    rest > 0 ? sendAtRate(sender, from, count, rest) : (bulk ? sendInBulk : sendAll)(sender, from, count, inFlight)
  harness.report({ type: "bound", endpoint: sender.address })
  await send(first, warm)
  await harness.order("go")
  const cpu = ownCpu()
  harness.report({ type: "began", at: now() })
  await send(first + warm, timed)
  harness.report({ type: "ready" })
  await harness.order("stop")
  // A producer that holds its queue has worked until the last job was done.
  harness.report({ type: "spent", cpu: ownCpu() - cpu })
})
