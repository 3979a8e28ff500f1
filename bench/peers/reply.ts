/** REP: binds and answers every request with what it came with. */

import { loadEngine } from "../engine.js"
import type { StreamTask } from "../reports.js"
import { runPeer } from "./peer.js"

runPeer<StreamTask>(async (task, harness) => {
  const { Reply } = await loadEngine(task.engine)
  const socket = new Reply()
  await socket.bind(task.endpoint)
  harness.report({ type: "bound", endpoint: socket.lastEndpoint! })
  const total = task.warm + task.timed
  let served = 0
  for await (const message of socket) {
    await socket.send(message)
    if (++served === total) break
  }
  await harness.order("stop")
  socket.close()
})
