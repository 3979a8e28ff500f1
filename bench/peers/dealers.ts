/** Many DEALERs in one process, each of which has sent one small message and received the answer. */

import { bodies, checkBody } from "../bodies.js"
import { loadEngine } from "../engine.js"
import type { MemoryTask } from "../reports.js"
import { settledMemory } from "./memory.js"
import { runPeer } from "./peer.js"

const size = 16

runPeer<MemoryTask & { engine: "peerlane" | "zeromq" }>(async (task, harness) => {
  const { Dealer, context } = await loadEngine(task.engine)
  context.maxSockets = Math.max(context.maxSockets, task.peers + 16)
  const body = bodies(size)
  harness.report({ type: "memory", bytes: await settledMemory() })
  const sockets = Array.from({ length: task.peers }, () => new Dealer())
  await Promise.all(
    sockets.map(async (socket, sequence) => {
      socket.connect(task.endpoint)
      await socket.send(body(sequence))
      const [answer] = await socket.receive()
      checkBody(answer, sequence, size)
    }),
  )
  harness.report({ type: "ready" })
  await harness.order("go")
  harness.report({ type: "memory", bytes: await settledMemory() })
  await harness.order("stop")
  for (const socket of sockets) socket.close()
})
