/**
 * Beyond zeromq.js: batches of messages, and messages with the peer that they came from.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, transports } from "../support/endpoints.js"
import { engine, zmq } from "../support/engine.js"
import { eventually } from "../support/eventually.js"
import { bound, failsWith, failure, ownSockets, text } from "../support/sockets.js"

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index}`)

describe.skipIf(engine === "zeromq").each(transports)("batches over %s", transport => {
  const own = ownSockets()

  async function pipe() {
    const push = own(new zmq.Push())
    const pull = own(new zmq.Pull())
    push.connect(await bound(pull, freshEndpoint(transport)))
    return { push, pull }
  }

  it("hand over every message, in order", async () => {
    const { push, pull } = await pipe()
    const sending = (async () => {
      for (const number of numbers(3_000)) await push.send([number, "body"])
    })()
    const got: string[] = []
    for await (const batch of pull.batches()) {
      expect(batch.length).toBeGreaterThan(0)
      expect(batch.length).toBeLessThanOrEqual(256)
      for (const [number, body] of batch) {
        got.push(String(number))
        expect(String(body)).toBe("body")
      }
      if (got.length === 3_000) break
    }
    await sending
    expect(got).toEqual(numbers(3_000))
  })

  it("hold at most max messages", async () => {
    const { push, pull } = await pipe()
    for (const number of numbers(10)) await push.send(number)
    const got: string[] = []
    for await (const batch of pull.batches({ max: 3 })) {
      expect(batch.length).toBeLessThanOrEqual(3)
      got.push(...batch.map(([number]) => String(number)))
      if (got.length === 10) break
    }
    expect(got).toEqual(numbers(10))
  })

  it("leave what they did not hand over to whoever receives next", async () => {
    const { push, pull } = await pipe()
    for (const number of numbers(10)) await push.send(number)
    const got: string[] = []
    for await (const batch of pull.batches({ max: 4 })) {
      got.push(...batch.map(([number]) => String(number)))
      break
    }
    while (got.length < 10) got.push((await text(pull))[0]!)
    expect(got).toEqual(numbers(10))
  })

  it("end when the socket closes", async () => {
    const { pull } = await pipe()
    const reading = (async () => {
      for await (const batch of pull.batches()) expect(batch).toBe("nothing is sent")
      return "ended"
    })()
    await pull.close()
    expect(await reading).toBe("ended")
    for await (const batch of pull.batches()) expect(batch).toBe("nothing comes from a closed socket")
  })

  it("end with the reason of their signal, and lose nothing", async () => {
    const { push, pull } = await pipe()
    const abort = new AbortController()
    const reason = new Error("enough")
    const got: string[] = []
    const reading = failure(async () => {
      for await (const batch of pull.batches({ signal: abort.signal }))
        got.push(...batch.map(([number]) => String(number)))
    })
    await push.send("0")
    await eventually(() => got.length === 1)
    abort.abort(reason)
    expect(await reading).toBe(reason)
    await push.send("1")
    expect(await text(pull)).toEqual(["1"])
  })
})

describe.skipIf(engine === "zeromq")("batches", () => {
  const own = ownSockets()

  it("refuse a max that is none", async () => {
    const pull = own(new zmq.Pull())
    await failsWith("EINVAL", () => pull.batches({ max: 0 }))
    const call = pull as unknown as { batches(options: object): unknown }
    expect((await failure(() => call.batches({ max: "5" }))).name).toBe("TypeError")
    expect((await failure(() => call.batches({ signal: 5 }))).name).toBe("TypeError")
  })

  it("work on sockets of every type that receives", async () => {
    const pub = own(new zmq.XPublisher())
    const sub = own(new zmq.Subscriber())
    sub.connect(await bound(pub, freshEndpoint("tcp")))
    sub.subscribe("a", "b")
    const notices: string[] = []
    for await (const batch of pub.batches()) {
      notices.push(...batch.map(([notice]) => String(notice)))
      if (notices.length === 2) break
    }
    expect(notices).toEqual(["\u0001a", "\u0001b"])
    await pub.send("a")
    await pub.send("b")
    const topics: string[] = []
    for await (const batch of sub.batches()) {
      topics.push(...batch.map(([topic]) => String(topic)))
      if (topics.length === 2) break
    }
    expect(topics).toEqual(["a", "b"])
  })
})

describe.skipIf(engine === "zeromq").each(transports)("receiveFrom over %s", transport => {
  const own = ownSockets()

  it("tells peers apart", async () => {
    const pull = own(new zmq.Pull())
    const address = await bound(pull, freshEndpoint(transport))
    const pushes = [own(new zmq.Push()), own(new zmq.Push())]
    for (const push of pushes) {
      push.connect(address)
      await push.ready()
    }
    for (const [index, push] of pushes.entries())
      for (let turn = 0; turn < 2; turn++) await push.send([`${index}`, "body"])
    const counts: Record<string, number> = {}
    for (let index = 0; index < 4; index++) {
      const { message, peer } = await pull.receiveFrom()
      expect(message).toHaveLength(2)
      expect(peer.endpoint).toBe(address)
      expect(peer.stats().messagesIn).toBe(2)
      counts[String(message[0])] = (counts[String(message[0])] ?? 0) + 1
    }
    expect(counts).toEqual({ 0: 2, 1: 2 })
  })

  it("gives a ROUTER the routing id of the peer, in the message and in the peer", async () => {
    const router = own(new zmq.Router())
    const dealer = own(new zmq.Dealer({ routingId: "me" }))
    dealer.connect(await bound(router, freshEndpoint(transport)))
    await dealer.send("hello")
    const { message, peer } = await router.receiveFrom()
    expect(message.map(String)).toEqual(["me", "hello"])
    expect(String(peer.routingId)).toBe("me")
    if (transport !== "inproc") expect(peer.type).toBe("DEALER")
  })

  it("waits, times out and is cancelled as receive is", async () => {
    const pull = own(new zmq.Pull())
    const push = own(new zmq.Push())
    push.connect(await bound(pull, freshEndpoint(transport)))
    await failsWith("EAGAIN", () => pull.receiveFrom({ timeout: 0 }))
    await failsWith("EAGAIN", () => pull.receiveFrom({ timeout: 20 }))
    const abort = new AbortController()
    const cancelled = failure(() => pull.receiveFrom({ signal: abort.signal }))
    abort.abort(new Error("stop"))
    expect((await cancelled).message).toBe("stop")
    const waiting = pull.receiveFrom()
    await push.send("hello")
    expect((await waiting).message.map(String)).toEqual(["hello"])
  })
})
