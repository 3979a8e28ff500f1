/**
 * 30/PIPELINE: PUSH and PULL. Titles are the sentences of the RFC, or what libzmq's own tests hold.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, reservedEndpoint, transports, wired } from "../support/endpoints.js"
import { zmq } from "../support/engine.js"
import { eventually, pause } from "../support/eventually.js"
import {
  bound,
  drained,
  failsWith,
  fill,
  fillUp,
  handshakes,
  joinInOrder,
  nothingArrives,
  ownSockets,
  readsInTurns,
  text,
  texts,
} from "../support/sockets.js"

describe.each(transports)("30/PIPELINE: PUSH over %s", transport => {
  const own = ownSockets()

  it("SHALL route outgoing messages to available peers using a round-robin strategy (peers connect)", async () => {
    const push = own(new zmq.Push())
    await push.bind(freshEndpoint(transport))
    const pulls = Array.from({ length: 5 }, () => own(new zmq.Pull()))
    await joinInOrder(push, pulls, transport)
    for (const body of ["ABC", "DEF"]) for (const index of pulls.keys()) await push.send([body, `${index}`])
    for (const [index, pull] of pulls.entries()) {
      expect(await texts(pull, 2)).toEqual([
        ["ABC", `${index}`],
        ["DEF", `${index}`],
      ])
    }
  })

  it("SHALL route outgoing messages to available peers using a round-robin strategy (PUSH connects)", async () => {
    const push = own(new zmq.Push())
    const pulls = Array.from({ length: 3 }, () => own(new zmq.Pull()))
    for (const pull of pulls) push.connect(await bound(pull, freshEndpoint(transport)))
    for (let index = 0; index < 9; index++) await push.send(`${index}`)
    const got = await Promise.all(pulls.map(async pull => (await texts(pull, 3)).flat()))
    expect(got.flat().sort()).toEqual(Array.from({ length: 9 }, (_, index) => `${index}`))
    for (const [first, second, third] of got) {
      expect(Number(second) - Number(first)).toBe(3)
      expect(Number(third) - Number(second)).toBe(3)
    }
  })

  it("SHALL not filter or modify outgoing messages in any way", async () => {
    const push = own(new zmq.Push())
    const pull = own(new zmq.Pull())
    pull.connect(await bound(push, freshEndpoint(transport)))
    for (const message of [["a"], [""], ["", "", "b", ""], Array.from({ length: 500 }, String)]) {
      await push.send(message)
      expect(await text(pull)).toEqual(message)
    }
    for (const size of [0, 1, 254, 255, 256, 65_535, 65_536, 1_000_000]) {
      const body = Buffer.alloc(size, size % 251)
      await push.send([`${size}`, body])
      const [name, got] = await pull.receive()
      expect(String(name)).toBe(`${size}`)
      expect(got!.equals(body)).toBe(true)
    }
  })

  it("SHALL maintain the queue of an outgoing connection whether or not it is established", async () => {
    const address = await reservedEndpoint(transport)
    const push = own(new zmq.Push({ reconnectInterval: 20 }))
    push.connect(address)
    for (let index = 0; index < 10; index++) await push.send(`${index}`)
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    expect((await texts(pull, 10)).flat()).toEqual(Array.from({ length: 10 }, (_, index) => `${index}`))
  })

  it("SHALL consider a peer as available only when its outgoing queue is not full", async () => {
    const push = own(new zmq.Push({ sendHighWaterMark: 1 }))
    await push.bind(freshEndpoint(transport))
    const idle = own(new zmq.Pull({ receiveHighWaterMark: 1 }))
    const busy = own(new zmq.Pull({ receiveHighWaterMark: 1 }))
    await joinInOrder(push, [idle, busy], transport)
    const body = Buffer.alloc(1024 * 1024)
    await fillUp(push, () => body)
    const read = drained(busy, 500)
    for (let turn = 0; turn < 20; turn++) await push.send(body)
    expect((await read).length).toBeGreaterThan(0)
  })

  it("SHALL not accept further messages when it has no available peers, and SHALL NOT discard any", async () => {
    const push = own(new zmq.Push({ sendHighWaterMark: 2 }))
    const pull = own(new zmq.Pull({ receiveHighWaterMark: 2 }))
    pull.connect(await bound(push, freshEndpoint(transport)))
    await push.send("first")
    expect(await text(pull)).toEqual(["first"])
    const padding = Buffer.alloc(1024 * 1024)
    const taken = await fillUp(push, index => [`${index}`, padding])
    push.sendTimeout = 50
    await failsWith("EAGAIN", () => push.send("no"))
    for (let index = 0; index < taken; index++) expect(String((await pull.receive())[0])).toBe(`${index}`)
    push.sendTimeout = 5_000
    await push.send("again")
    expect(await text(pull)).toEqual(["again"])
  })

  it("a send that waits goes on as soon as its peer has read", async () => {
    const push = own(new zmq.Push({ sendHighWaterMark: 1 }))
    const pull = own(new zmq.Pull({ receiveHighWaterMark: 1 }))
    pull.connect(await bound(push, freshEndpoint(transport)))
    const padding = Buffer.alloc(1024 * 1024)
    const taken = await fillUp(push, index => [`${index}`, padding])
    let resolved = false
    const waiting = push.send([`${taken}`, padding]).then(() => {
      resolved = true
    })
    await pause(50)
    expect(resolved).toBe(false)
    for (let index = 0; index <= taken; index++) expect(String((await pull.receive())[0])).toBe(`${index}`)
    await waiting
  })

  it.each(["waiting", "trying"])(
    "SHALL drop or deliver a multipart message whole when its peer leaves (%s)",
    async how => {
      const push = own(new zmq.Push({ sendHighWaterMark: 1, linger: 0 }))
      const pull = own(new zmq.Pull({ receiveHighWaterMark: 1, linger: 0 }))
      const address = await bound(push, freshEndpoint(transport))
      const large = Buffer.alloc(16 * 1024 * 1024, "a")
      pull.connect(address)
      await push.send(["0", "0", large])
      const [first, second, body] = await pull.receive()
      expect([String(first), String(second), body!.length]).toEqual(["0", "0", large.length])

      await push.send("1")
      await push.send(["2", "2", large])
      pull.disconnect(address)
      await pause(100)
      pull.connect(address)

      if (how === "trying") push.sendTimeout = 0
      await eventually(() => push.send(["3", "3", large, "3b"]).then(() => true))
      push.sendTimeout = 5_000
      await push.send(["5", "5", large])

      let next = await pull.receive()
      if (String(next[0]) === "3") {
        expect(next.map(frame => frame.length)).toEqual([1, 1, large.length, 2])
        next = await pull.receive()
      }
      expect(next.map(frame => frame.length)).toEqual([1, 1, large.length])
      expect(String(next[0])).toBe("5")
    },
  )
})

describe("30/PIPELINE: PUSH without peers", () => {
  const own = ownSockets()

  it("SHALL block on sending, or return a suitable error, when it has no available peers", async () => {
    const push = own(new zmq.Push({ sendTimeout: 0 }))
    await failsWith("EAGAIN", () => push.send(""))
    push.sendTimeout = 100
    expect(push.writable).toBe(false)
    const before = performance.now()
    await failsWith("EAGAIN", () => push.send(""))
    expect(performance.now() - before).toBeGreaterThan(80)
  })
})

describe.each(transports)("30/PIPELINE: PULL over %s", transport => {
  const own = ownSockets()

  it("SHALL receive incoming messages from its peers using a fair-queuing strategy", async () => {
    const pull = own(new zmq.Pull())
    await pull.bind(freshEndpoint(transport))
    const pushes = Array.from({ length: 5 }, () => own(new zmq.Push()))
    await joinInOrder(pull, pushes, transport)
    const sends = pushes.map(push => (body: string) => push.send(body))
    await readsInTurns(sends, async () => (await text(pull))[0]!)
  })

  it("keeps the order of each peer's messages", async () => {
    const pull = own(new zmq.Pull())
    const address = await bound(pull, freshEndpoint(transport))
    const count = 2_000
    const pushes = Array.from({ length: 3 }, () => own(new zmq.Push()))
    for (const push of pushes) push.connect(address)
    const sending = Promise.all(
      pushes.map(async (push, peer) => {
        for (let index = 0; index < count; index++) await push.send([`${peer}`, `${index}`])
      }),
    )
    const next = [0, 0, 0]
    for (let index = 0; index < count * 3; index++) {
      const [peer, number] = await text(pull)
      expect(Number(number)).toBe(next[Number(peer)]!++)
    }
    await sending
  })

  it("may bind to several endpoints and connect to others, all at once", async () => {
    const pull = own(new zmq.Pull())
    const addresses = [await bound(pull, freshEndpoint(transport)), await bound(pull, freshEndpoint(transport))]
    const listener = own(new zmq.Push())
    pull.connect(await bound(listener, freshEndpoint(transport)))
    const pushes = addresses.map(address => {
      const push = own(new zmq.Push())
      push.connect(address)
      return push
    })
    for (const [index, push] of [...pushes, listener].entries()) await push.send(`${index}`)
    expect((await texts(pull, 3)).flat().sort()).toEqual(["0", "1", "2"])
  })

  it("a second connect to the same address is a second connection", async () => {
    const pull = own(new zmq.Pull())
    const push = own(new zmq.Push({ sendHighWaterMark: 3 }))
    const other = own(new zmq.Pull())
    const address = await bound(pull, freshEndpoint(transport))
    push.connect(address)
    push.connect(address)
    push.connect(await bound(other, freshEndpoint(transport)))
    for (let index = 0; index < 6; index++) await push.send(`${index}`)
    expect(await texts(pull, 4)).toHaveLength(4)
    expect(await texts(other, 2)).toHaveLength(2)
  })
})

describe.each(wired)("30/PIPELINE: lost peers over %s", transport => {
  const own = ownSockets()

  it("a PUSH SHALL destroy the queue of a peer that connected and left, and discard what it held", async () => {
    const push = own(new zmq.Push({ sendHighWaterMark: 1 }))
    let left = 0
    push.events.on("disconnect", () => {
      left += 1
    })
    const address = await bound(push, freshEndpoint(transport))
    const first = own(new zmq.Pull({ receiveHighWaterMark: 1 }))
    first.connect(address)
    const padding = Buffer.alloc(1024 * 1024)
    await eventually(async () => (await fill(push, index => [`old ${index}`, padding], 1)) === 1)
    await fillUp(push, index => [`old ${index + 1}`, padding])
    await first.close()
    await eventually(() => left === 1)
    await eventually(() => !push.writable)
    push.sendTimeout = 0
    await failsWith("EAGAIN", () => push.send("nobody is there"))
    push.sendTimeout = 5_000
    const second = own(new zmq.Pull())
    second.connect(address)
    await push.send("new")
    expect(await text(second)).toEqual(["new"])
    await nothingArrives(second, 50)
  })

  it("what a PULL has received stays readable after its peer left", async () => {
    const pull = own(new zmq.Pull())
    let left = 0
    pull.events.on("disconnect", () => {
      left += 1
    })
    const push = own(new zmq.Push())
    push.connect(await bound(pull, freshEndpoint(transport)))
    for (let index = 0; index < 100; index++) await push.send(`${index}`)
    await push.close()
    await eventually(() => left === 1)
    expect((await texts(pull, 100)).flat()).toEqual(Array.from({ length: 100 }, (_, index) => `${index}`))
  })

  it("a PUSH that connected keeps its queue when the peer goes, and delivers it when the peer is back", async () => {
    const pull = own(new zmq.Pull())
    const address = await bound(pull, freshEndpoint(transport))
    const push = own(new zmq.Push({ reconnectInterval: 20 }))
    const met = handshakes(push)
    let left = 0
    push.events.on("disconnect", () => {
      left += 1
    })
    push.connect(address)
    await met(1)
    await pull.close()
    await eventually(() => left === 1)
    for (let index = 0; index < 10; index++) await push.send(`${index}`)
    const back = own(new zmq.Pull())
    await eventually(() => back.bind(address).then(() => true))
    expect((await texts(back, 10)).flat()).toEqual(Array.from({ length: 10 }, (_, index) => `${index}`))
  })
})
