/** 32/Z85: the text of the RFC, of libzmq's test keys, of any bytes and back; and what is refused. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decodeZ85, encodeZ85 } from "../../src/wire/z85.js"
import { toHex } from "../support/link.js"
import { hex } from "./hex.js"

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"

const vectors: [string, string][] = [
  ["864FD26F B559F75B", "HelloWorld"],
  // The secret key of the server in libzmq's tests, as bytes in its documentation of CURVE.
  [
    "8E0BDD69 7628B91D 8F245587 EE95C5B0 4D48963F 79259877 B49CD906 3AEAD3B7",
    "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6",
  ],
  ["00*4", "00000"],
  ["00000001", "00001"],
  ["00000055", "00010"],
  ["80000000", "Fb/MH"],
  ["FF*4", "%nSc0"],
]

const group = fc.tuple(...Array.from({ length: 5 }, () => fc.integer({ min: 0, max: 84 })))
const numberOf = (digits: readonly number[]) => digits.reduce((number, digit) => number * 85n + BigInt(digit), 0n)
const textOf = (digits: readonly number[]) => digits.map(digit => DIGITS[digit]).join("")

describe("bytes and their text", () => {
  it.each(vectors)("%s is %s", (bytes, text) => {
    expect(encodeZ85(hex(bytes))).toBe(text)
    expect(toHex(decodeZ85(text))).toBe(toHex(hex(bytes)))
  })

  it("nothing is nothing", () => {
    expect(encodeZ85(new Uint8Array(0))).toBe("")
    expect(decodeZ85("")).toEqual(new Uint8Array(0))
  })

  it("any bytes come back", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 4, maxLength: 4 }), { maxLength: 20 }), groups => {
        const bytes = Uint8Array.from(groups.flatMap(four => [...four]))
        const text = encodeZ85(bytes)
        expect(text).toHaveLength((bytes.length / 4) * 5)
        expect([...text].filter(character => !DIGITS.includes(character))).toEqual([])
        expect(decodeZ85(text)).toEqual(bytes)
      }),
    )
  })

  it("takes and gives plain bytes: a part of a larger array, and memory of its own", () => {
    const around = hex("FF 864FD26F B559F75B FF")
    expect(encodeZ85(around.subarray(1, 9))).toBe("HelloWorld")
    const bytes = decodeZ85("HelloWorld")
    expect(bytes.constructor).toBe(Uint8Array)
    expect(bytes.buffer.byteLength).toBe(8)
  })
})

describe("the binary frame SHALL have a length that is divisible by 4 with no remainder", () => {
  it.each([1, 2, 3, 5, 31, 33])("%i bytes are EINVAL", length => {
    expect(() => encodeZ85(new Uint8Array(length))).toThrow(
      expect.objectContaining({ code: "EINVAL", message: expect.stringContaining(`got ${length}`) }),
    )
  })
})

describe("the string frame SHALL have a length that is divisible by 5 with no remainder", () => {
  it.each([1, 4, 6, 39, 41])("%i characters are EINVAL", length => {
    expect(() => decodeZ85("0".repeat(length))).toThrow(
      expect.objectContaining({ code: "EINVAL", message: expect.stringContaining(`got ${length}`) }),
    )
  })
})

describe("what is no text of bytes", () => {
  it("a character that is none of the 85 is EINVAL, and told by its place", () => {
    const foreign = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
      .filter(character => !DIGITS.includes(character))
      .concat("\u{161}", "\u{2030}", "\u{ff10}", "\u{1f600}")
    expect(foreign).toEqual(
      expect.arrayContaining([" ", '"', "'", ",", ";", "\\", "_", "`", "|", "~", "\0", "\n", "é"]),
    )
    for (const character of foreign) {
      const text = `Hello${character.padEnd(5, "0")}`
      expect(() => decodeZ85(text), character).toThrow(
        expect.objectContaining({ code: "EINVAL", message: "Invalid argument: the character at 5 is not one of Z85" }),
      )
    }
  })

  it("five digits above 2^32 - 1 are EINVAL, any others are four bytes", () => {
    for (const text of ["%nSc1", "%nSd0", "#####", "$0000"]) {
      expect(() => decodeZ85(`Hello${text}`), text).toThrow(
        expect.objectContaining({ code: "EINVAL", message: expect.stringContaining("from 5 on") }),
      )
    }
    fc.assert(
      fc.property(group, digits => {
        const number = numberOf(digits)
        if (number > 0xffffffffn) expect(() => decodeZ85(textOf(digits))).toThrow(/more than 32 bits/)
        else expect(toHex(decodeZ85(textOf(digits)))).toBe(number.toString(16).padStart(8, "0"))
      }),
    )
  })

  it("a text is what its bytes are written as, or refused: no two texts are the same bytes", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...DIGITS, "~", " "), minLength: 5, maxLength: 5 }), text => {
        let bytes: Uint8Array
        try {
          bytes = decodeZ85(text)
        } catch (error) {
          expect(error).toMatchObject({ code: "EINVAL" })
          return
        }
        expect(encodeZ85(bytes)).toBe(text)
      }),
    )
  })

  it("no error shows the text, which may be a secret", () => {
    for (const text of ["secret", "secr~", "#####"]) {
      expect(() => decodeZ85(text)).toThrow(expect.objectContaining({ message: expect.not.stringContaining(text) }))
    }
  })
})
