/** One ROUTER that answers everybody; reports its memory before anybody came and when all of them are there. */

import { loadEngine } from "../engine.js"
import type { MemoryTask } from "../reports.js"
import { settledMemory } from "./memory.js"
import { runPeer } from "./peer.js"

runPeer<MemoryTask & { engine: "peerlane" | "zeromq" }>(async (task, harness) => {
  const { Router } = await loadEngine(task.engine)
  const socket = new Router()
  await socket.bind(task.endpoint)
  harness.report({ type: "memory", bytes: await settledMemory() })
  harness.report({ type: "bound", endpoint: socket.lastEndpoint! })
  for (let answered = 0; answered < task.peers; answered++) await socket.send(await socket.receive())
  await harness.order("go")
  harness.report({ type: "memory", bytes: await settledMemory() })
  await harness.order("stop")
  socket.close()
})
