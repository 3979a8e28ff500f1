/** Two engines, joined by a link in memory: who may talk to whom (37/ZMTP, Socket-Type), and what they tell each other. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { SocketTypeName } from "../../src/wire/socket-types.js"
import { engineOptions, Link, toHex } from "../support/link.js"
import { hex } from "./hex.js"

const TYPES = ["REQ", "REP", "DEALER", "ROUTER", "PUB", "SUB", "XPUB", "XSUB", "PUSH", "PULL", "PAIR"] as const

/** 28/REQREP, 29/PUBSUB, 30/PIPELINE and 31/EXPAIR, each way. */
const ALLOWED = new Set([
  ...["REQ-REP", "REQ-ROUTER", "REP-REQ", "REP-DEALER"],
  ...["DEALER-REP", "DEALER-DEALER", "DEALER-ROUTER", "ROUTER-REQ", "ROUTER-DEALER", "ROUTER-ROUTER"],
  ...["PUB-SUB", "PUB-XSUB", "XPUB-SUB", "XPUB-XSUB", "SUB-PUB", "SUB-XPUB", "XSUB-PUB", "XSUB-XPUB"],
  ...["PUSH-PULL", "PULL-PUSH", "PAIR-PAIR"],
])

function join(left: SocketTypeName, right: SocketTypeName, cut?: number): Link {
  const link = new Link(engineOptions(left), engineOptions(right), { cut })
  link.settle()
  return link
}

describe("every pair of socket types", () => {
  for (const left of TYPES) {
    it(`${left} with each`, () => {
      for (const right of TYPES) {
        const link = join(left, right)
        const allowed = ALLOWED.has(`${left}-${right}`)
        expect(link.left.events, `${left}-${right}`).toEqual([
          allowed ? `ready ${right} id= minor=1` : "fault ERR_ZMTP_INVALID_METADATA",
        ])
        expect(link.right.events, `${right}-${left}`).toEqual([
          allowed ? `ready ${left} id= minor=1` : "fault ERR_ZMTP_INVALID_METADATA",
        ])
        expect(link.left.engine.handshaking).toBe(false)
      }
    })
  }
})

describe("two engines", () => {
  it("come together however small the pieces are", () => {
    for (const cut of [1, 2, 3, 7, 63, 64, 65]) expect(join("DEALER", "ROUTER", cut).left.peer?.type).toBe("ROUTER")
  })

  it("tell their identities", () => {
    const link = new Link(
      engineOptions("DEALER", { routingId: hex("'left'") }),
      engineOptions("ROUTER", { routingId: hex("00FF") }),
    )
    link.settle()
    expect(link.right.peer?.identity).toEqual(hex("'left'"))
    expect(link.left.peer?.identity).toEqual(hex("00FF"))
  })

  it("wait for each other over a slow link; nothing is sent before the peer is ready but greeting and READY", () => {
    const link = new Link(engineOptions("PUSH"), engineOptions("PULL"), { latency: 50 })
    link.advance(149)
    expect(link.left.engine.handshaking).toBe(true)
    link.advance(51) // signature, major version, the rest, READY: four journeys
    expect(link.left.engine.handshaking).toBe(false)
    expect(link.right.engine.handshaking).toBe(false)
    expect(link.carried).toBe(2 * (64 + 28))
  })

  it("carry what was sent, both ways, whatever it is and however it is cut", () => {
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.uint8Array({ minLength: 50, maxLength: 70 }),
      fc.uint8Array({ minLength: 250, maxLength: 600 }),
    )
    const messages = fc.array(fc.array(frame, { minLength: 1, maxLength: 5 }), { maxLength: 10 })
    fc.assert(
      fc.property(messages, messages, fc.integer({ min: 1, max: 500 }), fc.boolean(), (there, back, cut, reluctant) => {
        const link = join("DEALER", "DEALER", cut)
        link.left.reluctant = link.right.reluctant = reluctant
        for (const message of there) link.left.engine.encode(message)
        for (const message of back) link.right.engine.encode(message)
        link.settle()
        const text = (messages: Uint8Array[][]) => messages.map(message => message.map(toHex))
        expect(text(link.right.messages)).toEqual(text(there))
        expect(text(link.left.messages)).toEqual(text(back))
        expect([...link.left.faults, ...link.right.faults]).toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  it("carry subscriptions to XPUB and messages back", () => {
    const link = join("SUB", "XPUB")
    link.left.engine.encode([hex("01 'topic'")])
    link.settle()
    expect(link.right.events.at(-1)).toBe(`message 01${toHex(hex("'topic'"))}`)
    link.right.engine.encode([hex("'topic!'")])
    link.settle()
    expect(link.left.events.at(-1)).toBe(`message ${toHex(hex("'topic!'"))}`)
  })
})
