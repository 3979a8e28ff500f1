/** tls+tcp against the contract of transports, and what only TLS has: a peer that says something else, or nothing. */
import { connect as connectPlain } from "node:net"
import { connect } from "node:tls"
import { describe, expect, it, onTestFinished } from "vitest"
import { tcp } from "../../src/transport/tcp.js"
import { tls } from "../../src/transport/tls.js"
import { freePort } from "../support/endpoints.js"
import { eventually } from "../support/eventually.js"
import { dial, hear, meet, TLS_OPTIONS } from "./recorder.js"
import { transportSuite } from "./suite.js"

const portOf = (endpoint: string) => Number(/\d+$/.exec(endpoint)?.[0])

transportSuite("tls+tcp", {
  transport: tls,
  address: () => "127.0.0.1:*",
  nowhere: async () => `tls+tcp://127.0.0.1:${await freePort()}`,
  refusals: ["ECONNREFUSED"],
  bindTwice: "EADDRINUSE",
  raw: endpoint =>
    connect({
      host: "127.0.0.1",
      port: portOf(endpoint),
      ca: TLS_OPTIONS.credentials.trust ?? "",
      allowHalfOpen: true,
    }),
})
