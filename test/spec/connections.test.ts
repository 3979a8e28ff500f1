/**
 * What connect, disconnect, unbind and a lost connection do to the messages on both sides of them (protocol notes, pipes
 * and their lifecycle).
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, transports, wired } from "../support/endpoints.js"
import { zmq } from "../support/engine.js"
import { EventLog } from "../support/events.js"
import { eventually } from "../support/eventually.js"
import { bound, nothingArrives, ownSockets, text, texts, whileNudging } from "../support/sockets.js"

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index}`)

describe.each(transports)("connections over %s", transport => {
  const own = ownSockets()

  it("disconnect delivers what was sent before it", async () => {
    const pull = own(new zmq.Pull())
    const address = await bound(pull, freshEndpoint(transport))
    const push = own(new zmq.Push())
    push.connect(address)
    for (const number of numbers(200)) await push.send([number, "x".repeat(2_000)])
    push.disconnect(address)
    const got = await whileNudging([push], texts(pull, 200))
    expect(got.map(([number]) => number)).toEqual(numbers(200))
    await nothingArrives(pull, 30)
  })

  it("disconnect drops what was received and not read", async () => {
    const server = own(new zmq.Dealer())
    const address = await bound(server, freshEndpoint(transport))
    const client = own(new zmq.Dealer())
    client.connect(address)
    await client.send("hello")
    expect(await text(server)).toEqual(["hello"])
    await server.send("unread")
    await eventually(() => client.readable)
    client.disconnect(address)
    await eventually(() => !client.readable)
    await nothingArrives(client, 30)
  })

  it("disconnect of one address leaves the others", async () => {
    const pulls = [own(new zmq.Pull()), own(new zmq.Pull())]
    const push = own(new zmq.Push())
    const addresses: string[] = []
    for (const pull of pulls) {
      addresses.push(await bound(pull, freshEndpoint(transport)))
      push.connect(addresses.at(-1)!)
    }
    for (const number of numbers(2)) await push.send(number)
    expect([await text(pulls[0]!), await text(pulls[1]!)]).toEqual([["0"], ["1"]])
    push.disconnect(addresses[0]!)
    await eventually(() => push.writable)
    for (const number of numbers(4)) await push.send(number)
    expect((await texts(pulls[1]!, 4)).flat()).toEqual(numbers(4))
    await nothingArrives(pulls[0]!, 30)
  })

  it("disconnect ends all connections to the address", async () => {
    const pull = own(new zmq.Pull())
    const address = await bound(pull, freshEndpoint(transport))
    const push = own(new zmq.Push({ sendTimeout: 0 }))
    push.connect(address)
    push.connect(address)
    await push.send("one")
    await push.send("two")
    expect((await texts(pull, 2)).flat().sort()).toEqual(["one", "two"])
    push.disconnect(address)
    await eventually(() => !push.writable)
  })

  it("after disconnect a new connect works", async () => {
    const router = own(new zmq.Router({ handover: true }))
    const address = await bound(router, freshEndpoint(transport))
    const dealer = own(new zmq.Dealer({ routingId: "X" }))
    for (const number of numbers(5)) {
      dealer.connect(address)
      await dealer.send(number)
      expect(await text(router)).toEqual(["X", number])
      dealer.disconnect(address)
      await eventually(() => !dealer.writable)
    }
  })
})

describe.each(wired)("connections over %s", transport => {
  const own = ownSockets()

  it.each(["Dealer", "Subscriber", "Publisher", "Request"] as const)(
    "%s: a second connect to the same address makes no second connection",
    async name => {
      const server = own(
        name === "Publisher" ? new zmq.Subscriber() : name === "Subscriber" ? new zmq.Publisher() : new zmq.Router(),
      )
      const log = new EventLog(server)
      const address = await bound(server, freshEndpoint(transport))
      const client = own(new zmq[name]())
      client.connect(address)
      client.connect(address)
      await log.seen("handshake")
      await log.staysQuiet()
      expect(log.types).toEqual(["bind", "accept", "handshake"])
    },
  )

  it("what a server sent stays readable on the client when the server is gone", async () => {
    const server = own(new zmq.Dealer())
    const address = await bound(server, freshEndpoint(transport))
    const client = own(new zmq.Dealer({ reconnectInterval: 20 }))
    const log = new EventLog(client)
    client.connect(address)
    await client.send("hello")
    await server.receive()
    for (const number of numbers(100)) await server.send(number)
    await server.close()
    await log.seen("disconnect")
    expect((await texts(client, 100)).flat()).toEqual(numbers(100))
  })

  it("unbind ends the connections that came by this address, and those of no other", async () => {
    const server = own(new zmq.Dealer())
    const one = await bound(server, freshEndpoint(transport))
    const two = await bound(server, freshEndpoint(transport))
    const clients = [one, two].map(address => {
      const client = own(new zmq.Dealer({ reconnectInterval: 60_000 }))
      const log = new EventLog(client)
      client.connect(address)
      return { client, log }
    })
    for (const { client } of clients) {
      await client.send("hello")
      await server.receive()
    }
    await server.unbind(one)
    await eventually(() => !server.readable && clients[0]!.log.count("disconnect") === 1)
    expect(clients[1]!.log.types).not.toContain("disconnect")
    await clients[1]!.client.send("still here")
    expect(await text(server)).toEqual(["still here"])
  })

  it("a client that was refused many times is there as soon as the server is", async () => {
    const server = own(new zmq.Reply())
    const address = await bound(server, freshEndpoint(transport))
    await server.unbind(address)
    const client = own(new zmq.Request({ reconnectInterval: 1 }))
    const log = new EventLog(client)
    client.connect(address)
    await log.seen("connect:retry", 50)
    await server.bind(address)
    await client.send("at last")
    expect(await text(server)).toEqual(["at last"])
  })
})
