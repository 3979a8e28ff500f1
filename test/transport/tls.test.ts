/** tls+tcp against the contract of transports, and what only TLS has: a peer that says something else, or nothing. */
import { connect as connectPlain } from "node:net"
import { type ConnectionOptions, connect } from "node:tls"
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
  mayReset: true,
  raw: endpoint =>
    connect({
      host: "127.0.0.1",
      port: portOf(endpoint),
      ca: TLS_OPTIONS.credentials.trust ?? "",
      allowHalfOpen: true,
    } as ConnectionOptions),
})

/** A client that is refused, or that refuses: how it ends, and how the other side does. */
async function parting(server: Partial<typeof TLS_OPTIONS>, client: Partial<typeof TLS_OPTIONS>) {
  const { listener, accepted } = await hear(tls, "127.0.0.1:*", { options: { ...TLS_OPTIONS, ...server } })
  const dialled = dial(tls, listener.endpoint, { ...TLS_OPTIONS, ...client })
  await eventually(() => dialled.closed !== undefined && accepted[0]?.closed !== undefined)
  return { client: dialled, server: accepted[0]! }
}

describe("tls+tcp streams", () => {
  it("name both ends of a connection, and the certificate of the other", async () => {
    const { client, server } = await meet(tls, "127.0.0.1:*")
    expect(server.stream.remote).toBe(client.stream.local)
    expect(client.stream.certificate).toMatchObject({ subject: "CN=peer", names: "IP Address:127.0.0.1" })
    expect(client.stream.certificate?.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
    expect(server.stream.certificate).toBeNull()
  })

  it("do not open for one who does not trust the server", async () => {
    const { client, server } = await parting({}, { credentials: { certificate: null, key: null, trust: null } })
    expect(client.closed).toMatchObject({ code: "EACCES", message: expect.stringContaining("refused") })
    expect([client.opened, server.opened]).toEqual([false, false])
    expect(client.stream.reached).toBe(true)
  })

  it("end where the other end says something else than TLS, on both sides", async () => {
    const { listener, accepted } = await hear(tls, "127.0.0.1:*")
    const plain = connectPlain(portOf(listener.endpoint), "127.0.0.1")
    onTestFinished(() => void plain.destroy())
    plain.on("error", () => {})
    plain.write("GET / HTTP/1.1\r\n\r\n")
    await eventually(() => accepted[0]?.closed !== undefined)
    expect(accepted[0]!.closed).toMatchObject({ code: "EPROTO", message: expect.stringContaining("TLS") })
    expect(accepted[0]!.opened).toBe(false)

    const other = await hear(tcp, "127.0.0.1:*", {
      onAccepted: recorder => {
        recorder.onChunk = () => recorder.stream.write(Buffer.from("\xff\0\0\0\0\0\0\0\x01\x7f", "latin1"))
      },
    })
    const client = dial(tls, other.listener.endpoint.replace("tcp", "tls+tcp"))
    await eventually(() => client.closed !== undefined)
    expect(client.closed).toMatchObject({ code: "EPROTO" })
  })

  it("of a peer that leaves in the middle of the handshake end, and one that says nothing may be destroyed", async () => {
    const { listener, accepted } = await hear(tls, "127.0.0.1:*")
    const plain = connectPlain(portOf(listener.endpoint), "127.0.0.1")
    plain.write(Buffer.from("160301", "hex"))
    await eventually(() => accepted.length === 1)
    plain.destroy()
    await eventually(() => accepted[0]!.closed !== undefined)
    const silent = connectPlain(portOf(listener.endpoint), "127.0.0.1")
    let over = false
    silent.on("close", () => {
      over = true
    })
    await eventually(() => accepted.length === 2)
    accepted[1]!.destroy()
    await eventually(() => over)
    expect(accepted.map(({ opened }) => opened)).toEqual([false, false])
  })

  it("are refused from a source that is not there, and to an IPv6 address without ipv6", async () => {
    for (const address of ["nowhere.invalid:0;127.0.0.1:1", "[::1]:1"]) {
      const client = dial(tls, `tls+tcp://${address}`)
      await eventually(() => client.closed !== undefined)
      expect(client.closed).toMatchObject({ code: "ENODEV", address: `tls+tcp://${address}` })
    }
  })

  it("come from where they are told to", async () => {
    const { listener, accepted } = await hear(tls, "127.0.0.1:*")
    const port = await freePort()
    const client = dial(tls, `tls+tcp://127.0.0.1:${port};${listener.endpoint.slice("tls+tcp://".length)}`)
    await eventually(() => client.opened && accepted[0]?.opened)
    expect(accepted[0]!.stream.remote).toBe(`tls+tcp://127.0.0.1:${port}`)
  })
})
