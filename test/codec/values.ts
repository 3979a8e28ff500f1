/** For the tests of codecs: values that can make the way there and back, as they come back; bytes; and codes of errors. */
import fc from "fast-check"
import { CodecError } from "peerlane/codec"
import { expect } from "vitest"

/** Text that UTF-8 can say. */
const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary", maxLength: 100 })).map(toWellFormed)
const key = text.filter(key => key !== "__proto__" && !key.startsWith("\ufeff"))

function toWellFormed(given: string): string {
  return Buffer.from(given).toString()
}

const typedArray = fc.oneof(
  fc.int8Array(),
  fc.uint8ClampedArray(),
  fc.int16Array(),
  fc.uint16Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
)

/** Any value that msgpack takes, as it comes back. */
export const anyValue = fc.letrec(tie => ({
  leaf: fc.oneof(
    text,
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.bigInt(),
    fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }),
    fc.date({ noInvalidDate: false }),
    fc.uint8Array().map(bytes => Buffer.from(bytes)),
    typedArray,
    fc.constantFrom(
      null,
      undefined,
      true,
      false,
      -0,
      NaN,
      Infinity,
      -Infinity,
      2 ** 53,
      2n ** 53n,
      -(2n ** 63n),
      2n ** 64n,
    ),
  ),
  error: fc
    .record({ message: text, code: fc.option(text, { nil: undefined }), cause: tie("value") })
    .map(({ message, code, cause }) =>
      Object.assign(new RangeError(message, { cause }), code === undefined ? {} : { code }),
    ),
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("leaf"),
    fc.array(tie("value")),
    fc.dictionary(key, tie("value"), { noNullPrototype: true }),
    fc.array(fc.tuple(tie("value"), tie("value"))).map(pairs => new Map(pairs)),
    fc.array(tie("value")).map(values => new Set(values)),
    tie("error"),
  ),
})).value

/** Any value of JSON; -0 is not one. */
export const anyJson = fc
  .jsonValue({ noUnicodeString: false })
  .filter(value => !JSON.stringify(value).includes("__proto__"))

export const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex")

/** The code of what `run` throws, which must be a CodecError. */
export function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(CodecError)
    return (error as CodecError).code
  }
  return "none"
}
