/**
 * 29/PUBSUB for XPUB and its options: verbosity, manual, welcome message, noDrop.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, transports } from "../support/endpoints.js"
import { zmq } from "../support/engine.js"
import { eventually } from "../support/eventually.js"
import { bound, fill, nothingArrives, ownSockets, text, texts, whileNudging } from "../support/sockets.js"
import { apply, off, on } from "../support/subscriptions.js"

describe.each(transports)("29/PUBSUB: XPUB over %s", transport => {
  const own = ownSockets()

  async function publisherWith(subscribers: number) {
    const pub = own(new zmq.XPublisher())
    const address = await bound(pub, freshEndpoint(transport))
    const subs = Array.from({ length: subscribers }, () => {
      const sub = own(new zmq.Subscriber())
      sub.connect(address)
      return sub
    })
    return { pub, address, subs }
  }

  it("SHALL deliver subscribe and unsubscribe requests to its calling application", async () => {
    const { pub, subs } = await publisherWith(1)
    subs[0]!.subscribe("A", "")
    expect(await texts(pub, 2)).toEqual([[on("A")], [on("")]])
    subs[0]!.unsubscribe("A")
    subs[0]!.unsubscribe("")
    expect(await texts(pub, 2)).toEqual([[off("A")], [off("")]])
  })

  it("MAY normalize: one notice for the first subscriber of a topic and one for the loss of the last", async () => {
    const { pub, subs } = await publisherWith(2)
    const [one, two] = subs
    one!.subscribe("A")
    expect(await text(pub)).toEqual([on("A")])
    two!.subscribe("A")
    two!.subscribe("B")
    expect(await text(pub)).toEqual([on("B")])
    one!.unsubscribe("A")
    one!.subscribe("C")
    expect(await text(pub)).toEqual([on("C")])
    two!.unsubscribe("A")
    expect(await text(pub)).toEqual([off("A")])
    await nothingArrives(pub, 30)
  })

  it("VERBOSE, one subscriber: a repeated topic is reported only then (xpub_verbose one sub)", async () => {
    const { pub, subs } = await publisherWith(1)
    const sub = subs[0]!
    sub.subscribe("A", "B", "A")
    expect(await texts(pub, 2)).toEqual([[on("A")], [on("B")]])
    await nothingArrives(pub, 30)
    pub.verbosity = "allSubs"
    sub.subscribe("A")
    expect(await text(pub)).toEqual([on("A")])
    await pub.send("A")
    await pub.send("B")
    expect(await texts(sub, 2)).toEqual([["A"], ["B"]])
  })

  it("VERBOSE, two subscribers (xpub_verbose two subs)", async () => {
    const { pub, subs } = await publisherWith(2)
    const [one, two] = subs
    one!.subscribe("A")
    expect(await text(pub)).toEqual([on("A")])
    two!.subscribe("A")
    await nothingArrives(pub, 30)
    one!.subscribe("B")
    expect(await text(pub)).toEqual([on("B")])
    pub.verbosity = "allSubs"
    two!.subscribe("A")
    expect(await text(pub)).toEqual([on("A")])
    await pub.send("A")
    await pub.send("B")
    expect(await texts(one!, 2)).toEqual([["A"], ["B"]])
    expect(await text(two!)).toEqual(["A"])
    two!.unsubscribe("A")
    two!.unsubscribe("A")
    await nothingArrives(pub, 30)
  })

  it("VERBOSER, one subscriber (xpub_verboser one sub)", async () => {
    const { pub, subs } = await publisherWith(1)
    const sub = subs[0]!
    sub.unsubscribe("A")
    await nothingArrives(pub, 30)
    sub.subscribe("A")
    expect(await text(pub)).toEqual([on("A")])
    sub.subscribe("A")
    await nothingArrives(pub, 30)
    sub.unsubscribe("A")
    sub.unsubscribe("A")
    expect(await text(pub)).toEqual([off("A")])
    sub.unsubscribe("A")
    await nothingArrives(pub, 30)
    pub.verbosity = "allSubsUnsubs"
    sub.subscribe("A")
    expect(await text(pub)).toEqual([on("A")])
    await pub.send("A")
    expect(await text(sub)).toEqual(["A"])
    sub.unsubscribe("A")
    expect(await text(pub)).toEqual([off("A")])
    sub.unsubscribe("A")
    await nothingArrives(pub, 30)
  })

  it("VERBOSER, two subscribers (xpub_verboser two subs)", async () => {
    const { pub, subs } = await publisherWith(2)
    const [one, two] = subs
    one!.subscribe("A")
    expect(await text(pub)).toEqual([on("A")])
    two!.subscribe("A")
    await nothingArrives(pub, 30)
    one!.unsubscribe("A")
    await nothingArrives(pub, 30)
    two!.unsubscribe("A")
    expect(await text(pub)).toEqual([off("A")])
    pub.verbosity = "allSubsUnsubs"
    one!.subscribe("A")
    two!.subscribe("A")
    expect(await texts(pub, 2)).toEqual([[on("A")], [on("A")]])
    await pub.send("A")
    for (const sub of subs) expect(await text(sub)).toEqual(["A"])
    two!.unsubscribe("A")
    expect(await text(pub)).toEqual([off("A")])
    one!.unsubscribe("A")
    expect(await text(pub)).toEqual([off("A")])
    two!.unsubscribe("A")
    await nothingArrives(pub, 30)
  })

  it("SHALL, if the subscriber peer disconnects prematurely, generate a suitable unsubscribe request", async () => {
    const { pub, subs } = await publisherWith(2)
    const [one, two] = subs
    one!.subscribe("A", "B")
    expect((await texts(pub, 2)).flat().sort()).toEqual([on("A"), on("B")])
    two!.subscribe("B", "C")
    expect(await text(pub)).toEqual([on("C")])
    await one!.close()
    expect(await text(pub)).toEqual([off("A")])
    await nothingArrives(pub, 30)
    await two!.close()
    expect((await texts(pub, 2)).flat().sort()).toEqual([off("B"), off("C")])
  })

  it("hears the topics of a subscriber that connects as branches of a tree, the oldest first (as libzmq sends them)", async () => {
    const { pub, address } = await publisherWith(0)
    const sub = own(new zmq.Subscriber())
    sub.subscribe("b", "abc", "a", "", "ab", "ba", "B", "abd", "a0", "zz", "z")
    sub.connect(address)
    const heard = (await texts(pub, 11)).flat()
    expect(heard).toEqual(["", "b", "ba", "a", "ab", "abc", "abd", "a0", "B", "z", "zz"].map(on))
  })

  it("hears of the topics that a subscriber leaves behind in the order of their bytes", async () => {
    const { pub, subs } = await publisherWith(1)
    const topics = ["b", "abc", "a", "", "ab", "ba", "B", "abd", "a0", "zz", "z"]
    subs[0]!.subscribe(...topics)
    expect((await texts(pub, topics.length)).flat()).toEqual(topics.map(on))
    await subs[0]!.close()
    expect((await texts(pub, topics.length)).flat()).toEqual(topics.sort().map(off))
  })

  it("VERBOSER reports the topics of every peer that leaves", async () => {
    const { pub, subs } = await publisherWith(2)
    pub.verbosity = "allSubsUnsubs"
    for (const sub of subs) sub.subscribe("A")
    expect(await texts(pub, 2)).toEqual([[on("A")], [on("A")]])
    await subs[0]!.close()
    expect(await text(pub)).toEqual([off("A")])
    await subs[1]!.close()
    expect(await text(pub)).toEqual([off("A")])
  })

  it("SHALL deliver messages from its subscribers to its calling application", async () => {
    const pub = own(new zmq.XPublisher())
    const sub = own(new zmq.XSubscriber())
    sub.connect(await bound(pub, freshEndpoint(transport)))
    await sub.send("\u0002A")
    expect(await text(pub)).toEqual(["\u0002A"])
    await sub.send(["hello", "B", ""])
    expect(await text(pub)).toEqual(["hello", "B", ""])
    await sub.send("")
    expect(await text(pub)).toEqual([""])
  })

  it("MANUAL: the application decides what a peer gets (manual basic)", async () => {
    const pub = own(new zmq.XPublisher({ manual: true }))
    const sub = own(new zmq.XSubscriber())
    sub.connect(await bound(pub, freshEndpoint(transport)))
    await sub.send(on("A"))
    expect(await text(pub)).toEqual([on("A")])
    apply(pub, "subscribe", "B")
    await pub.send("A")
    await pub.send("B")
    expect(await text(sub)).toEqual(["B"])
    await nothingArrives(sub, 30)
  })

  it("MANUAL: topics are mapped per peer, and taken back one by one (manual unsubscribe)", async () => {
    const pub = own(new zmq.XPublisher({ manual: true }))
    const sub = own(new zmq.XSubscriber())
    sub.connect(await bound(pub, freshEndpoint(transport)))
    await sub.send(on("A"))
    await sub.send(on("B"))
    expect(await text(pub)).toEqual([on("A")])
    apply(pub, "subscribe", "XA")
    expect(await text(pub)).toEqual([on("B")])
    apply(pub, "subscribe", "XB")
    await sub.send(off("A"))
    expect(await text(pub)).toEqual([off("A")])
    apply(pub, "unsubscribe", "XA")
    await pub.send("XA")
    await pub.send("XB")
    expect(await text(sub)).toEqual(["XB"])
    await sub.close()
    expect(await text(pub)).toEqual([off("B")])
    apply(pub, "unsubscribe", "XB")
  })

  it("MANUAL in a proxy: each subscriber that leaves is reported (manual proxy_unsubscribe_on_disconnect)", async () => {
    const front = own(new zmq.XSubscriber())
    const back = own(new zmq.XPublisher({ manual: true }))
    const frontAddress = await bound(front, freshEndpoint(transport))
    const backAddress = await bound(back, freshEndpoint(transport))
    const pub = own(new zmq.XPublisher({ verbosity: "allSubsUnsubs" }))
    pub.connect(frontAddress)
    const subs = [own(new zmq.Subscriber()), own(new zmq.Subscriber())]
    for (const sub of subs) {
      sub.connect(backAddress)
      sub.subscribe("1")
      expect(await text(back)).toEqual([on("1")])
      apply(back, "subscribe", "1")
      await front.send(on("1"))
      expect(await text(pub)).toEqual([on("1")])
    }
    await pub.send(["1", "X"])
    await back.send(await front.receive())
    for (const sub of subs) expect(await text(sub)).toEqual(["1", "X"])
    for (const sub of subs) await sub.close()
    for (let turn = 0; turn < 2; turn++) {
      expect(await text(back)).toEqual([off("1")])
      apply(back, "unsubscribe", "1")
      await front.send(off("1"))
    }
    expect(await text(pub)).toEqual([off("1")])
    await pub.send(["1", "X"])
    await nothingArrives(front)
  })

  it("MANUAL in a proxy: two topics of two subscribers both flow (missing_subscriptions)", async () => {
    const front = own(new zmq.XSubscriber())
    const back = own(new zmq.XPublisher({ manual: true }))
    const frontAddress = await bound(front, freshEndpoint(transport))
    const backAddress = await bound(back, freshEndpoint(transport))
    const pub = own(new zmq.XPublisher())
    pub.connect(frontAddress)
    const subs = ["1", "2"].map(topic => {
      const sub = own(new zmq.Subscriber())
      sub.connect(backAddress)
      sub.subscribe(topic)
      return sub
    })
    for (let turn = 0; turn < 2; turn++) {
      const [notice] = await text(back)
      apply(back, "subscribe", notice!.slice(1))
      await front.send(notice!)
    }
    expect((await texts(pub, 2)).flat().sort()).toEqual([on("1"), on("2")])
    for (const topic of ["1", "2"]) {
      await pub.send([topic, "X"])
      await back.send(await front.receive())
    }
    for (const [index, topic] of ["1", "2"].entries()) expect(await text(subs[index]!)).toEqual([topic, "X"])
  })

  it("MANUAL: what was mapped for a peer ends with it (unsubscribe_cleanup)", async () => {
    const pub = own(new zmq.XPublisher({ manual: true }))
    const address = await bound(pub, freshEndpoint(transport))
    for (const topic of ["A", "B"]) {
      const sub = own(new zmq.XSubscriber())
      sub.connect(address)
      await sub.send(on(topic))
      expect(await text(pub)).toEqual([on(topic)])
      apply(pub, "subscribe", `X${topic}`)
      await pub.send("XA")
      await pub.send("XB")
      expect(await text(sub)).toEqual([`X${topic}`])
      await nothingArrives(sub, 30)
      await sub.close()
      expect(await text(pub)).toEqual([off(topic)])
      apply(pub, "unsubscribe", `X${topic}`)
    }
  })

  it("WELCOME_MSG is the first message of every subscriber that has subscribed to it (welcome)", async () => {
    const pub = own(new zmq.XPublisher({ welcomeMessage: "Welcome", verbosity: "allSubs" }))
    const address = await bound(pub, freshEndpoint(transport))
    for (let turn = 0; turn < 2; turn++) {
      const sub = own(new zmq.Subscriber())
      sub.subscribe("W")
      sub.connect(address)
      expect(await text(pub)).toEqual([on("W")])
      expect(await text(sub)).toEqual(["Welcome"])
    }
    const deaf = own(new zmq.Subscriber())
    deaf.subscribe("other")
    deaf.connect(address)
    expect(await text(pub)).toEqual([on("other")])
    await nothingArrives(deaf, 30)
  })

  it("WELCOME_MSG reaches an XSUB without any subscription, for nothing is filtered there", async () => {
    const pub = own(new zmq.XPublisher({ welcomeMessage: "Welcome" }))
    const sub = own(new zmq.XSubscriber())
    sub.connect(await bound(pub, freshEndpoint(transport)))
    expect(await whileNudging([pub], text(sub))).toEqual(["Welcome"])
  })

  it("NODROP: what is below the mark is sent; of what is sent until EAGAIN nothing is lost (nodrop)", async () => {
    const pub = own(new zmq.XPublisher({ noDrop: true, sendHighWaterMark: 2_000 }))
    const sub = own(new zmq.Subscriber())
    sub.connect(await bound(pub, freshEndpoint(transport)))
    sub.subscribe("")
    expect(await text(pub)).toEqual([on("")])
    expect(await fill(pub, index => `${index}`, 1_999)).toBe(1_999)
    for (let index = 0; index < 1_999; index++) expect(await text(sub)).toEqual([`${index}`])
    const padding = Buffer.alloc(transport === "inproc" ? 1 : 16 * 1024)
    const sent = await fill(pub, index => [`${index}`, padding], 20_000)
    expect(sent).toBeLessThan(20_000)
    for (let index = 0; index < sent; index++) expect(String((await sub.receive())[0])).toBe(`${index}`)
    await nothingArrives(sub, 30)
  })

  it("NODROP: a message that a subscriber has no room for is not sent, and nothing that was sent is lost", async () => {
    const pub = own(new zmq.XPublisher({ noDrop: true, sendHighWaterMark: 200 }))
    const sub = own(new zmq.Subscriber({ receiveHighWaterMark: 200 }))
    sub.connect(await bound(pub, freshEndpoint(transport)))
    sub.subscribe("")
    expect(await text(pub)).toEqual([on("")])
    const padding = Buffer.alloc(32 * 1024)
    const sent = await fill(pub, index => [`${index}`, padding], 10_000)
    expect(sent).toBeLessThan(10_000)
    if (transport === "inproc") expect(sent).toBe(400)
    for (let index = 0; index < sent; index++) expect(String((await sub.receive())[0])).toBe(`${index}`)
    await nothingArrives(sub, 30)
    await eventually(() => pub.send("end").then(() => true))
    expect(await text(sub)).toEqual(["end"])
  })
})
