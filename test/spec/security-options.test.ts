/** The options of PLAIN and CURVE as libzmq has them: which values are taken, and which option chooses the mechanism. */
import { describe, expect, it } from "vitest"
import { engine, zmq } from "../support/engine.js"
import { failsWith, ownSockets } from "../support/sockets.js"

const own = ownSockets()
const { publicKey, secretKey } = zmq.curveKeyPair()
const KEYS = ["curvePublicKey", "curveSecretKey", "curveServerKey"] as const

type Setting = readonly [option: string, value: unknown]

function after(...settings: Setting[]) {
  const socket = own(new zmq.Dealer())
  for (const [option, value] of settings) Object.assign(socket, { [option]: value })
  return { mechanism: socket.securityMechanism, plain: socket.plainServer, curve: socket.curveServer }
}

const NULL = { mechanism: null, plain: false, curve: false }
const PLAIN_CLIENT = { ...NULL, mechanism: "plain" }
const PLAIN_SERVER = { ...PLAIN_CLIENT, plain: true }
const CURVE_CLIENT = { ...NULL, mechanism: "curve" }
const CURVE_SERVER = { ...CURVE_CLIENT, curve: true }

describe("the option that is set last chooses the mechanism", () => {
  it.each<[string, typeof CURVE_SERVER | Record<string, unknown>, Setting[]]>([
    ["nothing", NULL, []],
    ["PLAIN's server", PLAIN_SERVER, [["plainServer", true]]],
    [
      "PLAIN's server, taken back",
      NULL,
      [
        ["plainServer", true],
        ["plainServer", false],
      ],
    ],
    ["a user name", PLAIN_CLIENT, [["plainUsername", "u"]]],
    ["a password", PLAIN_CLIENT, [["plainPassword", "p"]]],
    [
      "a user name, and no server",
      NULL,
      [
        ["plainUsername", "u"],
        ["plainServer", false],
      ],
    ],
    [
      "a user name, taken back",
      NULL,
      [
        ["plainUsername", "u"],
        ["plainUsername", null],
      ],
    ],
    [
      "PLAIN's server, then a user name",
      PLAIN_CLIENT,
      [
        ["plainServer", true],
        ["plainUsername", "u"],
      ],
    ],
    ["CURVE's server", CURVE_SERVER, [["curveServer", true]]],
    [
      "CURVE's server, taken back",
      NULL,
      [
        ["curveServer", true],
        ["curveServer", false],
      ],
    ],
    ["a secret key", CURVE_CLIENT, [["curveSecretKey", secretKey]]],
    [
      "a server's key, then a user name",
      PLAIN_CLIENT,
      [
        ["curveServerKey", publicKey],
        ["plainUsername", "u"],
      ],
    ],
    [
      "PLAIN's server, then a secret key",
      CURVE_SERVER,
      [
        ["plainServer", true],
        ["curveSecretKey", secretKey],
      ],
    ],
    [
      "CURVE's server, then a server's key",
      CURVE_CLIENT,
      [
        ["curveServer", true],
        ["curveServerKey", publicKey],
      ],
    ],
    [
      "CURVE's server, then an own key",
      CURVE_SERVER,
      [
        ["curveServer", true],
        ["curvePublicKey", publicKey],
      ],
    ],
    [
      "CURVE's server, then not PLAIN's",
      NULL,
      [
        ["curveServer", true],
        ["plainServer", false],
      ],
    ],
  ])("%s", (_, expected, settings) => expect(after(...settings)).toEqual(expected))
})

describe.each(KEYS)("%s", option => {
  const set = (value: unknown) => () => {
    const socket = own(new zmq.Dealer())
    Object.assign(socket, { [option]: value })
    return socket
  }

  it("takes 32 bytes, 40 characters, and 41 with a zero at their end", () => {
    const values = [
      Buffer.alloc(32, 7),
      publicKey,
      `${publicKey}\0`,
      Buffer.from(publicKey),
      Buffer.from(`${publicKey}\0`),
    ]
    for (const value of values) expect(set(value)().securityMechanism).toBe("curve")
  })

  it("is EINVAL for any other length, or characters that are not of Z85", async () => {
    for (const value of ["x", "", publicKey.slice(1), `${publicKey}0`, Buffer.alloc(31), Buffer.alloc(33), null]) {
      await failsWith("EINVAL", set(value))
    }
    for (const value of ["#".repeat(40), `${"a".repeat(39)}~`]) await failsWith("EINVAL", set(value))
  })

  it("is a TypeError for what is neither text nor bytes", () => {
    expect(set(42)).toThrow(TypeError)
  })

  it.skipIf(engine === "zeromq")("reads as text; the zeromq package cannot read it (EINVAL)", () => {
    expect((set(Buffer.from(publicKey))() as unknown as Record<string, unknown>)[option]).toBe(publicKey)
  })
})

it("an empty user name or password is EINVAL, and no way back to NULL", async () => {
  for (const option of ["plainUsername", "plainPassword"]) {
    const socket = own(new zmq.Dealer({ plainUsername: "u" }))
    await failsWith("EINVAL", () => Object.assign(socket, { [option]: "" }))
    await failsWith("EINVAL", () => Object.assign(socket, { [option]: "x".repeat(256) }))
    Object.assign(socket, { [option]: "x".repeat(255) })
    expect(socket.securityMechanism).toBe("plain")
  }
})

describe.skipIf(engine === "zeromq")(
  "keys that are missing (libzmq goes on with zeros, and never meets anybody)",
  () => {
    it("are EINVAL at bind and connect, by name; no text shows a key", async () => {
      for (const options of [
        { curveServer: true },
        { curveServerKey: publicKey },
        { curveServerKey: publicKey, curveSecretKey: secretKey },
        { curvePublicKey: publicKey, curveSecretKey: secretKey },
      ]) {
        const socket = own(new zmq.Dealer(options))
        await failsWith("EINVAL", () => socket.bind("tcp://127.0.0.1:*"))
        await failsWith("EINVAL", () => socket.bindSync("tcp://127.0.0.1:*"))
        await failsWith("EINVAL", () => socket.connect("tcp://127.0.0.1:1"))
        try {
          socket.connect("tcp://127.0.0.1:1")
        } catch (error) {
          expect(String(error)).toMatch(/curve(Public|Secret|Server)Key/)
          expect(String(error)).not.toContain(secretKey)
        }
      }
    })
  },
)
