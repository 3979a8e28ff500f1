/**
 * Addresses: what bind, unbind, connect and disconnect take, what lastEndpoint says, and what fails with which code (cases 69, 70 and 101
 * to 114 of the list of portable cases).
 */
import { renameSync, statSync } from "node:fs"
import { createServer } from "node:net"
import { networkInterfaces } from "node:os"
import { describe, expect, it } from "vitest"
import { freePort, freshEndpoint, freshPath, reservedEndpoint, transports, wired } from "../support/endpoints.js"
import { zmq } from "../support/engine.js"
import { eventually } from "../support/eventually.js"
import { bound, failsWith, failure, nothingArrives, ownSockets, text } from "../support/sockets.js"

const loopback = Object.values(networkInterfaces()).flat()
const noIpv6 = !loopback.some(address => address?.internal && address.family === "IPv6")
if (noIpv6) console.log("no IPv6 loopback here: its cases are skipped")

const notLinux = process.platform !== "linux"

/** A request and its reply. */
async function bounce(server: InstanceType<typeof zmq.Reply>, client: InstanceType<typeof zmq.Request>) {
  await client.send(["12345678ABCDEFGH12345678abcdefgh", "second"])
  const request = await server.receive()
  await server.send(request)
  expect(await text(client)).toEqual(["12345678ABCDEFGH12345678abcdefgh", "second"])
}

/** A socket file that nobody listens at any more. */
async function leaveSocketFile(path: string): Promise<void> {
  const server = createServer()
  const elsewhere = freshPath()
  await new Promise<void>(resolve => server.listen(elsewhere, resolve))
  renameSync(elsewhere, path)
  await new Promise(resolve => server.close(resolve))
}

describe.each(transports)("endpoints over %s", transport => {
  const own = ownSockets()

  it("connect first, bind later (70)", async () => {
    const address = await reservedEndpoint(transport)
    const client = own(new zmq.Request({ reconnectInterval: 20 }))
    client.connect(address)
    const server = own(new zmq.Reply())
    await server.bind(address)
    await bounce(server, client)
  })

  it("after unbind a peer that connected is gone, and a send finds nobody (101)", async () => {
    const push = own(new zmq.Push())
    const pull = own(new zmq.Pull())
    const address = await bound(push, freshEndpoint(transport))
    pull.connect(address)
    await push.send("one")
    expect(await text(pull)).toEqual(["one"])
    await push.unbind(address)
    // inproc keeps the pipes that exist.
    if (transport === "inproc") return expect(push.writable).toBe(true)
    push.sendTimeout = 0
    await eventually(() => !push.writable)
    await failsWith("EAGAIN", () => push.send("two"))
  })

  it("after disconnect a send finds nobody (102)", async () => {
    const push = own(new zmq.Push({ sendTimeout: 0 }))
    const pull = own(new zmq.Pull())
    const address = await bound(pull, freshEndpoint(transport))
    push.connect(address)
    await push.send("one")
    expect(await text(pull)).toEqual(["one"])
    push.disconnect(address)
    await eventually(() => !push.writable)
    await failsWith("EAGAIN", () => push.send("two"))
  })

  it("unbind takes what lastEndpoint says, once (103)", async () => {
    const socket = own(new zmq.Pull())
    expect(socket.lastEndpoint).toBeNull()
    await socket.bind(freshEndpoint(transport))
    const address = socket.lastEndpoint!
    await socket.unbind(address)
    await failsWith("ENOENT", () => socket.unbind(address))
    await socket.bind(address)
    expect(socket.lastEndpoint).toBe(address)
  })

  it("disconnect takes what connect took, once", async () => {
    const socket = own(new zmq.Push())
    const address = await reservedEndpoint(transport)
    await failsWith("ENOENT", () => socket.disconnect(address))
    socket.connect(address)
    socket.disconnect(address)
    await eventually(() => !socket.writable)
    await failsWith("ENOENT", () => socket.disconnect(address))
  })

  it("disconnect takes what bind took, unbind what connect took: libzmq asks only for the address", async () => {
    const socket = own(new zmq.Dealer())
    const address = await bound(socket, freshEndpoint(transport))
    socket.disconnect(address)
    await failsWith("ENOENT", () => socket.unbind(address))
    const other = await reservedEndpoint(transport)
    socket.connect(other)
    await socket.unbind(other)
    await failsWith("ENOENT", () => socket.disconnect(other))
    await own(new zmq.Dealer()).bind(address)
  })

  it("an address that is taken is EADDRINUSE, and the error names it", async () => {
    const first = own(new zmq.Pull())
    const address = await bound(first, freshEndpoint(transport))
    if (transport === "ipc") return
    const error = await failure(() => own(new zmq.Pull()).bind(address))
    expect(error).toMatchObject({ code: "EADDRINUSE", address })
    expect(error.errno).toBeGreaterThan(0)
  })

  it("one socket binds to several addresses; lastEndpoint is the newest (110)", async () => {
    const server = own(new zmq.Reply())
    const one = await reservedEndpoint(transport)
    const two = await reservedEndpoint(transport)
    for (const address of [one, two]) {
      await server.bind(address)
      expect(server.lastEndpoint).toBe(address)
    }
    for (const address of [one, two]) {
      const client = own(new zmq.Request())
      client.connect(address)
      await bounce(server, client)
    }
    await server.unbind(one)
    const client = own(new zmq.Request())
    client.connect(two)
    await bounce(server, client)
  })

  it("connect says nothing when there is nobody, and sets lastEndpoint", async () => {
    const address = await reservedEndpoint(transport)
    const socket = own(new zmq.Push())
    socket.connect(address)
    expect(socket.lastEndpoint).toBe(address)
  })
})

describe("tcp endpoints", () => {
  const own = ownSockets()

  it("unbind takes the name that was bound, and the address that it stands for", async () => {
    const socket = own(new zmq.Pull())
    const port = await freePort()
    for (const host of ["localhost", "127.0.0.1"]) {
      await socket.bind(`tcp://localhost:${port}`)
      expect(socket.lastEndpoint).toBe(`tcp://127.0.0.1:${port}`)
      await socket.unbind(`tcp://${host}:${port}`)
      await failsWith("ENOENT", () => socket.unbind(`tcp://${host}:${port}`))
    }
  })

  it("unbind does not take the wildcard that was bound", async () => {
    const socket = own(new zmq.Pull())
    const port = await freePort()
    await socket.bind(`tcp://*:${port}`)
    await failsWith("ENOENT", () => socket.unbind(`tcp://*:${port}`))
    await socket.unbind(`tcp://0.0.0.0:${port}`)
    await socket.bind("tcp://127.0.0.1:*")
    await failsWith("ENOENT", () => socket.unbind("tcp://127.0.0.1:*"))
  })

  it("disconnect ends what the same socket has bound to the address as well", async () => {
    const socket = own(new zmq.Dealer())
    const address = await bound(socket, "tcp://127.0.0.1:*")
    socket.connect(address)
    socket.disconnect(address)
    await failsWith("ENOENT", () => socket.unbind(address))
  })

  it.each([
    ["tcp://*:*", false, /^tcp:\/\/0\.0\.0\.0:\d+$/],
    ["tcp://*:0", false, /^tcp:\/\/0\.0\.0\.0:\d+$/],
    ["tcp://127.0.0.1:*", false, /^tcp:\/\/127\.0\.0\.1:\d+$/],
    ["tcp://127.0.0.1:0", false, /^tcp:\/\/127\.0\.0\.1:\d+$/],
    ["tcp://localhost:*", false, /^tcp:\/\/127\.0\.0\.1:\d+$/],
  ])(
    "%s: lastEndpoint can be connected to, disconnected and unbound; the wildcard cannot be unbound (104, 105, 107)",
    async (wildcard, ipv6, pattern) => {
      const server = own(new zmq.Reply({ ipv6 }))
      const client = own(new zmq.Request({ ipv6 }))
      await server.bind(wildcard)
      const address = server.lastEndpoint!
      expect(address).toMatch(pattern)
      expect(Number(address.split(":").pop())).toBeGreaterThan(0)
      client.connect(address)
      await bounce(server, client)
      client.disconnect(address)
      await failsWith("ENOENT", () => server.unbind(wildcard))
      await server.unbind(address)
    },
  )

  it.skipIf(noIpv6).each([
    ["tcp://*:*", /^tcp:\/\/\[::\]:\d+$/],
    ["tcp://127.0.0.1:*", /^tcp:\/\/(\[::ffff:)?127\.0\.0\.1\]?:\d+$/],
    ["tcp://[::1]:*", /^tcp:\/\/\[::1\]:\d+$/],
  ])(
    "%s with ipv6: lastEndpoint can be connected to, disconnected and unbound (106, 108, 109)",
    async (wildcard, pattern) => {
      const server = own(new zmq.Reply({ ipv6: true }))
      const client = own(new zmq.Request({ ipv6: true }))
      await server.bind(wildcard)
      const address = server.lastEndpoint!
      expect(address).toMatch(pattern)
      client.connect(address)
      await bounce(server, client)
      client.disconnect(address)
      await failsWith("ENOENT", () => server.unbind(wildcard))
      await server.unbind(address)
    },
  )

  it.skipIf(noIpv6)("an IPv6 listener on every address serves IPv4 as well", async () => {
    const server = own(new zmq.Reply({ ipv6: true }))
    await server.bind("tcp://*:*")
    const port = server.lastEndpoint!.split(":").pop()
    for (const host of ["127.0.0.1", "[::1]"]) {
      const client = own(new zmq.Request({ ipv6: true }))
      client.connect(`tcp://${host}:${port}`)
      await bounce(server, client)
    }
  })

  it.skipIf(noIpv6)("without ipv6 no IPv6 address is bound", async () => {
    expect((await failure(() => own(new zmq.Pull()).bind("tcp://[::1]:*"))).code).toBe("ENODEV")
  })

  it("binds to an interface by its name", async () => {
    const name = Object.entries(networkInterfaces()).find(([, list]) => list?.some(one => one.address === "127.0.0.1"))
    const server = own(new zmq.Reply())
    const client = own(new zmq.Request())
    await server.bind(`tcp://${name![0]}:*`)
    expect(server.lastEndpoint).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/)
    client.connect(server.lastEndpoint!)
    await bounce(server, client)
  })

  it("connects by a host's name, and from a source address (111, 112)", async () => {
    const server = own(new zmq.Reply())
    const address = await bound(server, "tcp://127.0.0.1:*")
    const port = address.split(":").pop()
    const source = await freePort()
    for (const where of [
      `tcp://localhost:${port}`,
      `tcp://127.0.0.1:0;localhost:${port}`,
      `tcp://127.0.0.1:*;127.0.0.1:${port}`,
      `tcp://127.0.0.1:${source};127.0.0.1:${port}`,
    ]) {
      const client = own(new zmq.Request())
      client.connect(where)
      expect(client.lastEndpoint).toBe(where)
      await bounce(server, client)
      client.disconnect(where)
    }
  })

  it.each([
    "tcp://localhost:1234",
    "tcp://[::1]:1234",
    "tcp://lo:5555;localhost:1235",
    "tcp://not-a-host.invalid:1234",
  ])("connect takes %s, whether or not there is such a host", address => {
    const socket = own(new zmq.Pair())
    socket.connect(address)
    socket.disconnect(address)
  })
})

describe("ipc endpoints", () => {
  const own = ownSockets()

  it("ipc://* is a new path, that can be connected to and unbound; the wildcard cannot (103, 104, 114)", async () => {
    const server = own(new zmq.Reply())
    const client = own(new zmq.Request())
    await server.bind("ipc://*")
    const address = server.lastEndpoint!
    expect(address).toMatch(/^ipc:\/\/.+/)
    expect(address).not.toContain("*")
    const other = own(new zmq.Reply())
    await other.bind("ipc://*")
    expect(other.lastEndpoint).not.toBe(address)
    client.connect(address)
    await bounce(server, client)
    client.disconnect(address)
    await failsWith("ENOENT", () => server.unbind("ipc://*"))
    await server.unbind(address)
  })

  it.skipIf(notLinux)("ipc://@name is an abstract address, without a file (114)", async () => {
    const server = own(new zmq.Pair())
    const client = own(new zmq.Pair())
    const address = `ipc://@peerlane-test-${process.pid}-${Date.now()}`
    await server.bind(address)
    expect(server.lastEndpoint).toBe(address)
    client.connect(address)
    await client.send("hello")
    expect(await text(server)).toEqual(["hello"])
    await failsWith("EINVAL", () => own(new zmq.Pair()).bind("ipc://@"))
    await failsWith("EINVAL", () => own(new zmq.Pair()).connect("ipc://@"))
  })

  it("takes the path of a socket file that its process has left behind", async () => {
    const path = freshPath()
    await leaveSocketFile(path)
    expect(statSync(path).isSocket()).toBe(true)
    const server = own(new zmq.Reply())
    await server.bind(`ipc://${path}`)
    const client = own(new zmq.Request())
    client.connect(`ipc://${path}`)
    await bounce(server, client)
  })

  it("a second socket takes the path over while the first is still open (114)", async () => {
    const address = freshEndpoint("ipc")
    const first = own(new zmq.Push())
    await first.bind(address)
    const early = own(new zmq.Pull())
    early.connect(address)
    await first.send("from the first")
    expect(await text(early)).toEqual(["from the first"])
    const second = own(new zmq.Push())
    await second.bind(address)
    const late = own(new zmq.Pull())
    late.connect(address)
    await second.send("from the second")
    expect(await text(late)).toEqual(["from the second"])
    await first.send("still there")
    expect(await text(early)).toEqual(["still there"])
    await nothingArrives(late, 30)
  })

  it("a path of 108 characters or more is ENAMETOOLONG (69)", async () => {
    const address = `ipc:///${"x".repeat(107)}`
    await failsWith("ENAMETOOLONG", () => own(new zmq.Pair()).bind(address))
    await failsWith("ENAMETOOLONG", () => own(new zmq.Pair()).connect(address))
  })
})

describe("addresses that are none", () => {
  const own = ownSockets()

  it.each([
    ["tcp://localhost:invalid", "EINVAL"],
    ["tcp://in val id:1234", "EINVAL"],
    ["tcp://", "EINVAL"],
    ["tcp://:*", "EINVAL"],
    ["tcp://localhost", "EINVAL"],
    ["tcp://*:5555", "EINVAL"],
    ["tcp:", "EINVAL"],
    ["", "EINVAL"],
    ["nonsense", "EINVAL"],
    ["ipc://", "EINVAL"],
    ["inproc://", "EINVAL"],
    ["invalid://localhost:1234", "EPROTONOSUPPORT"],
    ["pgm://x", "EPROTONOSUPPORT"],
  ])("connect to %j throws %s at once, and the error names the address (111)", async (address, code) => {
    const socket = own(new zmq.Pair())
    let thrown: unknown
    try {
      socket.connect(address)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({ code, address })
  })

  it.each([
    ["tcp://localhost:invalid", "EINVAL"],
    ["tcp://", "EINVAL"],
    ["tcp://localhost", "EINVAL"],
    ["", "EINVAL"],
    ["nonsense", "EINVAL"],
    ["ipc://", "EINVAL"],
    ["inproc://", "EINVAL"],
    ["invalid://localhost:1234", "EPROTONOSUPPORT"],
    ["pgm://x", "EPROTONOSUPPORT"],
    ["tcp://203.0.113.1:*", "EADDRNOTAVAIL"],
    ["ipc:///no/such/folder/at/all.sock", "ENOENT"],
  ])("bind to %j fails with %s, and the error names the address", async (address, code) => {
    const socket = own(new zmq.Pair())
    expect(await failure(() => socket.bind(address))).toMatchObject({ code, address })
    expect(socket.lastEndpoint).toBeNull()
  })

  it("what is not a string is a TypeError", async () => {
    const socket = own(new zmq.Pair())
    const call = socket as unknown as Record<string, (address?: unknown) => unknown>
    for (const method of ["connect", "bind", "unbind", "disconnect"]) {
      for (const address of [undefined, 5, null, {}]) {
        expect((await failure(() => call[method]!(address))).name).toBe("TypeError")
      }
    }
  })

  it.each(wired)("a socket is usable after a bind that failed (%s)", async transport => {
    const socket = own(new zmq.Reply())
    await failure(() => socket.bind("nonsense"))
    const client = own(new zmq.Request())
    client.connect(await bound(socket, freshEndpoint(transport)))
    await bounce(socket, client)
  })
})
