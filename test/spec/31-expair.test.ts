/**
 * 31/EXPAIR: PAIR. Titles are the sentences of the RFC, or what libzmq's own tests hold.
 */
import { describe, expect, it } from "vitest"
import { freePort, freshEndpoint, reservedEndpoint, transports, wired } from "../support/endpoints.js"
import { zmq } from "../support/engine.js"
import { eventually } from "../support/eventually.js"
import { bound, failsWith, fillUp, handshakes, nothingArrives, ownSockets, text, texts } from "../support/sockets.js"

describe.each(transports)("31/EXPAIR over %s", transport => {
  const own = ownSockets()

  it("MAY both send and receive, in any order, and SHALL not filter or modify", async () => {
    const left = own(new zmq.Pair())
    const right = own(new zmq.Pair())
    right.connect(await bound(left, freshEndpoint(transport)))
    await right.send(["12345678ABCDEFGH12345678abcdefgh", "second"])
    expect(await text(left)).toEqual(["12345678ABCDEFGH12345678abcdefgh", "second"])
    await left.send(["", "a", ""])
    await left.send("b")
    await right.send("c")
    expect(await texts(right, 2)).toEqual([["", "a", ""], ["b"]])
    expect(await text(left)).toEqual(["c"])
  })

  it("SHALL create its queues when it connects, and keep them whether or not the connection is established", async () => {
    const address = await reservedEndpoint(transport)
    const right = own(new zmq.Pair({ reconnectInterval: 20 }))
    right.connect(address)
    await right.send("one")
    await right.send("two")
    const left = own(new zmq.Pair())
    await left.bind(address)
    expect(await texts(left, 2)).toEqual([["one"], ["two"]])
    await left.send("three")
    expect(await text(right)).toEqual(["three"])
  })

  it("MAY be connected to at most one peer: who comes second is not heard", async () => {
    const left = own(new zmq.Pair())
    const address = await bound(left, freshEndpoint(transport))
    const right = own(new zmq.Pair())
    right.connect(address)
    await right.send("I am first")
    expect(await text(left)).toEqual(["I am first"])
    const late = own(new zmq.Pair())
    late.connect(address)
    // It may get that far as to queue its message, or be turned away at once.
    late.sendTimeout = 100
    await late.send("I am late").catch(error => expect(error).toMatchObject({ code: "EAGAIN" }))
    await nothingArrives(left)
    await left.send("for the first")
    expect(await text(right)).toEqual(["for the first"])
    await nothingArrives(late, 30)
    await right.send("still here")
    expect(await text(left)).toEqual(["still here"])
  })

  it("SHALL not accept further messages when its peer's queue is full, and SHALL NOT discard any", async () => {
    const left = own(new zmq.Pair({ sendHighWaterMark: 2 }))
    const right = own(new zmq.Pair({ receiveHighWaterMark: 2 }))
    right.connect(await bound(left, freshEndpoint(transport)))
    await right.send("hello")
    await left.receive()
    const padding = Buffer.alloc(1024 * 1024)
    const taken = await fillUp(left, index => [`${index}`, padding])
    if (transport === "inproc") expect(taken).toBe(4)
    left.sendTimeout = 50
    await failsWith("EAGAIN", () => left.send("no"))
    await right.send("the other way is free")
    expect(await text(left)).toEqual(["the other way is free"])
    for (let index = 0; index < taken; index++) expect(String((await right.receive())[0])).toBe(`${index}`)
    await eventually(() => left.writable)
    await left.send("again")
    expect(await text(right)).toEqual(["again"])
  })
})

describe("31/EXPAIR", () => {
  const own = ownSockets()

  it("SHALL block on sending, or return a suitable error, when it has no available peer", async () => {
    const pair = own(new zmq.Pair({ sendTimeout: 0 }))
    await failsWith("EAGAIN", () => pair.send(""))
    pair.sendTimeout = 100
    const before = performance.now()
    await failsWith("EAGAIN", () => pair.send(""))
    expect(performance.now() - before).toBeGreaterThan(80)
  })

  it("SHALL block on sending until a peer connects", async () => {
    const left = own(new zmq.Pair())
    const address = await bound(left, freshEndpoint("tcp"))
    const sending = left.send("at last")
    const right = own(new zmq.Pair())
    right.connect(address)
    await sending
    expect(await text(right)).toEqual(["at last"])
  })

  it("meets by the name of the host", async () => {
    const port = await freePort()
    const left = own(new zmq.Pair())
    const right = own(new zmq.Pair())
    await left.bind(`tcp://localhost:${port}`)
    expect(left.lastEndpoint).toBe(`tcp://127.0.0.1:${port}`)
    right.connect(`tcp://localhost:${port}`)
    await right.send("hello")
    expect(await text(left)).toEqual(["hello"])
  })
})

describe.each(wired)("31/EXPAIR whose peer leaves, over %s", transport => {
  const own = ownSockets()

  it("takes the next peer once the first has disconnected", async () => {
    const left = own(new zmq.Pair())
    const address = await bound(left, freshEndpoint(transport))
    const met = handshakes(left)
    let gone = 0
    left.events.on("disconnect", () => {
      gone += 1
    })
    for (const name of ["first", "second"]) {
      const right = own(new zmq.Pair())
      right.connect(address)
      await met(name === "first" ? 1 : 2)
      await eventually(() => left.writable)
      await left.send(`hello ${name}`)
      expect(await text(right)).toEqual([`hello ${name}`])
      await right.send(`I am the ${name}`)
      expect(await text(left)).toEqual([`I am the ${name}`])
      await right.close()
      await eventually(() => gone === (name === "first" ? 1 : 2))
      await eventually(() => !left.writable)
    }
  })
})
