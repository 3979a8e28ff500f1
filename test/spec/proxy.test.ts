/**
 * Proxies between two sockets, as zmq_proxy and the `zeromq` package have them.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, type Transport } from "../support/endpoints.js"
import { type AnySocket, zmq } from "../support/engine.js"
import { eventually } from "../support/eventually.js"
import { bound, drained, failsWith, fillUp, nothingArrives, ownSockets, text, texts } from "../support/sockets.js"

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index}`)

type AnyProxy = InstanceType<typeof zmq.Proxy>

/** Terminates; with zeromq its sockets cannot be closed before that. */
async function ended(proxy: AnyProxy, running: Promise<void>): Promise<void> {
  proxy.terminate()
  await running
  expect(proxy.frontEnd.closed).toBe(true)
  expect(proxy.backEnd.closed).toBe(true)
}

describe.each<Transport>(["tcp", "inproc"])("a proxy over %s", transport => {
  const own = ownSockets()

  async function between<F extends AnySocket, B extends AnySocket>(frontEnd: F, backEnd: B) {
    const proxy = new zmq.Proxy(own(frontEnd), own(backEnd))
    const front = await bound(frontEnd, freshEndpoint(transport))
    const back = await bound(backEnd, freshEndpoint(transport))
    return { proxy, front, back }
  }

  it("ROUTER and DEALER: carries requests to a service and the replies back", async () => {
    const { proxy, front, back } = await between(new zmq.Router(), new zmq.Dealer())
    const running = proxy.run()
    const service = own(new zmq.Reply())
    service.connect(back)
    const clients = Array.from({ length: 3 }, () => own(new zmq.Request()))
    for (const client of clients) client.connect(front)
    const asking = Promise.all(
      clients.map(async (client, index) => {
        for (const number of numbers(20)) {
          await client.send([`${index}`, number])
          expect(await text(client)).toEqual(["re", `${index}`, number])
        }
      }),
    )
    for (let answered = 0; answered < 60; answered++) await service.send(["re", ...(await text(service))])
    await asking
    await ended(proxy, running)
  })

  it("PULL and PUSH: loses and reorders nothing, and keeps messages of several frames whole", async () => {
    const { proxy, front, back } = await between(new zmq.Pull(), new zmq.Push())
    const running = proxy.run()
    const source = own(new zmq.Push())
    const sink = own(new zmq.Pull())
    source.connect(front)
    sink.connect(back)
    const sending = (async () => {
      for (const number of numbers(20_000)) await source.send([number, "", "body"])
    })()
    for (const number of numbers(20_000)) {
      const got = await text(sink)
      if (got[0] !== number || got.length !== 3) expect(got).toEqual([number, "", "body"])
    }
    await sending
    await ended(proxy, running)
  })

  it("works in either direction: the front-end may be the one that sends", async () => {
    const { proxy, front, back } = await between(new zmq.Push(), new zmq.Pull())
    const running = proxy.run()
    const sink = own(new zmq.Pull())
    const source = own(new zmq.Push())
    sink.connect(front)
    source.connect(back)
    for (const number of numbers(10)) await source.send(number)
    expect((await texts(sink, 10)).flat()).toEqual(numbers(10))
    await ended(proxy, running)
  })

  it("XSUB and XPUB: subscriptions travel to the publisher, and only what they ask for comes", async () => {
    const { proxy, front, back } = await between(new zmq.XSubscriber(), new zmq.XPublisher())
    const running = proxy.run()
    const publisher = own(new zmq.XPublisher())
    publisher.connect(front)
    const subscriber = own(new zmq.Subscriber())
    const other = own(new zmq.Subscriber())
    subscriber.connect(back)
    other.connect(back)
    subscriber.subscribe("a")
    expect(await text(publisher)).toEqual(["\u0001a"])
    other.subscribe("b")
    expect(await text(publisher)).toEqual(["\u0001b"])
    for (const number of numbers(50)) for (const topic of ["a", "b", "c"]) await publisher.send([topic, number])
    expect(await texts(subscriber, 50)).toEqual(numbers(50).map(number => ["a", number]))
    expect(await texts(other, 50)).toEqual(numbers(50).map(number => ["b", number]))
    await nothingArrives(subscriber)
    subscriber.unsubscribe("a")
    await eventually(async () => (await text(publisher))[0] === "\u0000a")
    await ended(proxy, running)
  })

  it("a slow back-end bounds what is taken from the front-end", async () => {
    const { proxy, front, back } = await between(
      new zmq.Pull({ receiveHighWaterMark: 10 }),
      new zmq.Push({ sendHighWaterMark: 10 }),
    )
    const running = proxy.run()
    const source = own(new zmq.Push({ sendHighWaterMark: 10 }))
    const sink = own(new zmq.Pull({ receiveHighWaterMark: 10 }))
    source.connect(front)
    sink.connect(back)
    const body = Buffer.alloc(64 * 1024)
    const taken = await fillUp(source, index => [`${index}`, body])
    if (transport === "inproc") expect(taken).toBeLessThanOrEqual(60)
    else expect(taken).toBeLessThan(1000)
    const got = await drained(sink)
    expect(got.map(([number]) => number)).toEqual(numbers(taken))
    await ended(proxy, running)
  })

  it("XSUB and XPUB with NODROP: a slow subscriber stops the publisher, and loses nothing (proxy_hwm)", async () => {
    const marks = { sendHighWaterMark: 10, receiveHighWaterMark: 10 }
    const { proxy, front, back } = await between(
      new zmq.XSubscriber(marks),
      new zmq.XPublisher({ ...marks, noDrop: true }),
    )
    const running = proxy.run()
    const publisher = own(new zmq.XPublisher({ ...marks, noDrop: true }))
    const subscriber = own(new zmq.Subscriber({ receiveHighWaterMark: 10 }))
    publisher.connect(front)
    subscriber.connect(back)
    subscriber.subscribe("")
    expect(await text(publisher)).toEqual(["\u0001"])
    const body = Buffer.alloc(50_000)
    const sent = await fillUp(publisher, index => [`${index}`, body])
    expect(sent).toBeGreaterThanOrEqual(20)
    // Two queues of both marks, and the one that the proxy holds.
    if (transport === "inproc") expect(sent).toBeLessThanOrEqual(41)
    else expect(sent).toBeLessThan(1_000)
    expect((await drained(subscriber)).map(([number]) => number)).toEqual(numbers(sent))
    await ended(proxy, running)
  })

  it("ends when it is terminated while it is paused, or nobody is at the back-end", async () => {
    const { proxy, front } = await between(new zmq.Pull(), new zmq.Push())
    const running = proxy.run()
    const source = own(new zmq.Push())
    source.connect(front)
    for (const number of numbers(10)) await source.send(number)
    proxy.pause()
    await ended(proxy, running)
  })

  it("sends what it has passed on when it is terminated", async () => {
    const { proxy, front, back } = await between(new zmq.Pull(), new zmq.Push())
    const running = proxy.run()
    const source = own(new zmq.Push())
    const sink = own(new zmq.Pull())
    source.connect(front)
    sink.connect(back)
    for (const number of numbers(100)) await source.send(number)
    expect((await texts(sink, 1)).flat()).toEqual(["0"])
    await ended(proxy, running)
    const rest = (await drained(sink)).flat()
    expect(rest).toEqual(numbers(rest.length + 1).slice(1))
  })
})

describe("a proxy", () => {
  const own = ownSockets()

  it("has its two sockets as properties, which cannot be set", () => {
    const frontEnd = own(new zmq.Router())
    const backEnd = own(new zmq.Dealer())
    const proxy = new zmq.Proxy(frontEnd, backEnd)
    expect(proxy.frontEnd).toBe(frontEnd)
    expect(proxy.backEnd).toBe(backEnd)
    expect(() => Object.assign(proxy, { frontEnd: backEnd })).toThrow(TypeError)
  })

  it("is made of two sockets", () => {
    const Any = zmq.Proxy as unknown as new (...parameters: unknown[]) => unknown
    const router = own(new zmq.Router())
    for (const wrong of [[], [1, router], [null, router], ["", router]]) {
      expect(() => new Any(...wrong)).toThrow(new TypeError("Front-end must be a socket object"))
    }
    for (const wrong of [[router], [router, 1], [router, null]]) {
      expect(() => new Any(...wrong)).toThrow(new TypeError("Back-end must be a socket object"))
    }
    expect(() => new Any({}, router)).toThrow(Error)
    expect(() => new Any(router, {})).toThrow(Error)
  })

  it("needs both sockets bound or connected: EINVAL", async () => {
    const proxy = new zmq.Proxy(own(new zmq.Router()), own(new zmq.Dealer()))
    await failsWith("EINVAL", () => proxy.run())
    await proxy.frontEnd.bind(freshEndpoint("inproc"))
    await failsWith("EINVAL", () => proxy.run())
    const address = await bound(proxy.backEnd, freshEndpoint("tcp"))
    await proxy.backEnd.unbind(address)
    await failsWith("EINVAL", () => proxy.run())
    expect(() => proxy.run()).toThrow(/must be bound or connected/)
  })

  it("does not run with a socket that is closed: EINVAL", async () => {
    const proxy = new zmq.Proxy(own(new zmq.Router()), own(new zmq.Dealer()))
    await proxy.frontEnd.bind(freshEndpoint("inproc"))
    await proxy.backEnd.bind(freshEndpoint("inproc"))
    await proxy.backEnd.close()
    await failsWith("EINVAL", () => proxy.run())
    expect(typeof new zmq.Proxy(proxy.backEnd, proxy.frontEnd)).toBe("object")
  })

  it("ends with the error of a socket that refuses a message, and closes both", async () => {
    const proxy = new zmq.Proxy(own(new zmq.Router({ mandatory: true })), own(new zmq.Dealer()))
    const client = own(new zmq.Dealer())
    const worker = own(new zmq.Dealer())
    client.connect(await bound(proxy.frontEnd, freshEndpoint("tcp")))
    worker.connect(await bound(proxy.backEnd, freshEndpoint("tcp")))
    const running = failsWith("EHOSTUNREACH", () => proxy.run())
    await client.send("question")
    const [id] = await worker.receive()
    expect(id!.length).toBeGreaterThan(0)
    await worker.send(["nobody", "answer"])
    await running
    expect(proxy.frontEnd.closed).toBe(true)
    expect(proxy.backEnd.closed).toBe(true)
  })

  it("cannot be paused, resumed or terminated before it runs and after it has ended: EBADF", async () => {
    const proxy = new zmq.Proxy(own(new zmq.Router()), own(new zmq.Dealer()))
    const allRefused = async () => {
      await failsWith("EBADF", () => proxy.pause())
      await failsWith("EBADF", () => proxy.resume())
      await failsWith("EBADF", () => proxy.terminate())
    }
    await allRefused()
    await proxy.frontEnd.bind(freshEndpoint("inproc"))
    await proxy.backEnd.bind(freshEndpoint("inproc"))
    await allRefused()
    const running = proxy.run()
    proxy.terminate()
    await running
    await allRefused()
    await failsWith("EINVAL", () => proxy.run())
  })
})
