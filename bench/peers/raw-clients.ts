/** The plain counterpart of `dealers.ts`: many connections, each of which has had one small message echoed. */

import { once } from "node:events"
import { connect } from "node:net"
import type { MemoryTask } from "../reports.js"
import { settledMemory } from "./memory.js"
import { runPeer } from "./peer.js"
import { netAddress } from "./raw-address.js"

runPeer<MemoryTask>(async (task, harness) => {
  harness.report({ type: "memory", bytes: await settledMemory() })
  const sockets = Array.from({ length: task.peers }, () => connect(netAddress(task.endpoint)))
  await Promise.all(
    sockets.map(async socket => {
      await once(socket, "connect")
      socket.write(Buffer.alloc(16))
      await once(socket, "data")
    }),
  )
  harness.report({ type: "ready" })
  await harness.order("go")
  harness.report({ type: "memory", bytes: await settledMemory() })
  await harness.order("stop")
})
