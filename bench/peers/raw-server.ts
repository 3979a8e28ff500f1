/** The plain counterpart of `router.ts`: a server that echoes, with nothing kept for a connection. */

import { createServer } from "node:net"
import type { MemoryTask } from "../reports.js"
import { settledMemory } from "./memory.js"
import { runPeer } from "./peer.js"
import { listen } from "./raw-address.js"

runPeer<MemoryTask>(async (task, harness) => {
  const server = createServer(socket => {
    socket.on("data", chunk => socket.write(chunk))
    // The other side is killed when it is done.
    socket.on("error", () => socket.destroy())
  })
  const endpoint = await listen(server, task.endpoint)
  harness.report({ type: "memory", bytes: await settledMemory() })
  harness.report({ type: "bound", endpoint })
  await harness.order("go")
  harness.report({ type: "memory", bytes: await settledMemory() })
  await harness.order("stop")
})
