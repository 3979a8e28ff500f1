/** REQ: connects, and times one request after the other. */

import { bodies, checkBody } from "../bodies.js"
import { loadEngine } from "../engine.js"
import { roundTrips } from "../latency.js"
import type { StreamTask } from "../reports.js"
import { runPeer } from "./peer.js"

runPeer<StreamTask>(async (task, harness) => {
  const { Request } = await loadEngine(task.engine)
  const socket = new Request()
  socket.connect(task.endpoint)
  const body = bodies(task.size)
  const latency = await roundTrips(task, async sequence => {
    await socket.send(body(sequence))
    const [reply] = await socket.receive()
    checkBody(reply, sequence, task.size)
  })
  harness.report(latency)
  await harness.order("stop")
  socket.close()
})
