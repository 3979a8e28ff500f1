/**
 * Two engines on a simulated clock: the handshake's time, heartbeats, and a peer that falls silent (37/ZMTP,
 * heartbeating; libzmq's test_heartbeats). Not one of these tests waits.
 */
import { describe, expect, it } from "vitest"
import type { EngineOptions } from "../../src/wire/engine.js"
import type { SocketTypeName } from "../../src/wire/socket-types.js"
import { End, engineOptions, Link, type LinkOptions, toHex } from "../support/link.js"
import { hex } from "./hex.js"
import { GREETING, readyOf } from "./split-law.js"

const PAIRS = [
  ["DEALER", "ROUTER"],
  ["REQ", "REP"],
  ["PULL", "PUSH"],
  ["SUB", "PUB"],
  ["PAIR", "PAIR"],
] as const satisfies [SocketTypeName, SocketTypeName][]

const TIMED_OUT = "fault ETIMEDOUT"

function joined(left: EngineOptions, right: EngineOptions, options: LinkOptions = {}): Link {
  const link = new Link(left, right, options)
  link.advance(4 * (options.latency ?? 0))
  expect(link.left.engine.handshaking || link.right.engine.handshaking).toBe(false)
  return link
}

describe("handshakeInterval", () => {
  const stages: [string, Uint8Array][] = [
    ["nothing", new Uint8Array(0)],
    ["half a signature", GREETING.slice(0, 5)],
    ["a signature", GREETING.slice(0, 10)],
    ["a greeting but for its last byte", GREETING.slice(0, 63)],
    ["a greeting", GREETING],
    ["a greeting and half of READY", hex(`${toHex(GREETING)} ${toHex(readyOf("PUSH").slice(0, 20))}`)],
  ]
  for (const [what, bytes] of stages) {
    it(`ends a peer that stops after ${what}`, () => {
      const end = new End(engineOptions("PULL", { handshakeInterval: 500 }))
      end.engine.start(1000)
      expect(end.wakesAt).toBe(1500)
      end.receive(bytes, 1400)
      expect(end.wakesAt).toBe(1500)
      end.engine.handleTimeout(1499)
      expect(end.events).toEqual([])
      end.engine.handleTimeout(1500)
      expect(end.events).toEqual([TIMED_OUT])
    })
  }

  it("0 waits for ever", () => {
    const end = new End(engineOptions("PULL", { handshakeInterval: 0 }))
    end.engine.start(1000)
    expect(end.wakesAt).toBe(Number.POSITIVE_INFINITY)
    end.engine.handleTimeout(1e12)
    expect(end.events).toEqual([])
  })

  it("is over with the handshake", () => {
    const link = joined(
      engineOptions("PUSH", { handshakeInterval: 500 }),
      engineOptions("PULL", { handshakeInterval: 500 }),
    )
    expect(link.left.wakesAt).toBe(Number.POSITIVE_INFINITY)
    link.advance(10_000)
    expect(link.left.faults).toEqual([])
  })

  it("is measured from the start over a slow link", () => {
    const slow = { latency: 100 }
    const fits = new Link(engineOptions("PUSH", { handshakeInterval: 401 }), engineOptions("PULL"), slow)
    fits.advance(1000)
    expect(fits.left.faults).toEqual([])
    const tooSlow = new Link(engineOptions("PUSH", { handshakeInterval: 399 }), engineOptions("PULL"), slow)
    tooSlow.advance(1000)
    expect(tooSlow.left.events).toEqual([TIMED_OUT])
  })
})

describe("heartbeats", () => {
  it("keep idle peers together: an interval of 50 on both sides, for six minutes", () => {
    const options = { heartbeatInterval: 50 }
    const link = joined(engineOptions("DEALER", options), engineOptions("ROUTER", options))
    link.advance(360_000)
    expect([...link.left.faults, ...link.right.faults]).toEqual([])
  })

  it("cost a PING and a PONG an interval, and nothing is told to the socket", () => {
    const link = joined(engineOptions("DEALER", { heartbeatInterval: 50 }), engineOptions("ROUTER"))
    const before = link.carried
    link.advance(499)
    expect(link.carried - before).toBe(9 * (9 + 7))
    expect(link.left.events).toHaveLength(1)
    expect(link.right.events).toHaveLength(1)
  })

  it("do not take the time on a link for silence", () => {
    const link = joined(
      engineOptions("DEALER", { heartbeatInterval: 50, heartbeatTimeout: 250 }),
      engineOptions("ROUTER"),
      {
        latency: 100,
      },
    )
    link.advance(60_000)
    expect(link.left.faults).toEqual([])
  })

  for (const [left, right] of PAIRS) {
    it(`end a ${right} that answers nothing, an interval after the first PING (${left})`, () => {
      const link = joined(engineOptions(left, { heartbeatInterval: 50 }), engineOptions(right))
      link.mute = link.right
      link.advance(99)
      expect(link.left.faults).toEqual([])
      link.advance(1)
      expect(link.left.events.at(-1)).toBe(TIMED_OUT)
      expect(link.left.faults).toHaveLength(1)
    })

    it(`tell a ${right} without heartbeats when to give a silent ${left} up`, () => {
      const link = joined(
        engineOptions(left, { heartbeatInterval: 250, heartbeatTimeToLive: 100 }),
        engineOptions(right),
      )
      link.advance(349)
      expect(link.right.faults).toEqual([])
      link.advance(1) // the next PING comes at 500, too late
      expect(link.right.events.at(-1)).toBe(TIMED_OUT)
    })
  }

  it("a time to live above the interval keeps the peer", () => {
    const link = joined(
      engineOptions("DEALER", { heartbeatInterval: 50, heartbeatTimeToLive: 100 }),
      engineOptions("ROUTER"),
    )
    link.advance(10_000)
    expect(link.right.faults).toEqual([])
    link.mute = link.left
    link.advance(100)
    expect(link.right.events.at(-1)).toBe(TIMED_OUT)
  })

  it("any message, or unknown command, or part of a frame, is a sign of life", () => {
    for (const sign of ["00 01 41", "04 01 00", "02 00*4 7F", "04 05 04 'PONG'"]) {
      const end = new End(engineOptions("PULL", { heartbeatInterval: 100 }))
      end.engine.start(0)
      end.receive(hex(toHex(GREETING) + toHex(readyOf("PUSH"))), 0)
      end.engine.handleTimeout(100)
      expect(end.wakesAt).toBe(200)
      end.receive(hex(sign), 199)
      end.engine.handleTimeout(200)
      expect(end.faults, sign).toEqual([])
      end.engine.handleTimeout(300)
      expect(end.faults, sign).toHaveLength(1)
    }
  })

  it("without a timeout (0) a silent peer is kept, and pinged", () => {
    const link = joined(
      engineOptions("DEALER", { heartbeatInterval: 50, heartbeatTimeout: 0 }),
      engineOptions("ROUTER"),
    )
    link.mute = link.right
    const before = link.carried
    link.advance(1000)
    expect(link.left.faults).toEqual([])
    expect(link.carried - before).toBe(20 * 9)
  })

  it("are not sent before the handshake is done", () => {
    const end = new End(engineOptions("PULL", { heartbeatInterval: 50, handshakeInterval: 1000 }))
    end.engine.start(0)
    end.receive(GREETING)
    end.output()
    for (let now = 0; now < 1000; now += 10) end.engine.handleTimeout(now)
    expect(end.output()).toHaveLength(0)
    expect(end.faults).toEqual([])
  })
})

describe("a finished engine", () => {
  for (const [what, finish] of [
    ["a silent peer", (end: End) => [100, 200].forEach(now => void end.engine.handleTimeout(now))],
    ["a broken frame", (end: End) => end.receive(hex("02 FF*8"), 50)],
  ] as const) {
    it(`wants to be called no more, after ${what}`, () => {
      const end = new End(engineOptions("PULL", { heartbeatInterval: 100 }))
      end.engine.start(0)
      end.receive(hex(toHex(GREETING) + toHex(readyOf("PUSH"))), 0)
      finish(end)
      expect(end.faults).toHaveLength(1)
      end.output()
      end.engine.handleTimeout(10_000)
      end.receive(hex("00 01 41 04 07 04 'PING' 0000"), 10_000)
      expect(end.events).toHaveLength(2)
      expect(end.output()).toHaveLength(0)
      expect(end.engine.nextTimeout()).toBe(Number.POSITIVE_INFINITY)
    })
  }
})
