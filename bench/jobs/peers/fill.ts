/** Puts jobs into a queue without a consumer, and tells by how much this process grew. */

import { runPeer } from "../../peers/peer.js"
import { openSender } from "../drivers/index.js"
import { memory } from "../memory.js"
import { sendAll, sendInBulk } from "../send.js"
import type { FillTask } from "../tasks.js"

const IN_FLIGHT = 1024

runPeer<FillTask>(async ({ queue, jobs }, harness) => {
  const sender = await openSender(queue)
  const before = memory()
  await (sender.sendAll === undefined ? sendAll : sendInBulk)(sender, 0, jobs, IN_FLIGHT)
  const after = memory()
  harness.report({ type: "grown", live: after.live - before.live, resident: after.resident - before.resident })
  await harness.order("stop")
  await sender.close()
})
