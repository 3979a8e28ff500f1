/** 37/ZMTP, heartbeating: when a PING is due, when the peer is given up, what a PONG says. All by times that are told. */
import { describe, expect, it } from "vitest"
import { Heartbeat, type HeartbeatOptions } from "../../src/wire/heartbeat.js"
import { toHex } from "../support/link.js"
import { hex } from "./hex.js"

const NEVER = Number.POSITIVE_INFINITY

function heartbeat(options: Partial<HeartbeatOptions> = {}, startedAt = 1000): Heartbeat {
  const beat = new Heartbeat({ heartbeatInterval: 100, heartbeatTimeout: -1, heartbeatTimeToLive: 0, ...options })
  beat.start(startedAt)
  return beat
}

describe("a PING", () => {
  it("is due an interval after the start, and an interval after each one", () => {
    const beat = heartbeat()
    expect(beat.next()).toBe(1100)
    expect(beat.ping(1099)).toBeNull()
    expect(toHex(beat.ping(1100)!)).toBe(toHex(hex("04 'PING' 0000")))
    beat.heard()
    expect(beat.next()).toBe(1200)
    expect(beat.ping(1199)).toBeNull()
    expect(beat.ping(1200)).not.toBeNull()
  })

  it("that was late is not made good by several", () => {
    const beat = heartbeat()
    expect(beat.ping(1550)).not.toBeNull()
    expect(beat.ping(1551)).toBeNull()
    beat.heard()
    expect(beat.next()).toBe(1650)
  })

  it("is never due without an interval", () => {
    const beat = heartbeat({ heartbeatInterval: 0, heartbeatTimeout: 50, heartbeatTimeToLive: 50 })
    expect(beat.next()).toBe(NEVER)
    expect(beat.ping(1e12)).toBeNull()
    expect(beat.expired(1e12)).toBe(false)
  })

  it("is not due before the start", () => {
    const beat = new Heartbeat({ heartbeatInterval: 100, heartbeatTimeout: -1, heartbeatTimeToLive: 0 })
    expect(beat.next()).toBe(NEVER)
  })

  for (const [milliseconds, tenths] of [
    [0, "0000"],
    [99, "0000"],
    [100, "0001"],
    [199, "0001"],
    [500, "0005"],
    [25_600, "0100"],
    [65_500, "028f"],
    [65_600, "028f"], // libzmq would wrap it
    [6_553_599, "028f"],
  ] as const) {
    it(`tells a time to live of ${milliseconds} ms as ${tenths}`, () => {
      expect(toHex(heartbeat({ heartbeatTimeToLive: milliseconds }).ping(1100)!)).toBe(`0450494e47${tenths}`)
    })
  }
})

describe("the peer is given up", () => {
  it("an interval after a PING, when the timeout is -1", () => {
    const beat = heartbeat()
    expect(beat.expired(1e12)).toBe(false)
    beat.ping(1100)
    expect(beat.expired(1199)).toBe(false)
    expect(beat.next()).toBe(1200)
    expect(beat.expired(1200)).toBe(true)
  })

  it("a timeout after a PING, shorter or longer than the interval", () => {
    const short = heartbeat({ heartbeatTimeout: 30 })
    short.ping(1100)
    expect(short.next()).toBe(1130)
    expect(short.expired(1129)).toBe(false)
    expect(short.expired(1130)).toBe(true)

    const long = heartbeat({ heartbeatTimeout: 250 })
    for (const now of [1100, 1200, 1300]) long.ping(now)
    expect(long.expired(1349)).toBe(false) // counted from the first PING that was not answered
    expect(long.expired(1350)).toBe(true)
  })

  it("never, when the timeout is 0", () => {
    const beat = heartbeat({ heartbeatTimeout: 0 })
    beat.ping(1100)
    expect(beat.next()).toBe(1200)
    expect(beat.expired(1e12)).toBe(false)
  })

  it("not when something was heard after the PING; the next PING counts anew", () => {
    const beat = heartbeat({ heartbeatTimeout: 250 })
    beat.ping(1100)
    beat.heard()
    expect(beat.expired(1e12)).toBe(false)
    beat.ping(1200)
    expect(beat.expired(1449)).toBe(false)
    expect(beat.expired(1450)).toBe(true)
  })

  it("after the time to live that its own PING told, also when we send none", () => {
    const beat = heartbeat({ heartbeatInterval: 0 })
    beat.pong(hex("04 'PING' 0003"), 5000)
    expect(beat.next()).toBe(5300)
    expect(beat.expired(5299)).toBe(false)
    expect(beat.expired(5300)).toBe(true)
    beat.heard()
    expect(beat.next()).toBe(NEVER)
    expect(beat.expired(1e12)).toBe(false)
  })

  it("not for a time to live of 0, and after 6553.5 s for the longest", () => {
    const beat = heartbeat({ heartbeatInterval: 0 })
    beat.pong(hex("04 'PING' 0000"), 5000)
    expect(beat.next()).toBe(NEVER)
    beat.pong(hex("04 'PING' FFFF"), 5000)
    expect(beat.next()).toBe(5000 + 6_553_500)
  })
})

describe("a PONG", () => {
  const pong = (body: string) => heartbeat().pong(hex(body), 0)

  it("brings the context back, up to 16 bytes of it", () => {
    expect(toHex(pong("04 'PING' 0000")!)).toBe(toHex(hex("04 'PONG'")))
    expect(toHex(pong("04 'PING' 0000 'ctx'")!)).toBe(toHex(hex("04 'PONG' 'ctx'")))
    expect(toHex(pong("04 'PING' 0000 2a*16")!)).toBe(toHex(hex("04 'PONG' 2a*16")))
    expect(toHex(pong("04 'PING' 0000 2a*16 2b")!)).toBe(toHex(hex("04 'PONG' 2a*16")))
  })

  it("is none for a PING that is too short", () => {
    expect(pong("04 'PING'")).toBeNull()
    expect(pong("04 'PING' 00")).toBeNull()
  })
})
