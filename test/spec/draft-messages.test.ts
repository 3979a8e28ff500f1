/**
 * helloMessage, disconnectMessage and hiccupMessage (ZMQ_HELLO_MSG, ZMQ_DISCONNECT_MSG, ZMQ_HICCUP_MSG) of SERVER, CLIENT
 * and PEER, and of ROUTER and DEALER over each transport, as libzmq's tests ask for them.
 */
import { describe, expect, it } from "vitest"
import { Peer } from "../../patterns/draft/index.js"
import { withDraft } from "../support/draft.js"
import { freshEndpoint, reservedEndpoint, transports, wired } from "../support/endpoints.js"
import { draft, engine, zmq } from "../support/engine.js"
import { bound, nothingArrives, ownSockets, text, whileNudging } from "../support/sockets.js"

type Server = InstanceType<typeof draft.Server>

/** The next message of a SERVER or PEER. */
async function heard(server: Server | Peer): Promise<string> {
  return String((await server.receive())[0])
}

describe.each(transports)("helloMessage over %s", transport => {
  const own = ownSockets()

  it("of a bound ROUTER comes first to a DEALER that connects", async () => {
    const router = withDraft(own(new zmq.Router()), { helloMessage: "H" })
    const address = await bound(router, freshEndpoint(transport))
    for (let turn = 0; turn < 2; turn++) {
      const dealer = own(new zmq.Dealer())
      dealer.connect(address)
      expect(await whileNudging([router], text(dealer))).toEqual(["H"])
      await nothingArrives(dealer, 30)
    }
  })

  it("of a SERVER and a CLIENT come first, also when the server binds later", async () => {
    const address = await reservedEndpoint(transport)
    const client = withDraft(own(new draft.Client({ reconnectInterval: 20 })), { helloMessage: "H" })
    client.connect(address)
    await client.send("queued")
    const server = withDraft(own(new draft.Server()), { helloMessage: "W" })
    await server.bind(address)
    expect(await whileNudging([server], text(client))).toEqual(["W"])
    const [body, options] = await server.receive()
    expect(String(body)).toBe("H")
    expect(await heard(server)).toBe("queued")
    await server.send("answer", options)
    expect(await text(client)).toEqual(["answer"])
  })

  it.skipIf(engine === "zeromq")("of two PEERs, each way", async () => {
    const left = own(new Peer({ helloMessage: "from left" }))
    const right = own(new Peer({ helloMessage: "from right" }))
    const routingId = right.connectPeer(await bound(left, freshEndpoint(transport)))
    const [body, options] = await right.receive()
    expect([String(body), options.routingId]).toEqual(["from left", routingId])
    expect(await heard(left)).toBe("from right")
  })
})

describe.each(transports)("disconnectMessage over %s", transport => {
  const own = ownSockets()

  it.each(["close", "disconnect"] as const)("comes to a SERVER from a CLIENT that leaves by %s()", async how => {
    const server = withDraft(own(new draft.Server()), { disconnectMessage: "D" })
    const client = withDraft(own(new draft.Client()), { helloMessage: "H" })
    const address = await bound(server, freshEndpoint(transport))
    client.connect(address)
    const [hello, from] = await server.receive()
    expect(String(hello)).toBe("H")
    if (how === "close") await client.close()
    else client.disconnect(address)
    const [left, options] = await whileNudging(how === "close" ? [] : [client], server.receive())
    expect(String(left)).toBe("D")
    expect(options.routingId).toBe(from.routingId)
    await nothingArrives(server as never, 30)
  })

  it("comes to a ROUTER from a DEALER that leaves by disconnect()", async () => {
    const router = withDraft(own(new zmq.Router()), { disconnectMessage: "D" })
    const dealer = own(new zmq.Dealer({ routingId: "X" }))
    const address = await bound(router, freshEndpoint(transport))
    dealer.connect(address)
    await dealer.send("hello")
    expect(await text(router)).toEqual(["X", "hello"])
    dealer.disconnect(address)
    expect(await whileNudging([dealer], text(router))).toEqual(["X", "D"])
  })

  it.skipIf(engine === "zeromq")("comes to a bound PEER from one that leaves", async () => {
    const left = own(new Peer({ disconnectMessage: "D" }))
    const right = own(new Peer())
    const routingId = right.connectPeer(await bound(left, freshEndpoint(transport)))
    await right.send("hello", { routingId })
    const [, from] = await left.receive()
    await right.close()
    expect(await left.receive()).toEqual([Buffer.from("D"), from])
  })
})

describe.each(wired)("hiccupMessage over %s", transport => {
  const own = ownSockets()

  it("comes to a CLIENT when its server is gone, and again each time", async () => {
    const client = withDraft(own(new draft.Client({ reconnectInterval: 20 })), {
      helloMessage: "HELLO",
      hiccupMessage: "HICCUP",
    })
    const address = await reservedEndpoint(transport)
    client.connect(address)
    for (let life = 0; life < 2; life++) {
      const server = own(new draft.Server())
      await server.bind(address)
      expect(await heard(server)).toBe("HELLO")
      await server.close()
      expect(await text(client)).toEqual(["HICCUP"])
    }
  })

  it("comes to a DEALER when its router is gone", async () => {
    const dealer = withDraft(own(new zmq.Dealer()), { hiccupMessage: "HICCUP" })
    const router = own(new zmq.Router())
    dealer.connect(await bound(router, freshEndpoint(transport)))
    await dealer.send("hello")
    expect((await text(router))[1]).toBe("hello")
    await router.close()
    expect(await text(dealer)).toEqual(["HICCUP"])
    await nothingArrives(dealer, 30)
  })

  it.skipIf(engine === "zeromq")("comes to a PEER that connected, with the id of who is gone", async () => {
    const right = own(new Peer({ hiccupMessage: "HICCUP", disconnectMessage: "not this" }))
    const left = own(new Peer())
    const routingId = right.connectPeer(await bound(left, freshEndpoint(transport)))
    await right.send("hello", { routingId })
    await left.receive()
    await left.close()
    expect(await right.receive()).toEqual([Buffer.from("HICCUP"), { routingId }])
  })
})
