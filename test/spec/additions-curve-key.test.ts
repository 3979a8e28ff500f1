/** curvePublicKey(), which the `zeromq` package lacks: the public key of a secret one, as libzmq's zmq_curve_public. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as libzmq from "zeromq"
import { curveKeyPair, curvePublicKey, ZmqError } from "../../patterns/index.js"
import { decodeZ85 } from "../../src/wire/z85.js"

/** The keys of libzmq's own tests, and of its documentation of CURVE. */
const known = [
  ["the server", "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"],
  ["the client", "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"],
] as const

describe("the public key", () => {
  it.each(known)("of %s in libzmq's tests", (_, publicKey, secretKey) => {
    expect(curvePublicKey(secretKey)).toBe(publicKey)
    expect(curvePublicKey(decodeZ85(secretKey))).toBe(publicKey)
    expect(curvePublicKey(Buffer.from(decodeZ85(secretKey)))).toBe(publicKey)
  })

  it.each([
    [
      "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
      "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    ],
    [
      "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
      "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    ],
  ])("of %s in RFC 7748, 6.1", (secret, expected) => {
    expect(Buffer.from(decodeZ85(curvePublicKey(Buffer.from(secret, "hex")))).toString("hex")).toBe(expected)
  })

  it("of a pair is the pair's, whoever made it", () => {
    for (let i = 0; i < 20; i++) {
      for (const { publicKey, secretKey } of [curveKeyPair(), libzmq.curveKeyPair()]) {
        expect(curvePublicKey(secretKey)).toBe(publicKey)
      }
    }
  })

  it("is there for any 32 bytes, which stay as they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), secret => {
        const before = Uint8Array.from(secret)
        expect(decodeZ85(curvePublicKey(secret))).toHaveLength(32)
        expect(secret).toEqual(before)
      }),
    )
  })
})

describe("what is no secret key", () => {
  const secretKey = known[0][2]

  it.each([
    ["nothing", "", /got 0/],
    ["35 characters", secretKey.slice(5), /got 35/],
    ["45 characters", `${secretKey}00000`, /got 45/],
    ["a final zero, as in C", `${secretKey}\0`, /got 41/],
    ["a foreign character", `~${secretKey.slice(1)}`, /character at 0/],
    ["too large a group", `${secretKey.slice(5)}#####`, /from 35 on/],
    ["31 bytes", new Uint8Array(31), /got 31/],
    ["33 bytes", new Uint8Array(33), /got 33/],
    ["its text as bytes", Buffer.from(secretKey), /got 40/],
  ])("%s is EINVAL", (_, key, why) => {
    const call = () => curvePublicKey(key)
    expect(call).toThrow(ZmqError)
    expect(call).toThrow(expect.objectContaining({ code: "EINVAL", message: expect.stringMatching(why) }))
  })

  it.each([undefined, null, 5, {}, [1, 2], new ArrayBuffer(32), new Uint16Array(32)])("%o is a TypeError", key => {
    expect(() => curvePublicKey(key as string)).toThrow(TypeError)
  })

  it("no error shows it", () => {
    for (const key of [secretKey.slice(1), `~${secretKey.slice(1)}`]) {
      expect(() => curvePublicKey(key)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining(secretKey.slice(1, 11)) }),
      )
    }
  })
})
