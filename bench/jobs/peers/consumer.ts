/** Handles the jobs of all senders, and checks them off by their numbers. */

import { ownCpu } from "../../cpu.js"
import { runPeer } from "../../peers/peer.js"
import { percentile } from "../../percentile.js"
import { Checklist } from "../checklist.js"
import { now } from "../clock.js"
import { openReceiver } from "../drivers/index.js"
import type { ConsumerTask } from "../tasks.js"

runPeer<ConsumerTask>(async ({ queue, addresses, concurrency, senders, warm, timed, latency }, harness) => {
  const list = new Checklist(senders * (warm + timed))
  const latencies: number[] = []
  const receiver = await openReceiver(queue, addresses, concurrency, ({ n, at }) => {
    if (latency && n >= warm) latencies.push(now() - at)
    list.check(n)
  })
  await list.checked(senders * warm)
  await receiver.settled()
  const cpu = ownCpu()
  harness.report({ type: "ready" })
  await list.checked(senders * (warm + timed))
  await receiver.settled()
  const at = now()
  const spent = ownCpu() - cpu
  list.verify()
  harness.report({ type: "handled", jobs: senders * timed, at })
  harness.report({ type: "spent", cpu: spent })
  if (latency) harness.report({ type: "delays", p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) })
  await harness.order("stop")
})
