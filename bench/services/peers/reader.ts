/** Reads a stream to warm up as soon as it is there, then, when told, one that is timed; each item is checked. */

import { ownCpu } from "../../cpu.js"
import { runPeer } from "../../peers/peer.js"
import type { Reader } from "../driver.js"
import { openReader } from "../drivers/index.js"
import type { ReaderTask } from "../tasks.js"

async function read(reader: Reader, items: number): Promise<void> {
  let next = 0
  await reader.count(items, item => {
    if (item !== next++) throw new Error(`item ${next - 1} came as ${item}`)
  })
  if (next !== items) throw new Error(`${next} of ${items} items came`)
}

runPeer<ReaderTask>(async ({ setup, address, warm, timed }, harness) => {
  const reader = await openReader(setup.engine, address)
  await read(reader, warm)
  harness.report({ type: "ready" })
  await harness.order("go")
  const cpu = ownCpu()
  const begun = performance.now()
  await read(reader, timed)
  const seconds = (performance.now() - begun) / 1000
  const spent = ownCpu() - cpu
  harness.report({ type: "measured", messages: timed, seconds })
  harness.report({ type: "spent", cpu: spent })
  await harness.order("stop")
})
