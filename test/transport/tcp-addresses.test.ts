/**
 * The addresses of tcp: which are well formed, to connect to and to bind to, what they resolve to, and what becomes of
 * those that cannot be had. The verdicts are held against libzmq's own, and where ours differs the row says so.
 */
import { networkInterfaces } from "node:os"
import { describe, expect, it } from "vitest"
import * as zeromq from "zeromq"
import { tcp } from "../../src/transport/tcp.js"
import { freePort } from "../support/endpoints.js"
import { eventually } from "../support/eventually.js"
import { addressOf, dial, hear, meet, OPTIONS } from "./recorder.js"

const IPV6 = { ...OPTIONS, ipv6: true }

const interfaces = networkInterfaces()
const loopback = Object.entries(interfaces).find(([, list]) =>
  list?.some(({ address }) => address === "127.0.0.1"),
)?.[0]
const hasIpv6 = Object.values(interfaces).some(list => list?.some(({ address }) => address === "::1"))
if (!hasIpv6) console.warn("skipped: IPv6 cases, there is no ::1 on this machine")

/** What is done with an address: the code it fails with, or null. libzmq's verdict follows where it is another. */
type Verdict = [address: string, code: string | null, libzmq?: string | null]

describe("addresses to connect to are checked at once", () => {
  const verdicts: Verdict[] = [
    ["127.0.0.1:80", null],
    ["localhost:80", null],
    ["www.example.com:80", null],
    ["host-name:80", null],
    ["host_name:80", null],
    ["127.0.0.1:1", null],
    ["127.0.0.1:65535", null],
    ["127.0.0.1:0080", null],
    ["[::1]:80", null],
    ["[fe80::1%eth0]:80", null],
    ["[::ffff:127.0.0.1]:80", null],
    ["::1:80", null],
    ["127.0.0.1:0;localhost:80", null],
    ["127.0.0.1:1234;localhost:80", null],
    ["127.0.0.1:*;localhost:80", null],
    ["127.0.0.1;localhost:80", null],
    ["[::1]:0;[::1]:80", null],
    ["lo:0;127.0.0.1:80", null],
    // protocol.md §5.1 allows these; libzmq 4.3.5 wants a letter, a digit, `[` or `:` at the very beginning.
    [";localhost:80", null, "EINVAL"],
    ["*;localhost:80", null, "EINVAL"],
    ["*:0;localhost:80", null, "EINVAL"],
    ["*:*;localhost:80", null, "EINVAL"],
    ["", "EINVAL"],
    [":", "EINVAL"],
    ["*", "EINVAL"],
    ["80", "EINVAL"],
    ["localhost", "EINVAL"],
    ["localhost:", "EINVAL"],
    ["localhost:*", "EINVAL"],
    ["localhost:http", "EINVAL"],
    ["localhost:-1", "EINVAL"],
    ["localhost:+1", "EINVAL"],
    ["localhost: 80", "EINVAL"],
    ["localhost:80:", "EINVAL"],
    ["localhost:８０", "EINVAL"],
    [" localhost:80", "EINVAL"],
    ["host name:80", "EINVAL"],
    ["host!:80", "EINVAL"],
    ["host/path:80", "EINVAL"],
    ["user@host:80", "EINVAL"],
    ["höst:80", "EINVAL"],
    ["*:80", "EINVAL"],
    ["localhost:80\0", "EINVAL", null],
    // libzmq finds these out when it connects, and then tries for ever.
    [":80", "EINVAL", null],
    ["[::1]", "EINVAL", null],
    ["localhost:80x", "EINVAL", null],
    ["localhost:65536", "EINVAL", null],
    ["localhost:99999999999", "EINVAL", null],
    ["127.0.0.1:99999;localhost:80", "EINVAL", null],
    ["127.0.0.1:x;localhost:80", "EINVAL", null],
  ]

  it.each(verdicts)("%j: %s", (address, code) => {
    if (code === null) tcp.check(address, OPTIONS)
    else
      expect(() => tcp.check(address, OPTIONS)).toThrow(expect.objectContaining({ code, address: `tcp://${address}` }))
  })

  it.each(verdicts)("%j, and libzmq", async (address, code, libzmq = code) => {
    const socket = new zeromq.Pull({ linger: 0, reconnectInterval: -1 })
    const verdict = await codeOf(async () => socket.connect(`tcp://${address}`))
    socket.close()
    expect(verdict).toBe(libzmq)
  })
})

describe("addresses to bind to", () => {
  const verdicts: Verdict[] = [
    ["", "EINVAL"],
    [":", "EINVAL"],
    ["*", "EINVAL"],
    ["127.0.0.1", "EINVAL"],
    ["127.0.0.1:", "EINVAL"],
    ["127.0.0.1:http", "EINVAL"],
    ["127.0.0.1:65536", "EINVAL"],
    ["127.0.0.1:*:", "EINVAL"],
    // libzmq reads these ports with atoi, cut to 16 bits.
    ["127.0.0.1:-1", "EINVAL", null],
    ["127.0.0.1:1000x", "EINVAL", null],
    ["127.0.0.1:99999999999", "EINVAL", null],
    // libzmq takes the last part of `source;address`.
    ["127.0.0.1:0;127.0.0.1:*", "EINVAL", null],
    // libzmq looks up whatever it is given.
    [":*", "EINVAL", "ENODEV"],
    ["host name:*", "EINVAL", "ENODEV"],
    ["user@host:*", "EINVAL", "ENODEV"],
    ["no-such-host.invalid:*", "ENODEV"],
    ["no-such-interface0:*", "ENODEV"],
    ["256.0.0.1:*", "ENODEV"],
    ["[::1]:*", "ENODEV"],
    ["[]:*", "EINVAL", "ENODEV"],
    // Of TEST-NET-3: nobody's, so not ours.
    ["203.0.113.77:*", "EADDRNOTAVAIL"],
  ]

  it.each(verdicts)("%j: %s", async (address, code) => {
    const error = await hear(tcp, address).catch(cause => cause)
    expect(error).toMatchObject({ code, address: `tcp://${address}` })
  })

  it.each(verdicts)("%j, and libzmq", async (address, code, libzmq = code) => {
    const socket = new zeromq.Pull({ linger: 0 })
    const verdict = await codeOf(() => socket.bind(`tcp://${address}`))
    socket.close()
    expect(verdict).toBe(libzmq)
  })
})

describe("endpoints that were bound", () => {
  it.each([
    ["*:*", /^tcp:\/\/0\.0\.0\.0:[1-9]\d*$/],
    ["*:0", /^tcp:\/\/0\.0\.0\.0:[1-9]\d*$/],
    ["0.0.0.0:*", /^tcp:\/\/0\.0\.0\.0:[1-9]\d*$/],
    ["127.0.0.1:*", /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["127.0.0.1:0", /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["localhost:*", /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    [`${loopback}:*`, /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
  ])("%s is told resolved, and can be connected to", async (address, endpoint) => {
    const { listener, accepted } = await hear(tcp, address)
    expect(listener.endpoint).toMatch(endpoint)
    const client = dial(tcp, listener.endpoint.replace("0.0.0.0", "127.0.0.1"))
    await eventually(() => client.opened && accepted.length === 1)
  })

  it("keep the port that was asked for", async () => {
    const port = await freePort()
    expect((await hear(tcp, `127.0.0.1:${port}`)).listener.endpoint).toBe(`tcp://127.0.0.1:${port}`)
  })

  it("take every interface when *, and only their own otherwise", async () => {
    const all = await hear(tcp, "*:*")
    const one = await hear(tcp, "127.0.0.1:*")
    const other = "127.0.0.2"
    const reached = dial(tcp, all.listener.endpoint.replace("0.0.0.0", other))
    const refused = dial(tcp, one.listener.endpoint.replace("127.0.0.1", other))
    await eventually(() => reached.opened && refused.closed !== undefined)
    expect(refused.closed?.code).toBe("ECONNREFUSED")
  })

  it("a wildcard port is another one each time", async () => {
    const endpoints = [await hear(tcp, "127.0.0.1:*"), await hear(tcp, "127.0.0.1:*"), await hear(tcp, "127.0.0.1:0")]
    expect(new Set(endpoints.map(({ listener }) => listener.endpoint)).size).toBe(3)
  })

  it("an address in use is EADDRINUSE also by way of another name for it", async () => {
    const { listener } = await hear(tcp, "127.0.0.1:*")
    const port = addressOf(listener.endpoint).split(":")[1]
    for (const host of ["localhost", loopback, "*"]) {
      await expect(hear(tcp, `${host}:${port}`)).rejects.toMatchObject({
        code: "EADDRINUSE",
        address: `tcp://${host}:${port}`,
      })
    }
  })
})

describe("names and sources", () => {
  it("a DNS name is looked up when it is connected to", async () => {
    const { listener, accepted } = await hear(tcp, "127.0.0.1:*")
    const client = dial(tcp, listener.endpoint.replace("127.0.0.1", "localhost"))
    await eventually(() => client.opened && accepted.length === 1)
    expect(client.stream.remote).toBe(listener.endpoint)
  })

  it("a name that nobody has ends the stream, later", async () => {
    const client = dial(tcp, "tcp://no-such-host.invalid:80")
    expect(client.closed).toBeUndefined()
    await eventually(() => client.closed !== undefined)
    expect(client.closed?.code).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/)
  })

  it("a dial that is destroyed while its name is looked up tells nothing", async () => {
    const cancelled = dial(tcp, "tcp://no-such-host.invalid:80")
    const source = dial(tcp, "tcp://localhost:0;no-such-host.invalid:80")
    cancelled.destroy()
    source.destroy()
    const other = dial(tcp, "tcp://no-such-host.invalid:80")
    await eventually(() => other.closed !== undefined)
    expect([cancelled.closed, source.closed]).toEqual([undefined, undefined])
  })

  it.each([
    ["127.0.0.1:0", "127.0.0.1"],
    ["127.0.0.1", "127.0.0.1"],
    ["127.0.0.1:*", "127.0.0.1"],
    ["127.0.0.2:0", "127.0.0.2"],
    [`${loopback}:0`, "127.0.0.1"],
    ["localhost:0", "127.0.0.1"],
    ["*:0", "127.0.0.1"],
    ["", "127.0.0.1"],
  ])("a source %j is what the other side sees", async (source, seen) => {
    const { listener, accepted } = await hear(tcp, "127.0.0.1:*")
    const client = dial(tcp, `tcp://${source};localhost:${listener.endpoint.split(":")[2]}`)
    await eventually(() => client.opened && accepted[0]?.opened)
    expect(accepted[0]!.stream.remote).toMatch(`tcp://${seen}:`)
    expect(client.stream.local).toBe(accepted[0]!.stream.remote)
  })

  it("a source may name its port, with any interface or with one", async () => {
    for (const host of ["127.0.0.1", "*"]) {
      const { listener, accepted } = await hear(tcp, "127.0.0.1:*")
      const port = await freePort()
      const client = dial(tcp, `tcp://${host}:${port};${addressOf(listener.endpoint)}`)
      await eventually(() => client.opened && accepted[0]?.opened)
      expect(accepted[0]!.stream.remote).toBe(`tcp://127.0.0.1:${port}`)
    }
  })

  it.each([
    ["203.0.113.77:0", "EADDRNOTAVAIL"],
    ["no-such-interface0:0", "ENODEV"],
  ])("a source %s that cannot be had ends the stream: %s", async (source, code) => {
    const { listener } = await hear(tcp, "127.0.0.1:*")
    const client = dial(tcp, `tcp://${source};${addressOf(listener.endpoint)}`)
    await eventually(() => client.closed !== undefined)
    expect(client.closed?.code).toBe(code)
    expect(client.opened).toBe(false)
  })
})

describe("IPv6", () => {
  it.skipIf(!hasIpv6)("[::1] is bound, told in brackets, and reached", async () => {
    const { client, server, listener } = await meet(tcp, "[::1]:*", IPV6)
    expect(listener.endpoint).toMatch(/^tcp:\/\/\[::1\]:[1-9]\d*$/)
    expect(client.stream.remote).toBe(listener.endpoint)
    expect(server.stream.remote).toMatch(/^tcp:\/\/\[::1\]:\d+$/)
    client.write("six")
    await eventually(() => server.text === "six")
  })

  it.skipIf(!hasIpv6)("a wildcard takes both families when ipv6 is on", async () => {
    const { listener, accepted } = await hear(tcp, "*:*", { options: IPV6 })
    expect(listener.endpoint).toMatch(/^tcp:\/\/\[::\]:[1-9]\d*$/)
    const port = listener.endpoint.slice("tcp://[::]:".length)
    const clients = [dial(tcp, `tcp://[::1]:${port}`, IPV6), dial(tcp, `tcp://127.0.0.1:${port}`)]
    await eventually(() => clients.every(client => client.opened) && accepted.length === 2)
  })

  it.skipIf(!hasIpv6)("a wildcard takes IPv4 only when ipv6 is off", async () => {
    const { listener } = await hear(tcp, "*:*")
    const client = dial(tcp, listener.endpoint.replace("0.0.0.0", "[::1]"), IPV6)
    await eventually(() => client.closed !== undefined)
    expect(client.closed?.code).toBe("ECONNREFUSED")
  })

  it.skipIf(!hasIpv6)("an interface's name means its IPv6 address when ipv6 is on, as for libzmq", async () => {
    const native = new zeromq.Pull({ ipv6: true })
    await native.bind(`tcp://${loopback}:*`)
    const expected = native.lastEndpoint!.replace(/\d+$/, "")
    native.close()
    const { listener } = await hear(tcp, `${loopback}:*`, { options: IPV6 })
    expect(listener.endpoint.replace(/\d+$/, "")).toBe(expected)
  })

  it.skipIf(!hasIpv6)("a literal IPv6 address cannot be connected to while ipv6 is off", async () => {
    const { listener } = await hear(tcp, "[::1]:*", { options: IPV6 })
    const client = dial(tcp, listener.endpoint)
    await eventually(() => client.closed !== undefined || client.opened)
    expect(client.opened).toBe(false)
  })

  it.skipIf(!hasIpv6)("a source address is in brackets, too", async () => {
    const { listener, accepted } = await hear(tcp, "[::1]:*", { options: IPV6 })
    const client = dial(tcp, `tcp://[::1]:0;${addressOf(listener.endpoint)}`, IPV6)
    await eventually(() => client.opened && accepted[0]?.opened)
    expect(accepted[0]!.stream.remote).toMatch(/^tcp:\/\/\[::1\]:\d+$/)
  })
})

async function codeOf(call: () => Promise<unknown>): Promise<string | null> {
  try {
    await call()
    return null
  } catch (error) {
    return (error as { code: string }).code
  }
}
