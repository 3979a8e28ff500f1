/** Counts the bytes of one plain connection: the ceiling for what Node can take from a socket without looking at it. */

import { createServer } from "node:net"
import type { RawTask } from "../reports.js"
import { runPeer } from "./peer.js"
import { listen } from "./raw-address.js"

runPeer<RawTask>(async (task, harness) => {
  const warm = task.warm * task.size
  const total = warm + task.timed * task.size
  const counted = new Promise<{ messages: number; seconds: number }>((resolve, reject) => {
    const server = createServer(socket => {
      let bytes = 0
      let started = 0
      let startedAt = 0
      socket.on("data", chunk => {
        bytes += chunk.length
        if (startedAt === 0 && bytes >= warm) {
          started = performance.now()
          startedAt = bytes
        }
        if (bytes >= total)
          resolve({ messages: (bytes - startedAt) / task.size, seconds: (performance.now() - started) / 1000 })
      })
      socket.on("error", reject)
    })
    listen(server, task.endpoint).then(endpoint => harness.report({ type: "bound", endpoint }), reject)
  })
  harness.report({ type: "measured", ...(await counted) })
  await harness.order("stop")
})
