/**
 * Peers at a tls+tcp port that mean harm, or are mistaken: that stall in the handshake of TLS, say something else, or leave in
 * the middle. Each of them ends in time, an event says why, nothing is kept, and the socket goes on serving everyone else.
 */
import { connect, createServer, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import { describe, expect, it, onTestFinished } from "vitest"
import * as zmq from "../../patterns/index.js"
import { authority } from "../support/certificates.js"
import { EventLog } from "../support/events.js"
import { eventually } from "../support/eventually.js"
import { greeting } from "../support/raw-zmtp.js"
import { bound, ownSockets, text } from "../support/sockets.js"

const home = authority()
const { cert, key } = home.issue({ hosts: ["127.0.0.1"] })
const own = ownSockets()
const portOf = (endpoint: string) => Number(/\d+$/.exec(endpoint)?.[0])

async function listening(options: object = {}) {
  const pull = own(new zmq.Pull({ tlsCertPem: cert, tlsKeyPem: key, ...options }))
  const log = new EventLog(pull)
  const address = await bound(pull, "tls+tcp://127.0.0.1:*")
  const push = own(new zmq.Push({ tlsTrustPem: home.cert }))
  push.connect(address)
  await push.ready()
  /** Somebody else is served all the while. */
  const serves = async () => {
    await push.send("hello")
    expect(await text(pull)).toEqual(["hello"])
  }
  return { pull, log, address, serves }
}

/** A plain connection, and whether it is over. */
function plain(address: string): { socket: Socket; over: () => boolean } {
  const socket = connect(portOf(address), "127.0.0.1")
  let over = false
  socket.on("error", () => {})
  socket.on("close", () => {
    over = true
  })
  socket.resume()
  onTestFinished(() => void socket.destroy())
  return { socket, over: () => over }
}

/** The first bytes that a client of TLS says. */
function clientHello(): Promise<Buffer> {
  return new Promise(resolve => {
    const server = createServer(socket => {
      socket.once("data", chunk => {
        resolve(chunk)
        socket.destroy()
        server.close()
      })
      socket.on("error", () => {})
    })
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number }
      connectTls({ port, host: "127.0.0.1" }).on("error", () => {})
    })
  })
}

describe("at a bound socket", () => {
  it("who says nothing is gone after handshakeInterval", async () => {
    const { log, address, serves } = await listening({ handshakeInterval: 200 })
    const { over } = plain(address)
    await eventually(over)
    expect(await log.seen("handshake:error:other")).toMatchObject({ error: { code: "ETIMEDOUT" } })
    await serves()
  })

  it("who says a byte now and then is gone after handshakeInterval all the same", async () => {
    const { log, address, serves } = await listening({ handshakeInterval: 200 })
    const hello = await clientHello()
    const { socket, over } = plain(address)
    let at = 0
    const drip = setInterval(() => socket.write(hello.subarray(at, ++at)), 20)
    await eventually(over)
    clearInterval(drip)
    expect(at).toBeLessThan(hello.length)
    expect(await log.seen("handshake:error:other")).toMatchObject({ error: { code: "ETIMEDOUT" } })
    await serves()
  })

  it("who has done with TLS and then says nothing is gone as well", async () => {
    const { log, address, serves } = await listening({ handshakeInterval: 200 })
    const socket = connectTls({ port: portOf(address), host: "127.0.0.1", ca: home.cert })
    let over = false
    socket
      .on("error", () => {})
      .on("close", () => {
        over = true
      })
    socket.resume()
    await eventually(() => over)
    await log.seen("handshake:error:other")
    await serves()
  })

  it.each<[string, Buffer]>([
    ["ZMTP without TLS", greeting()],
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["zeros", Buffer.alloc(4096)],
    ["a record of TLS that is longer than any", Buffer.from("160301ffff0100", "hex")],
    [
      "a record of TLS that holds something else",
      Buffer.concat([Buffer.from("1603010200", "hex"), Buffer.alloc(512, 7)]),
    ],
  ])("who says %s is gone at once", async (_, bytes) => {
    const { log, address, serves } = await listening()
    const { socket, over } = plain(address)
    socket.write(bytes)
    await eventually(over)
    expect(await log.seen("handshake:error:other")).toMatchObject({ error: { code: "EPROTO" } })
    await serves()
  })

  it("who leaves in the middle of the handshake, wherever that is, leaves nothing behind", async () => {
    const { pull, log, address, serves } = await listening()
    const hello = await clientHello()
    const cuts = [0, 1, 5, 6, 50, hello.length - 1, hello.length]
    for (const [index, cut] of cuts.entries()) {
      const { socket } = plain(address)
      socket.write(hello.subarray(0, cut))
      if (index % 2 === 0) socket.end()
      else socket.once("connect", () => setImmediate(() => socket.resetAndDestroy()))
      await log.seen("handshake:error:other", index + 1)
    }
    expect(pull.peers()).toHaveLength(1)
    await serves()
  })

  it("two hundred who stall keep nobody out, and are all gone when it closes", async () => {
    const { pull, address, serves } = await listening()
    const stalled = Array.from({ length: 200 }, () => plain(address))
    for (const { socket } of stalled) socket.write(Buffer.from("1603010200", "hex"))
    await serves()
    await pull.close({ linger: 0 })
    await eventually(() => stalled.every(({ over }) => over()))
  })

  it("who changes a byte after the handshake is gone, and nothing of it is received", async () => {
    const { pull, log, address, serves } = await listening()
    const push = own(new zmq.Push({ tlsTrustPem: home.cert, reconnectInterval: -1 }))
    // Somebody on the line.
    let spoil = false
    const between = createServer(near => {
      const far = connect(portOf(address), "127.0.0.1")
      far.on("error", () => {}).on("close", () => near.destroy())
      near.on("error", () => {}).on("close", () => far.destroy())
      far.on("data", chunk => near.write(chunk))
      near.on("data", chunk => {
        if (spoil) chunk[chunk.length - 1]! ^= 1
        far.write(chunk)
      })
    })
    await new Promise<void>(resolve => between.listen(0, "127.0.0.1", resolve))
    onTestFinished(() => void between.close())
    push.connect(`tls+tcp://127.0.0.1:${(between.address() as { port: number }).port}`)
    await push.ready()
    await push.send("good")
    expect(await text(pull)).toEqual(["good"])
    spoil = true
    await push.send("spoilt")
    await log.seen("disconnect")
    await serves()
  })
})

describe("a connecting socket", () => {
  it("gives up on a server that accepts and stalls, and tries again", async () => {
    const server = createServer(socket => void socket.on("error", () => {}).resume())
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
    const sockets = new Set<Socket>()
    server.on("connection", socket => sockets.add(socket))
    onTestFinished(() => {
      server.close()
      for (const socket of sockets) socket.destroy()
    })
    const { port } = server.address() as { port: number }
    for (const limit of [{ connectTimeout: 100 }, { handshakeInterval: 100 }]) {
      const push = own(new zmq.Push({ tlsTrustPem: home.cert, reconnectInterval: 10, ...limit }))
      const log = new EventLog(push)
      push.connect(`tls+tcp://127.0.0.1:${port}`)
      await log.seen("connect:retry", 2)
      expect(await log.seen("handshake:error:other")).toMatchObject({ error: { code: "ETIMEDOUT" } })
      await push.close({ linger: 0 })
    }
    await eventually(() => [...sockets].every(socket => socket.destroyed))
  })

  it("and a plain tcp socket end each other, both ways", async () => {
    const plainPull = own(new zmq.Pull())
    const there = new EventLog(plainPull)
    const push = own(new zmq.Push({ tlsTrustPem: home.cert, reconnectInterval: 10 }))
    const here = new EventLog(push)
    const address = await bound(plainPull, "tcp://127.0.0.1:*")
    push.connect(address.replace("tcp", "tls+tcp"))
    await here.seen("handshake:error:other")
    await here.seen("connect:retry")
    await there.seen("disconnect")

    const { log, address: secured, serves } = await listening()
    const plainPush = own(new zmq.Push({ reconnectInterval: 10 }))
    const other = new EventLog(plainPush)
    plainPush.connect(secured.replace("tls+tcp", "tcp"))
    expect(await log.seen("handshake:error:other")).toMatchObject({ error: { code: "EPROTO" } })
    await other.seen("disconnect")
    await serves()
  })
})

describe("memory", () => {
  it("stays bounded while a receiver is slow: the sender waits, and all arrives", async () => {
    const pull = own(new zmq.Pull({ tlsCertPem: cert, tlsKeyPem: key, receiveHighWaterMark: 10 }))
    const push = own(new zmq.Push({ tlsTrustPem: home.cert, sendHighWaterMark: 10, sendTimeout: 0 }))
    push.connect(await bound(pull, "tls+tcp://127.0.0.1:*"))
    await push.ready()
    const message = Buffer.alloc(100_000, "m")
    let sent = 0
    let refusals = 0
    // Full for several turns: the kernel's buffers as well.
    while (refusals < 50) {
      try {
        await push.send(message)
        sent++
        refusals = 0
      } catch (error) {
        expect(error).toMatchObject({ code: "EAGAIN" })
        refusals++
        await new Promise(resolve => setImmediate(resolve))
      }
      expect(sent).toBeLessThan(1000)
    }
    for (let got = 0; got < sent; got++) expect((await pull.receive())[0]).toHaveLength(message.length)
    push.sendTimeout = 5000
    await push.send("last")
    expect(await text(pull)).toEqual(["last"])
  })
})
