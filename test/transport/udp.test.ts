/** udp against the contract of datagrams: opening, what is told of each datagram, sizes, families, options, closing. */
import { Socket } from "node:dgram"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { ZmqError } from "../../src/errors.js"
import type { DatagramOptions, DatagramPort, PortSink } from "../../src/transport/datagram.js"
import { udp } from "../../src/transport/udp.js"
import { GROUP, hasIpv6, hasMulticast, portOf, RawUdp, resending, VIA_LOOPBACK } from "../support/datagrams.js"
import { eventually, pause } from "../support/eventually.js"

const OPTIONS: DatagramOptions = {
  ipv6: false,
  multicastHops: 1,
  multicastLoop: true,
  sendBufferSize: -1,
  receiveBufferSize: -1,
}
const IPV6 = { ...OPTIONS, ipv6: true }

class Recorder implements PortSink {
  readonly datagrams: { bytes: Uint8Array; from: string }[] = []
  readonly sent: (Error | null)[] = []
  readonly errors: Error[] = []

  onDatagram(bytes: Uint8Array, from: string): void {
    this.datagrams.push({ bytes, from })
  }

  onSent(error: Error | null): void {
    this.sent.push(error)
  }

  onError(error: Error): void {
    this.errors.push(error)
  }
}

function closing(port: DatagramPort): DatagramPort {
  onTestFinished(() => port.close())
  return port
}

async function bind(address: string, options = OPTIONS) {
  const sink = new Recorder()
  return { sink, port: closing(await udp.bind(address, options, sink)) }
}

async function connect(address: string, options = OPTIONS) {
  const sink = new Recorder()
  return { sink, port: closing(await udp.connect(address, options, sink)) }
}

const addressOf = ({ endpoint }: DatagramPort) => endpoint.slice("udp://".length)

describe("a port", () => {
  it("sends to where it was connected, tells of each datagram once, later, and hears nothing itself", async () => {
    const there = await bind("127.0.0.1:*")
    const peer = await RawUdp.open()
    const { port, sink } = await connect(peer.address)
    expect(port.endpoint).toBe(`udp://${peer.address}`)
    port.send(Buffer.from("x"), null)
    expect(sink.sent).toEqual([])
    const { from } = await peer.next()
    expect(sink.sent).toEqual([null])
    await peer.send("anybody?", from.port)
    await resending(async () => there.port.send(Buffer.from("y"), peer.address), peer.next())
    expect(sink.datagrams).toEqual([])
    expect(port.queuedBytes).toBe(0)
  })

  it("receives, and sends to whoever it is told", async () => {
    const one = await bind("127.0.0.1:0")
    const two = await bind("127.0.0.1:*")
    await eventually(() => {
      one.port.send(Buffer.from("hello"), addressOf(two.port))
      return two.sink.datagrams.length > 0
    })
    const { bytes, from } = two.sink.datagrams[0]!
    expect([String(bytes), from]).toEqual(["hello", addressOf(one.port)])
    two.port.check(from)
  })

  it("tells of a datagram that is refused, and goes on", async () => {
    const peer = await RawUdp.open()
    const { port, sink } = await bind("127.0.0.1:*")
    port.send(Buffer.alloc(udp.longest + 1), peer.address)
    // Of a network that is not reached from the loopback address.
    port.send(Buffer.from("x"), "203.0.113.1:5556")
    await eventually(() => sink.sent.length === 2)
    expect(sink.sent[0]).toMatchObject({ code: "EMSGSIZE" })
    expect(sink.sent[1]).toBeInstanceOf(Error)
    await resending(async () => port.send(Buffer.from("x"), peer.address), peer.next())
  })

  it("takes datagrams of up to the size that it says", async () => {
    const one = await bind("127.0.0.1:*")
    const two = await bind("127.0.0.1:*")
    await eventually(() => {
      one.port.send(Buffer.alloc(udp.longest, 5), addressOf(two.port))
      return two.sink.datagrams.length > 0
    })
    expect(two.sink.datagrams[0]!.bytes).toEqual(Buffer.alloc(udp.longest, 5))
  })

  it("checks where it is to send", async () => {
    const { port } = await bind("127.0.0.1:*")
    port.check("127.0.0.1:1")
    port.check("255.255.255.255:65535\0")
    for (const wrong of ["", "x", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "1.2.3:4", "[::1]:5", "a:5", ":5"]) {
      expect(() => port.check(wrong), wrong).toThrow(ZmqError)
    }
  })

  it("is closed once and for all, with its address, and tells nothing any more", async () => {
    const { port, sink } = await bind("127.0.0.1:*")
    const peer = await RawUdp.open()
    port.send(Buffer.from("last"), peer.address)
    port.close()
    port.close()
    await pause(20)
    expect(sink.sent).toEqual([])
    const again = await bind(addressOf(port))
    expect(again.port.endpoint).toBe(port.endpoint)
  })

  it("does not keep the process alive", async () => {
    const unref = vi.spyOn(Socket.prototype, "unref")
    onTestFinished(() => unref.mockRestore())
    await bind("127.0.0.1:*")
    await connect("127.0.0.1:5")
    expect(unref).toHaveBeenCalledTimes(2)
  })
})

describe("names", () => {
  it("are looked up when a port is opened", async () => {
    const peer = await RawUdp.open()
    const { port } = await connect(`localhost:${peer.port}`)
    await resending(async () => port.send(Buffer.from("x"), null), peer.next())
    const { port: bound } = await bind("localhost:*")
    expect(bound.endpoint).toMatch(/^udp:\/\/127\.0\.0\.1:\d+$/)
  })

  it("that are not known are refused, and may be known later", async () => {
    udp.check("no-such-host.invalid:5", OPTIONS)
    await expect(udp.connect("no-such-host.invalid:5", OPTIONS, new Recorder())).rejects.toBeInstanceOf(Error)
    await expect(udp.bind("no-such-host.invalid:*", OPTIONS, new Recorder())).rejects.toMatchObject({ code: "ENODEV" })
  })
})

describe.runIf(hasIpv6)("IPv6", () => {
  it("has brackets", async () => {
    const one = await bind("[::1]:*", IPV6)
    const two = await bind("[::1]:*", IPV6)
    expect(one.port.endpoint).toMatch(/^udp:\/\/\[::1\]:\d+$/)
    one.port.check(addressOf(two.port))
    await eventually(() => {
      one.port.send(Buffer.from("six"), addressOf(two.port))
      return two.sink.datagrams.length > 0
    })
    expect(two.sink.datagrams[0]!.from).toBe(addressOf(one.port))
  })

  it("on all interfaces hears and reaches IPv4, by its own addresses", async () => {
    const { port, sink } = await bind("*:*", IPV6)
    const peer = await RawUdp.open()
    await eventually(async () => {
      await peer.send("four", portOf(port.endpoint))
      return sink.datagrams.length > 0
    })
    const { from } = sink.datagrams[0]!
    expect(from).toBe(peer.address)
    port.check(from)
    port.check("[fe80::1%eth0]:5556")
    await resending(async () => port.send(Buffer.from("back"), from), peer.next())
  })
})

describe("options", () => {
  /** The sockets that are opened meanwhile. */
  function watched(): Socket[] {
    const sockets: Socket[] = []
    const original = Socket.prototype.bind
    const spy = vi.spyOn(Socket.prototype, "bind").mockImplementation(function (this: Socket, ...all: unknown[]) {
      sockets.push(this)
      return Reflect.apply(original, this, all) as Socket
    })
    onTestFinished(() => spy.mockRestore())
    return sockets
  }

  it("sizes of the operating system's buffers", async () => {
    const sockets = watched()
    await bind("127.0.0.1:*")
    await bind("127.0.0.1:*", { ...OPTIONS, sendBufferSize: 0, receiveBufferSize: 0 })
    await bind("127.0.0.1:*", { ...OPTIONS, sendBufferSize: 20_000, receiveBufferSize: 30_000 })
    await connect("127.0.0.1:5", { ...OPTIONS, sendBufferSize: 20_000 })
    const sizes = sockets.map(socket => [socket.getSendBufferSize(), socket.getRecvBufferSize()])
    expect(sizes[1]).toEqual(sizes[0])
    // Linux keeps as much again for itself.
    expect(sizes[2]).not.toEqual(sizes[0])
    expect([20_000, 40_000]).toContain(sizes[2]![0])
    expect([30_000, 60_000]).toContain(sizes[2]![1])
    expect(sizes[3]).toEqual([sizes[2]![0], sizes[0]![1]])
  })

  it("a small receive buffer holds less", async () => {
    const counts: number[] = []
    for (const receiveBufferSize of [4096, -1]) {
      const { port, sink } = await bind("127.0.0.1:*", { ...OPTIONS, receiveBufferSize })
      const from = await connect(addressOf(port))
      // In one turn of the loop, in which nothing is read.
      for (let count = 0; count < 40; count++) from.port.send(Buffer.alloc(1000), null)
      await eventually(() => sink.datagrams.length > 0)
      await pause(20)
      counts.push(sink.datagrams.length)
    }
    expect(counts[0]).toBeLessThan(40)
    expect(counts[1]).toBeGreaterThan(counts[0]!)
  })

  it("hops, loop and interface of a multicast", async () => {
    const hops = vi.spyOn(Socket.prototype, "setMulticastTTL")
    const loop = vi.spyOn(Socket.prototype, "setMulticastLoopback")
    const via = vi.spyOn(Socket.prototype, "setMulticastInterface")
    onTestFinished(() => void vi.restoreAllMocks())
    await connect(`${VIA_LOOPBACK}:5`, { ...OPTIONS, multicastHops: 7, multicastLoop: false })
    await connect(`${GROUP}:5`, { ...OPTIONS, multicastHops: 300 })
    expect(hops.mock.calls).toEqual([[7], [255]])
    expect(loop.mock.calls).toEqual([[false], [true]])
    expect(via.mock.calls).toEqual([["127.0.0.1"]])
  })
})

describe.runIf(hasMulticast)("a group", () => {
  it("is heard by all who are bound to it, on the interface that was named", async () => {
    const one = await bind(`${VIA_LOOPBACK}:*`)
    expect(one.port.endpoint).toMatch(new RegExp(`^udp://${VIA_LOOPBACK}:\\d+$`))
    const two = await bind(addressOf(one.port))
    const from = await connect(addressOf(one.port))
    await eventually(() => {
      from.port.send(Buffer.from("all"), null)
      return one.sink.datagrams.length > 0 && two.sink.datagrams.length > 0
    })
  })

  it("needs an interface of this machine", async () => {
    const sink = new Recorder()
    await expect(udp.bind(`203.0.113.200;${GROUP}:*`, OPTIONS, sink)).rejects.toMatchObject({ code: "EADDRNOTAVAIL" })
    await expect(udp.connect(`203.0.113.200;${GROUP}:5`, OPTIONS, sink)).rejects.toMatchObject({
      code: "EADDRNOTAVAIL",
      address: `udp://203.0.113.200;${GROUP}:5`,
    })
  })
})
