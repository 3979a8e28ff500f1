/** PUSH: connects and sends the stream; stays until it is told that all of it arrived. */

import { bodies } from "../bodies.js"
import { loadEngine } from "../engine.js"
import { pushAll } from "../loops.js"
import type { StreamTask } from "../reports.js"
import { runPeer } from "./peer.js"

runPeer<StreamTask>(async (task, harness) => {
  process.env.PEERLANE_CURVE = task.security?.library
  const { Push } = await loadEngine(task.engine)
  const socket = new Push(task.security?.push)
  socket.connect(task.endpoint)
  await pushAll(socket, task.loop, bodies(task.size), task.warm + task.timed)
  await harness.order("stop")
  socket.close()
})
