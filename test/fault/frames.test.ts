/**
 * Frames that a peer may send after a good handshake although it should not: too long, declared and never sent, cut in
 * the middle, unknown, without end. A connection whose frames cannot be is ended; what may be ignored is; memory is
 * never given for a declared length; a message that is not whole is never delivered; and everyone else is served.
 */

import { describe, expect, it } from "vitest"
import { eventually } from "../support/eventually.js"
import { COMMAND, command, frame, greeting, header, LONG, MORE, message, RawPeer } from "../support/raw-zmtp.js"
import { servedRouter } from "./served-router.js"

const KiB = 1024
const MiB = 1024 * KiB

async function joined(endpoint: string, name: string): Promise<RawPeer> {
  const raw = await RawPeer.connect(endpoint)
  await raw.handshake("DEALER", name)
  return raw
}

describe("a connection is ended for", () => {
  const limited = { maxMessageSize: 1000 }
  const cases: Record<string, { options?: Record<string, unknown>; sent: Buffer }> = {
    "a frame of one byte above maxMessageSize": { options: limited, sent: frame(Buffer.alloc(1001)) },
    "a short frame above maxMessageSize": { options: { maxMessageSize: 100 }, sent: frame(Buffer.alloc(101)) },
    "the declaration of a frame above maxMessageSize": { options: limited, sent: header(LONG, 1001) },
    "a command above maxMessageSize": { options: limited, sent: command("PING", Buffer.alloc(1001)) },
    "the last frame of a message, above maxMessageSize": {
      options: limited,
      sent: message("fits", Buffer.alloc(1000), Buffer.alloc(1001)),
    },
    "a length of 2^63": { sent: header(LONG, 2n ** 63n) },
    "a length of 2^64 - 1": { sent: header(LONG, 2n ** 64n - 1n) },
    "a length beyond what a number can count": { sent: header(LONG, 2n ** 53n + 1n) },
    "a command of 2^63": { sent: header(COMMAND | LONG, 2n ** 63n) },
  }

  for (const [what, { options, sent }] of Object.entries(cases)) {
    it(what, async () => {
      const { endpoint, watch, serves } = await servedRouter(options)
      const raw = await joined(endpoint, "liar")
      await watch.next("handshake")
      raw.send(sent)
      await raw.ended
      await watch.next("disconnect")
      await serves()
    })
  }

  it("more frames in one message than maxFrames", async () => {
    const { endpoint, watch, router, serves } = await servedRouter({ maxFrames: 10 })
    const raw = await joined(endpoint, "frames")
    raw.send(message(..."123456789".split("")))
    expect((await router.receive()).length).toBe(10) // the id and nine frames
    raw.send(...Array.from({ length: 11 }, () => frame("more", MORE)))
    await raw.ended
    await watch.next("disconnect")
    await serves()
  })

  it("frames without end, at the default of maxFrames", async () => {
    const { endpoint, watch, serves } = await servedRouter()
    const raw = await joined(endpoint, "endless")
    const thousand = Buffer.concat(Array.from({ length: 1000 }, () => frame("", MORE)))
    for (let sent = 0; sent < 70 && !raw.isOver; sent++) raw.send(thousand)
    await raw.ended
    await watch.next("disconnect")
    await serves()
  })
})

describe("a connection goes on after", () => {
  const harmless: Record<string, Buffer> = {
    "an unknown command": command("MADEUP", "with data"),
    "a command without a name": frame(Buffer.of(0), COMMAND),
    "a command whose name runs past its frame": frame(Buffer.of(9, 0x52), COMMAND),
    "an unknown command longer than 255 bytes": command("MADEUP", Buffer.alloc(500)),
    "an ERROR": command("ERROR", "\x04late"),
    "a second READY": command("READY"),
    "a PONG that nobody waits for": command("PONG", "context"),
    "a frame as long as maxMessageSize": frame(Buffer.alloc(1000)),
  }

  for (const [what, sent] of Object.entries(harmless)) {
    it(what, async () => {
      const { endpoint, router, watch, serves } = await servedRouter({ maxMessageSize: 1000 })
      const raw = await joined(endpoint, "odd")
      raw.send(sent, message("still here"))
      let received = await router.receive()
      if (received[1]?.length === 1000) received = await router.receive()
      expect(received.map(String)).toEqual(["odd", "still here"])
      expect(watch.count("disconnect")).toBe(0)
      await serves()
    })
  }

  it("commands between the frames of a message", async () => {
    const { endpoint, router, serves } = await servedRouter()
    const raw = await joined(endpoint, "odd")
    const ping = command("PING", Buffer.from([0, 0, 0x41, 0x42]))
    raw.send(frame("one", MORE), ping, frame("two", MORE), command("MADEUP"), frame("three"))
    expect((await router.receive()).map(String)).toEqual(["odd", "one", "two", "three"])
    expect((await raw.readFrame()).body.toString()).toBe("\x04PONGAB")
    await serves()
  })
})

describe("everyone else is served after", () => {
  it("commands that are too short to be anything", async () => {
    for (const sent of [
      Buffer.of(COMMAND, 0),
      command("PING"),
      command("PING", Buffer.of(0)),
      Buffer.of(COMMAND, 1, 4),
    ]) {
      const { endpoint, serves } = await servedRouter()
      const raw = await joined(endpoint, "short")
      raw.send(sent)
      await serves()
    }
  })

  it("a connection that ends in the middle of a message", async () => {
    const { endpoint, watch, serves } = await servedRouter()
    const halves: Record<string, Buffer> = {
      "in a header": Buffer.of(0x00),
      "in a long header": Buffer.of(LONG, 0, 0, 0),
      "in a body": header(0, 100),
      "in a long body": Buffer.concat([header(LONG, 3 * MiB), Buffer.alloc(2 * MiB, 1)]),
      "after a frame": frame("first", MORE),
      "in the last frame": Buffer.concat([frame("first", MORE), frame(Buffer.alloc(300), MORE), header(0, 50)]),
    }
    for (const [name, sent] of Object.entries(halves)) {
      for (const leave of ["end", "resetAndDestroy"] as const) {
        const raw = await joined(endpoint, name)
        await watch.next("handshake")
        raw.send(sent)
        await new Promise<void>(resolve => raw.socket.write("", () => resolve()))
        raw.socket[leave]()
        await watch.next("disconnect")
      }
    }
    await serves() // and has nothing of the halves to deliver
  })

  it("a peer that stalls in the middle of a message, while it stalls", async () => {
    const { endpoint, router, serves } = await servedRouter()
    const raw = await joined(endpoint, "slow")
    raw.send(frame("begun", MORE), header(LONG, 1000), Buffer.alloc(500, "a"))
    await serves()
    raw.send(Buffer.alloc(500, "a"))
    expect((await router.receive()).map(String)).toEqual(["slow", "begun", "a".repeat(1000)])
  })
})

describe("a declared length costs no memory", () => {
  it("200 peers declare 2^40 bytes each and send a KiB of them", async () => {
    const { endpoint, watch, serves } = await servedRouter()
    const liars = await Promise.all(Array.from({ length: 200 }, (_, index) => joined(endpoint, `liar ${index}`)))
    await eventually(() => watch.count("handshake") >= 201)
    const before = process.memoryUsage.rss()
    for (const [index, liar] of liars.entries()) {
      liar.send(header(index % 2 ? LONG : LONG | MORE, 2n ** 40n), Buffer.alloc(KiB, 1))
    }
    await serves()
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * MiB)
  })

  it("200 peers declare half a MiB each and send a byte of it", async () => {
    const { endpoint, watch, serves } = await servedRouter()
    const liars = await Promise.all(Array.from({ length: 200 }, (_, index) => joined(endpoint, `liar ${index}`)))
    await eventually(() => watch.count("handshake") >= 201)
    const before = process.memoryUsage.rss()
    for (const liar of liars) liar.send(header(LONG, MiB / 2), Buffer.of(1))
    await serves()
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * MiB)
  })

  it("2^40 bytes in a handshake", async () => {
    const { endpoint, serves } = await servedRouter({ handshakeInterval: 60_000 })
    const before = process.memoryUsage.rss()
    for (let index = 0; index < 50; index++) {
      const raw = await RawPeer.connect(endpoint)
      raw.send(greeting(), header(COMMAND | LONG, 2n ** 40n), Buffer.from("\x05READY"), Buffer.alloc(KiB))
    }
    await serves()
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * MiB)
  })
})
