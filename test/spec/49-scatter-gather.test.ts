/** 49/SCATTER-GATHER. Titles are the sentences of the RFC, or what libzmq's own tests hold. */
import { describe, expect, it } from "vitest"
import { freshEndpoint, reservedEndpoint, transports } from "../support/endpoints.js"
import { draft } from "../support/engine.js"
import { message, RawPeer } from "../support/raw-zmtp.js"
import {
  bound,
  failsWith,
  fillUp,
  joinInOrder,
  nothingArrives,
  ownSockets,
  readsInTurns,
  text,
  texts,
} from "../support/sockets.js"

describe.each(transports)("49/SCATTER-GATHER over %s", transport => {
  const own = ownSockets()

  it("a SCATTER SHALL route round-robin to its available peers", async () => {
    const scatter = own(new draft.Scatter())
    await scatter.bind(freshEndpoint(transport))
    const gathers = Array.from({ length: 3 }, () => own(new draft.Gather()))
    await joinInOrder(scatter, gathers, transport)
    for (let index = 0; index < 6; index++) await scatter.send(`${index}`)
    for (const [index, gather] of gathers.entries()) {
      expect(await texts(gather, 2)).toEqual([[`${index}`], [`${index + 3}`]])
    }
  })

  it("a GATHER SHALL receive from its peers using a fair-queuing strategy", async () => {
    const gather = own(new draft.Gather())
    const address = await bound(gather, freshEndpoint(transport))
    const scatters = Array.from({ length: 3 }, () => own(new draft.Scatter()))
    for (const scatter of scatters) {
      scatter.connect(address)
      await scatter.send("here")
    }
    await texts(gather, 3)
    const senders = scatters.map(scatter => (body: string) => scatter.send(body))
    await readsInTurns(senders, async () => String((await gather.receive())[0]))
  })

  it("a SCATTER SHALL NOT discard, and keeps what it sends before a peer is there", async () => {
    const address = await reservedEndpoint(transport)
    const scatter = own(new draft.Scatter({ reconnectInterval: 20 }))
    scatter.connect(address)
    for (let index = 0; index < 10; index++) await scatter.send(`${index}`)
    const gather = own(new draft.Gather())
    await gather.bind(address)
    expect((await texts(gather, 10)).flat()).toEqual(Array.from({ length: 10 }, (_, index) => `${index}`))
  })

  it("a SCATTER SHALL block when no peer is there, or all are full", async () => {
    const scatter = own(new draft.Scatter({ sendHighWaterMark: 2, sendTimeout: 20 }))
    await failsWith("EAGAIN", () => scatter.send("nobody"))
    const gather = own(new draft.Gather({ receiveHighWaterMark: 2 }))
    gather.connect(await bound(scatter, freshEndpoint(transport)))
    scatter.sendTimeout = 5_000
    await scatter.send("first")
    expect(await text(gather)).toEqual(["first"])
    const body = Buffer.alloc(256 * 1024)
    const taken = await fillUp(scatter as never, () => body)
    scatter.sendTimeout = 20
    await failsWith("EAGAIN", () => scatter.send(body))
    for (let index = 0; index < taken; index++) expect((await gather.receive())[0].length).toBe(body.length)
    scatter.sendTimeout = 5_000
    await scatter.send("again")
    expect(await text(gather)).toEqual(["again"])
  })

  it("messages of more than one frame are EINVAL", async () => {
    const scatter = own(new draft.Scatter())
    const gather = own(new draft.Gather())
    gather.connect(await bound(scatter, freshEndpoint(transport)))
    await failsWith("EINVAL", () => scatter.send(["a", "b"] as never))
    await scatter.send(["one"])
    expect(await text(gather)).toEqual(["one"])
  })
})

describe("49/SCATTER-GATHER, by its bytes", () => {
  const own = ownSockets()

  it("a GATHER discards messages of more than one frame, and is not readable for them", async () => {
    const gather = own(new draft.Gather())
    const peer = await RawPeer.connect(await bound(gather, "tcp://127.0.0.1:*"))
    await peer.handshake("SCATTER")
    peer.send(message("a", "b"))
    await nothingArrives(gather as never, 50)
    peer.send(message("a", "b"), message("good"), message("c", "d"))
    expect(await text(gather as never)).toEqual(["good"])
    await nothingArrives(gather as never, 50)
    expect(gather.readable).toBe(false)
  })
})
