/** ipc against the contract of transports. Its addresses have a file of their own. */
import { connect } from "node:net"
import { ipc } from "../../src/transport/ipc.js"
import { freshPath } from "../support/endpoints.js"
import { addressOf } from "./recorder.js"
import { transportSuite } from "./suite.js"

transportSuite("ipc", {
  transport: ipc,
  address: freshPath,
  nowhere: async () => `ipc://${freshPath()}`,
  refusals: ["ENOENT", "ECONNREFUSED"],
  bindTwice: "takes over",
  raw: endpoint => connect({ path: addressOf(endpoint), allowHalfOpen: true }),
})
