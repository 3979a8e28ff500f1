/**
 * Peers of ZMTP 1.0 and 2.0 (13/ZMTP, 15/ZMTP): what they hear, in which stages, and what is made of what they say, by the
 * split law. The bytes are those that libzmq 4.3.5 sent to the same streams (test/interop/old-peers.test.ts asks it again).
 */
import { describe, expect, it } from "vitest"
import { nullMechanism } from "../../src/wire/null.js"
import { PEERS, type SocketTypeName } from "../../src/wire/socket-types.js"
import { concat, End, engineOptions, toHex } from "../support/link.js"
import { hex } from "./hex.js"
import { engineReader, GREETING, splitLaw } from "./split-law.js"

const NOTHING = new Uint8Array(0)
const SIGNATURE = "FF 00*7 01 7F"

interface OldVersion {
  readonly name: string
  /** What a peer of this version sends first, before its identity frame. */
  readonly greeting: string
  /** What is sent to it behind our ten bytes, for a PULL without routing id. */
  readonly answer: string
  /** A frame as this version has it. */
  frame(body: Uint8Array, more?: boolean): Uint8Array
  /** Behind every stream: the message `7a` and the beginning of a frame. */
  readonly trailing: { bytes: Uint8Array; event: string }
}

function frame1(body: Uint8Array, more = false): Uint8Array {
  const length = body.length + 1
  const size = length < 255 ? hex(toHex(Uint8Array.of(length))) : hex(`FF ${length.toString(16).padStart(16, "0")}`)
  return concat([size, Uint8Array.of(more ? 1 : 0), body])
}

function frame2(body: Uint8Array, more = false): Uint8Array {
  const flags = more ? 1 : 0
  if (body.length < 256) return concat([Uint8Array.of(flags, body.length), body])
  return concat([Uint8Array.of(flags | 2), hex(body.length.toString(16).padStart(16, "0")), body])
}

const TRAILING_1 = { bytes: hex("02 00 7A FF 00 00"), event: "message 7a" }

const UNVERSIONED: OldVersion = {
  name: "1.0",
  greeting: "",
  answer: "",
  frame: frame1,
  trailing: TRAILING_1,
}
const REVISION_0: OldVersion = {
  name: "1.0 behind a greeting",
  greeting: `${SIGNATURE} 00 08`,
  answer: "03070100",
  frame: frame1,
  trailing: TRAILING_1,
}
const ZMTP_2: OldVersion = {
  name: "2.0",
  greeting: `${SIGNATURE} 01 08`,
  answer: "03070000",
  frame: frame2,
  trailing: { bytes: hex("00 01 7A 02 00 00"), event: "message 7a" },
}
const VERSIONS = [UNVERSIONED, REVISION_0, ZMTP_2]

const bodyOf = (size: number) => Uint8Array.from({ length: size }, (_, at) => at * 7)

/** An end that has met an anonymous peer of this version; what it said meanwhile is taken. */
function met(type: SocketTypeName, { greeting, frame }: OldVersion, options: Parameters<typeof engineOptions>[1] = {}) {
  const end = new End(engineOptions(type, options))
  end.engine.start(0)
  end.receive(concat([hex(greeting), frame(NOTHING)]))
  end.output()
  return end
}

for (const version of VERSIONS) {
  const { greeting, frame, trailing, answer } = version
  const beginning = (identity = NOTHING) => concat([hex(greeting), frame(identity)])
  const law = (stream: Uint8Array, type: SocketTypeName = "PULL", changes = {}) =>
    splitLaw(engineReader(type, NOTHING, changes), stream, trailing)

  describe(`a ${version.name} peer, by the split law,`, () => {
    it("without an identity", () => {
      expect(law(beginning())).toEqual({ events: ["ready  id= minor=0"], output: answer })
    })

    it("with an identity of any length", () => {
      for (const size of [1, 5, 9, 10, 253, 254, 255, 256, 300]) {
        const { events } = law(beginning(bodyOf(size)))
        expect(events).toEqual([`ready  id=${toHex(bodyOf(size))} minor=0`])
      }
    })

    it("with messages of several frames, empty ones, and all lengths around the marks", () => {
      const sizes = [0, 1, 63, 64, 65, 253, 254, 255, 256, 300]
      const frames = sizes.map((size, at) => frame(bodyOf(size), at < sizes.length - 1))
      const { events } = law(concat([beginning(), ...frames, frame(hex("41")), frame(NOTHING)]))
      const message = sizes.map(size => toHex(bodyOf(size))).join("|")
      expect(events).toEqual(["ready  id= minor=0", `message ${message}`, "message 41", "message "])
    })

    it("with a frame that is too large: before its body comes, as identity and later", () => {
      const fault = "fault ERR_ZMTP_UNSPECIFIED"
      const large = frame(bodyOf(11))
      const changes = { maxMessageSize: 10 }
      const header = large.slice(0, 2)
      expect(law(concat([hex(greeting), header]), "PULL", changes).events).toEqual([fault])
      expect(law(concat([beginning(), header]), "PULL", changes).events).toEqual(["ready  id= minor=0", fault])
      expect(law(concat([beginning(), frame(bodyOf(10))]), "PULL", changes).events).toHaveLength(2)
    })

    it("with too many frames", () => {
      const { events } = law(concat([beginning(), frame(NOTHING, true), frame(NOTHING, true)]), "PULL", {
        maxFrames: 1,
      })
      expect(events).toEqual(["ready  id= minor=0", "fault ERR_ZMTP_UNSPECIFIED"])
    })

    it("with an identity of several frames, which is refused", () => {
      const stream = concat([hex(greeting), frame(hex("41"), true), frame(hex("42"))])
      expect(law(stream).events).toEqual(["fault ERR_ZMTP_UNSPECIFIED"])
    })

    it("where only NULL will do", () => {
      for (const mechanism of [
        { name: "MADEUP", create: nullMechanism.create },
        { name: "NULL", create: nullMechanism.create }, // one that asks an authenticator
      ]) {
        const read = engineReader("PULL", NOTHING, { mechanism })
        const events = splitLaw((...args) => ({ ...read(...args), output: "" }), beginning(), trailing).events
        expect(events).toEqual(["fault ERR_ZMTP_MECHANISM_MISMATCH"])
      }
    })
  })

  describe(`to a ${version.name} peer`, () => {
    it("goes our routing id, of any type and length", () => {
      for (const type of ["DEALER", "ROUTER", "REQ", "REP"] as const) {
        for (const size of [1, 3, 253, 254, 255]) {
          const id = bodyOf(size)
          const end = new End(engineOptions(type, { routingId: id }))
          end.engine.start(0)
          const signature = end.output()
          end.receive(beginning())
          const rest = toHex(end.output())
          if (version !== UNVERSIONED) expect(rest.slice(4)).toBe(toHex(frame(id)))
          // Of ours, ten bytes are the header of the frame that it reads.
          else expect(toHex(signature) + rest).toBe(`ff${(size + 1).toString(16).padStart(16, "0")}7f${toHex(id)}`)
        }
      }
    })

    it("go messages in its framing, long frames by reference", () => {
      const end = met("PUSH", version)
      const sizes = [0, 1, 253, 254, 255, 256, 40_000]
      end.engine.encode(sizes.map(bodyOf))
      end.engine.encode([hex("41")])
      const frames = sizes.map((size, at) => frame(bodyOf(size), at < sizes.length - 1))
      expect(toHex(end.output())).toBe(toHex(concat([...frames, frame(hex("41"))])))
    })

    it("goes nothing of what was encoded for several, unless it has the same framing", () => {
      expect(met("PUB", version).engine.framesAlone).toBe(version !== ZMTP_2)
    })

    it("go subscriptions as messages", () => {
      for (const type of ["SUB", "XSUB"] as const) {
        const end = met(type, version)
        end.engine.encode([hex("01 'topic'")])
        end.engine.encode([hex("00 'topic'")])
        expect(toHex(end.output())).toBe(toHex(concat([frame(hex("01 'topic'")), frame(hex("00 'topic'"))])))
      }
    })

    it("go no heartbeats, and its silence is no fault", () => {
      const end = met("PUSH", version, { heartbeatInterval: 10, heartbeatTimeout: 10 })
      expect(end.engine.nextTimeout()).toBe(Number.POSITIVE_INFINITY)
      end.engine.handleTimeout(1e6)
      expect(end.output()).toHaveLength(0)
      expect(end.faults).toEqual([])
    })
  })

  describe(`with a ${version.name} peer`, () => {
    it("subscriptions come as messages; who has no greeting gets one to everything", () => {
      for (const type of ["PUB", "XPUB"] as const) {
        const { events } = law(concat([beginning(), frame(hex("01 'A'")), frame(hex("00 'A'"))]), type)
        const all = version === UNVERSIONED ? ["message 01"] : []
        expect(events).toEqual(["ready  id= minor=0", ...all, "message 0141", "message 0041"])
      }
    })

    it("no socket type is checked: it may be any", () => {
      for (const type of Object.keys(PEERS) as SocketTypeName[]) {
        expect(met(type, version).events[0]).toBe("ready  id= minor=0")
      }
    })

    it("the handshake is over when its identity is there, and takes no longer than it may", () => {
      const end = new End(engineOptions("PULL", { handshakeInterval: 100 }))
      end.engine.start(0)
      const stream = beginning(bodyOf(20))
      end.receive(stream.slice(0, -1))
      expect(end.engine.handshaking).toBe(true)
      expect(end.engine.nextTimeout()).toBe(100)
      end.engine.handleTimeout(100)
      expect(end.events).toEqual(["fault ETIMEDOUT"])
    })
  })
}

describe("1.0 frames", () => {
  const law = (stream: string) => splitLaw(engineReader("PULL", NOTHING), hex(stream), TRAILING_1).events
  const READY = "ready  id= minor=0"

  it("of length 0 are a fault, at their first byte and in the long form", () => {
    expect(law("01 00 00")).toEqual([READY, "fault ERR_ZMTP_UNSPECIFIED"])
    expect(law("01 00 FF 00*8 00")).toEqual([READY, "fault ERR_ZMTP_UNSPECIFIED"])
    expect(law(`${SIGNATURE} 00 08 00`)).toEqual(["fault ERR_ZMTP_UNSPECIFIED"])
  })

  it("beyond any number are a fault", () => {
    for (const size of ["80 00*7", "FF*8", "00 20 00*6"]) {
      // The last one is 2^53 with its flags: the largest body that there could be.
      const expected = size === "00 20 00*6" ? [READY] : [READY, "fault ERR_ZMTP_UNSPECIFIED"]
      const end = new End(engineOptions("PULL"))
      end.engine.start(0)
      end.receive(hex(`01 00 FF ${size} 00`))
      expect(end.events).toEqual(expected)
    }
  })

  it("may have the long form for few bytes, also for the identity", () => {
    expect(law("FF 00*7 05 00 'name' FF 00*7 02 01 41 02 00 42")).toEqual([
      "ready  id=6e616d65 minor=0",
      "message 41|42",
    ])
  })

  it("have reserved flags that are not looked at", () => expect(law("01 00 02 FE 41")).toEqual([READY, "message 41"]))

  it("get no memory for what they declare", () => {
    const end = met("PULL", UNVERSIONED)
    const before = end.bytes.allocated
    end.receive(hex("FF 00 00 00 FF 00 00 00 00 00 41"))
    expect(end.bytes.allocated - before).toBe(64 * 1024)
    expect(end.engine.pendingBytes).toBe(1)
  })
})

describe("2.0 frames", () => {
  it("that are commands are ignored, and refused as an identity", () => {
    const read = engineReader("PUB", NOTHING)
    const { greeting, trailing } = ZMTP_2
    const commands = "04 07 04 'PING' 00 64 04 0B 09 'SUBSCRIBE' 41 04 00"
    expect(splitLaw(read, hex(`${greeting} 00 00 ${commands}`), trailing).events).toEqual(["ready  id= minor=0"])
    const refused = splitLaw(read, hex(`${greeting} ${commands}`), trailing).events
    expect(refused).toEqual(["fault ERR_ZMTP_UNEXPECTED_COMMAND"])
  })
})

describe("the stages of our greeting", () => {
  it("for a 1.0 peer end after 10 bytes, at its second byte, or its tenth", () => {
    for (const stream of ["01 00", "FF 00*7 01 00"]) {
      const end = new End(engineOptions("PULL"))
      end.engine.start(0)
      expect(end.output()).toHaveLength(10)
      for (const byte of hex(stream)) end.receive(Uint8Array.of(byte))
      expect(end.output()).toHaveLength(0)
      expect(end.events).toEqual(["ready  id= minor=0"])
    }
  })

  it("for a 2.0 peer: major version at its signature, socket type at its version, identity at its socket type", () => {
    const end = new End(engineOptions("PULL"))
    end.engine.start(0)
    end.output()
    const said = Array.from(hex(`${SIGNATURE} 01 08 00 00`), byte => {
      end.receive(Uint8Array.of(byte))
      return toHex(end.output())
    })
    expect(said).toEqual([...Array(9).fill(""), "03", "07", "0000", "", ""])
  })

  it("tell each socket type by its number", () => {
    const numbers = {
      PAIR: 0,
      PUB: 1,
      SUB: 2,
      REQ: 3,
      REP: 4,
      DEALER: 5,
      ROUTER: 6,
      PULL: 7,
      PUSH: 8,
      XPUB: 9,
      XSUB: 10,
    }
    for (const [type, number] of Object.entries(numbers)) {
      const end = new End(engineOptions(type as SocketTypeName))
      end.engine.start(0)
      end.output()
      end.receive(hex(`${SIGNATURE} 01 08`))
      expect(toHex(end.output())).toBe(`03${toHex(Uint8Array.of(number))}0000`)
    }
  })

  it("are whole for a peer of 3.x on the same terms", () => {
    const end = new End(engineOptions("PULL"))
    end.engine.start(0)
    end.receive(GREETING)
    expect(end.engine.framesAlone).toBe(false)
    expect(end.events).toEqual([])
  })
})
