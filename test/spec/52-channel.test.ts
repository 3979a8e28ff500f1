/** 52/CHANNEL, which zeromq has not: PAIR without multipart. */
import { describe, expect, it } from "vitest"
import { Channel } from "../../patterns/draft/index.js"
import { freshEndpoint, reservedEndpoint, transports, wired } from "../support/endpoints.js"
import { eventually } from "../support/eventually.js"
import { message, RawPeer } from "../support/raw-zmtp.js"
import { bound, failsWith, fillUp, nothingArrives, ownSockets, text, texts } from "../support/sockets.js"

describe.each(transports)("52/CHANNEL over %s", transport => {
  const own = ownSockets()

  it("MAY both send and receive, in any order", async () => {
    const left = own(new Channel())
    const right = own(new Channel())
    right.connect(await bound(left, freshEndpoint(transport)))
    await right.send("1")
    expect(await text(left)).toEqual(["1"])
    await left.send("2")
    await left.send("")
    expect(await texts(right, 2)).toEqual([["2"], [""]])
  })

  it("SHALL keep what it sends before the peer is there, and waits when there is none", async () => {
    const address = await reservedEndpoint(transport)
    const right = own(new Channel({ reconnectInterval: 20, sendTimeout: 20 }))
    await failsWith("EAGAIN", () => right.send("nobody"))
    right.connect(address)
    await right.send("1")
    const left = own(new Channel())
    await left.bind(address)
    expect(await text(left)).toEqual(["1"])
  })

  it("MAY be connected to at most one peer", async () => {
    const left = own(new Channel())
    const address = await bound(left, freshEndpoint(transport))
    const right = own(new Channel())
    right.connect(address)
    await right.send("first")
    expect(await text(left)).toEqual(["first"])
    const late = own(new Channel({ sendTimeout: 100 }))
    late.connect(address)
    await late.send("late").catch(error => expect(error).toMatchObject({ code: "EAGAIN" }))
    await nothingArrives(left)
    await left.send("for the first")
    expect(await text(right)).toEqual(["for the first"])
  })

  it("SHALL NOT accept messages when its peer is full, nor discard any, nor send more than one frame", async () => {
    const left = own(new Channel({ sendHighWaterMark: 2 }))
    const right = own(new Channel({ receiveHighWaterMark: 2 }))
    right.connect(await bound(left, freshEndpoint(transport)))
    await failsWith("EINVAL", () => left.send(["a", "b"] as never))
    expect(() => left.trySend(["a", "b"] as never)).toThrow("one frame")
    const body = Buffer.alloc(256 * 1024)
    await left.send("first")
    expect(await text(right)).toEqual(["first"])
    const taken = await fillUp(left as never, () => body)
    expect(left.trySend(body)).toBe(false)
    for (let index = 0; index < taken; index++) expect((await right.receive())[0].length).toBe(body.length)
    await left.send("again")
    expect(await text(right)).toEqual(["again"])
  })
})

describe.each(wired)("52/CHANNEL over %s, with connections that end", transport => {
  const own = ownSockets()

  it("takes another peer when the first one has left, whose messages can still be read", async () => {
    const left = own(new Channel())
    const address = await bound(left, freshEndpoint(transport))
    const first = own(new Channel())
    first.connect(address)
    await first.send("1")
    await first.send("2")
    await first.close()
    await eventually(() => left.peers().length === 0)
    const second = own(new Channel())
    second.connect(address)
    await second.send("3")
    expect((await texts(left, 3)).flat().sort()).toEqual(["1", "2", "3"])
    await left.send("4")
    expect(await text(second)).toEqual(["4"])
  })
})

describe("52/CHANNEL, by its bytes", () => {
  const own = ownSockets()

  it("messages of more than one frame are discarded, and counted", async () => {
    const channel = own(new Channel())
    const peer = await RawPeer.connect(await bound(channel, "tcp://127.0.0.1:*"))
    await peer.handshake("CHANNEL")
    peer.send(message("a", "b"), message("good"))
    expect(await text(channel)).toEqual(["good"])
    expect(channel.stats().dropped).toMatchObject({ total: 1, malformed: 1 })
    await channel.send("back")
    expect((await peer.readMessage()).map(String)).toEqual(["back"])
  })
})
