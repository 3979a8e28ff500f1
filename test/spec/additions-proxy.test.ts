/**
 * Proxies beyond zeromq.js: pausing that pauses (libzmq 4.3.5 takes the command and goes on), a capture socket, statistics,
 * and an end when one of the sockets is closed.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, type Transport } from "../support/endpoints.js"
import { type AnySocket, engine, zmq } from "../support/engine.js"
import { eventually, pause } from "../support/eventually.js"
import { bound, failsWith, fillUp, nothingArrives, ownSockets, text, texts } from "../support/sockets.js"

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index}`)

type AnyProxy = InstanceType<typeof zmq.Proxy>

async function ended(proxy: AnyProxy, running: Promise<void>): Promise<void> {
  proxy.terminate()
  await running
  expect(proxy.frontEnd.closed).toBe(true)
  expect(proxy.backEnd.closed).toBe(true)
}

describe.skipIf(engine === "zeromq").each<Transport>(["tcp", "inproc"])("a proxy over %s", transport => {
  const own = ownSockets()

  async function between<F extends AnySocket, B extends AnySocket>(frontEnd: F, backEnd: B, capture?: AnySocket) {
    const proxy = new zmq.Proxy(own(frontEnd), own(backEnd), capture)
    const front = await bound(frontEnd, freshEndpoint(transport))
    const back = await bound(backEnd, freshEndpoint(transport))
    return { proxy, front, back }
  }

  /** PULL and PUSH, with a source and a sink. */
  async function pipeline(capture?: AnySocket) {
    const { proxy, front, back } = await between(new zmq.Pull(), new zmq.Push(), capture)
    const source = own(new zmq.Push())
    const sink = own(new zmq.Pull())
    source.connect(front)
    sink.connect(back)
    await Promise.all([source.ready(), sink.ready()])
    return { proxy, source, sink }
  }

  it("DEALER and DEALER: each direction goes on while the other one is full", async () => {
    const { proxy, front, back } = await between(new zmq.Dealer(), new zmq.Dealer())
    const running = proxy.run()
    const left = own(new zmq.Dealer())
    const right = own(new zmq.Dealer())
    left.connect(front)
    right.connect(back)
    const body = Buffer.alloc(4096)
    const taken = await fillUp(left, index => [`${index}`, body])
    for (const number of numbers(100)) await right.send(number)
    expect((await texts(left, 100)).flat()).toEqual(numbers(100))
    expect((await texts(right, taken)).map(([number]) => number)).toEqual(numbers(taken))
    await ended(proxy, running)
  })

  it("takes nothing while it is paused, and all of it afterwards", async () => {
    const { proxy, front, back } = await between(new zmq.Pull(), new zmq.Push())
    const running = proxy.run()
    const source = own(new zmq.Push())
    const sink = own(new zmq.Pull())
    source.connect(front)
    sink.connect(back)
    await source.send("before")
    expect(await text(sink)).toEqual(["before"])
    proxy.pause()
    proxy.pause()
    for (const number of numbers(10)) await source.send(number)
    await nothingArrives(sink)
    proxy.resume()
    proxy.resume()
    expect((await texts(sink, 10)).flat()).toEqual(numbers(10))
    await ended(proxy, running)
  })

  it("leaves what comes in a pause to the marks of the front-end, and drops none of it", async () => {
    const { proxy, source, sink } = await pipeline()
    const running = proxy.run()
    proxy.pause()
    const body = Buffer.alloc(4096)
    const taken = await fillUp(source, index => [`${index}`, body])
    expect(proxy.statistics().frontEnd.messagesIn).toBe(0)
    proxy.resume()
    expect((await texts(sink, taken)).map(([number]) => number)).toEqual(numbers(taken))
    await ended(proxy, running)
  })

  it("takes no message before there is room for it", async () => {
    const { proxy, front, back } = await between(new zmq.Router(), new zmq.Dealer())
    const running = proxy.run()
    const client = own(new zmq.Dealer())
    client.connect(front)
    for (const number of numbers(5)) await client.send(number)
    await eventually(() => proxy.frontEnd.readable)
    await pause(20)
    expect(proxy.statistics().frontEnd.messagesIn).toBe(0)
    const worker = own(new zmq.Dealer())
    worker.connect(back)
    expect((await texts(worker, 5)).map(([, number]) => number)).toEqual(numbers(5))
    await worker.close()
    await eventually(() => proxy.backEnd.peers().length === 0)
    await client.send("5")
    await eventually(() => proxy.frontEnd.readable)
    expect(proxy.statistics().frontEnd.messagesIn).toBe(5)
    await ended(proxy, running)
  })

  it("sends every message to the capture socket, too, either way", async () => {
    const capture = own(new zmq.Push())
    const recorder = own(new zmq.Pull())
    recorder.connect(await bound(capture, freshEndpoint(transport)))
    await recorder.ready()
    const { proxy, front, back } = await between(new zmq.Dealer(), new zmq.Dealer(), capture)
    const running = proxy.run()
    const left = own(new zmq.Dealer())
    const right = own(new zmq.Dealer())
    left.connect(front)
    right.connect(back)
    for (const number of numbers(3_000)) {
      await left.send([number, "there"])
      expect(await text(right)).toEqual([number, "there"])
      await right.send([number, "back"])
      expect(await text(left)).toEqual([number, "back"])
      expect(await texts(recorder, 2)).toEqual([
        [number, "there"],
        [number, "back"],
      ])
    }
    await ended(proxy, running)
    expect(capture.closed).toBe(false)
  })

  it("waits for a capture socket that has no room, and goes on without one that is closed", async () => {
    const capture = own(new zmq.Push())
    await capture.bind(freshEndpoint(transport))
    const { proxy, source, sink } = await pipeline(capture)
    const running = proxy.run()
    for (const number of numbers(10)) await source.send(number)
    await nothingArrives(sink)
    await capture.close()
    expect((await texts(sink, 10)).flat()).toEqual(numbers(10))
    await ended(proxy, running)
  })

  it("ends while its capture socket has no room", async () => {
    const capture = own(new zmq.Push())
    await capture.bind(freshEndpoint(transport))
    const { proxy, source } = await pipeline(capture)
    const running = proxy.run()
    await source.send("never captured")
    await eventually(() => proxy.frontEnd.readable)
    await ended(proxy, running)
  })

  it("counts messages and bytes at both sockets, in and out", async () => {
    const { proxy, front, back } = await between(new zmq.Dealer(), new zmq.Dealer())
    const nothing = { messagesIn: 0, bytesIn: 0, messagesOut: 0, bytesOut: 0 }
    expect(proxy.statistics()).toEqual({ frontEnd: nothing, backEnd: nothing })
    const running = proxy.run()
    const left = own(new zmq.Dealer())
    const right = own(new zmq.Dealer())
    left.connect(front)
    right.connect(back)
    for (let index = 0; index < 7; index++) await left.send(["12345", "", "678"])
    await texts(right, 7)
    for (let index = 0; index < 2; index++) await right.send("1234")
    await texts(left, 2)
    const statistics = {
      frontEnd: { messagesIn: 7, bytesIn: 56, messagesOut: 2, bytesOut: 8 },
      backEnd: { messagesIn: 2, bytesIn: 8, messagesOut: 7, bytesOut: 56 },
    }
    expect(proxy.statistics()).toEqual(statistics)
    await ended(proxy, running)
    expect(proxy.statistics()).toEqual(statistics)
  })

  it("ends well when one of its sockets is closed, whatever it waits for, and closes the other", async () => {
    for (const side of ["frontEnd", "backEnd"] as const) {
      for (const when of ["idle", "waiting for room", "paused"]) {
        const { proxy, front } = await between(new zmq.Pull(), new zmq.Push())
        const running = proxy.run()
        if (when === "waiting for room") {
          const source = own(new zmq.Push())
          source.connect(front)
          await source.send("job")
          await eventually(() => proxy.frontEnd.readable)
        } else if (when === "paused") proxy.pause()
        await proxy[side].close({ linger: 0 })
        await running
        expect(proxy.frontEnd.closed && proxy.backEnd.closed).toBe(true)
        await failsWith("EBADF", () => proxy.terminate())
      }
    }
  })

  it("terminates only when a message that it holds has found room", async () => {
    const { proxy, front, back } = await between(new zmq.Pull(), new zmq.Push({ sendHighWaterMarkBytes: 1000 }))
    const running = proxy.run()
    const source = own(new zmq.Push())
    const sink = own(new zmq.Pull({ receiveHighWaterMarkBytes: 1000 }))
    source.connect(front)
    sink.connect(back)
    const body = Buffer.alloc(300_000)
    const small = Buffer.alloc(300)
    // A queue with a small one in it lets in another small one, and no large one: which is known only when it is taken.
    for (const number of numbers(60)) await source.send([number, Number(number) % 2 === 0 ? small : body])
    const passed = () => proxy.statistics().backEnd.messagesOut
    let before = -1
    await eventually(async () => {
      const same = passed() === before
      before = passed()
      await pause(50)
      return same
    })
    const { messagesIn } = proxy.statistics().frontEnd
    expect(messagesIn).toBe(passed() + 1)
    proxy.terminate()
    const got = (await texts(sink, messagesIn)).map(([number]) => number)
    expect(got).toEqual(numbers(messagesIn))
    await running
    expect(passed()).toBe(messagesIn)
  })

  it("REP and REQ: carries one request at a time", async () => {
    const { proxy, front, back } = await between(new zmq.Reply(), new zmq.Request())
    const running = proxy.run()
    const client = own(new zmq.Request())
    const service = own(new zmq.Reply())
    client.connect(front)
    service.connect(back)
    for (const number of numbers(5)) {
      await client.send(number)
      expect(await text(service)).toEqual([number])
      await service.send(["re", number])
      expect(await text(client)).toEqual(["re", number])
    }
    await ended(proxy, running)
  })

  it("lets its sockets be used meanwhile", async () => {
    const { proxy, source, sink } = await pipeline()
    const running = proxy.run()
    await source.send("first")
    expect(await text(sink)).toEqual(["first"])
    await proxy.backEnd.send("between")
    expect(await text(sink)).toEqual(["between"])
    const late = own(new zmq.Push())
    late.connect(await bound(proxy.frontEnd, freshEndpoint(transport)))
    await late.send("from elsewhere")
    expect(await text(sink)).toEqual(["from elsewhere"])
    await ended(proxy, running)
  })

  it("REP for both sides: sends each request back as its reply (proxy_single_socket)", async () => {
    const echo = own(new zmq.Reply())
    const proxy = new zmq.Proxy(echo, echo)
    const clients = [own(new zmq.Request()), own(new zmq.Request())]
    const address = await bound(echo, freshEndpoint(transport))
    for (const client of clients) client.connect(address)
    const running = proxy.run()
    for (const number of numbers(10)) {
      for (const client of clients) await client.send([number, "ABC"])
      for (const client of clients) expect(await text(client)).toEqual([number, "ABC"])
    }
    await ended(proxy, running)
  })

  it("returns a socket's messages to where they came from, when both sides are the same socket", async () => {
    const echo = own(new zmq.Dealer())
    const proxy = new zmq.Proxy(echo, echo)
    const client = own(new zmq.Dealer())
    client.connect(await bound(echo, freshEndpoint(transport)))
    const running = proxy.run()
    for (const number of numbers(10)) await client.send(number)
    expect((await texts(client, 10)).flat()).toEqual(numbers(10))
    await ended(proxy, running)
  })
})

describe.skipIf(engine === "zeromq")("a proxy", () => {
  const own = ownSockets()

  it("does not share its sockets with another one that runs, nor run twice: EBUSY", async () => {
    const frontEnd = own(new zmq.Pull())
    const backEnd = own(new zmq.Push())
    await frontEnd.bind(freshEndpoint("inproc"))
    await backEnd.bind(freshEndpoint("inproc"))
    const proxy = new zmq.Proxy(frontEnd, backEnd)
    const running = proxy.run()
    await failsWith("EBUSY", () => proxy.run())
    const other = new zmq.Proxy(frontEnd, own(new zmq.Push()))
    await other.backEnd.bind(freshEndpoint("inproc"))
    await failsWith("EBUSY", () => other.run())
    await ended(proxy, running)
    expect(other.backEnd.closed).toBe(false)
  })

  it("captures to nothing but a socket that sends", () => {
    const Any = zmq.Proxy as unknown as new (...parameters: unknown[]) => unknown
    for (const wrong of [null, 1, {}, own(new zmq.Pull())]) {
      expect(() => new Any(own(new zmq.Pull()), own(new zmq.Push()), wrong)).toThrow(
        new TypeError("Capture must be a socket object that sends"),
      )
    }
  })
})
