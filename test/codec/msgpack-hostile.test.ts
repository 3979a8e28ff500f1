/** msgpack from whoever likes to send it: what is refused, and that nothing but EDECODE ever leaves the decoder. */
import fc from "fast-check"
import { type CodecError, msgpack } from "peerlane/codec"
import { describe, expect, it } from "vitest"
import { anyValue, codeOf, hex } from "./values.js"

const codec = msgpack()
const back = (value: unknown) => codec.decode(codec.encode(value))

describe("refuses to decode", () => {
  it.each([
    ["nothing", ""],
    ["two values", "01 02"],
    ["0xc1", "c1"],
    ["text that ends too early", "a3 61 62"],
    ["an array of four billion", "dd ff ff ff ff 01"],
    ["a map of two billion", "df 7f ff ff ff 01 01"],
    ["bytes of four billion", "c6 ff ff ff ff"],
    ["__proto__ as a key", "81 a9 5f5f70726f746f5f5f 01"],
    ["__proto__ as a key with a long header", "81 d9 09 5f5f70726f746f5f5f 01"],
    ["__proto__ as a key with the longest header", "91 81 db 00000009 5f5f70726f746f5f5f 01"],
    ["__proto__ as a key in an extension", "c7 0d 50 53 91 81 a9 5f5f70726f746f5f5f 01"],
    ["an extension that nobody knows", "d4 05 01"],
    ["a record of msgpackr", "d4 72 40 91 a1 61 01"],
    ["a Set of msgpackr, which takes the next value", "d4 73 00 91 01"],
    ["an Error of msgpackr", "d4 65 00 93 a1 61 a1 62 c0"],
    ["a RegExp of msgpackr", "d4 78 00 92 a1 61 a0"],
    ["a reference of msgpackr", "92 d6 69 00000001 90 d6 70 00000001"],
    ["a bundle of msgpackr", "d6 62 00000005 c1 01 a0 a0"],
    ["a timestamp of five bytes", "c7 05 ff 00 00 00 00 00"],
    ["a typed array of no kind", "c7 02 74 0b 00"],
    ["a typed array of half an element", "c7 04 74 06 00 00 00"],
    ["a bigint of no bytes", "c7 00 42"],
    ["our extension of no kind", "c7 02 50 51 90"],
    ["our extension with nothing in it", "d4 50 4d"],
    ["our extension with two values", "c7 04 50 53 91 01 01"],
    ["our extension with a value beyond its end", "92 c7 02 50 53 91 01"],
    ["a Map of a text", "c7 03 50 4d a1 61"],
    ["a Map with a key and no value", "c7 03 50 4d 91 01"],
    ["an Error without a name", "d5 50 45 80"],
  ])("%s", (_, bytes) => {
    expect(codeOf(() => codec.decode(hex(bytes)))).toBe("EDECODE")
    expect(back([1])).toEqual([1])
  })

  it("says what the bytes were, and why", () => {
    const bytes = hex("93 01")
    const error = (() => {
      try {
        return codec.decode(bytes)
      } catch (error) {
        return error as CodecError
      }
    })() as CodecError
    expect(error).toMatchObject({ code: "EDECODE", message: expect.stringContaining("3 values") })
    expect(error.bytes).toEqual(bytes)
  })

  it("more bytes or levels than it was told", () => {
    const small = msgpack({ maxBytes: 10, maxDepth: 2 })
    expect(codeOf(() => small.decode(codec.encode("x".repeat(10))))).toBe("EDECODE")
    expect(codeOf(() => codec.decode(Buffer.alloc(100_000, 0x91)))).toBe("EDECODE")
  })

  it("checks its own options", () => {
    expect(() => msgpack({ maxBytes: 0 })).toThrow(expect.objectContaining({ code: "EINVAL" }))
    expect(() => msgpack({ maxDepth: Number.NaN })).toThrow(expect.objectContaining({ code: "EINVAL" }))
    expect(() => msgpack({ maxDepth: "3" as unknown as number })).toThrow(TypeError)
    expect(() => codec.decode("text" as unknown as Uint8Array)).toThrow()
  })
})

describe("whatever comes", () => {
  const survives = (bytes: Uint8Array) => {
    const copy = Buffer.from(bytes)
    const code = codeOf(() => codec.decode(bytes))
    expect(["none", "EDECODE"]).toContain(code)
    expect(copy.equals(bytes)).toBe(true)
    if (code === "none") codec.encode(codec.decode(bytes))
  }

  it("any bytes are a value that can be encoded, or EDECODE", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), survives), { numRuns: 3000 })
    const heads = fc.constantFrom(
      ..."80 90 a9 c4 c7 c8 d4 d5 d6 d7 d8 d9 dc de 50 42 74 ff 4d 53 45 54 00 01 61".split(" "),
    )
    const likely = fc.array(heads, { maxLength: 24 }).map(bytes => hex(bytes.join("")))
    fc.assert(fc.property(likely, survives), { numRuns: 3000 })
  })

  it("flipped and truncated values are, too", () => {
    fc.assert(
      fc.property(anyValue, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, by) => {
        const bytes = Buffer.from(codec.encode(value))
        expect(codeOf(() => codec.decode(bytes.subarray(0, at % bytes.length)))).toBe("EDECODE")
        bytes[at % bytes.length]! ^= by
        survives(bytes)
      }),
      { numRuns: 500 },
    )
  })

  it("a length that is declared costs nothing", () => {
    const before = process.memoryUsage().rss
    for (let i = 0; i < 2000; i++) codeOf(() => codec.decode(hex("93 dd 00 ff ff ff c6 0f ff ff ff df 00 ff ff ff")))
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20)
  })

  it("a megabyte of the smallest extensions takes no longer than it should", () => {
    const one = hex("c7 03 50 53 91 01")
    const bytes = Buffer.concat([hex("dd 00 02 00 00"), ...Array.from({ length: 0x20000 }, () => one)])
    const start = performance.now()
    expect(codec.decode(bytes)).toHaveLength(0x20000)
    expect(performance.now() - start).toBeLessThan(3000)
  })
})
