/**
 * 29/PUBSUB for XSUB: subscriptions are messages that the application sends.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, transports, wired } from "../support/endpoints.js"
import { zmq } from "../support/engine.js"
import { eventually } from "../support/eventually.js"
import { bound, nothingArrives, ownSockets, text, texts } from "../support/sockets.js"
import { off, on } from "../support/subscriptions.js"

describe.each(transports)("29/PUBSUB: XSUB over %s", transport => {
  const own = ownSockets()

  it("SHALL accept subscription commands from its calling application and send them to its publishers", async () => {
    const sub = own(new zmq.XSubscriber())
    const pubs = [own(new zmq.XPublisher()), own(new zmq.XPublisher())]
    for (const pub of pubs) sub.connect(await bound(pub, freshEndpoint(transport)))
    await sub.send(on("A"))
    for (const pub of pubs) expect(await text(pub)).toEqual([on("A")])
    for (const pub of pubs) {
      await pub.send("B")
      await pub.send(["A", "body"])
      expect(await text(sub)).toEqual(["A", "body"])
    }
    await sub.send(off("A"))
    for (const pub of pubs) expect(await text(pub)).toEqual([off("A")])
  })

  it("sends an unsubscribe when the last of several equal subscriptions ends", async () => {
    const pub = own(new zmq.XPublisher({ verbosity: "allSubsUnsubs" }))
    const sub = own(new zmq.XSubscriber())
    sub.connect(await bound(pub, freshEndpoint(transport)))
    await sub.send(off("A"))
    await sub.send(on("A"))
    await sub.send(on("A"))
    expect(await texts(pub, 2)).toEqual([[on("A")], [on("A")]])
    await sub.send(off("A"))
    await nothingArrives(pub, 30)
    await sub.send(off("A"))
    expect(await text(pub)).toEqual([off("A")])
    await sub.send(off("A"))
    await nothingArrives(pub, 30)
  })

  it("SHALL send all messages to all connected publishers", async () => {
    const sub = own(new zmq.XSubscriber())
    const pubs = Array.from({ length: 3 }, () => own(new zmq.XPublisher()))
    for (const pub of pubs) sub.connect(await bound(pub, freshEndpoint(transport)))
    await sub.send(["news", "for", "all"])
    for (const pub of pubs) expect(await text(pub)).toEqual(["news", "for", "all"])
  })

  it("SHALL NOT block on sending: without publishers the message is dropped", async () => {
    const sub = own(new zmq.XSubscriber({ sendTimeout: 0 }))
    expect(sub.writable).toBe(true)
    for (let index = 0; index < 10; index++) await sub.send("to nobody")
  })

  it("forwards a subscription for everything, and an empty message back (sub_forward)", async () => {
    const front = own(new zmq.XPublisher())
    const back = own(new zmq.XSubscriber())
    const pub = own(new zmq.Publisher())
    const sub = own(new zmq.Subscriber())
    sub.connect(await bound(front, freshEndpoint(transport)))
    pub.connect(await bound(back, freshEndpoint(transport)))
    sub.subscribe("")
    const notice = await front.receive()
    expect(notice.map(String)).toEqual([on("")])
    await back.send(notice)
    await eventually(async () => {
      await pub.send("")
      return back.readable
    })
    await front.send(await back.receive())
    expect(await text(sub)).toEqual([""])
  })
})

describe.each(wired)("29/PUBSUB: XSUB and its trie over %s", transport => {
  const own = ownSockets()

  it("sends its subscriptions again on every new connection", async () => {
    const first = own(new zmq.XPublisher())
    const sub = own(new zmq.XSubscriber())
    sub.connect(await bound(first, freshEndpoint(transport)))
    await sub.send(on("A"))
    await sub.send(on("B"))
    await sub.send(off("A"))
    expect(await texts(first, 3)).toEqual([[on("A")], [on("B")], [off("A")]])
    const second = own(new zmq.XPublisher())
    sub.connect(await bound(second, freshEndpoint(transport)))
    expect(await text(second)).toEqual([on("B")])
    await nothingArrives(second, 30)
  })
})
