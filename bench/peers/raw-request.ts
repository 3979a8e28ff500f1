/** The raw round trip: a body goes out, as many bytes come back, the promise in between is the only extra. */

import { once } from "node:events"
import { connect } from "node:net"
import { bodies } from "../bodies.js"
import { roundTrips } from "../latency.js"
import type { RawTask } from "../reports.js"
import { runPeer } from "./peer.js"
import { netAddress } from "./raw-address.js"

runPeer<RawTask>(async (task, harness) => {
  const socket = connect(netAddress(task.endpoint))
  await once(socket, "connect")
  const body = bodies(task.size)
  let missing = 0
  let back: () => void = () => {}
  socket.on("data", chunk => {
    missing -= chunk.length
    if (missing === 0) back()
  })
  const latency = await roundTrips(task, sequence => {
    missing = task.size
    const echoed = new Promise<void>(resolve => (back = resolve))
    socket.write(body(sequence))
    return echoed
  })
  harness.report(latency)
  await harness.order("stop")
})
