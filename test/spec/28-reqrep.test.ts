/**
 * 28/REQREP, the synchronous half: REQ and REP. Titles are the sentences of the RFC, or what libzmq's own tests hold.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, transports, wired } from "../support/endpoints.js"
import { zmq } from "../support/engine.js"
import { eventually } from "../support/eventually.js"
import {
  bound,
  failsWith,
  failure,
  handshakes,
  joinInOrder,
  nothingArrives,
  ownSockets,
  readsInTurns,
  text,
} from "../support/sockets.js"

describe.each(transports)("28/REQREP: REQ over %s", transport => {
  const own = ownSockets()

  it("SHALL route outgoing messages to connected peers using a round-robin strategy (peers connect)", async () => {
    const req = own(new zmq.Request())
    await req.bind(freshEndpoint(transport))
    const reps = Array.from({ length: 5 }, () => own(new zmq.Reply()))
    await joinInOrder(req, reps, transport)
    for (const rep of [...reps, ...reps]) {
      await req.send("ABC")
      expect(await text(rep)).toEqual(["ABC"])
      await rep.send("DEF")
      expect(await text(req)).toEqual(["DEF"])
    }
  })

  it("SHALL route outgoing messages to connected peers using a round-robin strategy (REQ connects)", async () => {
    const req = own(new zmq.Request())
    const reps = Array.from({ length: 3 }, () => own(new zmq.Reply()))
    for (const rep of reps) req.connect(await bound(rep, freshEndpoint(transport)))
    for (const rep of [...reps, ...reps]) {
      await req.send("ABC")
      expect(await text(rep)).toEqual(["ABC"])
      await rep.send("DEF")
      expect(await text(req)).toEqual(["DEF"])
    }
  })

  it("SHALL prefix the outgoing message with an empty delimiter frame, and take it off the reply", async () => {
    const req = own(new zmq.Request())
    const router = own(new zmq.Router())
    router.connect(await bound(req, freshEndpoint(transport)))
    await req.send(["ABC", "DEF"])
    const [id, ...frames] = await router.receive()
    expect(id?.length).toBeGreaterThan(0)
    expect(frames.map(String)).toEqual(["", "ABC", "DEF"])
    await router.send([id ?? null, null, "GHI"])
    expect(await text(req)).toEqual(["GHI"])
  })

  it("SHALL send and then receive exactly one message at a time: anything else is EFSM", async () => {
    const rep = own(new zmq.Reply({ sendTimeout: 0 }))
    const req = own(new zmq.Request({ sendTimeout: 0, receiveTimeout: 0 }))
    req.connect(await bound(rep, freshEndpoint(transport)))
    await failsWith("EFSM", () => req.receive())
    await eventually(() => req.send("one").then(() => true))
    await failsWith("EFSM", () => req.send("two"))
    expect(req.writable).toBe(false)
    await failsWith("EFSM", () => rep.send("too early"))
    expect(await text(rep)).toEqual(["one"])
    rep.receiveTimeout = 0
    await failsWith("EFSM", () => rep.receive())
    await rep.send("answer")
    await failsWith("EFSM", () => rep.send("again"))
    req.receiveTimeout = 5_000
    expect(await text(req)).toEqual(["answer"])
    req.receiveTimeout = 0
    await failsWith("EFSM", () => req.receive())
  })

  it("names the EFSM error as zeromq.js does", async () => {
    const error = await failure(() => own(new zmq.Reply({ sendTimeout: 0 })).send("x"))
    expect(error).toMatchObject({ code: "EFSM", errno: 156384763 })
  })

  it("SHALL accept an incoming message only from the last peer that it sent a request to", async () => {
    const req = own(new zmq.Request({ routingId: "A" }))
    await req.bind(freshEndpoint(transport))
    const routers = Array.from({ length: 3 }, () => own(new zmq.Router({ mandatory: true, sendTimeout: 0 })))
    await joinInOrder(req, routers, transport)
    await req.send("ABC")
    const [asked, ...others] = routers
    expect(await text(asked!)).toEqual(["A", "", "ABC"])
    for (const router of others) await eventually(() => router.send(["A", "", "WRONG"]).then(() => true))
    await nothingArrives(req)
    await asked!.send(["A", "", "GOOD"])
    expect(await text(req)).toEqual(["GOOD"])
  })

  it("SHALL NOT discard messages: with CORRELATE, only the answer with the request's number counts", async () => {
    const req = own(new zmq.Request({ correlate: true }))
    const router = own(new zmq.Router())
    router.connect(await bound(req, freshEndpoint(transport)))
    await req.send(["ABC", "DEF"])
    const [id, number, ...frames] = await router.receive()
    expect(number).toHaveLength(4)
    expect(frames.map(String)).toEqual(["", "ABC", "DEF"])
    const wrong = Buffer.from(number!)
    wrong.writeUInt32LE((wrong.readUInt32LE() + 1) >>> 0)
    await router.send([id!, wrong, null, "DEF"])
    await router.send([id!, number!, null, "GHI"])
    expect(await text(req)).toEqual(["GHI"])
  })

  it("gives every request another number with CORRELATE", async () => {
    const req = own(new zmq.Request({ correlate: true }))
    const router = own(new zmq.Router())
    req.connect(await bound(router, freshEndpoint(transport)))
    const numbers: string[] = []
    for (let turn = 0; turn < 3; turn++) {
      await req.send("x")
      const [id, number] = await router.receive()
      numbers.push(number!.toString("hex"))
      await router.send([id!, number!, null, "y"])
      await req.receive()
    }
    expect(new Set(numbers).size).toBe(3)
  })

  it("with RELAXED and CORRELATE drops the answers to requests that were given up, and keeps every peer's turn", async () => {
    const req = own(new zmq.Request({ relaxed: true, correlate: true }))
    await req.bind(freshEndpoint(transport))
    const reps = Array.from({ length: 5 }, () => own(new zmq.Reply()))
    await joinInOrder(req, reps, transport)
    const [rep0, rep1, rep2, rep3, rep4] = reps

    // A second request before an answer to the first.
    await req.send(["A", "B"])
    expect(await text(rep0!)).toEqual(["A", "B"])
    expect(req.writable).toBe(true)
    await req.send(["C", "D"])
    expect(await text(rep1!)).toEqual(["C", "D"])
    await rep0!.send("WRONG")
    await rep1!.send("OK")
    expect(await text(req)).toEqual(["OK"])

    await req.send("E")
    expect(await text(rep2!)).toEqual(["E"])
    await rep2!.send(["F", "G"])
    expect(await text(req)).toEqual(["F", "G"])

    // A second request when the answer to the first is already there, unread.
    await req.send("H")
    expect(await text(rep3!)).toEqual(["H"])
    await rep3!.send("BAD")
    await eventually(() => req.readable)
    await req.send("I")
    expect(await text(rep4!)).toEqual(["I"])
    await rep4!.send("GOOD")
    expect(await text(req)).toEqual(["GOOD"])

    // Giving up a request must not end the connection it went to (libzmq issue 1690).
    await req.send("J")
    expect(await text(rep0!)).toEqual(["J"])
  })

  it("ignores an answer without body from a ROUTER, and takes the next one", async () => {
    const router = own(new zmq.Router())
    const req = own(new zmq.Request())
    req.connect(await bound(router, freshEndpoint(transport)))
    await req.send("r")
    const [id, ...frames] = await router.receive()
    expect(frames.map(String)).toEqual(["", "r"])
    await router.send([id!])
    await router.send([id!, null, "b"])
    expect(await text(req)).toEqual(["b"])
  })

  it("bounces messages of several frames", async () => {
    const rep = own(new zmq.Reply())
    const req = own(new zmq.Request())
    req.connect(await bound(rep, freshEndpoint(transport)))
    for (const message of [["12345678ABCDEFGH12345678abcdefgh", "second"], [""], ["", "", ""], ["a", "", "b"]]) {
      await req.send(message)
      expect(await text(rep)).toEqual(message)
      await rep.send([...message].reverse())
      expect(await text(req)).toEqual([...message].reverse())
    }
  })
})

describe.each(transports)("28/REQREP: a RELAXED REQ over %s", transport => {
  const own = ownSockets()

  it("has given up its request when the next one finds nobody", async () => {
    const req = own(new zmq.Request({ relaxed: true, sendTimeout: 0, receiveTimeout: 100, linger: 0 }))
    const rep = own(new zmq.Reply())
    req.connect(await bound(rep, freshEndpoint(transport)))
    await req.send("asked")
    await text(rep)
    await failsWith("EAGAIN", () => req.receive())
    req.disconnect(rep.lastEndpoint!)
    await eventually(() => !req.writable)
    await failsWith("EAGAIN", () => req.send("nobody is there"))
    await failsWith("EFSM", () => req.receive())
  })
})

describe("28/REQREP: REQ without peers", () => {
  const own = ownSockets()

  it("SHALL block on sending, or return a suitable error, when it has no connected peers", async () => {
    const req = own(new zmq.Request({ sendTimeout: 0 }))
    await failsWith("EAGAIN", () => req.send(""))
    req.sendTimeout = 100
    expect(req.writable).toBe(false)
    const before = performance.now()
    await failsWith("EAGAIN", () => req.send(""))
    expect(performance.now() - before).toBeGreaterThan(80)
  })

  it.each(transports)("SHALL NOT discard messages that it cannot send to a connected peer (%s)", async transport => {
    const req = own(new zmq.Request())
    await req.bind(freshEndpoint(transport))
    const sent = req.send("waits for a peer")
    const rep = own(new zmq.Reply())
    rep.connect(req.lastEndpoint!)
    await sent
    expect(await text(rep)).toEqual(["waits for a peer"])
  })
})

describe.each(transports)("28/REQREP: REP over %s", transport => {
  const own = ownSockets()

  it("SHALL remove and store the address envelope, pass the rest, and prepend it to the reply", async () => {
    const rep = own(new zmq.Reply())
    const dealer = own(new zmq.Dealer())
    dealer.connect(await bound(rep, freshEndpoint(transport)))
    for (const envelope of [[""], ["X", "Y", ""], ["\u0001\u0000", "Y", ""]]) {
      await dealer.send([...envelope, "A"])
      expect(await text(rep)).toEqual(["A"])
      await rep.send("B")
      expect(await text(dealer)).toEqual([...envelope, "B"])
    }
  })

  it("SHALL not filter or modify: frames after the first empty one belong to the message", async () => {
    const rep = own(new zmq.Reply())
    const dealer = own(new zmq.Dealer())
    dealer.connect(await bound(rep, freshEndpoint(transport)))
    await dealer.send(["X", "", "A", "", "B"])
    expect(await text(rep)).toEqual(["A", "", "B"])
    await rep.send(["", "C"])
    expect(await text(dealer)).toEqual(["X", "", "", "C"])
  })

  it("discards a request without a delimiter", async () => {
    const rep = own(new zmq.Reply())
    const dealer = own(new zmq.Dealer())
    dealer.connect(await bound(rep, freshEndpoint(transport)))
    await dealer.send(["A"])
    await dealer.send(["A", "B"])
    await dealer.send(["", "GOOD"])
    expect(await text(rep)).toEqual(["GOOD"])
  })

  it("SHALL receive incoming messages from its peers using a fair-queuing strategy", async () => {
    const rep = own(new zmq.Reply())
    const address = await bound(rep, freshEndpoint(transport))
    const reqs = Array.from({ length: 5 }, () => own(new zmq.Request()))
    for (const req of reqs) req.connect(address)
    for (const turn of ["A", "B"]) {
      await reqs[0]!.send(turn)
      expect(await text(rep)).toEqual([turn])
      await rep.send(turn)
      expect(await text(reqs[0]!)).toEqual([turn])
    }
    const dealers = Array.from({ length: 4 }, () => own(new zmq.Dealer()))
    for (const dealer of dealers) dealer.connect(address)
    const senders = dealers.map(dealer => (body: string) => dealer.send(["", body]))
    await readsInTurns(senders, async () => {
      const [body] = await text(rep)
      await rep.send("done")
      return body!
    })
  })

  it("SHALL not block on sending: a reply to a peer that takes no more is dropped", async () => {
    const rep = own(new zmq.Reply({ sendHighWaterMark: 1 }))
    const dealer = own(new zmq.Dealer({ receiveHighWaterMark: 1, sendHighWaterMark: 0 }))
    dealer.connect(await bound(rep, freshEndpoint(transport)))
    const reply = Buffer.alloc(64 * 1024)
    const requests = 300
    for (let index = 0; index < requests; index++) {
      await dealer.send(["", `${index}`])
      expect(await text(rep)).toEqual([`${index}`])
      rep.sendTimeout = 0
      await rep.send([reply])
    }
    let answered = 0
    dealer.receiveTimeout = 300
    await expect(
      (async () => {
        for (;;) {
          await dealer.receive()
          answered += 1
        }
      })(),
    ).rejects.toMatchObject({ code: "EAGAIN" })
    expect(answered).toBeGreaterThan(0)
    expect(answered).toBeLessThan(requests)
  })

  it("SHALL work behind a ROUTER and a DEALER that pass messages on", async () => {
    const router = own(new zmq.Router())
    const dealer = own(new zmq.Dealer())
    const req = own(new zmq.Request())
    const rep = own(new zmq.Reply())
    req.connect(await bound(router, freshEndpoint(transport)))
    rep.connect(await bound(dealer, freshEndpoint(transport)))
    for (const turn of ["1", "2"]) {
      await req.send(["ABC", turn])
      await dealer.send(await router.receive())
      expect(await text(rep)).toEqual(["ABC", turn])
      await rep.send(["DEF", turn])
      await router.send(await dealer.receive())
      expect(await text(req)).toEqual(["DEF", turn])
    }
  })
})

describe.each(wired)("28/REQREP: lost peers over %s", transport => {
  const own = ownSockets()

  it("SHALL silently discard the reply if the originating peer is no longer connected", async () => {
    const rep = own(new zmq.Reply())
    const address = await bound(rep, freshEndpoint(transport))
    let left = 0
    rep.events.on("disconnect", () => {
      left += 1
    })
    const gone = own(new zmq.Request())
    gone.connect(address)
    await gone.send("bye")
    expect(await text(rep)).toEqual(["bye"])
    await gone.close()
    await eventually(() => left === 1)
    await rep.send("to nobody")
    const next = own(new zmq.Request())
    next.connect(address)
    await next.send("hello")
    expect(await text(rep)).toEqual(["hello"])
    await rep.send("world")
    expect(await text(next)).toEqual(["world"])
  })

  it("a REQ whose server went away stays in its request, unless it is RELAXED", async () => {
    const req = own(new zmq.Request())
    const address = await bound(req, freshEndpoint(transport))
    let left = 0
    const met = handshakes(req)
    req.events.on("disconnect", () => {
      left += 1
    })
    const gone = own(new zmq.Reply())
    gone.connect(address)
    await req.send("one")
    expect(await text(gone)).toEqual(["one"])
    await gone.close()
    await eventually(() => left === 1)
    const rep = own(new zmq.Reply())
    rep.connect(address)
    await met(2)
    req.sendTimeout = 0
    await failsWith("EFSM", () => req.send("two"))
    req.relaxed = true
    await eventually(() => req.send("three").then(() => true))
    expect(await text(rep)).toEqual(["three"])
  })

  it("with RELAXED and CORRELATE answers only the last of the requests made before the server was there", async () => {
    const router = own(new zmq.Router())
    const address = await bound(router, freshEndpoint(transport))
    await router.unbind(address)
    const req = own(new zmq.Request({ relaxed: true, correlate: true, reconnectInterval: 20 }))
    req.connect(address)
    await req.send("TO_BE_DISCARDED")
    await req.send("TO_BE_ANSWERED")
    await router.bind(address)
    for (let turn = 0; turn < 2; turn++) await router.send(await router.receive())
    expect(await text(req)).toEqual(["TO_BE_ANSWERED"])
  })
})
