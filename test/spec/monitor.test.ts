/**
 * Socket events: which come, in what order, with what in them (case 118 of the list of portable cases, and libzmq's sequences).
 */
import { connect } from "node:net"
import { networkInterfaces } from "node:os"
import { describe, expect, it } from "vitest"
import { freePort, freshEndpoint, reservedEndpoint, wired } from "../support/endpoints.js"
import { zmq } from "../support/engine.js"
import { EventLog, type SocketEvent } from "../support/events.js"
import { eventually } from "../support/eventually.js"
import { bound, failure, ownSockets, text } from "../support/sockets.js"

const loopback = Object.values(networkInterfaces()).flat()
const noIpv6 = !loopback.some(address => address?.internal && address.family === "IPv6")
if (noIpv6) console.log("no IPv6 loopback here: its cases are skipped")

describe.each(wired)("events over %s", transport => {
  const own = ownSockets()

  /** Whether a connect is pending for a moment is up to the kernel; over ipc it never is. */
  const settled = (log: EventLog) => log.types.filter(type => type !== "connect:delay")

  it("of a server: bind, accept, handshake, disconnect, and close when it unbinds", async () => {
    const server = own(new zmq.Reply())
    const log = new EventLog(server)
    const address = await bound(server, freshEndpoint(transport))
    const client = own(new zmq.Request())
    client.connect(address)
    await client.send("hello")
    expect(await text(server)).toEqual(["hello"])
    await client.close()
    await log.seen("disconnect")
    await server.unbind(address)
    await log.seen("close")
    expect(log.types).toEqual(["bind", "accept", "handshake", "disconnect", "close"])
    for (const event of log.all) expect(event).toMatchObject({ address })
  })

  it("of a client: connect, handshake, and when the server goes disconnect and connect:retry", async () => {
    const server = own(new zmq.Reply())
    const address = await bound(server, freshEndpoint(transport))
    const client = own(new zmq.Request({ reconnectInterval: 60_000 }))
    const log = new EventLog(client)
    client.connect(address)
    await log.seen("handshake")
    await server.close()
    await log.seen("connect:retry")
    await log.staysQuiet()
    expect(settled(log)).toEqual(["connect", "handshake", "disconnect", "connect:retry"])
    if (transport === "tcp") expect(log.types[0]).toBe("connect:delay")
    for (const event of log.all) expect(event).toMatchObject({ address })
    const retry = log.all.at(-1) as SocketEvent & { interval: number }
    expect(retry.interval).toBeGreaterThanOrEqual(60_000)
    expect(retry.interval).toBeLessThan(120_000)
  })

  it("of a client whose server comes back: disconnect, connect:retry, then connect and handshake", async () => {
    const server = own(new zmq.Reply())
    const address = await bound(server, freshEndpoint(transport))
    const client = own(new zmq.Request({ reconnectInterval: 30 }))
    const log = new EventLog(client)
    client.connect(address)
    await log.seen("handshake")
    await server.close()
    await log.seen("disconnect")
    const again = own(new zmq.Reply())
    await eventually(() => again.bind(address).then(() => true))
    await log.seen("handshake", 2)
    await log.staysQuiet()
    const attempts = settled(log).slice(4, -2)
    expect(settled(log).slice(0, 4)).toEqual(["connect", "handshake", "disconnect", "connect:retry"])
    expect(attempts).toEqual(attempts.map((_, index) => (index % 2 === 0 ? "close" : "connect:retry")))
    expect(settled(log).slice(-2)).toEqual(["connect", "handshake"])
  })

  it("end with end when the socket closes", async () => {
    const server = own(new zmq.Reply())
    const observer = server.events
    const log = new EventLog(server)
    await bound(server, freshEndpoint(transport))
    await log.seen("bind")
    await server.close()
    await eventually(() => log.count("end") === 1)
    expect(log.types).toEqual(["bind", "close", "end"])
    expect(observer.closed).toBe(true)
  })

  it("can be read one by one", async () => {
    const server = own(new zmq.Reply())
    const next = server.events.receive()
    const address = await bound(server, freshEndpoint(transport))
    expect(await next).toEqual({ type: "bind", address })
    const client = own(new zmq.Request())
    client.connect(address)
    expect(await server.events.receive()).toEqual({ type: "accept", address })
    expect(await server.events.receive()).toEqual({ type: "handshake", address })
  })

  it("can be iterated over until the socket closes", async () => {
    const server = own(new zmq.Reply())
    const seen: string[] = []
    const reading = (async () => {
      for await (const event of server.events) seen.push(event.type)
    })()
    await bound(server, freshEndpoint(transport))
    await eventually(() => seen.includes("bind"))
    await server.close()
    await reading
    expect(seen).toEqual(["bind", "close", "end"])
  })

  it("of incompatible types: disconnect on both sides, no handshake, no further attempt", async () => {
    const pull = own(new zmq.Pull())
    const pullLog = new EventLog(pull)
    const pub = own(new zmq.Publisher({ reconnectInterval: 10 }))
    const pubLog = new EventLog(pub)
    pub.connect(await bound(pull, freshEndpoint(transport)))
    await pubLog.seen("disconnect")
    await pullLog.seen("disconnect")
    await pubLog.staysQuiet()
    for (const log of [pullLog, pubLog]) expect(log.types).not.toContain("handshake")
    expect(pubLog.types).not.toContain("connect:retry")
  })
})

describe("events over IPv6", () => {
  const own = ownSockets()

  it.skipIf(noIpv6)("name the endpoint as it was bound and connected to, on both sides", async () => {
    const server = own(new zmq.Pair({ ipv6: true }))
    const client = own(new zmq.Pair({ ipv6: true }))
    const logs = [new EventLog(server), new EventLog(client)] as const
    const address = await bound(server, "tcp://[::1]:*")
    client.connect(address)
    for (const log of logs) await log.seen("handshake")
    for (const log of logs) for (const event of log.all) expect(event).toMatchObject({ address })
  })
})

describe("events of connects that fail", () => {
  const own = ownSockets()

  it("connect:delay, close and connect:retry for every attempt; the interval doubles up to its maximum", async () => {
    const client = own(new zmq.Dealer({ reconnectInterval: 20, reconnectMaxInterval: 100 }))
    const log = new EventLog(client)
    client.connect(await reservedEndpoint("tcp"))
    await log.seen("connect:retry", 5)
    const intervals = log.all.flatMap(event => (event.type === "connect:retry" ? [event.interval] : []))
    expect(intervals.slice(0, 5)).toEqual([20, 40, 80, 100, 100])
    const cycle = ["connect:delay", "close", "connect:retry"]
    expect(log.types.slice(0, 15)).toEqual([...cycle, ...cycle, ...cycle, ...cycle, ...cycle])
  })

  it("the interval stays between once and twice the set one when there is no maximum", async () => {
    const client = own(new zmq.Dealer({ reconnectInterval: 20 }))
    const log = new EventLog(client)
    client.connect(await reservedEndpoint("tcp"))
    await log.seen("connect:retry", 8)
    for (const event of log.all) {
      if (event.type !== "connect:retry") continue
      expect(event.interval).toBeGreaterThanOrEqual(20)
      expect(event.interval).toBeLessThan(40)
    }
  })

  it("an interval of -1 makes one attempt", async () => {
    const client = own(new zmq.Dealer({ reconnectInterval: -1 }))
    const log = new EventLog(client)
    client.connect(await reservedEndpoint("tcp"))
    await log.seen("close")
    await log.staysQuiet()
    expect(log.types).toEqual(["connect:delay", "close"])
  })
})

describe("events of binds and handshakes that fail", () => {
  const own = ownSockets()

  it("bind:error, and the same error from bind", async () => {
    const first = own(new zmq.Pull())
    const address = await bound(first, "tcp://127.0.0.1:*")
    const second = own(new zmq.Pull())
    const log = new EventLog(second)
    const error = await failure(() => second.bind(address))
    expect(error).toMatchObject({ code: "EADDRINUSE", address })
    const event = await log.seen("bind:error")
    expect(event).toMatchObject({ error: { code: "EADDRINUSE" } })
    expect(log.types).not.toContain("bind")
  })

  it("handshake:error:other and disconnect when a peer says nothing for as long as handshakeInterval", async () => {
    const server = own(new zmq.Pull({ handshakeInterval: 60 }))
    const log = new EventLog(server)
    const port = await freePort()
    await server.bind(`tcp://127.0.0.1:${port}`)
    const silent = connect(port, "127.0.0.1")
    const ended = new Promise(resolve => silent.once("close", resolve))
    silent.on("error", () => undefined).resume()
    await log.seen("disconnect")
    await ended
    expect(log.types).toEqual(["bind", "accept", "handshake:error:other", "disconnect"])
    expect(log.all[2]).toHaveProperty("error.code")
  })

  it("handshake:error:other and disconnect when a peer leaves before its handshake is done", async () => {
    const server = own(new zmq.Pull())
    const log = new EventLog(server)
    const port = await freePort()
    await server.bind(`tcp://127.0.0.1:${port}`)
    const hasty = connect(port, "127.0.0.1")
    hasty.on("error", () => undefined)
    await log.seen("accept")
    hasty.destroy()
    await log.seen("disconnect")
    expect(log.types).toEqual(["bind", "accept", "handshake:error:other", "disconnect"])
  })
})

describe("observers", () => {
  const own = ownSockets()

  it("inproc has no events but the end", async () => {
    const server = own(new zmq.Pair())
    const client = own(new zmq.Pair())
    const logs = [new EventLog(server), new EventLog(client)]
    client.connect(await bound(server, freshEndpoint("inproc")))
    await client.send("hello")
    expect(await text(server)).toEqual(["hello"])
    await client.close()
    await server.close()
    for (const log of logs) {
      await log.seen("end")
      expect(log.types).toEqual(["end"])
    }
  })

  it("is one per socket, and closing it twice is fine", async () => {
    const socket = own(new zmq.Pair())
    const observer = socket.events
    expect(socket.events).toBe(observer)
    expect(observer).toBeInstanceOf(zmq.Observer)
    expect(observer.closed).toBe(false)
    observer.close()
    observer.close()
    expect(observer.closed).toBe(true)
    expect((await failure(() => observer.receive())).message).toMatch(/closed/i)
  })

  it("cannot be read once it has listeners", async () => {
    const socket = own(new zmq.Pair())
    socket.events.on("bind", () => undefined)
    expect((await failure(() => socket.events.receive())).message).toMatch(/emitter mode/i)
  })

  it("no longer calls a listener that was taken off", async () => {
    const socket = own(new zmq.Pair())
    const heard: string[] = []
    const listener = () => heard.push("removed")
    socket.events.on("bind", listener)
    socket.events.on("bind", () => heard.push("kept"))
    socket.events.off("bind", listener)
    await socket.bind(freshEndpoint("tcp"))
    await eventually(() => heard.length > 0)
    expect(heard).toEqual(["kept"])
  })

  it("a second observer stops the first", async () => {
    const socket = own(new zmq.Pair())
    const first = new zmq.Observer(socket)
    const last = first.receive()
    const second = new zmq.Observer(socket)
    expect(await last).toEqual({ type: "end" })
    const next = second.receive()
    const address = await bound(socket, freshEndpoint("tcp"))
    expect(await next).toEqual({ type: "bind", address })
    second.close()
  })
})
