/** A proxy of PULL and PUSH between two other processes: connects to the sink, and is bound for the source. */

import { loadEngine } from "../engine.js"
import type { ProxyTask } from "../reports.js"
import { runPeer } from "./peer.js"

runPeer<ProxyTask>(async (task, harness) => {
  const { Proxy, Pull, Push } = await loadEngine(task.engine)
  const frontEnd = new Pull()
  const backEnd = new Push()
  await frontEnd.bind(task.endpoint)
  backEnd.connect(task.sink)
  const proxy = new Proxy(frontEnd as never, backEnd as never)
  const running = proxy.run()
  harness.report({ type: "bound", endpoint: frontEnd.lastEndpoint! })
  await harness.order("stop")
  proxy.terminate()
  await running
})
