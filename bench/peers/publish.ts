/**
 * PUB with noDrop: binds, and publishes the stream once every subscriber is there. A PUB of libzmq does not know who
 * has subscribed, so it calls `hello` until the other process says that all of them heard it.
 */

import { bodies, hello } from "../bodies.js"
import { type Endpoint, loadEngine, type Sender } from "../engine.js"
import type { FanOutTask } from "../reports.js"
import { runPeer } from "./peer.js"

const helloEveryMs = 10

runPeer<FanOutTask>(async (task, harness) => {
  const { Publisher } = await loadEngine(task.engine)
  const socket = new Publisher({ noDrop: true })
  await socket.bind(task.endpoint)
  harness.report({ type: "bound", endpoint: socket.lastEndpoint! })
  const calling = setInterval(() => void publish(socket, hello), helloEveryMs)
  await harness.order("go")
  clearInterval(calling)
  const body = bodies(task.size)
  const total = task.warm + task.timed
  for (let sequence = 0; sequence < total; sequence++) {
    const message = body(sequence)
    if (task.loop === "await" || !socket.trySend!(message)) await publish(socket, message)
  }
  await harness.order("stop")
  socket.close()
})

/** `send`; where an engine refuses at the high-water mark with noDrop instead of waiting, as zeromq does, again later. */
async function publish(socket: Endpoint & Sender, message: Buffer): Promise<void> {
  for (;;) {
    try {
      return await socket.send(message)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}
