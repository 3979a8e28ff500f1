/** The echo of the raw round trip: every chunk goes back as it came. */

import { createServer } from "node:net"
import type { RawTask } from "../reports.js"
import { runPeer } from "./peer.js"
import { listen } from "./raw-address.js"

runPeer<RawTask>(async (task, harness) => {
  const server = createServer({ noDelay: true }, socket => {
    socket.on("data", chunk => socket.write(chunk))
    // The other side is killed when it is done.
    socket.on("error", () => socket.destroy())
  })
  harness.report({ type: "bound", endpoint: await listen(server, task.endpoint) })
  await harness.order("stop")
})
