/**
 * 28/REQREP for DEALER. Titles are the sentences of the RFC, or what libzmq's own tests hold.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, reservedEndpoint, transports } from "../support/endpoints.js"
import { zmq } from "../support/engine.js"
import { eventually } from "../support/eventually.js"
import {
  bound,
  drained,
  failsWith,
  fillUp,
  joinInOrder,
  nothingArrives,
  ownSockets,
  readsInTurns,
  text,
  texts,
} from "../support/sockets.js"

describe.each(transports)("28/REQREP: DEALER over %s", transport => {
  const own = ownSockets()

  it("SHALL route outgoing messages to available peers using a round-robin strategy", async () => {
    const dealer = own(new zmq.Dealer())
    await dealer.bind(freshEndpoint(transport))
    const reps = Array.from({ length: 5 }, () => own(new zmq.Reply()))
    await joinInOrder(dealer, reps, transport)
    for (const index of reps.keys()) await dealer.send(["", "ABC", `${index}`])
    for (const [index, rep] of reps.entries()) expect(await text(rep)).toEqual(["ABC", `${index}`])
  })

  it("SHALL receive incoming messages from its peers using a fair-queuing strategy", async () => {
    const receiver = own(new zmq.Dealer())
    await receiver.bind(freshEndpoint(transport))
    const senders = Array.from({ length: 5 }, () => own(new zmq.Dealer()))
    await joinInOrder(receiver, senders, transport)
    for (let turn = 0; turn < 2; turn++) {
      await senders[0]!.send("A")
      expect(await text(receiver)).toEqual(["A"])
    }
    const sends = senders.map(sender => (body: string) => sender.send(body))
    await readsInTurns(sends, async () => String((await receiver.receive())[0]))
  })

  it("SHALL not filter or modify outgoing or incoming messages in any way", async () => {
    const left = own(new zmq.Dealer())
    const right = own(new zmq.Dealer())
    right.connect(await bound(left, freshEndpoint(transport)))
    for (const message of [["a"], ["", "b", "", ""], ["\u0000\u0001", "c"], Array.from({ length: 300 }, String)]) {
      await left.send(message)
      expect(await text(right)).toEqual(message)
      await right.send(message)
      expect(await text(left)).toEqual(message)
    }
  })

  it("SHALL maintain the queue of an outgoing connection whether or not it is established", async () => {
    const address = await reservedEndpoint(transport)
    const dealer = own(new zmq.Dealer({ reconnectInterval: 20 }))
    dealer.connect(address)
    for (let index = 0; index < 10; index++) await dealer.send(`${index}`)
    const router = own(new zmq.Router())
    await router.bind(address)
    const bodies = (await texts(router, 10)).map(([, body]) => body)
    expect(bodies).toEqual(Array.from({ length: 10 }, (_, index) => `${index}`))
  })

  it("SHALL consider a peer as available only when its outgoing queue is not full", async () => {
    const dealer = own(new zmq.Dealer({ sendHighWaterMark: 1 }))
    await dealer.bind(freshEndpoint(transport))
    const idle = own(new zmq.Router({ receiveHighWaterMark: 1 }))
    const busy = own(new zmq.Router({ receiveHighWaterMark: 1 }))
    await joinInOrder(dealer, [idle, busy], transport)
    const body = Buffer.alloc(1024 * 1024)
    await fillUp(dealer, () => body)
    const read = drained(busy, 500)
    for (let turn = 0; turn < 20; turn++) await dealer.send(body)
    expect((await read).length).toBeGreaterThan(0)
  })

  it("SHALL not accept further messages when it has no available peers, and discards none", async () => {
    const dealer = own(new zmq.Dealer({ sendHighWaterMark: 2 }))
    const peer = own(new zmq.Dealer({ receiveHighWaterMark: 2 }))
    peer.connect(await bound(dealer, freshEndpoint(transport)))
    await dealer.send("first")
    expect(await text(peer)).toEqual(["first"])
    const padding = Buffer.alloc(1024 * 1024)
    const taken = await fillUp(dealer, index => [`${index}`, padding])
    expect(taken).toBeGreaterThan(0)
    dealer.sendTimeout = 0
    await failsWith("EAGAIN", () => dealer.send(["no", padding]))
    for (let index = 0; index < taken; index++) expect(String((await peer.receive())[0])).toBe(`${index}`)
    await nothingArrives(peer)
    await eventually(() => dealer.send("again").then(() => true))
    expect(await text(peer)).toEqual(["again"])
  })
})

describe("28/REQREP: DEALER without peers", () => {
  const own = ownSockets()

  it("SHALL block on sending, or return a suitable error, when it has no available peers", async () => {
    const dealer = own(new zmq.Dealer({ sendTimeout: 0 }))
    await failsWith("EAGAIN", () => dealer.send(""))
    dealer.sendTimeout = 100
    const before = performance.now()
    await failsWith("EAGAIN", () => dealer.send(""))
    expect(performance.now() - before).toBeGreaterThan(80)
  })
})
