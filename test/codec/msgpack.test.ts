/** msgpack: what comes back as it was, what other languages read, what is not encoded, and whose memory it is. */

import fc from "fast-check"
import { pack } from "msgpackr"
import { msgpack } from "peerlane/codec"
import { describe, expect, it } from "vitest"
import { anyValue, codeOf, hex } from "./values.js"

const codec = msgpack()
const back = (value: unknown) => codec.decode(codec.encode(value))

describe("comes back as it was", () => {
  it("any value", () => {
    fc.assert(
      fc.property(anyValue, value => {
        expect(back(value)).toStrictEqual(value)
      }),
      { numRuns: 500 },
    )
  })

  it.each([0, -0, 127, 128, 2 ** 32, -(2 ** 31) - 1, 2 ** 53 - 1, 2 ** 53, 2 ** 60, 1.5, NaN, Infinity, -Infinity])(
    "the number %d",
    value => {
      expect(back(value)).toBe(value)
    },
  )

  const bits = [0n, 1n, 53n, 63n, 64n, 1000n, 65535n].flatMap(bits => [2n ** bits, 2n ** bits + 1n, -(2n ** bits)])
  it.each(bits.map(value => [value.toString(16).slice(0, 20), value] as const))("the bigint 0x%s…", (_, value) => {
    expect(back(value)).toBe(value)
  })

  it("a Map as a Map, and an object as an object", () => {
    const map = new Map<unknown, unknown>([
      [1, "one"],
      ["__proto__", { a: new Map([[{ b: 1 }, new Set([[-0]])]]) }],
    ])
    expect(back({ map, plain: { map: 1 } })).toStrictEqual({ map, plain: { map: 1 } })
  })

  it("an Error, with its class, code, cause and stack", () => {
    const cause = new AggregateError([new SyntaxError("one"), new Error("two")], "many")
    const error = Object.assign(new TypeError("no", { cause }), { code: "ENO" })
    const read = back(error) as TypeError & { code: string }
    expect(read).toBeInstanceOf(TypeError)
    expect(read).toMatchObject({ message: "no", code: "ENO", name: "TypeError", stack: error.stack })
    expect(read.cause).toBeInstanceOf(AggregateError)
    expect((read.cause as AggregateError).errors.map(String)).toEqual(["SyntaxError: one", "Error: two"])
  })

  it("an Error of a class of one's own as an Error by that name", () => {
    class Refused extends Error {
      override name = "Refused"
    }
    const read = back(new Refused("by the door")) as Error
    expect(String(read)).toBe("Refused: by the door")
    expect(read.constructor).toBe(Error)
  })

  it("text of any length that begins with a byte order mark", () => {
    for (const size of [0, 10, 21, 22, 63, 64, 65, 1000]) {
      const text = `\ufeff\ufeff${"x".repeat(size)}`
      expect(back([text])).toStrictEqual([text])
    }
    expect(codeOf(() => codec.encode({ [`\ufeff${"x".repeat(64)}`]: 1 }))).toBe("EENCODE")
  })

  it("bytes as a Buffer, whatever view they were", () => {
    const memory = Uint8Array.of(0, 1, 2, 3)
    class Mine extends Uint8Array {}
    expect(back(memory.subarray(1, 3))).toStrictEqual(Buffer.of(1, 2))
    expect(back(Mine.of(4))).toStrictEqual(Buffer.of(4))
    expect(back(memory.buffer)).toStrictEqual(memory.buffer)
    expect(back(new DataView(memory.buffer, 1, 2))).toStrictEqual(new DataView(memory.buffer.slice(1, 3)))
  })

  it("an object of a class as its properties, or as its toJSON says", () => {
    class Point {
      readonly x = 1
      readonly y = -0
      get sum() {
        return this.x
      }
    }
    expect(back(new Point())).toStrictEqual({ x: 1, y: -0 })
    expect(back([new URL("http://a/")])).toStrictEqual(["http://a/"])
    const odd = { constructor: "c", prototype: 1, hasOwnProperty: 2, toJSON: 3 }
    expect(back(odd)).toStrictEqual(odd)
  })

  it("more keys than 65535", () => {
    const many = Object.fromEntries(Array.from({ length: 70_000 }, (_, at) => [`k${at}`, at]))
    expect(back(many)).toStrictEqual(many)
  })

  it("without a change to what was given", () => {
    const value = { list: [1n, -0, [new Map([[1, 2]])]], date: new Date(5) }
    const copy = structuredClone(value)
    codec.encode(value)
    expect(value).toStrictEqual(copy)
  })
})

describe("is plain msgpack for what is plain", () => {
  it.each([
    [{ a: 1, b: [true, null, "é"] }, "82 a1 61 01 a1 62 93 c3 c0 a2 c3 a9"],
    [Uint8Array.of(1, 2), "c4 02 01 02"],
    [Buffer.of(), "c4 00"],
    [2 ** 40, "d3 00 00 01 00 00 00 00 00"],
    [2n ** 60n, "d3 10 00 00 00 00 00 00 00"],
    [2n ** 63n, "cf 80 00 00 00 00 00 00 00"],
    [1.5, "cb 3f f8 00 00 00 00 00 00"],
    [-0, "cb 80 00 00 00 00 00 00 00"],
    [new Date(1000), "d6 ff 00 00 00 01"],
  ])("%o", (value, bytes) => {
    expect(Buffer.from(codec.encode(value))).toEqual(hex(bytes))
  })

  it("and by extensions with a length for what is not: a reader that knows none can go on behind them", () => {
    expect(codec.encode(undefined)).toEqual(hex("d4 00 00"))
    expect(codec.encode(new Set([1]))).toEqual(hex("c7 03 50 53 91 01"))
    expect(codec.encode(new Map([[1, 2]]))).toEqual(hex("c7 04 50 4d 92 01 02"))
    expect(codec.encode(5n)).toEqual(hex("d7 42 00 00 00 00 00 00 00 05"))
  })

  it("reads integers up to 2^53 as numbers, beyond as bigints", () => {
    expect(codec.decode(hex("cf 00 20 00 00 00 00 00 00"))).toBe(2 ** 53)
    expect(codec.decode(hex("cf 00 20 00 00 00 00 00 01"))).toBe(2n ** 53n + 1n)
    expect(codec.decode(hex("d3 ff df ff ff ff ff ff ff"))).toBe(-(2n ** 53n) - 1n)
  })

  it("reads keys that are numbers as text, and refuses others", () => {
    expect(codec.decode(hex("82 01 61 c3 02"))).toStrictEqual({ 1: 0x61, true: 2 })
    expect(codeOf(() => codec.decode(hex("81 c4 01 61 01")))).toBe("EDECODE")
    expect(codeOf(() => codec.decode(hex("81 90 01")))).toBe("EDECODE")
  })
})

describe("refuses to encode", () => {
  const endless = (): object => ({ toJSON: endless })
  const circle: unknown[] = []
  circle.push([circle])
  const bomb = Array.from({ length: 40 }).reduce<unknown>(inner => [inner, inner], "x")

  it.each<[string, unknown]>([
    ["a function", () => 1],
    ["a function in an object", { f() {} }],
    ["a symbol", [Symbol("s")]],
    ["a circle", circle],
    ["a Promise", { later: Promise.resolve() }],
    ["a WeakMap", new WeakMap()],
    ["a RegExp", /a/],
    ["shared memory", new SharedArrayBuffer(1)],
    ["__proto__ as a key", [JSON.parse('{"__proto__":{}}')]],
    ["a bigint that is too long", 2n ** 65536n],
    ["a billion holes", new Array(2 ** 30)],
    ["something shared so often that it is too much", bomb],
    ["a Map with a function", new Map([[1, () => 1]])],
    [
      "what throws when it is read",
      {
        get x() {
          throw new Error("no")
        },
      },
    ],
    ["a toJSON without an end", endless()],
  ])("%s", (_, value) => {
    const small = msgpack({ maxBytes: 1 << 20 })
    expect(codeOf(() => small.encode(value))).toBe("EENCODE")
    // And is as good as new.
    expect(small.decode(small.encode([1]))).toEqual([1])
  })

  it("what it would not read: too long, or too deep", () => {
    const small = msgpack({ maxBytes: 10, maxDepth: 2 })
    const nine = small.encode("x".repeat(9))
    expect(nine).toHaveLength(10)
    expect(small.decode(nine)).toBe("x".repeat(9))
    for (const long of ["x".repeat(10), Buffer.alloc(9), new Float64Array(2), [..."0123456789"], "é".repeat(5)]) {
      expect(codeOf(() => small.encode(long))).toBe("EENCODE")
    }
    for (const fits of [[[]], { a: {} }, new Map([[1, []]]), [new Set()]])
      expect(small.decode(small.encode(fits))).toEqual(fits)
    for (const deep of [
      [[[]]],
      { a: [{}] },
      new Map([[1, [[]]]]),
      [new Set([[]])],
      [[new Map()]],
      [[new Error("x")]],
    ]) {
      expect(codeOf(() => small.encode(deep))).toBe("EENCODE")
      expect(codeOf(() => small.decode(codec.encode(deep)))).toBe("EDECODE")
    }
  })
})

describe("shares no memory", () => {
  it("of what is decoded with what came", () => {
    const bytes = Buffer.from(
      codec.encode({ bytes: Buffer.alloc(50, 1), floats: new Float64Array([1]), map: new Map([[1, Buffer.of(7)]]) }),
    )
    const value = codec.decode(bytes) as { bytes: Buffer; floats: Float64Array; map: Map<number, Buffer> }
    bytes.fill(0)
    expect(value.bytes).toEqual(Buffer.alloc(50, 1))
    expect(value.floats).toEqual(new Float64Array([1]))
    expect(value.map.get(1)).toEqual(Buffer.of(7))
    expect(Object.keys(bytes)).not.toContain("dataView")
  })

  it.each([10, 10_000, 1_000_000])("of what is encoded with what is encoded next: %d bytes", size => {
    const first = codec.encode("a".repeat(size))
    const copy = Buffer.from(first)
    for (let i = 0; i < 50; i++) codec.encode("b".repeat(size))
    pack("c".repeat(size))
    expect(Buffer.from(first).equals(copy)).toBe(true)
  })

  it("nor keeps a long message's memory for short ones", () => {
    codec.encode("a".repeat(1 << 22))
    expect(codec.encode("a").buffer.byteLength).toBeLessThanOrEqual(65536)
  })
})
