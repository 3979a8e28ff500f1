/** 41/CLISRV: CLIENT and SERVER. Titles are the sentences of the RFC, or what libzmq's own tests hold. */
import { describe, expect, it } from "vitest"
import { freshEndpoint, reservedEndpoint, transports, wired } from "../support/endpoints.js"
import { draft } from "../support/engine.js"
import { eventually } from "../support/eventually.js"
import { command, greeting, message, RawPeer, ready } from "../support/raw-zmtp.js"
import { bound, failsWith, failure, fillUp, nothingArrives, ownSockets, text, texts } from "../support/sockets.js"

describe.each(transports)("41/CLISRV over %s", transport => {
  const own = ownSockets()

  it("a SERVER SHALL know its peers by a routing id, and answer each by its own", async () => {
    const server = own(new draft.Server())
    const address = await bound(server, freshEndpoint(transport))
    const clients = ["a", "b", "c"].map(name => ({ name, socket: own(new draft.Client()) }))
    for (const { socket, name } of clients) {
      socket.connect(address)
      await socket.send(name)
    }
    const ids = new Set<number>()
    for (let count = 0; count < 3; count++) {
      const [body, { routingId }] = await server.receive()
      expect(Number.isInteger(routingId) && routingId >= 1 && routingId < 2 ** 32).toBe(true)
      ids.add(routingId)
      await server.send(`for ${body}`, { routingId })
    }
    expect(ids.size).toBe(3)
    for (const { socket, name } of clients) expect(await text(socket)).toEqual([`for ${name}`])
  })

  it("a SERVER may send more than one answer, and iterate over what comes", async () => {
    const server = own(new draft.Server())
    const client = own(new draft.Client())
    client.connect(await bound(server, freshEndpoint(transport)))
    await client.send("go")
    for await (const [body, options] of server) {
      expect(String(body)).toBe("go")
      for (let index = 0; index < 5; index++) await server.send(`${index}`, options)
      break
    }
    expect((await texts(client, 5)).flat()).toEqual(["0", "1", "2", "3", "4"])
  })

  it("a CLIENT SHALL distribute round-robin over its servers", async () => {
    const client = own(new draft.Client())
    const servers = Array.from({ length: 3 }, () => own(new draft.Server()))
    for (const server of servers) client.connect(await bound(server, freshEndpoint(transport)))
    for (let index = 0; index < 6; index++) await client.send(`${index}`)
    for (const server of servers) {
      const [first] = await server.receive()
      const [second] = await server.receive()
      expect(Number(second) - Number(first)).toBe(3)
    }
  })

  it("a CLIENT SHALL keep what it sends before a server is there", async () => {
    const address = await reservedEndpoint(transport)
    const client = own(new draft.Client({ reconnectInterval: 20 }))
    client.connect(address)
    for (const body of ["1", "2"]) await client.send(body)
    const server = own(new draft.Server())
    await server.bind(address)
    expect([String((await server.receive())[0]), String((await server.receive())[0])]).toEqual(["1", "2"])
  })

  it("a CLIENT SHALL block when it has no server with room", async () => {
    const client = own(new draft.Client({ sendTimeout: 20 }))
    await failsWith("EAGAIN", () => client.send("nobody"))
  })

  it("a SERVER fails at once with EAGAIN when a peer is full, and goes on with others", async () => {
    const server = own(new draft.Server({ sendHighWaterMark: 2 }))
    const address = await bound(server, freshEndpoint(transport))
    const [full, free] = [own(new draft.Client({ receiveHighWaterMark: 2 })), own(new draft.Client())]
    full.connect(address)
    await full.send("full")
    const [, toFull] = await server.receive()
    free.connect(address)
    await free.send("free")
    const [, toFree] = await server.receive()
    const body = Buffer.alloc(256 * 1024)
    const sender = {
      get sendTimeout() {
        return server.sendTimeout
      },
      set sendTimeout(value: number) {
        server.sendTimeout = value
      },
      send: (frame: Buffer) => server.send(frame, toFull),
    }
    const taken = await fillUp(sender as never, () => body)
    expect(taken).toBeGreaterThanOrEqual(2)
    server.sendTimeout = 60_000
    await failsWith("EAGAIN", () => server.send(body, toFull))
    await server.send("still", toFree)
    expect(await text(free)).toEqual(["still"])
    for (let index = 0; index < taken; index++) expect((await full.receive())[0].length).toBe(body.length)
    await eventually(() => server.send("again", toFull).then(() => true))
    expect(await text(full)).toEqual(["again"])
  })

  it("messages of more than one frame are EINVAL", async () => {
    const server = own(new draft.Server())
    const client = own(new draft.Client())
    client.connect(await bound(server, freshEndpoint(transport)))
    await failsWith("EINVAL", () => client.send(["a", "b"] as never))
    await client.send(["one"])
    const [, options] = await server.receive()
    await failsWith("EINVAL", () => server.send(["a", "b"] as never, options))
    await server.send("x", options)
    expect(await text(client)).toEqual(["x"])
  })

  it("who is not there is EHOSTUNREACH, and what is no routing id EINVAL or a TypeError", async () => {
    const server = own(new draft.Server())
    await server.bind(freshEndpoint(transport))
    await failsWith("EHOSTUNREACH", () => server.send("x", { routingId: 1 }))
    await failsWith("EINVAL", () => server.send("x", { routingId: 0 }))
    await failsWith("EINVAL", () => server.send("x", { routingId: 2 ** 32 }))
    await failsWith("EINVAL", () => server.send("x", {} as never))
    for (const options of [undefined, { routingId: "1" }]) {
      expect(await failure(() => server.send("x", options as never))).toBeInstanceOf(TypeError)
    }
  })

  it("a SERVER that loses a client reads what it sent, and cannot answer", async () => {
    const server = own(new draft.Server())
    const client = own(new draft.Client())
    client.connect(await bound(server, freshEndpoint(transport)))
    await client.send("last words")
    const [, options] = await server.receive()
    await client.send("more")
    await client.close()
    const [body, { routingId }] = await server.receive()
    expect([String(body), routingId]).toEqual(["more", options.routingId])
    await eventually(async () => (await failure(() => server.send("x", options))).code === "EHOSTUNREACH")
  })
})

describe.each(wired)("41/CLISRV over %s, with connections that end", transport => {
  const own = ownSockets()

  it("a CLIENT goes on with the same endpoint when its server is back", async () => {
    const address = await reservedEndpoint(transport)
    const client = own(new draft.Client({ reconnectInterval: 20 }))
    client.connect(address)
    for (let round = 0; round < 2; round++) {
      const server = own(new draft.Server())
      await server.bind(address)
      const gone = new Promise(resolve => client.events.on("disconnect", resolve))
      await eventually(() => client.send(`${round}`).then(() => true))
      const [body, options] = await server.receive()
      expect(String(body)).toBe(`${round}`)
      await server.send("ok", options)
      expect(await text(client)).toEqual(["ok"])
      await server.close()
      await gone
    }
  })
})

describe("41/CLISRV, by its bytes", () => {
  const own = ownSockets()

  it("a message is one frame with nothing around it; one of several frames SHALL be discarded", async () => {
    const server = own(new draft.Server())
    const address = await bound(server, "tcp://127.0.0.1:*")
    const peer = await RawPeer.connect(address)
    await peer.handshake("CLIENT")
    peer.send(message("a", "b"), command("JOIN", "x"), message("1", "", ""), message("good"))
    const [body, options] = await server.receive()
    expect(String(body)).toBe("good")
    await server.send("answer", options)
    expect((await peer.readMessage()).map(String)).toEqual(["answer"])
    await nothingArrives(server as never, 30)
  })

  it.each(["DEALER", "SERVER", "PEER"])("a %s at a SERVER is turned away", async type => {
    const server = own(new draft.Server())
    const peer = await RawPeer.connect(await bound(server, "tcp://127.0.0.1:*"))
    peer.send(greeting(), ready(type))
    await peer.ended
  })
})
