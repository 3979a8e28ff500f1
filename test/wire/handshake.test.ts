/** 37/ZMTP, the NULL mechanism: READY or ERROR, and whatever else a peer may say in their place. By the split law. */
import { describe, expect, it } from "vitest"
import { ProtocolError } from "../../src/errors.js"
import type { EngineOptions } from "../../src/wire/engine.js"
import { nullMechanism } from "../../src/wire/null.js"
import type { SocketTypeName } from "../../src/wire/socket-types.js"
import { End, engineOptions, toHex } from "../support/link.js"
import { hex } from "./hex.js"
import { engineReader, GREETING, readyOf, splitLaw } from "./split-law.js"

/** What an engine makes of a stream that follows the peer's greeting. */
function handshake(type: SocketTypeName, stream: string, changes: Partial<EngineOptions> = {}): readonly string[] {
  return splitLaw(engineReader(type, GREETING, changes), hex(stream)).events
}

const UNEXPECTED = ["fault ERR_ZMTP_UNEXPECTED_COMMAND"]
const MALFORMED_READY = ["fault ERR_ZMTP_MALFORMED_COMMAND_READY"]
const INVALID = ["fault ERR_ZMTP_INVALID_METADATA"]

describe("a READY command", () => {
  it("of libzmq's DEALER, ROUTER, REQ, XPUB and SUB", () => {
    const dealer = "04 29 05 'READY' 0B 'Socket-Type' 00000006 'DEALER' 08 'Identity' 00000000"
    expect(handshake("ROUTER", dealer)).toEqual(["ready DEALER id= minor=1"])
    const router = "04 29 05 'READY' 0B 'Socket-Type' 00000006 'ROUTER' 08 'Identity' 00000000"
    expect(handshake("DEALER", router)).toEqual(["ready ROUTER id= minor=1"])
    const req = "04 26 05 'READY' 0B 'Socket-Type' 00000003 'REQ' 08 'Identity' 00000000"
    expect(handshake("REP", req)).toEqual(["ready REQ id= minor=1"])
    expect(handshake("SUB", "04 1A 05 'READY' 0B 'Socket-Type' 00000004 'XPUB'")).toEqual(["ready XPUB id= minor=1"])
    expect(handshake("XPUB", "04 19 05 'READY' 0B 'Socket-Type' 00000003 'SUB'")).toEqual(["ready SUB id= minor=1"])
  })

  it("with an identity, short or of 255 bytes", () => {
    const named = "04 2B 05 'READY' 0B 'Socket-Type' 00000006 'DEALER' 08 'Identity' 00000002 'me'"
    expect(handshake("ROUTER", named)).toEqual(["ready DEALER id=6d65 minor=1"])
    const long = "06 00*6 01 28 05 'READY' 0B 'Socket-Type' 00000006 'DEALER' 08 'Identity' 000000FF 61*255"
    expect(handshake("ROUTER", long)).toEqual([`ready DEALER id=${"61".repeat(255)} minor=1`])
  })

  it("without a Socket-Type is accepted, as in libzmq", () => {
    expect(handshake("PULL", "04 06 05 'READY'")).toEqual(["ready  id= minor=1"])
    expect(handshake("ROUTER", "04 14 05 'READY' 08 'Identity' 00000001 'x'")).toEqual(["ready  id=78 minor=1"])
  })

  it("with properties in any order and unknown ones among them, which can be read", () => {
    const stream = hex(
      "04 31 05 'READY' 03 'X-a' 00000001 01 0B 'Socket-Type' 00000004 'PUSH' 08 'Resource' 00000001 'r'",
    )
    expect(handshake("PULL", toHex(stream))).toEqual(["ready PUSH id= minor=1"])
    const end = new End(engineOptions("PULL"))
    end.engine.start(0)
    end.receive(GREETING)
    end.receive(stream)
    expect([...end.peer!.properties].map(([name, value]) => `${name}=${toHex(value)}`)).toEqual([
      "X-a=01",
      "Socket-Type=50555348",
      "Resource=72",
    ])
    expect(end.peer!.mechanism).toBe("NULL")
  })

  it("with a Socket-Type that it must not meet, or that nobody knows", () => {
    expect(handshake("PULL", "04 19 05 'READY' 0B 'Socket-Type' 00000003 'SUB'")).toEqual(INVALID)
    expect(handshake("PULL", "04 1A 05 'READY' 0B 'Socket-Type' 00000004 'push'")).toEqual(INVALID)
    expect(handshake("PULL", "04 16 05 'READY' 0B 'Socket-Type' 00000000")).toEqual(INVALID)
    expect(handshake("PAIR", "04 21 05 'READY' 0B 'Socket-Type' 0000000B 'constructor'")).toEqual(INVALID)
  })

  it("compares property names by case, so that a socket-type is no Socket-Type", () => {
    expect(handshake("PULL", "04 19 05 'READY' 0B 'socket-type' 00000003 'SUB'")).toEqual(["ready  id= minor=1"])
  })

  it("with a name that comes twice: the first counts", () => {
    const twice = "04 2E 05 'READY' 0B 'Socket-Type' 00000004 'PUSH' 0B 'Socket-Type' 00000004 'PULL'"
    expect(handshake("PULL", twice)).toEqual(["ready PUSH id= minor=1"])
  })

  for (const [what, stream] of [
    ["a byte too much", "04 1B 05 'READY' 0B 'Socket-Type' 00000004 'PUSH' 00"],
    ["a name that is cut off", "04 0A 05 'READY' 0B 'Soc'"],
    ["a name and no value", "04 12 05 'READY' 0B 'Socket-Type'"],
    ["a value length that is cut off", "04 15 05 'READY' 0B 'Socket-Type' 000000"],
    ["a value that is cut off", "04 18 05 'READY' 0B 'Socket-Type' 00000004 'PU'"],
    ["a value of 2^32 - 1 bytes", "04 1A 05 'READY' 0B 'Socket-Type' FFFFFFFF 'PUSH'"],
  ] as const) {
    it(`malformed by ${what}`, () => expect(handshake("PULL", stream)).toEqual(MALFORMED_READY))
  }

  it("that says READY twice in the same chunk: the second is a late command, which is ignored", () => {
    const push = toHex(readyOf("PUSH"))
    expect(handshake("PULL", push + push)).toEqual(["ready PUSH id= minor=1"])
  })
})

describe("in place of READY", () => {
  it("an ERROR command ends it, whatever its reason; a status of ZAP is told as such", () => {
    for (const status of ["300", "400", "500"]) {
      expect(handshake("PULL", `04 0A 05 'ERROR' 03 '${status}'`)).toEqual([`fault ${status}`])
    }
    for (const reason of ["00", "03 '200'", "03 '600'", "03 '401'", "04 '4000'", "02 '40'"]) {
      const size = reason.length === 2 ? "07" : `0${(6 + Number(reason[1]) + 1).toString(16)}`
      expect(handshake("PULL", `04 ${size} 05 'ERROR' ${reason}`)).toEqual(["fault ERR_ZMTP_UNSPECIFIED"])
    }
  })

  it("an ERROR command tells its reason", () => {
    const end = new End(engineOptions("PULL"))
    end.engine.start(0)
    end.receive(GREETING)
    end.receive(hex("04 0A 05 'ERROR' 03 '400'"))
    expect(end.faults[0]!.message).toContain("400")
  })

  it("an ERROR command whose reason is cut off, or missing, is malformed", () => {
    expect(handshake("PULL", "04 08 05 'ERROR' 03 '4'")).toEqual(["fault ERR_ZMTP_MALFORMED_COMMAND_ERROR"])
    expect(handshake("PULL", "04 06 05 'ERROR'")).toEqual(["fault ERR_ZMTP_MALFORMED_COMMAND_ERROR"])
  })

  for (const [what, stream] of [
    ["an unknown command", "04 03 02 'HI'"],
    ["READY in lower case", "04 06 05 'ready'"],
    ["an empty command", "04 00"],
    ["a command whose name runs past its end", "04 06 06 'READY'"],
    ["SUBSCRIBE", "04 0B 09 'SUBSCRIBE' 41"],
    ["PING", "04 07 04 'PING' 0000"],
    ["PLAIN's HELLO", "04 08 05 'HELLO' 00 00"],
    ["a message", "00 01 41"],
    ["an empty message", "00 00"],
  ] as const) {
    it(`${what} is refused`, () => expect(handshake("PULL", stream)).toEqual(UNEXPECTED))
  }
})

describe("the NULL mechanism", () => {
  it("takes one READY and refuses another, also before its own is said", () => {
    const mechanism = nullMechanism.create({ own: [], ask: null, proceed() {}, report() {} })
    mechanism.receive(hex("05 'READY'"))
    expect(mechanism.ready).toBe(false)
    expect(() => mechanism.receive(hex("05 'READY'"))).toThrow(ProtocolError)
    expect(toHex(mechanism.next(0)!)).toBe(toHex(hex("05 'READY'")))
    expect(mechanism.next(0)).toBeNull()
    expect(mechanism.ready).toBe(true)
  })
})

describe("limits during the handshake", () => {
  it("maxMessageSize holds for READY as well", () => {
    const push = toHex(readyOf("PUSH"))
    expect(handshake("PULL", push, { maxMessageSize: 26 })).toEqual(["ready PUSH id= minor=1"])
    expect(handshake("PULL", push, { maxMessageSize: 25 })).toEqual(["fault ERR_ZMTP_UNSPECIFIED"])
  })
})
