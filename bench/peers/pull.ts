/** PULL: binds, receives the stream, and reports how long it took. */

import { loadEngine } from "../engine.js"
import { pullAll } from "../loops.js"
import type { StreamTask } from "../reports.js"
import { runPeer } from "./peer.js"

runPeer<StreamTask>(async (task, harness) => {
  process.env.PEERLANE_CURVE = task.security?.library
  const { Pull } = await loadEngine(task.engine)
  const socket = new Pull(task.security?.pull)
  await socket.bind(task.endpoint)
  harness.report({ type: "bound", endpoint: socket.lastEndpoint! })
  const seconds = await pullAll(socket, task.loop, task)
  harness.report({ type: "measured", messages: task.timed, seconds })
  await harness.order("stop")
  socket.close()
})
