/**
 * Beyond zeromq.js: several sends and receives at once, timeouts and signals for each, sending and receiving without
 * waiting. What holds: calls are served in their order, a cancelled receive never had a message, a cancelled send never
 * sent half of one.
 */
import { getEventListeners } from "node:events"
import { describe, expect, it } from "vitest"
import { freshEndpoint, transports } from "../support/endpoints.js"
import { engine, zmq } from "../support/engine.js"
import { eventually, pause } from "../support/eventually.js"
import { bound, failsWith, failure, nothingArrives, ownSockets, text, texts } from "../support/sockets.js"

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index}`)

describe.skipIf(engine === "zeromq").each(transports)("several at once over %s", transport => {
  const own = ownSockets()

  async function pipe(marks: { send?: number; receive?: number } = {}) {
    const push = own(new zmq.Push({ sendHighWaterMark: marks.send ?? 1000 }))
    const pull = own(new zmq.Pull({ receiveHighWaterMark: marks.receive ?? 1000 }))
    push.connect(await bound(pull, freshEndpoint(transport)))
    return { push, pull }
  }

  it("sends are served in the order of their calls, whole", async () => {
    const { push, pull } = await pipe({ send: 2, receive: 2 })
    const padding = Buffer.alloc(200_000)
    const sends = numbers(100).map(number => push.send([number, padding, `end of ${number}`]))
    for (const number of numbers(100)) {
      const [head, body, tail] = await pull.receive()
      expect([String(head), body!.length, String(tail)]).toEqual([number, padding.length, `end of ${number}`])
    }
    await Promise.all(sends)
  })

  it("sends that began before there was a peer are served in order when one comes", async () => {
    const push = own(new zmq.Push())
    const address = await bound(push, freshEndpoint(transport))
    const settled: string[] = []
    const sends = numbers(50).map(number => push.send(number).then(() => settled.push(number)))
    expect(push.trySend("may not overtake")).toBe(false)
    const pull = own(new zmq.Pull())
    pull.connect(address)
    expect((await texts(pull, 50)).flat()).toEqual(numbers(50))
    await Promise.all(sends)
    expect(settled).toEqual(numbers(50))
  })

  it("receives are served in the order of their calls", async () => {
    const { push, pull } = await pipe()
    const receives = numbers(50).map(() => text(pull))
    for (const number of numbers(50)) await push.send([number, "body"])
    expect(await Promise.all(receives)).toEqual(numbers(50).map(number => [number, "body"]))
  })

  it("a receive that times out leaves its turn to the next", async () => {
    const { push, pull } = await pipe()
    const first = text(pull)
    const second = failure(() => pull.receive({ timeout: 30 }))
    const third = text(pull)
    expect((await second).code).toBe("EAGAIN")
    await push.send("a")
    await push.send("b")
    expect([await first, await third]).toEqual([["a"], ["b"]])
  })

  it("a send that times out or is cancelled is not sent, and the others keep their order", async () => {
    const push = own(new zmq.Push())
    const address = await bound(push, freshEndpoint(transport))
    const reason = new Error("changed my mind")
    const abort = new AbortController()
    const first = push.send(["first", "whole"])
    const late = failure(() => push.send(["late", "whole"], { timeout: 30 }))
    const cancelled = failure(() => push.send(["cancelled", "whole"], { signal: abort.signal }))
    const last = push.send(["last", "whole"])
    expect((await late).code).toBe("EAGAIN")
    abort.abort(reason)
    expect(await cancelled).toBe(reason)
    const pull = own(new zmq.Pull())
    pull.connect(address)
    await Promise.all([first, last])
    expect(await texts(pull, 2)).toEqual([
      ["first", "whole"],
      ["last", "whole"],
    ])
    await nothingArrives(pull, 50)
  })

  it("a cancelled receive never has a message", async () => {
    const { push, pull } = await pipe()
    const got: string[] = []
    for (let index = 0; index < 200; index++) {
      const abort = new AbortController()
      const receiving = text(pull).catch(() => undefined)
      const cancelled = pull.receive({ signal: abort.signal }).then(
        message => message.map(String),
        () => undefined,
      )
      await push.send(`${2 * index}`)
      await push.send(`${2 * index + 1}`)
      if (index % 3 === 0) abort.abort()
      else if (index % 3 === 1) setImmediate(() => abort.abort())
      else queueMicrotask(() => abort.abort())
      for (const message of [await receiving, await cancelled]) if (message) got.push(message[0]!)
      if (got.length < 2 * (index + 1)) got.push((await text(pull))[0]!)
    }
    expect(got).toEqual(numbers(400))
  })

  it("trySend and tryReceive do not wait", async () => {
    const { push, pull } = await pipe()
    expect(pull.tryReceive()).toBeNull()
    expect(push.trySend(["a", "b"])).toBe(true)
    const message = await eventually(() => pull.tryReceive())
    expect(message!.map(String)).toEqual(["a", "b"])
    expect(pull.tryReceive()).toBeNull()
  })

  it("trySend says false when there is no room, and true when there is again", async () => {
    const { push, pull } = await pipe({ send: 2, receive: 2 })
    await push.ready()
    const padding = Buffer.alloc(1024 * 1024)
    let taken = 0
    await eventually(async () => {
      while (push.trySend([`${taken}`, padding])) taken += 1
      await pause(30)
      return !push.trySend([`${taken}`, padding]) || !++taken
    })
    if (transport === "inproc") expect(taken).toBe(4)
    for (const number of numbers(taken)) expect(String((await pull.receive())[0])).toBe(number)
    await eventually(() => push.trySend("again"))
    expect(await text(pull)).toEqual(["again"])
  })
})

describe.skipIf(engine === "zeromq")("waiting", () => {
  const own = ownSockets()

  it("one send more than maxPendingSends is EBUSY", async () => {
    const push = own(new zmq.Push())
    expect(push.maxPendingSends).toBe(1000)
    push.maxPendingSends = 3
    const sends = numbers(3).map(number => push.send(number))
    expect((await failure(() => push.send("one more"))).code).toBe("EBUSY")
    const pull = own(new zmq.Pull())
    pull.connect(await bound(push, freshEndpoint("inproc")))
    await Promise.all(sends)
    await push.send("now it may")
    expect((await texts(pull, 4)).flat()).toEqual([...numbers(3), "now it may"])
  })

  it("timeout goes before sendTimeout and receiveTimeout", async () => {
    const push = own(new zmq.Push({ sendTimeout: 0 }))
    const pull = own(new zmq.Pull({ receiveTimeout: 0 }))
    const sending = push.send("waits", { timeout: 5_000 })
    const receiving = pull.receive({ timeout: 5_000 })
    push.connect(await bound(pull, freshEndpoint("inproc")))
    await sending
    expect((await receiving).map(String)).toEqual(["waits"])
    push.sendTimeout = 5_000
    pull.receiveTimeout = 5_000
    await failsWith("EAGAIN", () => pull.receive({ timeout: 0 }))
    await failsWith("EAGAIN", () => own(new zmq.Push()).send("x", { timeout: 0 }))
  })

  it("a timeout of 0 takes what is there", async () => {
    const push = own(new zmq.Push())
    const pull = own(new zmq.Pull())
    push.connect(await bound(pull, freshEndpoint("inproc")))
    await push.send("there", { timeout: 0 })
    expect((await pull.receive({ timeout: 0 })).map(String)).toEqual(["there"])
  })

  it("a signal that has aborted already rejects with its reason, and takes nothing", async () => {
    const push = own(new zmq.Push())
    const pull = own(new zmq.Pull())
    push.connect(await bound(pull, freshEndpoint("inproc")))
    await push.send("stays")
    const reason = new Error("no more")
    const signal = AbortSignal.abort(reason)
    expect(await failure(() => pull.receive({ signal }))).toBe(reason)
    expect(await failure(() => push.send("not sent", { signal }))).toBe(reason)
    expect(await text(pull)).toEqual(["stays"])
    expect(pull.tryReceive()).toBeNull()
  })

  it("AbortSignal.timeout works, and the reason is its own", async () => {
    const pull = own(new zmq.Pull())
    expect((await failure(() => pull.receive({ signal: AbortSignal.timeout(20) }))).name).toBe("TimeoutError")
  })

  it("leaves no listeners on a signal", async () => {
    const push = own(new zmq.Push())
    const pull = own(new zmq.Pull())
    push.connect(await bound(pull, freshEndpoint("tcp")))
    const { signal } = new AbortController()
    for (const number of numbers(20)) {
      const receiving = pull.receive({ signal })
      await push.send(number, { signal })
      await receiving
    }
    await failure(() => pull.receive({ signal, timeout: 1 }))
    expect(getEventListeners(signal, "abort")).toHaveLength(0)
  })

  it("options of the wrong kind are refused at once", async () => {
    const pair = own(new zmq.Pair())
    const call = pair as unknown as Record<"send" | "receive", (...values: unknown[]) => Promise<unknown>>
    for (const wait of [{ timeout: "5" }, { timeout: Number.NaN }, { signal: {} }]) {
      expect((await failure(() => call.receive(wait))).name).toBe("TypeError")
      expect((await failure(() => call.send("x", wait))).name).toBe("TypeError")
    }
    await failsWith("EINVAL", () => pair.receive({ timeout: -2 }))
  })

  it("trySend throws what can never be: EHOSTUNREACH, EFSM", async () => {
    const router = own(new zmq.Router({ mandatory: true }))
    await router.bind(freshEndpoint("inproc"))
    await failsWith("EHOSTUNREACH", () => router.trySend(["nobody", "x"]))
    const req = own(new zmq.Request())
    const rep = own(new zmq.Reply())
    req.connect(await bound(rep, freshEndpoint("inproc")))
    await failsWith("EFSM", () => req.tryReceive())
    await failsWith("EFSM", () => rep.trySend("early"))
    expect(req.trySend("one")).toBe(true)
    await failsWith("EFSM", () => req.trySend("two"))
    expect(req.tryReceive()).toBeNull()
    expect(rep.tryReceive()!.map(String)).toEqual(["one"])
    expect(rep.trySend("done")).toBe(true)
    expect(req.tryReceive()!.map(String)).toEqual(["done"])
  })

  it("a mandatory ROUTER says EHOSTUNREACH at once, whatever its sendTimeout", async () => {
    const router = own(new zmq.Router({ mandatory: true }))
    router.sendTimeout = -1
    await router.bind(freshEndpoint("tcp"))
    await failsWith("EHOSTUNREACH", () => router.send(["nobody", "x"]))
  })

  it("several requests at once over one DEALER and one ROUTER all get their answers", async () => {
    const router = own(new zmq.Router())
    const dealer = own(new zmq.Dealer())
    dealer.connect(await bound(router, freshEndpoint("tcp")))
    const serving = (async () => {
      for await (const [id, number, body] of router) void router.send([id!, number!, `re ${body}`])
    })()
    const sends = numbers(200).map(number => dealer.send([number, `body ${number}`]))
    const answers = await Promise.all(numbers(200).map(() => text(dealer)))
    expect(answers).toEqual(numbers(200).map(number => [number, `re body ${number}`]))
    await Promise.all(sends)
    await router.close()
    await serving
  })

  it("requests that are sent at once go one after the other, each when the one before has its reply", async () => {
    const rep = own(new zmq.Reply())
    const req = own(new zmq.Request())
    req.connect(await bound(rep, freshEndpoint("tcp")))
    const serving = (async () => {
      for await (const [body] of rep) await rep.send(`re ${body}`)
    })()
    const sends = numbers(5).map(number => req.send(number))
    const replies: string[] = []
    for (const send of sends) {
      await send
      replies.push((await text(req))[0]!)
    }
    expect(replies).toEqual(numbers(5).map(number => `re ${number}`))
    await rep.close()
    await serving
  })

  it("timers fire while a loop sends and another receives without end", async () => {
    const push = own(new zmq.Push())
    const pull = own(new zmq.Pull())
    push.connect(await bound(pull, freshEndpoint("inproc")))
    let running = true
    let ticks = 0
    const timer = setInterval(() => {
      ticks += 1
      if (ticks === 5) running = false
    }, 1)
    const sending = (async () => {
      while (running) await push.send("x")
    })()
    let received = 0
    const receiving = (async () => {
      for await (const _ of pull) received += 1
    })()
    await sending
    clearInterval(timer)
    await pull.close()
    await receiving
    expect(ticks).toBe(5)
    expect(received).toBeGreaterThan(0)
  })

  it("a loop that sends into nothing lets timers fire, too", async () => {
    const pub = own(new zmq.Publisher())
    await pub.bind(freshEndpoint("tcp"))
    let fired = false
    setTimeout(() => {
      fired = true
    }, 1)
    let sent = 0
    while (!fired) {
      await pub.send("x")
      sent += 1
    }
    expect(sent).toBeGreaterThan(0)
  })
})
