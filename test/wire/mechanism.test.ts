/**
 * The contract of mechanisms, with two that are made up: one that has nothing to say, and one that waits for somebody who
 * decides (an authenticator) after the peer has spoken. 37/ZMTP, security mechanisms.
 */
import { describe, expect, it } from "vitest"
import { AuthError, ProtocolError } from "../../src/errors.js"
import {
  commandData,
  decodeProperties,
  encodeCommand,
  encodeProperties,
  type Properties,
} from "../../src/wire/command.js"
import type { Mechanism, MechanismFactory, MechanismHost } from "../../src/wire/mechanism.js"
import { concat, End, engineOptions, Link, toHex } from "../support/link.js"
import { hex } from "./hex.js"
import { GREETING, readyOf } from "./split-law.js"

/** Is ready at once and says nothing: messages follow right behind the greeting. */
class Silent implements Mechanism {
  readonly ready = true
  readonly peer: Properties = new Map()
  readonly verdict = null
  readonly cipher = null

  next(): Uint8Array | null {
    return null
  }

  receive(): void {
    throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", "SILENT has no commands")
  }

  end(): void {}
}

const silent: MechanismFactory = { name: "SILENT", create: () => new Silent() }

/** A factory under the name of NULL, which the peer has. */
function gated(create: MechanismFactory["create"]): MechanismFactory {
  return { name: "NULL", create }
}

type Decision = "none yet" | "welcome" | "refused" | "broken"

/** Hears the peer's READY, and says its own only when it was told that the peer is welcome. */
class Gated implements Mechanism {
  peer: Properties = new Map()
  asked = false
  ended = false
  readonly verdict = null
  readonly cipher = null
  private decision: Decision = "none yet"
  private sent = false

  constructor(private readonly host: MechanismHost) {}

  get ready(): boolean {
    return this.sent && this.decision === "welcome"
  }

  next(): Uint8Array | null {
    if (this.decision === "broken")
      throw new ProtocolError("ERR_ZMTP_KEY_EXCHANGE", "the authenticator found it broken")
    if (this.sent || this.decision === "none yet") return null
    this.sent = true
    if (this.decision === "refused") return encodeCommand("ERROR", hex("03 '400'"))
    return encodeCommand("READY", encodeProperties(this.host.own))
  }

  receive(body: Uint8Array): void {
    this.peer = decodeProperties(commandData(body), "ERR_ZMTP_MALFORMED_COMMAND_READY")
    this.asked = true
  }

  /** The authenticator answers. */
  decide(decision: Decision, now = 0): void {
    this.decision = decision
    this.host.proceed(now)
  }

  /** The authenticator refuses for now. */
  defer(): void {
    this.host.report(new AuthError(300, "not now"))
  }

  end(): void {
    this.ended = true
  }
}

describe("a mechanism without commands", () => {
  it("is ready with the greeting, and messages follow", () => {
    const link = new Link(engineOptions("PUSH", { mechanism: silent }), engineOptions("PULL", { mechanism: silent }))
    link.settle()
    expect(link.left.peer?.mechanism).toBe("SILENT")
    expect(link.carried).toBe(128)
    link.left.engine.encode([hex("41"), hex("42")])
    link.settle()
    expect(link.right.events).toEqual(["ready  id= minor=1", "message 41|42"])
  })

  it("has its name in the greeting, and does not meet another one", () => {
    const link = new Link(engineOptions("PUSH", { mechanism: silent }), engineOptions("PULL"))
    link.settle()
    expect(link.left.events).toEqual(["fault ERR_ZMTP_MECHANISM_MISMATCH"])
    expect(link.right.events).toEqual(["fault ERR_ZMTP_MECHANISM_MISMATCH"])
    expect(link.right.faults[0]!.message).toContain("SILENT")
  })
})

describe("a mechanism that waits for an authenticator", () => {
  function gatedLink(changes: { handshakeInterval?: number; heartbeatInterval?: number } = {}) {
    let gate: Gated | null = null
    const server = engineOptions("PULL", {
      ...changes,
      mechanism: gated(host => {
        gate = new Gated(host)
        return gate
      }),
    })
    const link = new Link(engineOptions("PUSH"), server)
    link.settle()
    if (gate === null) throw new Error("no mechanism was made")
    return { link, gate: gate as Gated }
  }

  it("makes both sides wait, and goes on when the answer comes", () => {
    const { link, gate } = gatedLink()
    expect(gate.asked).toBe(true)
    link.advance(5000)
    expect([...link.left.events, ...link.right.events]).toEqual([])
    expect(link.right.engine.handshaking).toBe(true)
    gate.decide("welcome")
    expect(link.right.events).toEqual(["ready PUSH id= minor=1"])
    link.settle()
    expect(link.left.events).toEqual(["ready PULL id= minor=1"])
    link.left.engine.encode([hex("41")])
    link.settle()
    expect(link.right.events.at(-1)).toBe("message 41")
  })

  it("may answer inside of the call that asks", () => {
    let gate: Gated
    const end = new End(
      engineOptions("PULL", {
        mechanism: gated(host => {
          gate = new Gated(host)
          const receive = gate.receive.bind(gate)
          gate.receive = body => {
            receive(body)
            gate.decide("welcome")
          }
          return gate
        }),
      }),
    )
    end.engine.start(0)
    end.receive(concat([GREETING, readyOf("PUSH"), hex("00 01 41")]))
    expect(end.events).toEqual(["ready PUSH id= minor=1", "message 41"])
    expect(toHex(end.output().slice(64))).toBe(toHex(readyOf("PULL")))
  })

  it("may answer before the peer has spoken: that changes nothing", () => {
    let gate: Gated | undefined
    const options = engineOptions("PULL", {
      mechanism: gated(host => {
        gate = new Gated(host)
        host.proceed()
        return gate
      }),
    })
    const end = new End(options)
    end.engine.start(0)
    end.receive(GREETING)
    gate!.decide("none yet")
    expect(end.output()).toHaveLength(64)
    expect(end.events).toEqual([])
  })

  it("may refuse: the peer hears why and is ended", () => {
    const { link, gate } = gatedLink()
    gate.decide("refused")
    link.settle()
    expect(link.left.events).toEqual(["fault 400"])
    expect(link.left.faults[0]!.message).toContain("400")
    expect(link.right.engine.handshaking).toBe(true)
  })

  it("may find the peer broken: a fault, not an exception in the authenticator", () => {
    const { link, gate } = gatedLink()
    gate.decide("broken")
    expect(link.right.events).toEqual(["fault ERR_ZMTP_KEY_EXCHANGE"])
  })

  it("that defers after a fault, or after the end, tells nobody", () => {
    for (const ends of [(end: End) => end.receive(hex("00 01 41")), (end: End) => end.engine.end()]) {
      const { link, gate } = gatedLink()
      ends(link.right)
      const before = link.right.events.length
      gate.defer()
      expect(link.right.events).toHaveLength(before)
    }
  })

  it("that answers after a fault changes nothing", () => {
    const { link, gate } = gatedLink()
    link.right.receive(hex("00 01 41"))
    expect(link.right.events).toEqual(["fault ERR_ZMTP_UNEXPECTED_COMMAND"])
    link.right.output()
    gate.decide("welcome")
    expect(link.right.events).toHaveLength(1)
    expect(link.right.output()).toHaveLength(0)
  })

  it("does not outwait the handshake's time", () => {
    const { link, gate } = gatedLink({ handshakeInterval: 500 })
    link.advance(500)
    expect(link.right.events).toEqual(["fault ETIMEDOUT"])
    gate.decide("welcome")
    expect(link.right.events).toHaveLength(1)
  })

  it("starts the heartbeat when the handshake is done: the first PING is an interval after the answer", () => {
    const { link, gate } = gatedLink({ heartbeatInterval: 1000 })
    link.advance(5000)
    const before = link.carried
    gate.decide("welcome", link.now)
    link.advance(999)
    expect(link.carried - before).toBe(readyOf("PULL").length)
    link.advance(1)
    expect(link.carried - before).toBe(readyOf("PULL").length + 9 + 7)
  })

  it("refuses a message that comes before the answer", () => {
    const { link } = gatedLink()
    link.right.receive(hex("00 01 41"))
    expect(link.right.events).toEqual(["fault ERR_ZMTP_UNEXPECTED_COMMAND"])
  })
})
