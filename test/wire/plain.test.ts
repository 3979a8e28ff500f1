/**
 * PLAIN (24/ZMTP-PLAIN), and NULL where somebody is asked (27/ZAP), as two engines: the bytes of each command, and what becomes of one
 * that was altered, cut, repeated, or sent by the wrong side. Codes are those of libzmq.
 */
import { describe, expect, it } from "vitest"
import type { Ask, Credentials, MechanismFactory, Verdict } from "../../src/wire/mechanism.js"
import { askingNullMechanism, nullMechanism } from "../../src/wire/null.js"
import { plainClient, plainServer } from "../../src/wire/plain.js"
import { concat, End, engineOptions, toHex } from "../support/link.js"
import { bodyOf, flipped, Wire, type WireOptions, withBody } from "../support/wire.js"
import { hex } from "./hex.js"
import { GREETING, readyOf } from "./split-law.js"

const bytes = (value: string) => new Uint8Array(Buffer.from(value))
const yes: Verdict = { status: 200, userId: bytes("me"), metadata: new Map([["Hello", bytes("World")]]) }
const no: Verdict = { ...yes, status: 400 }
const PLAIN = plainClient(bytes("admin"), bytes("secret"))
const COMMANDS = ["HELLO", "WELCOME", "INITIATE", "READY"] as const

/** Lets in whoever has the right name and password. */
const door: Ask = ({ credentials: [name, password] }, answer) =>
  answer(toHex(name!) === toHex(bytes("admin")) && toHex(password!) === toHex(bytes("secret")) ? yes : no, 0)

function wireOf(client: MechanismFactory, server: MechanismFactory, options: WireOptions = {}): Wire {
  return new Wire(engineOptions("PUSH", { mechanism: client }), engineOptions("PULL", { mechanism: server }), options)
}

const plain = () => wireOf(PLAIN, plainServer, { askServer: door })
const events = ({ client, server }: Wire) => ({ client: client.events, server: server.events })
const DONE = { client: ["ready PULL id= minor=1"], server: ["ready PUSH id= minor=1"] }
const receiverOf = (wire: Wire, command: number) => (command % 2 === 0 ? wire.server : wire.client)
const isReady = (event: string) => event.startsWith("ready")

describe("PLAIN", () => {
  it("says HELLO, WELCOME, INITIATE and READY, byte for byte", () => {
    const wire = plain().settle()
    expect(events(wire)).toEqual(DONE)
    const properties = (type: string) => `0B 'Socket-Type' 00000004 '${type}'`
    expect(wire.said.map(({ frame }) => toHex(frame))).toEqual(
      [
        "04 13 05 'HELLO' 05 'admin' 06 'secret'",
        "04 08 07 'WELCOME'",
        `04 1D 08 'INITIATE' ${properties("PUSH")}`,
        `04 1A 05 'READY' ${properties("PULL")}`,
      ].map(text => toHex(hex(text))),
    )
    wire.client.engine.encode([bytes("in clear")])
    wire.settle()
    expect(toHex(wire.said.at(-1)!.frame)).toBe(toHex(hex("00 08 'in clear'")))
  })

  it("asks about name and password, as copies, and tells the peer's name", () => {
    const asked: Credentials[] = []
    const wire = wireOf(PLAIN, plainServer, {
      askServer: (credentials, answer) => {
        asked.push(credentials)
        answer(yes, 0)
      },
    }).settle()
    expect(events(wire)).toEqual(DONE)
    expect(asked.map(({ mechanism, credentials }) => [mechanism, ...credentials.map(toHex)])).toEqual([
      ["PLAIN", toHex(bytes("admin")), toHex(bytes("secret"))],
    ])
    expect(toHex(wire.server.peer!.userId)).toBe(toHex(yes.userId))
    expect(wire.client.peer!.userId).toHaveLength(0)
  })

  it("takes names and passwords of 0 and 255 bytes", () => {
    for (const [name, password] of [
      [0, 0],
      [255, 255],
      [0, 255],
      [255, 0],
    ] as const) {
      const credentials: string[] = []
      const wire = wireOf(plainClient(new Uint8Array(name), new Uint8Array(password)), plainServer, {
        askServer: (asked, answer) => {
          credentials.push(...asked.credentials.map(toHex))
          answer(yes, 0)
        },
      }).settle()
      expect(events(wire)).toEqual(DONE)
      expect(credentials).toEqual(["00".repeat(name), "00".repeat(password)])
    }
  })

  for (const [command, name] of COMMANDS.entries()) {
    it(`${name} with any bit turned: refused, or another meaning, and one fault at most`, () => {
      const body = plain().settle().body(command)
      for (let at = 0; at < body.length * 8; at++) {
        const wire = plain()
        wire.change = ({ number, frame }) => [number === command ? flipped(frame, at >> 3, at % 8) : frame]
        wire.settle()
        const receiver = receiverOf(wire, command)
        if (at >> 3 < name.length + 1) {
          expect(receiver.events, `bit ${at}`).toEqual(["fault ERR_ZMTP_UNEXPECTED_COMMAND"])
        }
        if (command === 0) expect(wire.server.events.filter(isReady), `bit ${at}`).toEqual([])
        for (const end of [wire.client, wire.server]) expect(end.faults.length, `bit ${at}`).toBeLessThanOrEqual(1)
      }
    })

    it(`${name} cut short, or with a byte too many, is malformed`, () => {
      const size = plain().settle().body(command).length
      for (let cut = 0; cut <= size + 1; cut++) {
        if (cut === size) continue
        const wire = plain()
        wire.change = ({ number, frame }) => {
          if (number !== command) return [frame]
          return [withBody(frame, concat([bodyOf(frame), Uint8Array.of(1)]).subarray(0, cut))]
        }
        wire.settle()
        const isBare = command > 1 && cut === name.length + 1 // no properties at all
        if (isBare) expect(receiverOf(wire, command).faults, `${cut} bytes`).toEqual([])
        else {
          const code = cut < name.length + 1 ? "UNEXPECTED_COMMAND" : `MALFORMED_COMMAND_${name}`
          expect(receiverOf(wire, command).events, `${cut} bytes`).toEqual([`fault ERR_ZMTP_${code}`])
        }
      }
    })

    it(`${name} twice, or in the place of another command, is unexpected`, () => {
      const other = plain().settle().said[command]!.frame
      for (let place = 0; place < 4; place++) {
        const wire = plain()
        wire.change = ({ number, frame }) => {
          if (number !== place) return [frame]
          return place === command ? [frame, frame] : [other]
        }
        wire.settle()
        const codes = receiverOf(wire, place).faults.map(fault => (fault as { code?: string }).code)
        // Whoever has said and heard all ignores what comes late, as it does any unknown command (libzmq).
        if (place === command && command >= 2) expect(codes).toEqual([])
        else expect(codes, `in place of ${COMMANDS[place]}`).toEqual(["ERR_ZMTP_UNEXPECTED_COMMAND"])
      }
    })

    it(`${name} that stops in the middle is waited for until the handshake's time is up`, () => {
      const size = plain().settle().said[command]!.frame.length
      for (let cut = 0; cut < size; cut++) {
        const wire = plain()
        wire.change = ({ number, frame }) => [number === command ? frame.subarray(0, cut) : frame]
        wire.settle()
        const receiver = receiverOf(wire, command)
        expect(receiver.events, `${cut} bytes`).toEqual([])
        receiver.engine.handleTimeout(30_000)
        expect(receiver.events).toEqual(["fault ETIMEDOUT"])
      }
    })
  }

  for (const status of [400, 500] as const) {
    it(`refuses with ${status} in libzmq's words, which it knows as well as the RFC's`, () => {
      const wire = wireOf(PLAIN, plainServer, { askServer: (_, answer) => answer({ ...no, status }, 0) }).settle()
      expect(events(wire)).toEqual({ client: [`fault ${status}`], server: [`fault ${status}`] })
      expect(toHex(wire.said[1]!.frame)).toBe(toHex(hex(`04 09 5E 'RROR' 03 '${status}'`)))
      const other = plain()
      other.change = ({ number, frame }) => [number === 1 ? hex(`04 0A 05 'ERROR' 03 '${status}'`) : frame]
      expect(other.settle().client.events).toEqual([`fault ${status}`])
    })
  }

  it("an ERROR whose reason is cut off is malformed, in either form", () => {
    for (const error of [
      "04 09 05 'ERROR' 03 '40'",
      "04 08 5E 'RROR' 03 '40'",
      "04 06 05 'ERROR'",
      "04 05 5E 'RROR'",
    ]) {
      const wire = plain()
      wire.change = ({ number, frame }) => [number === 1 ? hex(error) : frame]
      expect(wire.settle().client.events).toEqual(["fault ERR_ZMTP_MALFORMED_COMMAND_ERROR"])
    }
  })

  it("refuses for now (300) in silence", () => {
    const wire = wireOf(PLAIN, plainServer, { askServer: (_, answer) => answer({ ...no, status: 300 }, 0) }).settle()
    expect(events(wire)).toEqual({ client: [], server: ["deferred 300"] })
  })

  it("lets nobody in where there is nobody to ask", () => {
    const wire = wireOf(PLAIN, plainServer).settle()
    expect(events(wire)).toEqual({ client: [], server: ["fault EFAULT"] })
  })

  it("two clients are both unexpected; two servers wait", () => {
    expect(events(wireOf(PLAIN, PLAIN).settle())).toEqual({
      client: ["fault ERR_ZMTP_UNEXPECTED_COMMAND"],
      server: ["fault ERR_ZMTP_UNEXPECTED_COMMAND"],
    })
    expect(events(wireOf(plainServer, plainServer, { askClient: door, askServer: door }).settle())).toEqual({
      client: [],
      server: [],
    })
  })

  it("and another mechanism do not come together, nor with a peer of ZMTP 1.0 or 2.0", () => {
    const wire = wireOf(nullMechanism, plainServer, { askServer: door }).settle()
    expect(events(wire)).toEqual({
      client: ["fault ERR_ZMTP_MECHANISM_MISMATCH"],
      server: ["fault ERR_ZMTP_MECHANISM_MISMATCH"],
    })
    for (const old of ["01 00 08 00 'sneaky' 00", "FF 00*7 01 7F 01 05 00 00 00 06 'sneaky'"]) {
      const { server } = plain()
      server.receive(hex(old))
      expect(server.messages).toEqual([])
      expect(server.faults).toHaveLength(1)
    }
  })
})

describe("an authenticator", () => {
  for (const [what, client, server] of [
    ["PLAIN", PLAIN, plainServer],
    ["NULL", nullMechanism, askingNullMechanism],
  ] as const) {
    it(`of ${what} is asked once and may take its time; what it says twice, or too late, is not heard`, () => {
      const answers: Parameters<Ask>[1][] = []
      const wire = wireOf(client, server, { askServer: (_, answer) => answers.push(answer) }).settle()
      expect(answers).toHaveLength(1)
      expect([...wire.client.events, ...wire.server.events]).toEqual([])
      answers[0]!(yes, 5)
      answers[0]!(no, 6)
      expect(events(wire.settle())).toEqual(DONE)
      expect(toHex(wire.server.peer!.vouched!.get("Hello")!)).toBe(toHex(bytes("World")))

      const late = wireOf(client, server, { askServer: (_, answer) => answers.push(answer) }).settle()
      late.server.receive(hex("00 01 41"))
      late.server.engine.end()
      answers[1]!(yes, 5)
      expect(late.server.events).toEqual(["fault ERR_ZMTP_UNEXPECTED_COMMAND"])
      expect(late.server.output()).toHaveLength(0)
    })

    it(`of ${what} that takes longer than the handshake may: the peer is given up`, () => {
      const wire = wireOf(client, server, { askServer: () => {} }).settle()
      wire.server.engine.handleTimeout(30_000)
      expect(wire.server.events).toEqual(["fault ETIMEDOUT"])
    })
  }

  it("of NULL refuses when the peer has said READY, so that a libzmq peer takes it for what it is", () => {
    const answers: Parameters<Ask>[1][] = []
    const server = new End(engineOptions("PULL", { mechanism: askingNullMechanism }), (_, answer) =>
      answers.push(answer),
    )
    server.engine.start(0)
    server.receive(GREETING)
    server.output()
    answers[0]!(no, 5)
    expect([server.events, toHex(server.output())]).toEqual([[], ""])
    expect(server.engine.nextTimeout()).toBe(1005)
    server.receive(readyOf("PUSH"), 6)
    expect(toHex(server.output())).toBe(toHex(hex("04 0A 05 'ERROR' 03 '400'")))
    expect(server.events).toEqual(["fault 400"])
  })

  it("of NULL refuses a peer that never says READY after a second, and two sides that refuse each other", () => {
    const wire = wireOf(askingNullMechanism, askingNullMechanism, {
      askClient: (_, answer) => answer(no, 0),
      askServer: (_, answer) => answer(no, 0),
    }).settle()
    expect([...wire.client.events, ...wire.server.events]).toEqual([])
    wire.server.engine.handleTimeout(999)
    expect(wire.server.events).toEqual([])
    wire.server.engine.handleTimeout(1000)
    expect(events(wire.settle())).toEqual({ client: ["fault 400"], server: ["fault 400"] })
  })

  it("of NULL refuses before READY is said; READY with a bit turned is one fault at most", () => {
    const refused = wireOf(nullMechanism, askingNullMechanism, { askServer: (_, answer) => answer(no, 0) }).settle()
    expect(events(refused)).toEqual({ client: ["fault 400"], server: ["fault 400"] })
    const size = 28
    for (let at = 0; at < (size - 2) * 8; at++) {
      const wire = wireOf(nullMechanism, askingNullMechanism, { askServer: (_, answer) => answer(yes, 0) })
      wire.change = ({ from, frame }) => [from === "client" ? flipped(frame, at >> 3, at % 8) : frame]
      wire.settle()
      expect(wire.server.faults.length, `bit ${at}`).toBeLessThanOrEqual(1)
      if (at < 48) expect(wire.server.events).toEqual(["fault ERR_ZMTP_UNEXPECTED_COMMAND"])
    }
  })
})
