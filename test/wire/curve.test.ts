/**
 * CURVE (25/ZMTP-CURVE, 26/CURVEZMQ) as two engines on real boxes: the layout of each command, what becomes of one that was altered,
 * cut, repeated or sent by the wrong side, and which keys are wiped in the end. Codes are those of libzmq.
 */
import { describe, expect, it } from "vitest"
import { ZmqError } from "../../src/errors.js"
import { decodeProperties } from "../../src/wire/command.js"
import type { KeyPair } from "../../src/wire/curve.js"
import { type Boxes, sealed } from "../../src/wire/curve-boxes.js"
import { curveClient } from "../../src/wire/curve-client.js"
import { curveServer } from "../../src/wire/curve-server.js"
import type { Ask, Credentials, Verdict } from "../../src/wire/mechanism.js"
import { Fixed, LateLoader, libraries, libraryNames, loaded, newKeys } from "../support/curve.js"
import { concat, End, engineOptions, toHex } from "../support/link.js"
import { bodyOf, flipped, Wire, withBody } from "../support/wire.js"
import { hex } from "./hex.js"

const server = newKeys()
const client = newKeys()
const HELLO = 0
const WELCOME = 1
const INITIATE = 2
const READY = 3
const COMMANDS = ["HELLO", "WELCOME", "INITIATE", "READY"] as const
const DONE = { client: ["ready DEALER id= minor=1"], server: ["ready DEALER id= minor=1"] }
const ZERO = new Uint8Array(32)

const welcomed: Verdict = { status: 200, userId: hex("'me'"), metadata: new Map([["Hello", hex("'World'")]]) }

function clientOptions(boxes: Boxes, keys: KeyPair = client, serverKey: Uint8Array = server.publicKey, changes = {}) {
  return engineOptions("DEALER", { mechanism: curveClient(loaded(boxes), keys, serverKey), ...changes })
}

function serverOptions(boxes: Boxes, secretKey: Uint8Array = server.secretKey, changes = {}) {
  return engineOptions("DEALER", { mechanism: curveServer(loaded(boxes), secretKey), ...changes })
}

function wireOf(boxes: Boxes, askServer: Ask | null = null): Wire {
  return new Wire(clientOptions(boxes), serverOptions(boxes), { askServer })
}

const events = ({ client, server }: Wire) => ({ client: client.events, server: server.events })
const native = libraries["sodium-native"]

describe("boxes", () => {
  it("of both libraries are the same: keys in common, and what is sealed and opened", () => {
    const [one, other] = libraryNames.map(name => libraries[name]) as [Boxes, Boxes]
    for (let round = 0; round < 50; round++) {
      const [left, right] = [newKeys(), newKeys()]
      const key = one.sharedKey(left.publicKey, right.secretKey)!
      expect(toHex(other.sharedKey(left.publicKey, right.secretKey)!)).toBe(toHex(key))
      expect(toHex(other.sharedKey(right.publicKey, left.secretKey)!)).toBe(toHex(key))
      const plain = one.random(round * 7)
      const nonce = one.random(24)
      const boxOf = (boxes: Boxes) => sealed(boxes, plain, nonce, key)
      expect(toHex(boxOf(other))).toBe(toHex(boxOf(one)))
      for (const boxes of [one, other]) {
        expect(toHex(boxes.open(boxOf(one), nonce, key)!)).toBe(toHex(plain))
        const altered = boxOf(one)
        altered[round % altered.length]! ^= 1
        expect(boxes.open(altered, nonce, key)).toBeNull()
      }
    }
  })

  for (const name of libraryNames) {
    it(`${name}: NaCl's own vector ("Cryptography in NaCl", 8 and 10)`, () => {
      const boxes = libraries[name]
      const secret = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
      const publicKey = hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
      const key = boxes.sharedKey(publicKey, secret)!
      expect(toHex(key)).toBe("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389")
      const nonce = hex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37")
      const plain = hex(
        "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c6129",
      )
      const box = sealed(boxes, plain, nonce, key)
      // Bytes behind the tag are the stream's, so that a shorter text gives the beginning of the vector's.
      expect(toHex(box.subarray(16))).toBe(
        "8e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c972",
      )
    })

    it(`${name}: a public key that is none has no key in common`, () => {
      expect(libraries[name].sharedKey(ZERO, server.secretKey)).toBeNull()
    })

    it(`${name}: what is too short to be a box does not open`, () => {
      const boxes = libraries[name]
      for (let size = 0; size <= 16; size++)
        expect(boxes.open(new Uint8Array(size), new Uint8Array(24), ZERO)).toBeNull()
    })
  }
})

/** What an answer to HELLO, WELCOME and so on is when this byte of it was altered; null: it has no meaning (libzmq). */
function expectedCode(command: number, byte: number): RegExp | null {
  if (byte < COMMANDS[command]!.length + 1) return /UNEXPECTED_COMMAND/
  if (command === HELLO && byte < 8) return /MALFORMED_COMMAND_HELLO/
  if (command === HELLO && byte < 80) return null
  // The highest bit of a key has no meaning, but it is kept as it came: what is vouched for is another one.
  if (command === HELLO && byte === 111) return /CRYPTOGRAPHIC|KEY_EXCHANGE/
  return /CRYPTOGRAPHIC/
}

describe.each(libraryNames)("a handshake by %s", library => {
  const boxes = libraries[library]

  it("comes to an end on both sides, with the sizes and fields of 26/CURVEZMQ", () => {
    const wire = wireOf(boxes).settle()
    expect(events(wire)).toEqual(DONE)
    expect(wire.said.map(({ from, frame }) => [from, frame[0]! & ~2])).toEqual([
      ["client", 4],
      ["server", 4],
      ["client", 4],
      ["server", 4],
    ])
    const properties = 29 + 13 // Socket-Type DEALER, an empty Identity: 4 + 1 + 11 + 6 and so on
    const [hello, welcome, initiate, ready] = [0, 1, 2, 3].map(number => wire.body(number)) as Uint8Array[]
    expect(hello).toHaveLength(200)
    expect(welcome).toHaveLength(168)
    expect(initiate!.length - 257).toBe(ready!.length - 30)
    expect(initiate!.length - 257).toBeLessThan(properties)
    expect(toHex(hello!.subarray(0, 80))).toBe(toHex(hex("05 'HELLO' 01 00 00*72")))
    expect(toHex(hello!.subarray(112, 120))).toBe("0000000000000001")
    expect(toHex(welcome!.subarray(0, 8))).toBe(toHex(hex("07 'WELCOME'")))
    expect(toHex(initiate!.subarray(0, 9))).toBe(toHex(hex("08 'INITIATE'")))
    expect(toHex(initiate!.subarray(105, 113))).toBe("0000000000000002")
    expect(toHex(ready!.subarray(0, 14))).toBe(toHex(hex("05 'READY' 0000000000000001")))
  })

  it("its boxes hold what 26/CURVEZMQ says, with its nonces", () => {
    const pairs = [newKeys(), newKeys()] as const
    const fixed = new Fixed(boxes, pairs)
    const wire = wireOf(fixed).settle()
    expect(events(wire)).toEqual(DONE)
    const [ours, theirs] = pairs
    const [hello, welcome, initiate, ready] = [0, 1, 2, 3].map(number => wire.body(number)) as Uint8Array[]
    const open = (box: Uint8Array, nonce: Uint8Array, publicKey: Uint8Array, secretKey: Uint8Array) =>
      boxes.open(box, nonce, boxes.sharedKey(publicKey, secretKey)!)!
    const nonceOf = (prefix: string, bytes: Uint8Array) => concat([hex(`'${prefix}'`), bytes])

    expect(toHex(hello!.subarray(80, 112))).toBe(toHex(ours.publicKey))
    const signed = open(
      hello!.subarray(120),
      nonceOf("CurveZMQHELLO---", hello!.subarray(112, 120)),
      ours.publicKey,
      server.secretKey,
    )
    expect(toHex(signed)).toBe("00".repeat(64))

    const nonce = nonceOf("WELCOME-", welcome!.subarray(8, 24))
    const answer = open(welcome!.subarray(24), nonce, server.publicKey, ours.secretKey)
    expect(answer).toHaveLength(128)
    expect(toHex(answer.subarray(0, 32))).toBe(toHex(theirs.publicKey))
    const cookie = answer.subarray(32)
    expect(toHex(initiate!.subarray(9, 105))).toBe(toHex(cookie))

    const told = open(
      initiate!.subarray(113),
      nonceOf("CurveZMQINITIATE", initiate!.subarray(105, 113)),
      theirs.publicKey,
      ours.secretKey,
    )
    expect(toHex(told.subarray(0, 32))).toBe(toHex(client.publicKey))
    const vouch = open(
      told.subarray(48, 128),
      nonceOf("VOUCH---", told.subarray(32, 48)),
      theirs.publicKey,
      client.secretKey,
    )
    expect(toHex(vouch)).toBe(toHex(concat([ours.publicKey, server.publicKey])))
    const said = decodeProperties(told.subarray(128), "ERR_ZMTP_INVALID_METADATA")
    expect([...said].map(([name, value]) => [name, toHex(value)])).toEqual([
      ["Socket-Type", toHex(hex("'DEALER'"))],
      ["Identity", ""],
    ])
    const heard = open(
      ready!.subarray(14),
      nonceOf("CurveZMQREADY---", ready!.subarray(6, 14)),
      theirs.publicKey,
      ours.secretKey,
    )
    expect(toHex(heard)).toBe(toHex(told.subarray(128)))
  })

  for (const [command, name] of COMMANDS.entries()) {
    it(`${name} with any byte altered ends the connection with libzmq's code, on both sides at most once`, () => {
      const size = wireOf(boxes).settle().body(command).length
      for (let byte = 0; byte < size; byte++) {
        const wire = wireOf(boxes)
        wire.change = ({ number, frame }) => [number === command ? flipped(frame, byte, byte % 8) : frame]
        wire.settle()
        const receiver = command % 2 === 0 ? wire.server : wire.client
        const code = expectedCode(command, byte)
        if (code === null) expect(events(wire), `byte ${byte}`).toEqual(DONE)
        else {
          expect(receiver.events, `byte ${byte}`).toHaveLength(1)
          expect(receiver.events[0], `byte ${byte}`).toMatch(code)
        }
      }
    })

    it(`${name} cut short, or with a byte too many, ends the connection`, () => {
      const size = wireOf(boxes).settle().body(command).length
      for (let cut = 0; cut <= size + 1; cut++) {
        if (cut === size) continue
        const wire = wireOf(boxes)
        wire.change = ({ number, frame }) => {
          if (number !== command) return [frame]
          return [withBody(frame, concat([bodyOf(frame), Uint8Array.of(0)]).subarray(0, cut))]
        }
        wire.settle()
        const receiver = command % 2 === 0 ? wire.server : wire.client
        const least = command === INITIATE ? 257 : command === READY ? 30 : size
        const code =
          cut < name.length + 1
            ? "UNEXPECTED_COMMAND"
            : cut < least || command < INITIATE
              ? `MALFORMED_COMMAND_${name}`
              : "CRYPTOGRAPHIC"
        expect(receiver.events, `${cut} bytes`).toEqual([`fault ERR_ZMTP_${code}`])
      }
    })

    it(`${name} that stops in the middle is waited for until the handshake's time is up`, () => {
      const size = wireOf(boxes).settle().said[command]!.frame.length
      for (let cut = 0; cut < size; cut += 13) {
        const wire = wireOf(boxes)
        wire.change = ({ number, frame }) => [number === command ? frame.subarray(0, cut) : frame]
        wire.settle()
        const receiver = command % 2 === 0 ? wire.server : wire.client
        expect(receiver.events, `${cut} bytes`).toEqual([])
        receiver.engine.handleTimeout(receiver.engine.nextTimeout())
        expect(receiver.events).toEqual(["fault ETIMEDOUT"])
      }
    })

    it(`${name} twice ends the connection`, () => {
      const wire = wireOf(boxes)
      wire.change = ({ number, frame }) => (number === command ? [frame, frame] : [frame])
      wire.settle()
      const receiver = command % 2 === 0 ? wire.server : wire.client
      expect(receiver.faults.map(fault => (fault as { code?: string }).code)).toEqual(["ERR_ZMTP_UNEXPECTED_COMMAND"])
    })

    it(`${name} of another connection ends this one`, () => {
      const other = wireOf(boxes).settle()
      const wire = wireOf(boxes)
      wire.change = ({ number, frame }) => [number === command ? other.said[command]!.frame : frame]
      wire.settle()
      const all = [...wire.server.faults, ...wire.client.faults].map(fault => (fault as { code?: string }).code)
      // A HELLO can be repeated by anybody, and then be gone no further with: the WELCOME is for who made it.
      expect(all).toEqual(["ERR_ZMTP_CRYPTOGRAPHIC"])
      expect([...wire.client.events, ...wire.server.events].filter(event => event.startsWith("ready"))).toHaveLength(
        command === READY ? 1 : 0,
      )
    })

    it(`${name} in the place of any other command is unexpected`, () => {
      const other = wireOf(boxes).settle()
      for (let place = 0; place < 4; place++) {
        if (place === command) continue
        const wire = wireOf(boxes)
        wire.change = ({ number, frame }) => [number === place ? other.said[command]!.frame : frame]
        wire.settle()
        const receiver = place % 2 === 0 ? wire.server : wire.client
        expect(receiver.events, `in place of ${COMMANDS[place]}`).toEqual(["fault ERR_ZMTP_UNEXPECTED_COMMAND"])
      }
    })
  }

  it("goes on when its bytes come one by one", () => {
    const wire = wireOf(boxes)
    wire.change = ({ frame }) => Array.from(frame, byte => Uint8Array.of(byte))
    expect(events(wire.settle())).toEqual(DONE)
  })
})

describe("the wrong side", () => {
  it("two clients: each has the other's HELLO for no answer", () => {
    const wire = new Wire(clientOptions(native), clientOptions(native)).settle()
    expect(wire.client.events).toEqual(["fault ERR_ZMTP_UNEXPECTED_COMMAND"])
    expect(wire.server.events).toEqual(["fault ERR_ZMTP_UNEXPECTED_COMMAND"])
  })

  it("two servers wait for each other until their time is up", () => {
    const wire = new Wire(serverOptions(native), serverOptions(native)).settle()
    expect(events(wire)).toEqual({ client: [], server: [] })
    for (const end of [wire.client, wire.server]) end.engine.handleTimeout(30_000)
    expect(events(wire)).toEqual({ client: ["fault ETIMEDOUT"], server: ["fault ETIMEDOUT"] })
  })

  it("a message in place of any command is unexpected", () => {
    for (let place = 0; place < 4; place++) {
      const wire = wireOf(native)
      wire.change = ({ number, frame }) => [number === place ? hex("00 01 41") : frame]
      wire.settle()
      const receiver = place % 2 === 0 ? wire.server : wire.client
      expect(receiver.events).toEqual(["fault ERR_ZMTP_UNEXPECTED_COMMAND"])
    }
  })

  it("ERROR in place of a server's command is told with its status; a server knows none", () => {
    for (const place of [WELCOME, READY]) {
      const wire = wireOf(native)
      wire.change = ({ number, frame }) => [number === place ? hex("04 0A 05 'ERROR' 03 '400'") : frame]
      expect(wire.settle().client.events).toEqual(["fault 400"])
    }
  })
})

describe.each(libraryNames)("keys that are wrong, by %s", library => {
  const boxes = libraries[library]
  const cases: [string, Parameters<typeof clientOptions>[1], Uint8Array, string][] = [
    ["another server's key", client, newKeys().publicKey, "server"],
    ["a server's key of zeros", client, ZERO, "client"],
    [
      "own keys that do not belong together",
      { publicKey: newKeys().publicKey, secretKey: client.secretKey },
      server.publicKey,
      "server",
    ],
    ["an own public key of zeros", { publicKey: ZERO, secretKey: client.secretKey }, server.publicKey, "server"],
    ["an own secret key of zeros", { publicKey: client.publicKey, secretKey: ZERO }, server.publicKey, "server"],
  ]
  it.each(cases)("%s", (_, keys, serverKey, side) => {
    const asked: Credentials[] = []
    const wire = new Wire(clientOptions(boxes, keys, serverKey), serverOptions(boxes), {
      askServer: credentials => asked.push(credentials),
    }).settle()
    expect(events(wire)).toEqual({ client: [], server: [], [side]: ["fault ERR_ZMTP_CRYPTOGRAPHIC"] })
    expect(asked).toEqual([])
  })

  it("a transient key of the peer that is none ends the connection", () => {
    const wire = wireOf(boxes)
    wire.change = ({ number, frame }) => {
      if (number !== HELLO) return [frame]
      const body = bodyOf(frame).slice()
      body.fill(0, 80, 112)
      return [withBody(frame, body)]
    }
    expect(wire.settle().server.events).toEqual(["fault ERR_ZMTP_CRYPTOGRAPHIC"])
  })
})

describe("boxes that have to be loaded", () => {
  it("are waited for by both sides, and what comes meanwhile is kept", () => {
    const [here, there] = [new LateLoader(), new LateLoader()]
    const wire = new Wire(
      engineOptions("DEALER", { mechanism: curveClient(here, client, server.publicKey) }),
      engineOptions("DEALER", { mechanism: curveServer(there, server.secretKey) }),
    ).settle()
    expect(wire.said).toEqual([])
    here.arrive(native)
    wire.settle()
    expect(wire.said).toHaveLength(1)
    expect(events(wire)).toEqual({ client: [], server: [] })
    there.arrive(native)
    expect(events(wire.settle())).toEqual(DONE)
  })

  it("that cannot be loaded end the connection with why", () => {
    const loader = new LateLoader()
    const end = new End(engineOptions("DEALER", { mechanism: curveServer(loader, server.secretKey) }))
    end.engine.start(0)
    end.receive(hex("FF 00*7 01 7F 03 01 'CURVE' 00*15 00 00*31"))
    loader.fail(new ZmqError("ENOTSUP", { detail: "npm install libsodium-wrappers" }))
    expect(end.events).toEqual(["fault ENOTSUP"])
    expect(end.faults[0]!.message).toContain("npm install")
  })

  it("that come after the end change nothing", () => {
    const loader = new LateLoader()
    const end = new End(engineOptions("DEALER", { mechanism: curveClient(loader, client, server.publicKey) }))
    end.engine.start(0)
    end.receive(hex("FF 00*7 01 7F 03 01 'CURVE' 00*15 00 00*31"))
    end.engine.end()
    end.output()
    loader.arrive(native)
    expect(end.events).toEqual([])
    expect(end.output()).toHaveLength(0)
  })

  it("a server that does not wait is refused: before HELLO could be said no command is due, and READY has no key yet", () => {
    for (const early of ["05 'READY' 0000000000000001 00*40", "07 'WELCOME' 00*160", "05 'ERROR' 03 '400'"]) {
      const loader = new LateLoader()
      const end = new End(engineOptions("DEALER", { mechanism: curveClient(loader, client, server.publicKey) }))
      end.engine.start(0)
      end.receive(hex("FF 00*7 01 7F 03 01 'CURVE' 00*15 00 00*31"))
      const body = hex(early)
      end.receive(concat([Uint8Array.of(4, body.length), body]))
      expect(end.events).toEqual([])
      loader.arrive(native)
      expect(end.events).toEqual(["fault ERR_ZMTP_UNEXPECTED_COMMAND"])
    }
  })

  it("a second command before they are there is one too many", () => {
    const loader = new LateLoader()
    const end = new End(engineOptions("DEALER", { mechanism: curveServer(loader, server.secretKey) }))
    end.engine.start(0)
    end.receive(hex("FF 00*7 01 7F 03 01 'CURVE' 00*15 00 00*31 04 06 05 'HELLO' 04 06 05 'HELLO'"))
    expect(end.events).toEqual(["fault ERR_ZMTP_UNEXPECTED_COMMAND"])
  })
})

describe("an authenticator", () => {
  it("is asked once, about the client's long-term key, and its word goes with the peer", () => {
    const asked: Credentials[] = []
    const wire = wireOf(native, (credentials, answer) => {
      asked.push(credentials)
      answer(welcomed, 0)
    }).settle()
    expect(events(wire)).toEqual(DONE)
    expect(asked).toEqual([{ mechanism: "CURVE", credentials: [expect.any(Uint8Array)] }])
    expect(toHex(asked[0]!.credentials[0]!)).toBe(toHex(client.publicKey))
    expect(toHex(wire.server.peer!.userId)).toBe(toHex(welcomed.userId))
    expect([...wire.server.peer!.vouched!.keys()]).toEqual(["Hello"])
  })

  it("that answers later, and twice, is heard once", () => {
    let answers: Parameters<Ask>[1] | undefined
    const wire = wireOf(native, (_, answer) => {
      answers = answer
    }).settle()
    expect(events(wire)).toEqual({ client: [], server: [] })
    answers!(welcomed, 5)
    answers!({ ...welcomed, status: 400 }, 6)
    expect(events(wire.settle())).toEqual(DONE)
  })

  for (const status of [400, 500] as const) {
    it(`that refuses with ${status}: both sides hear it`, () => {
      const wire = wireOf(native, (_, answer) => answer({ ...welcomed, status }, 0)).settle()
      expect(events(wire)).toEqual({ client: [`fault ${status}`], server: [`fault ${status}`] })
      expect(toHex(wire.said[3]!.frame)).toBe(toHex(hex(`04 0A 05 'ERROR' 03 '${status}'`)))
    })
  }

  it("that refuses for now (300): the peer is told nothing, and waits", () => {
    const wire = wireOf(native, (_, answer) => answer({ ...welcomed, status: 300 }, 0)).settle()
    expect(events(wire)).toEqual({ client: [], server: ["deferred 300"] })
  })

  it("that answers when the connection is over is not heard", () => {
    let answers: Parameters<Ask>[1] | undefined
    const wire = wireOf(native, (_, answer) => {
      answers = answer
    }).settle()
    wire.server.receive(hex("00 01 41"))
    wire.server.engine.end()
    answers!(welcomed, 5)
    expect(wire.server.events).toEqual(["fault ERR_ZMTP_UNEXPECTED_COMMAND"])
    expect(wire.server.output()).toHaveLength(0)
  })
})

describe("keys", () => {
  for (const upTo of [1, 2, 3, 4]) {
    it(`that were made for the connection are wiped when it ends after ${COMMANDS[upTo - 1]}; the long-term ones are not`, () => {
      const pairs = [newKeys(), newKeys()]
      const sides = [new Fixed(native, [pairs[0]!]), new Fixed(native, [pairs[1]!])] as const
      const wire = new Wire(clientOptions(sides[0]), serverOptions(sides[1]))
      wire.change = ({ number, frame }) => (number < upTo ? [frame] : [])
      wire.settle()
      if (upTo === 4) {
        wire.client.engine.encode([hex("'secret'")])
        wire.settle()
      }
      wire.client.engine.end()
      wire.server.engine.end()
      for (const key of sides.flatMap(({ made }) => made)) expect(toHex(key)).toBe("00".repeat(32))
      expect(server.secretKey.some(byte => byte !== 0)).toBe(true)
      expect(client.secretKey.some(byte => byte !== 0)).toBe(true)
    })
  }

  it("of a connection are its own: two have no byte of a public one in common", () => {
    const [one, other] = [wireOf(native).settle(), wireOf(native).settle()]
    expect(toHex(one.body(HELLO).subarray(80, 112))).not.toBe(toHex(other.body(HELLO).subarray(80, 112)))
    expect(toHex(one.body(WELCOME).subarray(8))).not.toBe(toHex(other.body(WELCOME).subarray(8)))
  })
})

it("both libraries say the same bytes with the same keys and nonces", () => {
  const pairs = [newKeys(), newKeys()]
  const said = libraryNames.map(name => {
    const wire = wireOf(new Fixed(libraries[name], pairs)).settle()
    wire.client.engine.encode([hex("'one'"), new Uint8Array(0), new Uint8Array(70_000)])
    wire.server.engine.encode([hex("'two'")])
    return wire.settle().said.map(({ frame }) => toHex(frame))
  })
  expect(said[0]).toEqual(said[1])
  expect(said[0]).toHaveLength(8)
})
