/**
 * STREAM in conversation, as libzmq's own tests have it (protocol.md 6.1, the rows of stream, and case 27): with a DEALER that
 * takes it for a ROUTER, with another STREAM, with programs that know of no ZeroMQ; and the events of all that.
 */
import { once } from "node:events"
import { createServer, get } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, it, onTestFinished } from "vitest"
import * as native from "zeromq"
import { engine, zmq } from "../support/engine.js"
import { EventLog } from "../support/events.js"
import { eventually } from "../support/eventually.js"
import { command, frame, greeting, header, LONG, property, RawPeer, rawServer } from "../support/raw-zmtp.js"
import { bound, nothingArrives, ownSockets, whileNudging } from "../support/sockets.js"
import { bytesFrom, gone, note, pattern, textFrom } from "../support/streams.js"

/** Whose DEALER: that of the engine under test, and libzmq's. */
const dealers = [
  [engine, zmq.Dealer],
  ["zeromq", native.Dealer as unknown as typeof zmq.Dealer],
] as const

describe.each(engine === "zeromq" ? dealers.slice(0, 1) : dealers)("STREAM and the DEALER of %s", (_, Dealer) => {
  const own = ownSockets()

  it("stream_to_dealer: a STREAM is a ROUTER if it says the right bytes", async () => {
    const stream = own(new zmq.Stream())
    const dealer = own(new Dealer())
    dealer.connect(await bound(stream, "tcp://127.0.0.1:*"))
    await dealer.send("Hello")
    const id = await note(stream)

    expect(await bytesFrom(stream, id, 10)).toEqual(Buffer.of(0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f))
    await stream.send([id, greeting()])
    const ready = Buffer.concat([property("Socket-Type", "DEALER"), property("Identity", "")])
    const expected = Buffer.concat([greeting().subarray(10), command("READY", ready)])
    expect(expected.length).toBe(97)
    expect(await bytesFrom(stream, id, 97)).toEqual(expected)

    const ours = Buffer.concat([property("Socket-Type", "ROUTER"), property("Identity", "")])
    await stream.send([id, command("READY", ours)])
    expect(await bytesFrom(stream, id, 7)).toEqual(frame("Hello"))
    await stream.send([id, frame("World")])
    expect((await dealer.receive()).map(String)).toEqual(["World"])

    const large = pattern(64_000)
    for (let count = 0; count < 8; count++) {
      await stream.send([id, Buffer.concat([header(LONG, large.length), large])])
      expect(Buffer.compare((await dealer.receive())[0]!, large)).toBe(0)
      await dealer.send(large)
      const bytes = await bytesFrom(stream, id, 9 + large.length)
      expect(bytes.subarray(0, 9)).toEqual(header(LONG, large.length))
      expect(Buffer.compare(bytes.subarray(9), large)).toBe(0)
    }
  })

  it("stream_empty: an empty part hangs up on it", async () => {
    const stream = own(new zmq.Stream())
    const dealer = own(new Dealer({ reconnectInterval: 60_000 }))
    const log = new EventLog(dealer)
    dealer.connect(await bound(stream, "tcp://127.0.0.1:*"))
    await dealer.send("")
    const id = await note(stream)
    await stream.send([id, ""])
    await whileNudging([stream], log.seen("disconnect"))
    await gone(stream, id)
  })

  it.each(["accepts", "connects"])("stream_timeout: hangs up on a STREAM that says nothing, when it %s", async side => {
    const stream = own(new zmq.Stream({ handshakeInterval: 30 }))
    const dealer = own(new Dealer({ handshakeInterval: 100, reconnectInterval: 60_000 }))
    const log = new EventLog(dealer)
    const [binds, connects] = side === "accepts" ? [dealer, stream] : [stream, dealer]
    connects.connect(await bound(binds, "tcp://127.0.0.1:*"))
    const id = await note(stream)
    await log.seen("disconnect")
    const types = log.types.filter(type => type !== "connect:delay" && type !== "connect:retry" && type !== "bind")
    expect(types).toEqual([side === "accepts" ? "accept" : "connect", "handshake:error:other", "disconnect"])
    if (side === "accepts") return
    // What the DEALER had said for itself, then its end.
    const [, said] = await stream.receive()
    expect(said!.subarray(0, 10)).toEqual(greeting().subarray(0, 10))
    await eventually(async () => (await stream.receive())[1]!.length === 0)
    await gone(stream, id)
  })
})

describe("STREAM and STREAM", () => {
  const own = ownSockets()

  async function pair() {
    const server = own(new zmq.Stream())
    const client = own(new zmq.Stream({ reconnectInterval: 60_000 }))
    client.connect(await bound(server, "tcp://127.0.0.1:*"))
    return { server, client, ofClient: await note(server), ofServer: await note(client) }
  }

  it("stream_to_stream: both are told of the connection, and of its end; text goes both ways", async () => {
    const { server, client, ofClient, ofServer } = await pair()
    await client.send([ofServer, "GET /\n\n"])
    expect(await textFrom(server, ofClient, 7)).toBe("GET /\n\n")
    const response = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nHello, World!"
    await server.send([ofClient, response])
    await server.send([ofClient, ""])
    expect(await textFrom(client, ofServer, response.length)).toBe(response)
    expect(await whileNudging([server], note(client))).toEqual(ofServer)
    await gone(server, ofClient)
    await nothingArrives(server)
  })

  it("stream_disconnect: a server is told of each client that hangs up", async () => {
    const server = own(new zmq.Stream())
    const address = await bound(server, "tcp://127.0.0.1:*")
    for (let count = 0; count < 3; count++) {
      const client = own(new zmq.Stream())
      client.connect(address)
      const [ofClient, ofServer] = [await note(server), await note(client)]
      await client.send([ofServer, "i can haz cheez burger?"])
      expect(await textFrom(server, ofClient, 23)).toBe("i can haz cheez burger?")
      await server.send([ofClient, "y u no disonnect?"])
      expect(await textFrom(client, ofServer, 17)).toBe("y u no disonnect?")
      await client.send([ofServer, ""])
      expect(await whileNudging([client], note(server))).toEqual(ofClient)
    }
  })

  it("stream_exceeds_buffer: more than fits into one chunk keeps its first bytes, and the others", async () => {
    const peers: RawPeer[] = []
    const client = own(new zmq.Stream())
    client.connect(await rawServer(peer => peers.push(peer)))
    const id = await note(client)
    await eventually(() => peers.length === 1)
    const bytes = Buffer.concat([Buffer.of(0xde, 0xad, 0xbe, 0xef), pattern(8189)])
    peers[0]!.send(bytes)
    expect(await bytesFrom(client, id, 8193)).toEqual(bytes)
  })

  it("connect_rid (27): the id of the next connection is known at once; the other side makes one up", async () => {
    const server = own(new zmq.Stream())
    const client = own(new zmq.Stream())
    client.connect(await bound(server, "tcp://127.0.0.1:*"), { routingId: "conn1" })
    await client.send(["conn1", "hi 1"])
    const id = await note(server)
    expect(id[0]).toBe(0)
    expect(await textFrom(server, id, 4)).toBe("hi 1")
    await server.send([id, "ok"])
    expect(String(await note(client))).toBe("conn1")
    expect(await textFrom(client, Buffer.from("conn1"), 2)).toBe("ok")
  })
})

describe("STREAM and HTTP", () => {
  const own = ownSockets()

  it("answers node:http", async () => {
    const server = own(new zmq.Stream())
    const { port } = new URL(await bound(server, "tcp://127.0.0.1:*"))
    const answered = new Promise<string>((resolve, reject) => {
      const request = get({ host: "127.0.0.1", port, path: "/greeting", agent: false }, async response => {
        let body = ""
        for await (const chunk of response.setEncoding("utf8")) body += chunk
        resolve(`${response.statusCode} ${body}`)
      })
      request.on("error", reject)
    })
    const id = await note(server)
    let head = ""
    while (!head.endsWith("\r\n\r\n")) head += (await server.receive())[1]
    expect(head).toMatch(/^GET \/greeting HTTP\/1\.1\r\n/)
    await server.send([id, `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n`])
    await server.send([id, "hello ".repeat(50_000)])
    await server.send([id, ""])
    expect(await whileNudging([server], answered)).toBe(`200 ${"hello ".repeat(50_000)}`)
  })

  it("asks node:http", async () => {
    const http = createServer((request, response) => response.end(`you asked for ${request.url}`))
    http.listen(0, "127.0.0.1")
    await once(http, "listening")
    onTestFinished(() => void http.close())
    const client = own(new zmq.Stream({ reconnectInterval: 60_000 }))
    client.connect(`tcp://127.0.0.1:${(http.address() as AddressInfo).port}`)
    const id = await note(client)
    await client.send([id, "GET /this HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"])
    let answer = ""
    for (;;) {
      const [, data] = await client.receive()
      if (data!.length === 0) break
      answer += data
    }
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nyou asked for \/this$/s)
  })
})

describe("the events of a STREAM", () => {
  const own = ownSockets()

  it("bound: bind, accept, and for a peer that leaves a failed handshake, as there was none, and disconnect", async () => {
    const stream = own(new zmq.Stream())
    const log = new EventLog(stream)
    const address = await bound(stream, "tcp://127.0.0.1:*")
    const peer = await RawPeer.connect(address)
    const id = await note(stream)
    peer.socket.end()
    expect(await note(stream)).toEqual(id)
    await log.seen("disconnect")
    await stream.unbind(address)
    await log.seen("close")
    await stream.close()
    await eventually(() => log.count("end") === 1)
    expect(log.types).toEqual(["bind", "accept", "handshake:error:other", "disconnect", "close", "end"])
    expect(log.all[2]).toMatchObject({ address, error: { code: "EPIPE" } })
    for (const event of log.all.slice(0, -1)) expect(event).toMatchObject({ address })
  })

  it("of a peer that resets its connection: the same, with that for its reason", async () => {
    const stream = own(new zmq.Stream())
    const log = new EventLog(stream)
    const peer = await RawPeer.connect(await bound(stream, "tcp://127.0.0.1:*"))
    await note(stream)
    peer.socket.resetAndDestroy()
    await note(stream)
    await log.seen("disconnect")
    expect(log.types).toEqual(["bind", "accept", "handshake:error:other", "disconnect"])
    expect(log.all[2]).toMatchObject({ error: { code: "ECONNRESET" } })
  })

  it("connected: connect:delay, connect, and for a server that leaves the same, and connect:retry", async () => {
    const peers: RawPeer[] = []
    const address = await rawServer(peer => peers.push(peer))
    const stream = own(new zmq.Stream({ reconnectInterval: 60_000 }))
    const log = new EventLog(stream)
    stream.connect(address)
    await note(stream)
    await eventually(() => peers.length === 1)
    peers[0]!.socket.end()
    await note(stream)
    await log.seen("connect:retry")
    expect(log.types).toEqual(["connect:delay", "connect", "handshake:error:other", "disconnect", "connect:retry"])
    for (const event of log.all) expect(event).toMatchObject({ address })
  })

  it("none of a connection that it ended itself", async () => {
    const stream = own(new zmq.Stream())
    const log = new EventLog(stream)
    const peer = await RawPeer.connect(await bound(stream, "tcp://127.0.0.1:*"))
    const id = await note(stream)
    await stream.send([id, ""])
    await whileNudging([stream], peer.ended)
    await log.seen("accept")
    await log.staysQuiet()
    expect(log.types).toEqual(["bind", "accept"])
  })
})
