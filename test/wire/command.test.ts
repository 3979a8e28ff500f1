/** 37/ZMTP, commands and metadata: names, properties and the READY commands of libzmq, byte for byte. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ProtocolError } from "../../src/errors.js"
import { commandData, commandName, decodeProperties, encodeCommand, encodeProperties } from "../../src/wire/command.js"
import type { SocketTypeName } from "../../src/wire/socket-types.js"
import { End, engineOptions, toHex } from "../support/link.js"
import { hex } from "./hex.js"
import { GREETING } from "./split-law.js"

const decode = (data: Uint8Array) => decodeProperties(data, "ERR_ZMTP_MALFORMED_COMMAND_READY")

describe("READY", () => {
  /** What an engine of this type says right after the greetings. */
  function ready(type: SocketTypeName, routingId: Uint8Array | null = null): string {
    const end = new End(engineOptions(type, { routingId }))
    end.engine.start(0)
    end.receive(GREETING)
    return toHex(end.output().slice(64))
  }

  const samples: [type: SocketTypeName, size: number, bytes: string][] = [
    ["DEALER", 43, "04 29 05 'READY' 0B 'Socket-Type' 00000006 'DEALER' 08 'Identity' 00000000"],
    ["ROUTER", 43, "04 29 05 'READY' 0B 'Socket-Type' 00000006 'ROUTER' 08 'Identity' 00000000"],
    ["REQ", 40, "04 26 05 'READY' 0B 'Socket-Type' 00000003 'REQ' 08 'Identity' 00000000"],
    ["XPUB", 28, "04 1A 05 'READY' 0B 'Socket-Type' 00000004 'XPUB'"],
    ["SUB", 27, "04 19 05 'READY' 0B 'Socket-Type' 00000003 'SUB'"],
    ["PUB", 27, "04 19 05 'READY' 0B 'Socket-Type' 00000003 'PUB'"],
    ["XSUB", 28, "04 1A 05 'READY' 0B 'Socket-Type' 00000004 'XSUB'"],
    ["REP", 27, "04 19 05 'READY' 0B 'Socket-Type' 00000003 'REP'"],
    ["PUSH", 28, "04 1A 05 'READY' 0B 'Socket-Type' 00000004 'PUSH'"],
    ["PULL", 28, "04 1A 05 'READY' 0B 'Socket-Type' 00000004 'PULL'"],
    ["PAIR", 28, "04 1A 05 'READY' 0B 'Socket-Type' 00000004 'PAIR'"],
  ]
  for (const [type, size, bytes] of samples) {
    it(`of a ${type} is the ${size} bytes of libzmq's`, () => {
      expect(ready(type)).toBe(toHex(hex(bytes)))
      expect(hex(bytes)).toHaveLength(size)
    })
  }

  it("tells an identity of 1 to 255 bytes; one of 255 makes the frame a long one", () => {
    expect(ready("REQ", hex("'me'"))).toBe(
      toHex(hex("04 28 05 'READY' 0B 'Socket-Type' 00000003 'REQ' 08 'Identity' 00000002 'me'")),
    )
    expect(ready("DEALER", hex("61*255"))).toBe(
      toHex(hex("06 00*6 01 28 05 'READY' 0B 'Socket-Type' 00000006 'DEALER' 08 'Identity' 000000FF 61*255")),
    )
  })

  it("tells no identity of types that have none on the wire", () => {
    expect(ready("PUSH", hex("'me'"))).toBe(toHex(hex("04 1A 05 'READY' 0B 'Socket-Type' 00000004 'PUSH'")))
  })
})

describe("the name of a command", () => {
  it("is what its first byte counts", () => {
    expect(commandName(hex("04 'PING' 0000"))).toBe("PING")
    expect(toHex(commandData(hex("04 'PING' 0001")))).toBe("0001")
    expect(commandName(hex("00 41"))).toBe("")
    expect(commandName(hex("04 'PING'"))).toBe("PING")
    expect(commandData(hex("04 'PING'"))).toHaveLength(0)
  })

  it("is none when it runs past the end, or when nothing is there", () => {
    expect(commandName(hex("05 'PING'"))).toBeNull()
    expect(commandName(hex("FF"))).toBeNull()
    expect(commandName(new Uint8Array(0))).toBeNull()
  })

  it("is compared by the case of its letters", () => {
    expect(commandName(hex("04 'ping'"))).not.toBe("PING")
  })

  it("is written with its length before it", () => {
    expect(toHex(encodeCommand("CANCEL", hex("41")))).toBe(toHex(hex("06 'CANCEL' 41")))
    expect(toHex(encodeCommand("PONG", new Uint8Array(0)))).toBe(toHex(hex("04 'PONG'")))
  })
})

describe("properties", () => {
  const read = (data: string) => [...decode(hex(data))].map(([name, value]) => `${name}=${toHex(value)}`)

  it("are names and values up to the end", () => {
    expect(read("")).toEqual([])
    expect(read("01 'A' 00000000")).toEqual(["A="])
    expect(read("01 'A' 00000002 FF00 03 'X-b' 00000001 07")).toEqual(["A=ff00", "X-b=07"])
  })

  it("may have an empty name, as in libzmq", () => expect(read("00 00000001 41")).toEqual(["=41"]))

  it("keep the case of their names apart, as in libzmq", () => {
    expect(read("01 'A' 00000001 41 01 'a' 00000001 42")).toEqual(["A=41", "a=42"])
  })

  it("count the first time that a name comes", () => {
    expect(read("01 'A' 00000001 41 01 'A' 00000001 42")).toEqual(["A=41"])
  })

  it("are copies", () => {
    const data = hex("01 'A' 00000001 41")
    const value = decode(data).get("A")!
    data.fill(0)
    expect(toHex(value)).toBe("41")
  })

  for (const [what, data] of [
    ["a lone name length", "01"],
    ["a lone zero", "00"],
    ["a name that is cut off", "03 'AB'"],
    ["a name without a value", "01 'A'"],
    ["a value length that is cut off", "01 'A' 000000"],
    ["a value that is cut off", "01 'A' 00000003 4142"],
    ["a value of 2^31", "01 'A' 80000000 41"],
    ["a value of 2^32 - 1", "01 'A' FFFFFFFF 41"],
    ["a byte behind the last property", "01 'A' 00000000 00"],
    ["a name that would end behind the data", "FF 'A' 00000000"],
  ] as const) {
    it(`are refused for ${what}`, () => {
      const error = thrown(() => decode(hex(data)))
      expect(error).toBeInstanceOf(ProtocolError)
      expect((error as ProtocolError).code).toBe("ERR_ZMTP_MALFORMED_COMMAND_READY")
      // The same behind a good one, and in the middle of a larger buffer.
      expect(thrown(() => decode(hex(`01 'Z' 00000000 ${data}`)))).toBeInstanceOf(ProtocolError)
      const size = hex(data).length
      expect(thrown(() => decode(hex(`00*7 ${data} 00*300`).subarray(7, 7 + size)))).toBeInstanceOf(ProtocolError)
    })
  }

  it("decode(encode(properties)) = properties", () => {
    const latin = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map(c => String.fromCharCode(c)), maxLength: 255 })
    const entries = fc.uniqueArray(fc.tuple(latin, fc.uint8Array({ maxLength: 300 })), {
      selector: ([name]) => name,
      maxLength: 8,
    })
    fc.assert(
      fc.property(entries, entries => {
        const decoded = [...decode(encodeProperties(entries))]
        expect(decoded.map(([name, value]) => [name, toHex(value)])).toEqual(
          entries.map(([name, value]) => [name, toHex(value)]),
        )
      }),
    )
  })
})

function thrown(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}
