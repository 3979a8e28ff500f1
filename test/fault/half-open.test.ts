/**
 * Peers that connect and then stall: silent, in the middle of a greeting, of a READY, of a frame. handshakeInterval ends
 * those that do not finish their handshake, heartbeats end those that stall later, and nobody else is affected. A
 * connecting socket tries again when the server stalls or hangs up, and keeps its queue.
 */

import { describe, expect, it } from "vitest"
import { engine, zmq } from "../support/engine.js"
import { eventually, pause } from "../support/eventually.js"
import { frame, greeting, header, LONG, MORE, message, RawPeer, rawServer, ready } from "../support/raw-zmtp.js"
import { ownSockets } from "../support/sockets.js"
import { Watch } from "../support/watch.js"
import { servedRouter } from "./served-router.js"

const hello = greeting()
const dealer = ready("DEALER")

const stalls: Record<string, Buffer> = {
  "saying nothing": Buffer.alloc(0),
  "in the signature": hello.subarray(0, 5),
  "after the signature": hello.subarray(0, 10),
  "after the major version": hello.subarray(0, 11),
  "in the mechanism": hello.subarray(0, 20),
  "before the last byte of the greeting": hello.subarray(0, 63),
  "after the greeting": hello,
  "in the header of READY": Buffer.concat([hello, dealer.subarray(0, 1)]),
  "in READY": Buffer.concat([hello, dealer.subarray(0, 20)]),
  "before the last byte of READY": Buffer.concat([hello, dealer.subarray(0, -1)]),
}

describe("handshakeInterval ends a peer that stalls", () => {
  it("even while it sends a byte now and then", async () => {
    const { endpoint, watch, serves } = await servedRouter({ handshakeInterval: 200 })
    const raw = await RawPeer.connect(endpoint)
    let sent = 0
    for (const byte of Buffer.concat([hello, dealer])) {
      if (raw.isOver) break
      raw.send(Buffer.of(byte))
      sent++
      await pause(10)
    }
    expect(sent).toBeLessThan(hello.length + dealer.length)
    expect((await watch.next("handshake:error")).type).toBe("handshake:error:other")
    await serves()
  })

  it("anywhere in its handshake: a hundred of them at once, while others talk", async () => {
    const { endpoint, watch, serves } = await servedRouter({ handshakeInterval: 500 })
    const wheres = Object.keys(stalls)
    const stalled = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const where = wheres[index % wheres.length]!
        const raw = await RawPeer.connect(endpoint)
        raw.send(stalls[where]!)
        return { raw, where }
      }),
    )
    await serves()
    await eventually(() => {
      const left = new Set(stalled.filter(({ raw }) => !raw.isOver).map(({ where }) => where))
      expect([...left]).toEqual([])
      return true
    })
    for (let count = 0; count < 100; count++) {
      const event = await watch.next("handshake:error")
      expect(event.type).toBe("handshake:error:other")
      expect(event.error).toBeInstanceOf(Error)
    }
    await serves()
  })

  it("but not one that is done, however long it says nothing", async () => {
    const { endpoint, router, watch, serves } = await servedRouter({ handshakeInterval: 100 })
    const raw = await RawPeer.connect(endpoint)
    await raw.handshake("DEALER", "quiet")
    await pause(300)
    raw.send(message("awake"))
    expect((await router.receive()).map(String)).toEqual(["quiet", "awake"])
    expect(watch.count("disconnect")).toBe(0)
    await serves()
  })

  it("and nobody when it is 0", async () => {
    const { endpoint, watch, serves } = await servedRouter({ handshakeInterval: 0 })
    const raw = await RawPeer.connect(endpoint)
    await pause(200)
    expect(raw.isOver).toBe(false)
    await raw.handshake("DEALER", "late")
    await watch.next("handshake")
    await serves()
  })
})

describe("a peer may leave", () => {
  it("after any number of its bytes, by closing or by a reset", { timeout: 60_000 }, async () => {
    const { router, endpoint, watch, serves } = await servedRouter({ handshakeInterval: 60_000 })
    const unfinished = Buffer.concat([
      frame("begun", MORE),
      frame(Buffer.alloc(300, 1), MORE),
      header(0, 2),
      Buffer.of(1),
    ])
    const whole = Buffer.concat([hello, dealer, unfinished])
    let left = 0
    for (let size = 0; size <= whole.length; size += size < 140 ? 1 : 50) {
      for (const leave of ["end", "resetAndDestroy"] as const) {
        const raw = await RawPeer.connect(endpoint)
        raw.send(whole.subarray(0, size))
        await new Promise<void>(resolve => raw.socket.write("", () => resolve()))
        raw.socket[leave]()
        left++
      }
    }
    await eventually(() => watch.count("disconnect") === left)
    await serves()
    if (engine === "peerlane") await eventually(() => router.peers().length === 1)
  })
})

describe("heartbeats end a peer that stalls after its handshake", () => {
  const heartbeats = { heartbeatInterval: 50, heartbeatTimeout: 300 }

  for (const [where, sent] of Object.entries({
    "saying nothing": Buffer.alloc(0),
    "in a frame": Buffer.concat([header(LONG, 1000), Buffer.alloc(500)]),
    "between frames of a message": frame("first", MORE),
  })) {
    it(where, async () => {
      const { router, watch } = await servedRouter()
      const strict = new zmq.Router({ linger: 0, ...heartbeats })
      const events = new Watch(strict)
      await strict.bind("tcp://127.0.0.1:*")
      const raw = await RawPeer.connect(strict.lastEndpoint!)
      await raw.handshake("DEALER", "stalls")
      raw.send(sent)
      await raw.ended
      await events.next("disconnect")
      expect(strict.readable).toBe(false)
      await strict.close()
      expect([router.readable, watch.count("disconnect")]).toEqual([false, 0])
    })
  }

  it("but one that says anything lives", async () => {
    const router = new zmq.Router({ linger: 0, receiveTimeout: 10_000, ...heartbeats })
    const watch = new Watch(router)
    await router.bind("tcp://127.0.0.1:*")
    const raw = await RawPeer.connect(router.lastEndpoint!)
    await raw.handshake("DEALER", "talks")
    for (let number = 0; number < 20; number++) {
      raw.send(message(String(number)))
      expect((await router.receive()).map(String)).toEqual(["talks", String(number)])
      await pause(40)
    }
    expect(watch.count("disconnect")).toBe(0)
    await router.close()
  })
})

describe("a connecting socket tries again when the server", () => {
  const own = ownSockets()

  /** A server that treats its first two connections badly and the third well; the socket's queue must arrive there. */
  async function thirdTimeLucky(treat: (raw: RawPeer) => void, why: string): Promise<void> {
    let lucky: (raw: RawPeer) => void
    const third = new Promise<RawPeer>(resolve => {
      lucky = resolve
    })
    const endpoint = await rawServer((raw, number) => {
      if (number < 3) treat(raw)
      else lucky(raw)
    })
    const push = own(new zmq.Push({ reconnectInterval: 20, handshakeInterval: 150 }))
    const watch = new Watch(push)
    push.connect(endpoint)
    for (let number = 0; number < 10; number++) await push.send([`message ${number}`, ""])
    for (let attempt = 0; attempt < 2; attempt++) {
      await watch.next("connect")
      await watch.next(why)
      await watch.next("connect:retry")
    }
    const raw = await third
    await raw.handshake("PULL")
    await watch.next("handshake")
    for (let number = 0; number < 10; number++) {
      expect((await raw.readMessage()).map(String)).toEqual([`message ${number}`, ""])
    }
  }

  it("says nothing", () => thirdTimeLucky(() => {}, "handshake:error:other"))
  it("stalls in its greeting", () => thirdTimeLucky(raw => raw.send(hello.subarray(0, 30)), "handshake:error:other"))
  it("stalls before READY", () => thirdTimeLucky(raw => raw.send(hello), "handshake:error:other"))
  it("hangs up at once", () => thirdTimeLucky(raw => raw.destroy(), "disconnect"))
  it("hangs up after its greeting", () => thirdTimeLucky(raw => raw.socket.end(hello), "disconnect"))
  it("resets", () => {
    // Not at once: a reset that comes with the connection makes it one that never was.
    const reset = (raw: RawPeer) => void raw.read(10).then(() => raw.socket.resetAndDestroy())
    return thirdTimeLucky(reset, "disconnect")
  })

  it("hangs up after the handshake", async () => {
    const endpoint = await rawServer(raw => {
      void raw.handshake("PULL").then(
        () => raw.socket.end(),
        () => {},
      )
    })
    const push = own(new zmq.Push({ reconnectInterval: 20 }))
    const watch = new Watch(push)
    push.connect(endpoint)
    for (let round = 0; round < 3; round++) {
      await watch.next("handshake")
      await watch.next("disconnect")
    }
  })
})
