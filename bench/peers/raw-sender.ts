/**
 * Writes the bytes of a stream to one plain connection with no framing: 64 KiB a write, or a whole message where that
 * is larger. A few writes are kept under way, so that the kernel is never without one.
 */

import { once } from "node:events"
import { connect } from "node:net"
import type { RawTask } from "../reports.js"
import { runPeer } from "./peer.js"
import { netAddress } from "./raw-address.js"

const writeSize = 64 * 1024
const underWay = 4

runPeer<RawTask>(async (task, harness) => {
  const socket = connect(netAddress(task.endpoint))
  await once(socket, "connect")
  const chunk = Buffer.alloc(Math.max(writeSize, task.size), 1)
  let left = (task.warm + task.timed) * task.size
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject)
    const writeNext = (): void => {
      if (left <= 0) {
        resolve()
        return
      }
      const part = left < chunk.length ? chunk.subarray(0, left) : chunk
      left -= part.length
      socket.write(part, writeNext)
    }
    for (let i = 0; i < underWay; i++) writeNext()
  })
  await harness.order("stop")
})
