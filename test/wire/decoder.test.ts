/**
 * 37/ZMTP, framing: bytes to messages and commands. Vectors by hand, each held to the split law; limits; who owns the
 * bytes; what is allocated for a frame whose bytes have not come.
 */
import { describe, expect, it } from "vitest"
import { ProtocolError } from "../../src/errors.js"
import type { Message } from "../../src/message.js"
import { Decoder, type DecoderLimits } from "../../src/wire/decoder.js"
import { CountingBytes, concat, toHex } from "../support/link.js"
import { hex } from "./hex.js"
import { type Reader, splitLaw } from "./split-law.js"

const KiB = 1024
const MiB = 1024 * KiB
const NO_LIMITS: DecoderLimits = { maxMessageSize: -1, maxFrames: 65_536 }

/** A decoder with what it told, in the words of the engine's events. */
class Decoding {
  readonly bytes = new CountingBytes()
  readonly events: string[] = []
  readonly messages: Message[] = []
  readonly decoder: Decoder

  constructor(limits: Partial<DecoderLimits> = {}, reluctant = false) {
    this.decoder = new Decoder(
      this.bytes,
      { ...NO_LIMITS, ...limits },
      {
        onMessage: message => {
          this.messages.push(message)
          this.events.push(`message ${message.map(toHex).join("|")}`)
          return !reluctant
        },
        onCommand: body => {
          this.events.push(`command ${toHex(body)}`)
          return !reluctant
        },
      },
    )
  }

  feed(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const next = this.decoder.decode(chunk, at)
      expect(next).toBeGreaterThan(at)
      at = next
    }
  }
}

function reader(limits: Partial<DecoderLimits> = {}): Reader {
  return (chunks, reluctant) => {
    const decoding = new Decoding(limits, reluctant)
    try {
      for (const chunk of chunks) decoding.feed(chunk.slice())
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      decoding.events.push(`fault ${error.code}`)
      return { events: decoding.events, output: "" }
    }
    return { events: decoding.events, output: "" }
  }
}

const read = reader()
const bytesOf = (size: number) => Uint8Array.from({ length: size }, (_, at) => at)

describe("frames, by the split law", () => {
  const vectors: [what: string, stream: string, ...events: string[]][] = [
    ["an empty message", "00 00", "message "],
    ["one byte", "00 01 41", "message 41"],
    ["an empty message with a long size", "02 00*8", "message "],
    ["a short body with a long size", "02 00*7 05 'hello'", "message 68656c6c6f"],
    ["255 bytes, the longest short frame", "00 FF 2a*255", `message ${"2a".repeat(255)}`],
    ["256 bytes, the shortest long frame", "02 00*6 01 00 2a*256", `message ${"2a".repeat(256)}`],
    ["several messages", "00 01 41 00 00 00 02 42 43", "message 41", "message ", "message 4243"],
    ["two frames", "01 01 41 00 01 42", "message 41|42"],
    ["empty frames around one", "01 00 01 01 41 00 00", "message |41|"],
    ["a long frame in a message", "01 01 41 03 00*6 01 00 2a*256 00 01 42", `message 41|${"2a".repeat(256)}|42`],
    ["a command", "04 05 04 'PONG'", "command 04504f4e47"],
    ["a command with a long size", "06 00*7 05 04 'PONG'", "command 04504f4e47"],
    ["an empty command", "04 00", "command "],
    [
      "commands between the frames of one message",
      "04 01 58 01 01 41 04 01 59 01 00 04 00 00 01 42 04 01 5A",
      "command 58",
      "command 59",
      "command ",
      "message 41||42",
      "command 5a",
    ],
    ["MORE on a command, which libzmq does not look at", "05 01 58 00 01 41", "command 58", "message 41"],
    ["reserved bits, which libzmq does not look at", "F8 01 41 F9 01 42 F8 01 43", "message 41", "message 42|43"],
  ]
  for (const [what, stream, ...events] of vectors) {
    it(what, () => expect(splitLaw(read, hex(stream)).events).toEqual(events))
  }
})

describe("limits, by the split law", () => {
  const tooLong = "fault ERR_ZMTP_UNSPECIFIED"

  it("maxMessageSize lets a frame of that size pass and refuses one byte more, before its body comes", () => {
    const limited = reader({ maxMessageSize: 5 })
    expect(splitLaw(limited, hex("00 05 'abcde'"), { bytes: hex("00 00"), event: "message " }).events).toHaveLength(1)
    expect(splitLaw(limited, hex("00 00 00 06")).events).toEqual(["message ", tooLong])
    expect(splitLaw(limited, hex("02 00*7 06")).events).toEqual([tooLong])
    expect(splitLaw(reader({ maxMessageSize: 300 }), hex("02 00*6 01 2D")).events).toEqual([tooLong])
  })

  it("maxMessageSize holds for each frame of a message, and for commands", () => {
    const limited = reader({ maxMessageSize: 5 })
    expect(splitLaw(limited, hex("01 05 'abcde' 00 05 'abcde'")).events).toHaveLength(1)
    expect(splitLaw(limited, hex("01 05 'abcde' 00 06")).events).toEqual([tooLong])
    expect(splitLaw(limited, hex("04 06")).events).toEqual([tooLong])
  })

  it("maxMessageSize 0 lets only empty frames pass", () => {
    const limited = reader({ maxMessageSize: 0 })
    expect(splitLaw(limited, hex("01 00 00 00"), { bytes: hex("00 00"), event: "message " }).events).toEqual([
      "message |",
    ])
    expect(splitLaw(limited, hex("00 01")).events).toEqual([tooLong])
  })

  for (const [what, size] of [
    ["the top bit", "80 00*7"],
    ["all bits", "FF*8"],
    ["2^53", "00 20 00*6"],
    ["2^53 + 1, which no number can tell from 2^53", "00 20 00*5 01"],
  ] as const) {
    it(`refuses a size with ${what}, in messages and in commands`, () => {
      expect(splitLaw(read, hex(`02 ${size}`)).events).toEqual([tooLong])
      expect(splitLaw(read, hex(`01 00 03 ${size}`)).events).toEqual([tooLong])
      expect(splitLaw(read, hex(`06 ${size}`)).events).toEqual([tooLong])
    })
  }

  it("does not refuse a size of 2^53 - 1", () => {
    const decoding = new Decoding()
    decoding.feed(hex("02 00 1F FF*6 'abc'"))
    expect(decoding.decoder.pendingBytes).toBe(3)
  })

  it("maxFrames lets so many frames pass and refuses one more; commands between them do not count", () => {
    const limited = reader({ maxFrames: 3 })
    expect(splitLaw(limited, hex("01 00 04 00 01 00 04 00 00 00")).events).toEqual([
      "command ",
      "command ",
      "message ||",
    ])
    expect(splitLaw(limited, hex("01 00 01 00 01 00")).events).toEqual([tooLong])
    expect(splitLaw(limited, hex("01 00 01 00 00 00 01 00 01 00 00 00")).events).toEqual(["message ||", "message ||"])
  })

  it("maxFrames 1 lets single frames pass and refuses any other message", () => {
    const limited = reader({ maxFrames: 1 })
    expect(splitLaw(limited, hex("00 01 41 00 01 42")).events).toEqual(["message 41", "message 42"])
    expect(splitLaw(limited, hex("01 01 41")).events).toEqual([tooLong])
  })
})

describe("a sink that has enough", () => {
  it("stops right behind the message, and goes on from there", () => {
    const decoding = new Decoding({}, true)
    const stream = hex("00 01 41 01 01 42 00 01 43 04 01 58 00 00")
    const stops: number[] = []
    for (let at = 0; at < stream.length; stops.push(at)) at = decoding.decoder.decode(stream, at)
    expect(stops).toEqual([3, 9, 12, 14])
    expect(decoding.events).toEqual(["message 41", "message 42|43", "command 58", "message "])
  })

  it("stops right behind a message that began in an earlier chunk", () => {
    for (const stream of [
      hex("02 00*7 02 4141 00 01 42"),
      hex("04 02 5858 00 01 42"),
      hex("01 00 00 02 4343 00 01 42"),
    ]) {
      const end = stream.length - 3
      for (let cut = 1; cut < end; cut++) {
        const decoding = new Decoding({}, true)
        expect(decoding.decoder.decode(stream.slice(0, cut), 0)).toBe(cut)
        expect(decoding.decoder.decode(stream.slice(cut), 0), `cut at ${cut}`).toBe(end - cut)
        expect(decoding.events).toHaveLength(1)
      }
    }
  })
})

describe("who owns the bytes", () => {
  it("a frame of up to 64 bytes is not the chunk's, a longer one is a view of it", () => {
    const decoding = new Decoding()
    const chunk = hex("00 40 2a*64 00 41 2b*65")
    decoding.feed(chunk)
    const [short, long] = decoding.messages.map(message => message[0]!)
    expect(short!.buffer.byteLength).toBe(64)
    expect(long!.buffer).toBe(chunk.buffer)
    chunk.fill(0)
    expect(toHex(short!)).toBe("2a".repeat(64))
  })

  it("many frames of up to 64 bytes share pieces, of 8 KiB at most, which are not the chunk's", () => {
    for (const size of [0, 1, 16, 40, 64]) {
      const decoding = new Decoding()
      const chunk = hex(
        Array.from(
          { length: 1000 },
          (_, i) => `00 ${Buffer.of(size).toString("hex")} ${Buffer.of(i).toString("hex")}*${size}`,
        ).join(" "),
      )
      let at = 0
      while (at < chunk.length) at = decoding.decoder.decode(chunk, at)
      const frames = decoding.messages.map(message => message[0]!)
      expect(frames).toHaveLength(1000)
      chunk.fill(0)
      for (const [i, frame] of frames.entries()) {
        expect(frame).toEqual(new Uint8Array(size).fill(i))
        expect(frame.buffer.byteLength).toBeLessThanOrEqual(8192)
      }
      expect(new Set(frames.map(frame => frame.buffer)).size).toBeLessThanOrEqual(1024 / (size + 2) + 10)
    }
  })

  it("a frame that came in pieces is the receiver's own memory, of exactly its size", () => {
    const decoding = new Decoding()
    const pieces = [hex("01 41 2a*32"), hex("2a*33 02 00*6 01 00 2b*255"), hex("2b")]
    for (const piece of pieces) decoding.feed(piece)
    for (const piece of pieces) piece.fill(0)
    expect(decoding.events).toEqual([`message ${"2a".repeat(65)}|${"2b".repeat(256)}`])
    expect(decoding.messages[0]!.map(toHex)).toEqual(["2a".repeat(65), "2b".repeat(256)])
    expect(decoding.messages[0]!.map(frame => frame.buffer.byteLength)).toEqual([65, 256])
  })
})

describe("what is allocated", () => {
  it("nothing for frames that are in the chunk", () => {
    const decoding = new Decoding()
    decoding.feed(hex("00 00 00 01 41 02 00*6 01 00 2a*256 04 01 58"))
    expect(decoding.bytes.allocs).toEqual([])
  })

  it("nothing for a size that has not come whole", () => {
    const decoding = new Decoding()
    decoding.feed(hex("02 00 00 01 00*4"))
    expect(decoding.bytes.allocs).toEqual([])
  })

  it("at most 64 KiB for a frame of which nothing has come, whatever it declares", () => {
    for (const [size, expected] of [
      ["00*5 00 FF FF", 64 * KiB - 1],
      ["00*5 01 00 00", 64 * KiB],
      ["00*5 01 00 01", 64 * KiB],
      ["00 00 10 00*5", 64 * KiB],
      ["00 1F FF*6", 64 * KiB],
    ] as const) {
      const decoding = new Decoding()
      decoding.feed(hex(`02 ${size}`))
      expect(decoding.bytes.allocs, size).toEqual([expected])
    }
  })

  it("16 times what has come, from 64 KiB to 1 MiB, when a frame begins", () => {
    for (const [came, expected] of [
      [1, 64 * KiB],
      [4 * KiB, 64 * KiB],
      [4 * KiB + 1, 64 * KiB + 16],
      [10 * KiB, 160 * KiB],
      [64 * KiB, MiB],
      [64 * KiB + 1, MiB],
      [900 * KiB, MiB],
    ] as const) {
      for (const header of [hex("02 00 1F FF*6"), hex("06 00 1F FF*6"), hex("00 01 41 02 00 1F FF*6")]) {
        const decoding = new Decoding()
        decoding.feed(concat([header, new Uint8Array(came)]))
        expect(decoding.bytes.allocs, `${came}`).toEqual([expected])
      }
      // The same when the header came before.
      const decoding = new Decoding()
      decoding.feed(hex("02 00"))
      decoding.feed(concat([hex("1F FF*6"), new Uint8Array(came)]))
      expect(decoding.bytes.allocs, `${came} behind half a header`).toEqual([expected])
    }
  })

  it("once for a frame that is up to 16 times what came of it in its first chunk", () => {
    const decoding = new Decoding()
    decoding.feed(concat([hex("02 00*5 0F FF F0"), new Uint8Array(64 * KiB)]))
    decoding.feed(new Uint8Array(MiB - 16 - 64 * KiB))
    expect(decoding.bytes.allocs).toEqual([MiB - 16])
    expect(decoding.messages).toHaveLength(1)
  })

  it("beyond that grows with what has come, by doubling, up to the size of the frame and not above", () => {
    const decoding = new Decoding()
    const size = 9 * MiB + 5
    const body = new Uint8Array(size)
    for (let at = 0; at < size; at += 4093) body[at] = at
    decoding.feed(hex(`02 00*4 00 ${size.toString(16).padStart(6, "0")}`))
    let came = 0
    while (came < size) {
      const piece = body.slice(came, came + 60_000)
      decoding.feed(piece)
      came += piece.length
      for (const alloc of decoding.bytes.allocs) expect(alloc).toBeLessThanOrEqual(Math.max(64 * KiB, 2 * came))
    }
    expect(decoding.bytes.allocs).toEqual([...[64, 128, 256, 512, 1024, 2048, 4096, 8192].map(n => n * KiB), size])
    expect(Buffer.compare(decoding.messages[0]![0]!, body)).toBe(0)
    expect(decoding.messages[0]![0]!.buffer.byteLength).toBe(size)
  })

  it("one buffer more, of just that size, for a huge piece of a huge frame", () => {
    const decoding = new Decoding()
    decoding.feed(hex("02 00*4 01 00 00 00"))
    decoding.feed(new Uint8Array(12 * MiB))
    expect(decoding.bytes.allocs).toEqual([64 * KiB, 12 * MiB])
  })
})

describe("pendingBytes", () => {
  it("counts the frames of the unfinished message and the part of the frame that has come", () => {
    const decoding = new Decoding()
    const stream = hex("00 02 4141 01 03 424242 04 02 5858 01 46 43*70 02 00*7 04 44*4 00 00")
    const counts = Array.from(stream, byte => {
      decoding.feed(Uint8Array.of(byte))
      return decoding.decoder.pendingBytes
    })
    const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i + 1)
    expect(counts).toEqual([
      0,
      0,
      1,
      0,
      0,
      0,
      1,
      2,
      3,
      3,
      3,
      4,
      3,
      3,
      3,
      ...upTo(3, 73),
      ...Array(9).fill(73),
      74,
      75,
      76,
      0,
      0,
      0,
    ])
  })

  it("is nothing after every whole message, however it was cut", () => {
    const stream = hex("01 03 424242 04 02 5858 01 46 43*70 02 00*7 04 44*4")
    for (let cut = 0; cut <= stream.length; cut++) {
      const decoding = new Decoding()
      decoding.feed(stream.slice(0, cut))
      decoding.feed(stream.slice(cut))
      expect(decoding.decoder.pendingBytes, `cut at ${cut}`).toBe(0)
      expect(decoding.messages).toHaveLength(1)
    }
  })

  it("frames of all sizes around the marks come out as they went in", () => {
    for (const size of [0, 1, 63, 64, 65, 255, 256, 257, 65_535, 65_536]) {
      const header = size > 255 ? hex(`02 00*4 ${size.toString(16).padStart(8, "0")}`) : Uint8Array.of(0, size)
      for (const cut of [1, 9, 10, 100, 65_000]) {
        const decoding = new Decoding()
        const stream = new Uint8Array([...header, ...bytesOf(size)])
        for (let at = 0; at < stream.length; at += cut === 1 && size > 300 ? 997 : cut) {
          decoding.feed(stream.slice(at, at + (cut === 1 && size > 300 ? 997 : cut)))
        }
        expect(decoding.messages.length, `${size} cut by ${cut}`).toBe(1)
        expect(Buffer.compare(decoding.messages[0]![0]!, bytesOf(size)), `${size} cut by ${cut}`).toBe(0)
      }
    }
  })
})
