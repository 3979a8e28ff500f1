/**
 * After the handshake: messages, subscriptions in both forms, PING and PONG, and commands that nobody knows (37/ZMTP;
 * libzmq's test_mock_pub_sub and test_heartbeats). By the split law, and what is written for a peer of either version.
 */
import { describe, expect, it } from "vitest"
import type { EngineOptions } from "../../src/wire/engine.js"
import type { SocketTypeName } from "../../src/wire/socket-types.js"
import { concat, End, engineOptions, toHex } from "../support/link.js"
import { hex } from "./hex.js"
import { engineReader, GREETING, GREETING_30, readyOf, splitLaw, type Trace } from "./split-law.js"

/** What a socket of this type makes of a stream from such a peer. */
function traffic(type: SocketTypeName, peer: string, stream: string, changes: Partial<EngineOptions> = {}): Trace {
  return splitLaw(engineReader(type, concat([GREETING, readyOf(peer)]), changes), hex(stream))
}

const pull = (stream: string, changes: Partial<EngineOptions> = {}) => traffic("PULL", "PUSH", stream, changes)

describe("messages", () => {
  it("of 0, 1, 255 and 256 bytes, and of several frames", () => {
    const { events, output } = pull(
      "00 00 00 01 41 00 FF 2a*255 02 00*6 01 00 2a*256 01 01 41 03 00*6 01 00 2b*256 00 00",
    )
    const [b255, b256] = ["2a".repeat(255), "2a".repeat(256)]
    expect(events).toEqual([
      "message ",
      "message 41",
      `message ${b255}`,
      `message ${b256}`,
      `message 41|${"2b".repeat(256)}|`,
    ])
    expect(output).toBe("")
  })

  it("whole ones before a broken frame are told before the fault", () => {
    expect(pull("00 01 41 01 01 42 02 80 00*7").events).toEqual(["message 41", "fault ERR_ZMTP_UNSPECIFIED"])
  })

  it("maxMessageSize and maxFrames end the connection", () => {
    expect(pull("00 1A 2a*26 00 1B", { maxMessageSize: 26 }).events.at(-1)).toBe("fault ERR_ZMTP_UNSPECIFIED")
    expect(pull("01 00 01 00", { maxFrames: 2 }).events).toEqual(["fault ERR_ZMTP_UNSPECIFIED"])
  })
})

describe("subscriptions that come", () => {
  const xpub = (stream: string) => traffic("XPUB", "SUB", stream).events

  it("as commands", () => {
    expect(xpub("04 0B 09 'SUBSCRIBE' 41 04 08 06 'CANCEL' 41")).toEqual(["message 0141", "message 0041"])
  })

  it("as messages that begin with 01 or 00", () => {
    expect(xpub("00 02 01 41 00 02 00 41")).toEqual(["message 0141", "message 0041"])
  })

  it("to the empty topic, in both forms", () => {
    expect(xpub("04 0A 09 'SUBSCRIBE' 04 07 06 'CANCEL' 00 01 01 00 01 00")).toEqual([
      "message 01",
      "message 00",
      "message 01",
      "message 00",
    ])
  })

  for (const length of [245, 246, 249, 250, 255, 256]) {
    it(`to a topic of ${length} bytes, in both forms`, () => {
      const topic = "74".repeat(length)
      const size = (extra: number) => {
        const all = length + extra
        return all > 255 ? `06 00*6 ${all.toString(16).padStart(4, "0")}` : `04 ${all.toString(16)}`
      }
      const message =
        length + 1 > 255 ? `02 00*6 ${(length + 1).toString(16).padStart(4, "0")}` : `00 ${(length + 1).toString(16)}`
      const stream = `${size(10)} 09 'SUBSCRIBE' ${topic} ${size(7)} 06 'CANCEL' ${topic} ${message} 01 ${topic}`
      expect(xpub(stream)).toEqual([`message 01${topic}`, `message 00${topic}`, `message 01${topic}`])
    })
  }

  it("are the receiver's own memory", () => {
    const end = ready("XPUB", "SUB")
    const chunk = hex("04 0B 09 'SUBSCRIBE' 41")
    end.receive(chunk)
    chunk.fill(0)
    expect(toHex(end.messages[0]![0]!)).toBe("0141")
  })

  it("between the frames of a message, as commands", () => {
    expect(xpub("01 01 58 04 0B 09 'SUBSCRIBE' 41 00 01 59")).toEqual(["message 0141", "message 58|59"])
  })
})

describe("PING", () => {
  it("is answered by PONG; the context comes back (libzmq's mock_ping)", () => {
    expect(pull("04 0A 04 'PING' 0000 'LOL'")).toEqual({ events: [], output: toHex(hex("04 08 04 'PONG' 'LOL'")) })
    expect(pull("04 07 04 'PING' 0000").output).toBe(toHex(hex("04 05 04 'PONG'")))
    expect(pull("04 17 04 'PING' 0064 '0123456789abcdef'").output).toBe(
      toHex(hex("04 15 04 'PONG' '0123456789abcdef'")),
    )
  })

  it("with a longer context is answered with 16 bytes of it", () => {
    expect(pull("04 18 04 'PING' 0000 '0123456789abcdefg'").output).toBe(
      toHex(hex("04 15 04 'PONG' '0123456789abcdef'")),
    )
    expect(pull("04 41 04 'PING' 0000 2a*58").output).toBe(toHex(hex("04 15 04 'PONG' 2a*16")))
  })

  it("may come between the frames of one message", () => {
    const { events, output } = pull("01 01 41 04 08 04 'PING' 0000 01 00 01 42")
    expect(events).toEqual(["message 41|42"])
    expect(output).toBe(toHex(hex("04 06 04 'PONG' 01")))
  })

  it("without a time to live is malformed", () => {
    const malformed = ["fault ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED"]
    expect(pull("04 05 04 'PING'").events).toEqual(malformed)
    expect(pull("04 06 04 'PING' 00").events).toEqual(malformed)
  })

  it("is answered to a peer of 3.0, too", () => {
    const read = engineReader("PULL", concat([GREETING_30, readyOf("PUSH")]))
    expect(splitLaw(read, hex("04 07 04 'PING' 0000")).output).toBe(toHex(hex("04 05 04 'PONG'")))
  })
})

describe("commands that are ignored", () => {
  for (const [what, stream] of [
    ["PONG, with any context", "04 05 04 'PONG' 04 16 04 'PONG' '0123456789abcdefg'"],
    ["ERROR", "04 0A 05 'ERROR' 03 '400' 04 06 05 'ERROR'"],
    ["READY", "04 06 05 'READY'"],
    ["an unknown one", "04 09 05 'WHAT?' 010203"],
    ["one with an empty name", "04 01 00"],
    ["one whose name runs past its end", "04 05 06 'PING'"],
    ["an empty one", "04 00"],
    ["an empty one with a long size", "06 00*8"],
    ["names in another case", "04 07 04 'ping' 0000 04 0B 09 'subscribe' 41"],
    ["a name that begins like a known one", "04 08 05 'PINGX' 0000"],
  ] as const) {
    it(what, () =>
      expect(pull(`00 01 41 ${stream} 00 01 42`)).toEqual({ events: ["message 41", "message 42"], output: "" }),
    )
  }
})

/** An engine that is through with its handshake; what it said up to there is gone. */
function ready(type: SocketTypeName, peer: string, greeting = GREETING): End {
  const end = new End(engineOptions(type))
  end.engine.start(0)
  end.receive(concat([greeting, readyOf(peer)]))
  end.output()
  return end
}

describe("what is written", () => {
  const written = (end: End, ...frames: string[]) => {
    end.engine.encode(frames.map(hex))
    return toHex(end.output())
  }

  it("a message: MORE on all frames but the last, LONG from 256 bytes on", () => {
    const end = ready("PUSH", "PULL")
    expect(written(end, "41")).toBe("000141")
    expect(written(end, "")).toBe("0000")
    expect(written(end, "", "41", "")).toBe("0100010141" + "0000")
    expect(written(end, "2a*255")).toBe(`00ff${"2a".repeat(255)}`)
    expect(written(end, "2a*256")).toBe(`020000000000000100${"2a".repeat(256)}`)
    expect(written(end, "2a*256", "41")).toBe(`030000000000000100${"2a".repeat(256)}000141`)
  })

  for (const type of ["SUB", "XSUB"] as const) {
    it(`a ${type}'s subscriptions: commands to 3.1, messages to 3.0`, () => {
      const modern = ready(type, "XPUB")
      expect(written(modern, "01 41")).toBe(toHex(hex("04 0B 09 'SUBSCRIBE' 41")))
      expect(written(modern, "00 41")).toBe(toHex(hex("04 08 06 'CANCEL' 41")))
      expect(written(modern, "01")).toBe(toHex(hex("04 0A 09 'SUBSCRIBE'")))
      expect(written(modern, "00")).toBe(toHex(hex("04 07 06 'CANCEL'")))
      const old = ready(type, "XPUB", GREETING_30)
      expect(written(old, "01 41")).toBe("00020141")
      expect(written(old, "00 41")).toBe("00020041")
      expect(written(old, "01")).toBe("000101")
    })
  }

  it("LONG in a subscription follows from the size of the whole body", () => {
    for (const length of [244, 245, 246, 247, 248, 249, 250, 254, 255, 256]) {
      const topic = "74".repeat(length)
      const end = ready("SUB", "PUB")
      const frame = (name: string) => {
        const size = 1 + name.length + length
        const head = size > 255 ? `06 00*6 ${size.toString(16).padStart(4, "0")}` : `04 ${size.toString(16)}`
        return toHex(hex(`${head} 0${name.length} '${name}' ${topic}`))
      }
      expect(written(end, `01 ${topic}`), `${length}`).toBe(frame("SUBSCRIBE"))
      expect(written(end, `00 ${topic}`), `${length}`).toBe(frame("CANCEL"))
      const old = ready("SUB", "PUB", GREETING_30)
      const size = 1 + length
      const head = size > 255 ? `020000000000000${size.toString(16)}` : `00${size.toString(16)}`
      expect(written(old, `01 ${topic}`), `${length} to 3.0`).toBe(`${head}01${topic}`)
    }
  })

  it("other messages of an XSUB, and messages of several frames, stay messages", () => {
    const end = ready("XSUB", "XPUB")
    expect(written(end, "02 41")).toBe("00020241")
    expect(written(end, "")).toBe("0000")
    expect(written(end, "01 41", "42")).toBe("01020141" + "000142")
  })

  it("messages of other types that begin with 00 or 01 stay messages", () => {
    expect(written(ready("PUSH", "PULL"), "01 41")).toBe("00020141")
    expect(written(ready("XPUB", "SUB"), "00 41")).toBe("00020041")
  })
})
