/**
 * The inproc transport (case 115 of the list of portable cases): names live in a context, either side may come first.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint } from "../support/endpoints.js"
import { zmq } from "../support/engine.js"
import { eventually } from "../support/eventually.js"
import { bound, failsWith, fill, nothingArrives, ownSockets, text, texts, whileNudging } from "../support/sockets.js"

describe("inproc", () => {
  const own = ownSockets()
  const name = () => freshEndpoint("inproc")

  it.each(["bind", "connect"])("meets when %s comes first", async first => {
    const address = name()
    const left = own(new zmq.Pair())
    const right = own(new zmq.Pair())
    if (first === "bind") await left.bind(address)
    right.connect(address)
    await right.send("foobar")
    if (first === "connect") await left.bind(address)
    expect(await text(left)).toEqual(["foobar"])
    await left.send("back")
    expect(await text(right)).toEqual(["back"])
  })

  it("a PUB that connected first drops what it published before the SUB bound, and no more", async () => {
    const address = name()
    const pub = own(new zmq.XPublisher())
    pub.connect(address)
    await pub.send("before")
    const sub = own(new zmq.Subscriber())
    sub.subscribe("")
    await sub.bind(address)
    expect(await whileNudging([sub], text(pub))).toEqual(["\u0001"])
    await pub.send("after")
    expect(await text(sub)).toEqual(["after"])
  })

  it("ten PUSHes that connected and sent first all reach the PULL that binds", async () => {
    const address = name()
    for (let index = 0; index < 10; index++) {
      const push = own(new zmq.Push())
      push.connect(address)
      await push.send(`foobar ${index}`)
    }
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    const got = (await texts(pull, 10)).flat().sort()
    expect(got).toEqual(Array.from({ length: 10 }, (_, index) => `foobar ${index}`))
  })

  it("messages outlive the socket that sent them", async () => {
    const pull = own(new zmq.Pull())
    const push = new zmq.Push()
    push.connect(await bound(pull, name()))
    for (let index = 0; index < 100; index++) await push.send(`${index}`)
    await push.close()
    expect(await texts(pull, 100)).toHaveLength(100)
  })

  it("a peer without a name gets one of five bytes", async () => {
    const address = name()
    const dealer = own(new zmq.Dealer())
    dealer.connect(address)
    const router = own(new zmq.Router())
    await router.bind(address)
    await dealer.send(["A", "B"])
    const [id, ...body] = await router.receive()
    expect(id).toHaveLength(5)
    expect(id![0]).toBe(0)
    expect(body.map(String)).toEqual(["A", "B"])
    await router.send([id!, "C"])
    expect(await text(dealer)).toEqual(["C"])
  })

  it("a name is exchanged whichever side comes first", async () => {
    for (const first of ["bind", "connect"]) {
      const address = name()
      const dealer = own(new zmq.Dealer({ routingId: "X" }))
      const router = own(new zmq.Router({ mandatory: true }))
      if (first === "bind") await router.bind(address)
      dealer.connect(address)
      await dealer.send("hello")
      if (first === "connect") await router.bind(address)
      expect(await text(router)).toEqual(["X", "hello"])
      await router.send(["X", "back"])
      expect(await text(dealer)).toEqual(["back"])
    }
  })

  it("a ROUTER that connects learns the name of who binds, without a message", async () => {
    const dealer = own(new zmq.Dealer({ routingId: "X" }))
    const router = own(new zmq.Router({ mandatory: true, sendTimeout: 0 }))
    router.connect(await bound(dealer, name()))
    const sent = eventually(() => router.send(["X", "hello"]).then(() => true))
    expect(await text(dealer)).toEqual(["hello"])
    await sent
  })

  it("a name can be bound once, until it is unbound or its socket closes", async () => {
    const address = name()
    const first = own(new zmq.Pull())
    await first.bind(address)
    const second = own(new zmq.Pull())
    await failsWith("EADDRINUSE", () => second.bind(address))
    await first.unbind(address)
    await second.bind(address)
    await second.close()
    const third = own(new zmq.Pull())
    await eventually(() => third.bind(address).then(() => true))
  })

  it("unbind keeps the pipes that exist", async () => {
    const address = name()
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    const push = own(new zmq.Push())
    push.connect(address)
    await push.send("before")
    expect(await text(pull)).toEqual(["before"])
    await pull.unbind(address)
    await push.send("after")
    expect(await text(pull)).toEqual(["after"])
    await failsWith("ENOENT", () => pull.unbind(address))
  })

  it("a socket that is bound and connected to one name leaves the name first, then the pipe", async () => {
    const socket = own(new zmq.Dealer())
    const address = await bound(socket, freshEndpoint("inproc"))
    socket.connect(address)
    await socket.send("to myself")
    expect(await text(socket)).toEqual(["to myself"])
    socket.disconnect(address)
    await own(new zmq.Dealer()).bind(address)
    socket.disconnect(address)
    await failsWith("ENOENT", () => socket.disconnect(address))
  })

  it("disconnect ends the pipe; a second one is ENOENT", async () => {
    const address = name()
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    const push = own(new zmq.Push())
    push.connect(address)
    await push.send("before")
    expect(await text(pull)).toEqual(["before"])
    push.disconnect(address)
    push.sendTimeout = 0
    await eventually(() => !push.writable)
    await failsWith("EAGAIN", () => push.send("after"))
    await failsWith("ENOENT", () => push.disconnect(address))
    await nothingArrives(pull, 30)
  })

  it.each(["disconnect", "close"] as const)(
    "%s leaves what was sent to whoever binds, with a linger of 0",
    async how => {
      const address = name()
      const push = own(new zmq.Push({ linger: 0, sendTimeout: 0 }))
      push.connect(address)
      await push.send("left behind")
      if (how === "close") push.close()
      else push.disconnect(address)
      const pull = own(new zmq.Pull())
      await pull.bind(address)
      expect(await text(pull)).toEqual(["left behind"])
      await nothingArrives(pull)
    },
  )

  it("disconnect is ENOENT once the other side has left", async () => {
    const address = name()
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    const push = own(new zmq.Push({ sendTimeout: 0 }))
    push.connect(address)
    pull.close()
    await eventually(() => !push.writable)
    await failsWith("ENOENT", () => push.disconnect(address))
  })

  it("names of another context are other names", async () => {
    const address = name()
    const context = new zmq.Context()
    const here = own(new zmq.Pull())
    const there = own(new zmq.Pull({ context }))
    await here.bind(address)
    await there.bind(address)
    const push = own(new zmq.Push({ context }))
    push.connect(address)
    await push.send("over there")
    expect(await text(there)).toEqual(["over there"])
    await nothingArrives(here, 30)
  })

  it("types that do not fit are not checked, and sockets close while they wait for a bind", async () => {
    const push = own(new zmq.Push({ linger: 0 }))
    push.connect(name())
    expect(await fill(push, () => "queued", 10)).toBe(10)
    await push.close()
    expect(push.closed).toBe(true)
  })

  it("a socket may connect to itself", async () => {
    const dealer = own(new zmq.Dealer())
    const address = await bound(dealer, name())
    dealer.connect(address)
    await dealer.send("a")
    expect(await text(dealer)).toEqual(["a"])
  })
})
