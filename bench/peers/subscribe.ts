/** Any number of SUBs in one process, each of which checks that it gets the whole stream in order. */

import { checkBody, isHello } from "../bodies.js"
import { type Endpoint, loadEngine, type Receiver } from "../engine.js"
import type { FanOutTask } from "../reports.js"
import { runPeer } from "./peer.js"

runPeer<FanOutTask>(async (task, harness) => {
  const { Subscriber, context } = await loadEngine(task.engine)
  context.maxSockets = Math.max(context.maxSockets, task.subscribers + 16)
  const total = task.warm + task.timed
  const begin = task.warm * task.subscribers
  let delivered = 0
  let started = 0
  let greeted = 0

  const follow = async (socket: Endpoint & Receiver): Promise<void> => {
    let sequence = -1
    const take = (frame: Buffer | undefined): void => {
      if (isHello(frame)) {
        if (sequence === -1 && ++greeted === task.subscribers) harness.report({ type: "ready" })
        sequence = Math.max(sequence, 0)
        return
      }
      checkBody(frame, sequence++, task.size)
      if (++delivered === begin) started = performance.now()
    }
    if (task.loop === "await") {
      for await (const [frame] of socket) {
        take(frame)
        if (sequence === total) return
      }
    } else {
      for await (const batch of socket.batches!()) {
        for (const [frame] of batch) take(frame)
        if (sequence === total) return
      }
    }
    throw new Error(`a subscriber ended after ${sequence} of ${total} messages`)
  }

  const sockets = Array.from({ length: task.subscribers }, () => new Subscriber())
  for (const socket of sockets) {
    socket.subscribe()
    socket.connect(task.endpoint)
  }
  await Promise.all(sockets.map(follow))
  const seconds = (performance.now() - started) / 1000
  harness.report({ type: "measured", messages: delivered - begin, seconds })
  await harness.order("stop")
  for (const socket of sockets) socket.close()
})
