/** The real clock, chance and disk, and Peerlane's own sockets: what a typed pattern stands on when nothing else is given. */
import { nodeRuntime } from "../../src/index.js"
import { Dealer } from "../router-dealer/dealer.js"
import { Router } from "../router-dealer/router.js"
import { nodeDisk } from "../store/node-disk.js"
import type { TypedRuntime } from "./runtime.js"
import type { Sockets } from "./sockets.js"

export const realRuntime: TypedRuntime = {
  clock: nodeRuntime,
  random: () => nodeRuntime.random(),
  disk: nodeDisk,
}

export const peerlaneSockets: Sockets = { Router, Dealer }
