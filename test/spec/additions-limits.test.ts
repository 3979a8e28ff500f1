/**
 * Beyond zeromq.js: high-water marks in bytes, and a limit on the frames of one message.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, transports, wired } from "../support/endpoints.js"
import { engine, zmq } from "../support/engine.js"
import { EventLog } from "../support/events.js"
import { eventually } from "../support/eventually.js"
import { bound, failsWith, fill, fillUp, nothingArrives, ownSockets, text } from "../support/sockets.js"

describe.skipIf(engine === "zeromq")("marks in bytes", () => {
  const own = ownSockets()

  it("are none by default but for what comes by a wire; negative ones are EINVAL", async () => {
    const pair = own(new zmq.Pair())
    expect(pair).toMatchObject({
      sendHighWaterMarkBytes: 0,
      receiveHighWaterMarkBytes: -1,
      maxFrames: 65_536,
      maxPendingSends: 1000,
    })
    for (const option of [
      "sendHighWaterMarkBytes",
      "receiveHighWaterMarkBytes",
      "maxFrames",
      "maxPendingSends",
    ] as const) {
      await failsWith("EINVAL", () => {
        pair[option] = option === "receiveHighWaterMarkBytes" ? -2 : -1
      })
    }
  })

  it("bound what is queued for a peer that is not there", async () => {
    const push = own(new zmq.Push({ sendHighWaterMarkBytes: 10_000 }))
    push.connect("tcp://127.0.0.1:1")
    expect(await fill(push, () => Buffer.alloc(1_000), 1_000)).toBe(10)
    expect(push.writable).toBe(false)
  })

  it("hold beside the marks in messages", async () => {
    const push = own(new zmq.Push({ sendHighWaterMarkBytes: 10_000, sendHighWaterMark: 4 }))
    push.connect("tcp://127.0.0.1:1")
    expect(await fill(push, () => Buffer.alloc(1_000), 1_000)).toBe(4)
  })

  it("let a message larger than the mark pass, alone", async () => {
    const push = own(new zmq.Push({ sendHighWaterMarkBytes: 1_000 }))
    push.connect("tcp://127.0.0.1:1")
    expect(await fill(push, () => Buffer.alloc(5_000), 10)).toBe(1)
  })

  it.each(transports)(
    "bound what a sender can send to a reader that does not read, and lose nothing (%s)",
    async transport => {
      const push = own(new zmq.Push({ sendHighWaterMarkBytes: 1_000_000, sendHighWaterMark: 0 }))
      const pull = own(new zmq.Pull({ receiveHighWaterMarkBytes: 1_000_000, receiveHighWaterMark: 0 }))
      push.connect(await bound(pull, freshEndpoint(transport)))
      await push.send("first")
      await text(pull)
      const padding = Buffer.alloc(50_000)
      const taken = await fillUp(push, index => [`${index}`, padding])
      expect(taken).toBeGreaterThan(20)
      expect(taken).toBeLessThan(1_000)
      if (transport === "inproc") expect(taken).toBeLessThan(45)
      expect(pull.stats().queuedIn).toBeLessThan(45)
      for (let index = 0; index < taken; index++) expect(String((await pull.receive())[0])).toBe(`${index}`)
      await nothingArrives(pull, 50)
      await push.send("goes on")
      expect(await text(pull)).toEqual(["goes on"])
    },
  )

  it.each(wired)("let a message pass that is larger than the receiver's mark (%s)", async transport => {
    const push = own(new zmq.Push())
    const pull = own(new zmq.Pull({ receiveHighWaterMarkBytes: 1_000 }))
    push.connect(await bound(pull, freshEndpoint(transport)))
    const large = Buffer.alloc(3_000_000, "x")
    for (let turn = 0; turn < 3; turn++) await push.send([`${turn}`, large])
    for (let turn = 0; turn < 3; turn++) {
      const [number, body] = await pull.receive()
      expect(String(number)).toBe(`${turn}`)
      expect(body!.equals(large)).toBe(true)
    }
  })
})

describe.skipIf(engine === "zeromq").each(wired)("maxFrames over %s", transport => {
  const own = ownSockets()

  it("ends the connection of who sends a message of more frames, and no other", async () => {
    const pull = own(new zmq.Pull({ maxFrames: 5 }))
    const address = await bound(pull, freshEndpoint(transport))
    const log = new EventLog(pull)
    const good = own(new zmq.Push())
    const bad = own(new zmq.Push({ linger: 0 }))
    for (const push of [good, bad]) push.connect(address)
    await good.send(["1", "2", "3", "4", "5"])
    expect(await text(pull)).toEqual(["1", "2", "3", "4", "5"])
    await bad.send(["1", "2", "3", "4", "5", "6"])
    await log.seen("disconnect")
    await bad.close()
    await nothingArrives(pull, 50)
    await good.send("still well")
    expect(await text(pull)).toEqual(["still well"])
    await eventually(() => pull.peers().length === 1)
  })
})

describe.skipIf(engine === "zeromq")("messages", () => {
  const own = ownSockets()

  it.each(transports)("may come from a DataView or a SharedArrayBuffer (%s)", async transport => {
    const push = own(new zmq.Push())
    const pull = own(new zmq.Pull())
    push.connect(await bound(pull, freshEndpoint(transport)))
    for (const size of [4, 500]) {
      const bytes = new Uint8Array(size + 8).map((_, index) => index)
      const part = Buffer.from(bytes.subarray(4, size + 4))
      const shared = new SharedArrayBuffer(size)
      new Uint8Array(shared).set(part)
      for (const source of [new DataView(bytes.buffer, 4, size), shared]) {
        await push.send([source, "tail"])
        const [head, tail] = await pull.receive()
        expect(head!.equals(part)).toBe(true)
        expect(String(tail)).toBe("tail")
      }
    }
  })
})
