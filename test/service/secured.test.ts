/** `socket: {…}` passes options on: a service behind CURVE, on both engines and for all who connect to it. */
import { describe, expect, it } from "vitest"
import { curveKeyPair } from "../../patterns/index.js"
import { stage } from "./stage.js"

describe.each([
  ["peerlane", "peerlane"],
  ["peerlane", "zeromq"],
  ["zeromq", "peerlane"],
] as const)("a service on %s behind CURVE, with clients on %s", (makers, callers) => {
  const { server, client } = stage(makers, callers)
  const served = { turn: (bytes: Uint8Array) => Buffer.from(bytes).reverse() }

  it("answers those who have its key, and nobody else, who is told that no server was there", async () => {
    const [own, known] = [curveKeyPair(), curveKeyPair()]
    const made = await server(served, { socket: { curveServer: true, curveSecretKey: own.secretKey } })
    const keys = { curvePublicKey: known.publicKey, curveSecretKey: known.secretKey, curveServerKey: own.publicKey }
    const api = client<typeof served>(made, { socket: keys })
    expect(await api.turn(Buffer.from("abc"))).toEqual(Buffer.from("cba"))
    const large = Buffer.alloc(600_000, "0123456789")
    expect((await api.turn(large)).equals(Buffer.from(large).reverse())).toBe(true)
    await expect(client<typeof served>(made).turn(Buffer.from("abc"), { timeout: 200 })).rejects.toMatchObject({
      code: "ETIMEDOUT",
      message: `turn found no server in 200 ms that could take it: ${made.lastEndpoint} is not there`,
    })
    expect(made.stats().clients).toBe(1)
  })
})
