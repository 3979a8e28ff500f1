/** JSON: what comes back, what is refused rather than written as something else, and what never reaches the parser. */
import fc from "fast-check"
import { json, raw } from "peerlane/codec"
import { describe, expect, it, vi } from "vitest"
import { anyJson, codeOf } from "./values.js"

const codec = json()
const textOf = (value: unknown) => String(codec.encode(value))
const read = (text: string) => codec.decode(Buffer.from(text))

describe("json", () => {
  it("is what JSON.stringify writes, and comes back", () => {
    fc.assert(
      fc.property(anyJson, value => {
        expect(textOf(value)).toBe(JSON.stringify(value))
        expect(codec.decode(codec.encode(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it("writes a Date as text, leaves undefined properties out, and follows toJSON", () => {
    const value = { at: new Date(0), gone: undefined, url: new URL("http://a/"), name: "é\ud800" }
    expect(textOf(value)).toBe('{"at":"1970-01-01T00:00:00.000Z","url":"http://a/","name":"é\\ud800"}')
  })

  const circle: Record<string, unknown> = {}
  circle.self = { circle }
  it.each<[string, unknown]>([
    ["a bigint", { id: 1n }],
    ["NaN", [Number.NaN]],
    ["Infinity", -Infinity],
    ["undefined", undefined],
    ["undefined in an array", [undefined]],
    ["a function", { f() {} }],
    ["a symbol", Symbol("s")],
    ["a Map", { m: new Map() }],
    ["a Set", new Set()],
    ["an Error", new Error("e")],
    ["a Buffer", Buffer.of(1)],
    ["a typed array", [new Float32Array(1)]],
    ["an ArrayBuffer", new ArrayBuffer(1)],
    ["an invalid Date", new Date(Number.NaN)],
    ["a Promise", Promise.resolve(1)],
    ["a circle", circle],
    ["__proto__ as a key", JSON.parse('{"__proto__":1}')],
    ["too many levels", JSON.parse("[".repeat(65) + "]".repeat(65))],
  ])("refuses to write %s", (_, value) => {
    expect(codeOf(() => codec.encode(value))).toBe("EENCODE")
  })

  it("says what to do with a bigint", () => {
    expect(() => codec.encode(1n)).toThrow(/bigint .* msgpack\(\)/)
  })

  it.each([
    ["nothing", ""],
    ["half a value", '{"a":'],
    ["two values", "1 2"],
    ["text that ends in an escape, as long as __proto__ with it", '"1234567\\'],
    ["a byte order mark", "\ufeff1"],
    ["NaN, as Python writes it", "NaN"],
    ["__proto__ as a key", '[{"__proto__":1}]'],
    ["__proto__ as a key, with space behind", '{"__proto__" \n\t\r: 1}'],
    ["__proto__ as a key, written otherwise", '{"\\u005f_pr\\u006Fto_\\u005f":1}'],
    ["__proto__ all in escapes", `{"${[..."__proto__"].map(c => `\\u00${c.charCodeAt(0).toString(16)}`).join("")}":1}`],
  ])("refuses to read %s", (_, text) => {
    expect(codeOf(() => read(text))).toBe("EDECODE")
  })

  it("refuses text that is not UTF-8, with its bytes", () => {
    const bytes = Buffer.from([0x22, 0xff, 0x22])
    expect(() => codec.decode(bytes)).toThrow(expect.objectContaining({ code: "EDECODE", bytes }))
  })

  it("reads __proto__ where it is no key, brackets in text, and other odd keys", () => {
    expect(read('["__proto__","[[[{{{","\\\\","\\"[",{"constructor":1,"__proto_":2}]')).toEqual([
      "__proto__",
      "[[[{{{",
      "\\",
      '"[',
      { constructor: 1, __proto_: 2 },
    ])
    expect(read(JSON.stringify(["[".repeat(1000)]))).toEqual(["[".repeat(1000)])
  })

  it("looks at limits before the parser sees anything", () => {
    const parse = vi.spyOn(JSON, "parse")
    try {
      const small = json({ maxBytes: 10, maxDepth: 2 })
      expect(codeOf(() => small.decode(Buffer.from("[[[]]]")))).toBe("EDECODE")
      expect(codeOf(() => small.decode(Buffer.from('"123456789"')))).toBe("EDECODE")
      expect(codeOf(() => codec.decode(Buffer.alloc(1 << 20, "[")))).toBe("EDECODE")
      expect(parse).not.toHaveBeenCalled()
      expect(small.decode(Buffer.from("[[1],[2]]"))).toEqual([[1], [2]])
      expect(codeOf(() => small.encode("123456789"))).toBe("EENCODE")
      expect(codeOf(() => small.encode("ééééé"))).toBe("EENCODE")
    } finally {
      parse.mockRestore()
    }
  })

  it("any bytes are a value or EDECODE", () => {
    const pieces = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      '"',
      "\\",
      ":",
      ",",
      "1",
      "a",
      "__proto__",
      "\\u005f",
      " ",
      "null",
    )
    const likely = fc.array(pieces, { maxLength: 20 }).map(parts => Buffer.from(parts.join("")))
    fc.assert(
      fc.property(fc.oneof(likely, fc.uint8Array()), bytes => {
        expect(["none", "EDECODE"]).toContain(codeOf(() => codec.decode(bytes)))
      }),
      { numRuns: 3000 },
    )
  })
})

describe("raw", () => {
  it("is the bytes themselves", () => {
    const bytes = Uint8Array.of(1, 2)
    expect(raw.name).toBe("raw")
    expect(raw.encode(bytes)).toBe(bytes)
    expect(raw.decode(bytes)).toBe(bytes)
    expect(codeOf(() => raw.encode("text" as unknown as Uint8Array))).toBe("EENCODE")
  })
})
