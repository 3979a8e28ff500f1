/** tcp against the contract of transports, and what only tcp has: a reset, keep-alive, the ends of its streams. */
import { connect } from "node:net"
import { describe, expect, it, onTestFinished } from "vitest"
import { tcp } from "../../src/transport/tcp.js"
import { freePort } from "../support/endpoints.js"
import { eventually } from "../support/eventually.js"
import { hear, meet, OPTIONS } from "./recorder.js"
import { transportSuite } from "./suite.js"

const dialRaw = (endpoint: string) => {
  const { hostname, port } = new URL(endpoint)
  return connect({ host: hostname, port: Number(port), allowHalfOpen: true })
}

transportSuite("tcp", {
  transport: tcp,
  address: () => "127.0.0.1:*",
  nowhere: async () => `tcp://127.0.0.1:${await freePort()}`,
  refusals: ["ECONNREFUSED"],
  bindTwice: "EADDRINUSE",
  raw: dialRaw,
})

describe("tcp streams", () => {
  it("name both ends of a connection, the same on either side", async () => {
    const { client, server } = await meet(tcp, "127.0.0.1:*")
    expect(client.stream.local).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/)
    expect(server.stream.remote).toBe(client.stream.local)
    expect(server.stream.local).toBe(client.stream.remote)
  })

  it("tell a reset as ECONNRESET", async () => {
    const { listener, accepted } = await hear(tcp, "127.0.0.1:*")
    const socket = dialRaw(listener.endpoint)
    onTestFinished(() => void socket.destroy())
    await eventually(() => accepted[0]?.opened)
    socket.write("cut o")
    await eventually(() => accepted[0]!.text === "cut o")
    socket.resetAndDestroy()
    await eventually(() => accepted[0]!.closed !== undefined)
    expect(accepted[0]!.closed?.code).toBe("ECONNRESET")
  })

  it.each([
    [0, -1],
    [1, -1],
    [1, 5],
  ])("work with keep-alive %i, %i", async (tcpKeepalive, tcpKeepaliveIdle) => {
    const { client, server } = await meet(tcp, "127.0.0.1:*", { ...OPTIONS, tcpKeepalive, tcpKeepaliveIdle })
    client.write("hello")
    await eventually(() => server.text === "hello")
  })
})
