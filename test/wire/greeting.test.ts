/** 37/ZMTP, greeting: ours in the stages of libzmq, the peer's in any pieces, versions, and who is refused. */
import { describe, expect, it } from "vitest"
import type { SocketTypeName } from "../../src/wire/socket-types.js"
import { concat, End, engineOptions, toHex } from "../support/link.js"
import { hex } from "./hex.js"
import { engineReader, GREETING, GREETING_30, type Reader, readyOf, splitLaw } from "./split-law.js"

const NOTHING = new Uint8Array(0)
const OWN_READY = toHex(readyOf("PULL"))

function started(type: SocketTypeName = "PULL"): End {
  const end = new End(engineOptions(type))
  end.engine.start(0)
  return end
}

/** How much of our greeting has gone out when the peer is refused depends on the pieces; the rest does not. */
function eventsOnly(read: Reader): Reader {
  return (chunks, reluctant) => ({ events: read(chunks, reluctant).events, output: "" })
}

const read = engineReader("PULL", NOTHING)
const refusal = (stream: string) => splitLaw(eventsOnly(read), hex(stream)).events

describe("our greeting", () => {
  it("goes out in three stages: 10 bytes, then the major version, then 53 bytes and READY", () => {
    const end = started()
    expect(toHex(end.output())).toBe("ff00000000000000017f")
    end.receive(GREETING.slice(0, 9))
    expect(end.output()).toHaveLength(0)
    end.receive(GREETING.slice(9, 10))
    expect(toHex(end.output())).toBe("03")
    end.receive(GREETING.slice(10, 11))
    expect(toHex(end.output())).toBe(toHex(hex("01 'NULL' 00*16 00 00*31")))
    end.receive(GREETING.slice(11, 63))
    expect(end.output()).toHaveLength(0)
    end.receive(GREETING.slice(63))
    expect(toHex(end.output())).toBe(OWN_READY)
  })

  it("goes out whole to a peer that sends all of its 64 bytes at once", () => {
    const end = started()
    const first = end.output()
    end.receive(GREETING)
    expect(toHex(concat([first, end.output()]))).toBe(toHex(GREETING) + OWN_READY)
  })

  it("goes out with the major version at once to a peer that sends 11 bytes at once", () => {
    const end = started()
    end.output()
    end.receive(GREETING.slice(0, 11))
    expect(end.output()).toHaveLength(54)
  })
})

describe("the padding of our greeting", () => {
  const signature = (routingId: Uint8Array | null) => {
    const end = new End(engineOptions("DEALER", { routingId }))
    end.engine.start(0)
    return toHex(end.output())
  }

  it("is the length of our routing id as 1.0 counts it: with the flags", () => {
    expect(signature(hex("'me'"))).toBe("ff00000000000000037f")
    expect(signature(hex("41*254"))).toBe("ff00000000000000ff7f")
    expect(signature(hex("41*255"))).toBe("ff00000000000001007f")
    expect(signature(hex(""))).toBe("ff00000000000000017f")
  })

  it("leaves those of others alone", () => expect(signature(null)).toBe("ff00000000000000017f"))
})

describe("the peer's greeting, by the split law", () => {
  const PUSH = toHex(readyOf("PUSH"))
  const answered = toHex(GREETING).slice(20) + OWN_READY

  it("of 3.1, with READY behind it", () => {
    const trace = splitLaw(read, hex(toHex(GREETING) + PUSH))
    expect(trace).toEqual({ events: ["ready PUSH id= minor=1"], output: answered })
  })

  it("of 3.0", () => {
    const trace = splitLaw(read, hex(toHex(GREETING_30) + PUSH))
    expect(trace).toEqual({ events: ["ready PUSH id= minor=0"], output: answered })
  })

  it("of a later minor version", () => {
    const trace = splitLaw(read, hex(`FF 00*7 01 7F 03 07 'NULL' 00*16 00 00*31 ${PUSH}`))
    expect(trace).toEqual({ events: ["ready PUSH id= minor=7"], output: answered })
  })

  for (const major of ["02", "04", "05", "FF"]) {
    it(`of major version ${major}, which is spoken to as 3.1 whatever its minor is`, () => {
      for (const minor of ["00", "01"]) {
        const trace = splitLaw(read, hex(`FF 00*7 01 7F ${major} ${minor} 'NULL' 00*16 00 00*31 ${PUSH}`))
        expect(trace).toEqual({ events: ["ready PUSH id= minor=1"], output: answered })
      }
    })
  }

  it("with any padding, any low bit in byte 9, as-server set and any filler: nobody may look at them", () => {
    for (const stream of [
      `FF 12 34 56 78 9A BC DE F0 01 03 01 'NULL' 00*16 01 FF*31 ${PUSH}`,
      `FF FF*8 FF 03 01 'NULL' 00*16 FF 'filler' 00*25 ${PUSH}`,
      `FF 00*8 7F 03 01 'NULL' 00*16 00 00*31 ${PUSH}`,
    ]) {
      expect(splitLaw(read, hex(stream)).events).toEqual(["ready PUSH id= minor=1"])
    }
  })

  it("with messages in the same chunk", () => {
    const trace = splitLaw(read, hex(`${toHex(GREETING) + PUSH} 01 01 41 00 01 42 00 00`))
    expect(trace.events).toEqual(["ready PUSH id= minor=1", "message 41|42", "message "])
  })
})

describe("who is refused, by the split law", () => {
  const unspecified = ["fault ERR_ZMTP_UNSPECIFIED"]

  it("what would be a 1.0 peer, with flags that no identity has", () => {
    expect(refusal("01 02")).toEqual(unspecified)
    expect(refusal("08 80 'sneaky' 00")).toEqual(unspecified)
    expect(refusal("FF 00*7 01 7E 03")).toEqual(unspecified)
  })

  it("what begins with a zero", () => expect(refusal("00 00")).toEqual(unspecified))
  it("a web browser", () => expect(refusal("'GET / HTTP/1.1' 0D0A 0D0A")).toEqual(unspecified))
  it("a TLS hello", () => expect(refusal("16 03 01 02 00 01 00 01 FC 03 03")).toEqual(unspecified))

  it("and hears no more than 11 bytes of ours before", () => {
    for (const stream of ["00", "01 02", "FF 00*7 01 7E 03"]) {
      const end = started()
      const first = end.output()
      for (const byte of hex(stream)) end.receive(Uint8Array.of(byte))
      expect(concat([first, end.output()]).length).toBeLessThanOrEqual(11)
      expect(end.events).toEqual(unspecified)
    }
  })

  for (const [what, name] of [
    ["another mechanism", "'PLAIN' 00*15"],
    ["a longer name that begins alike", "'NULLX' 00*15"],
    ["a shorter name", "'NUL' 00*17"],
    ["lower case", "'null' 00*16"],
    ["no name", "00*20"],
    ["something behind the padding", "'NULL' 00*15 01"],
    ["20 characters", "'ABCDEFGHIJKLMNOPQRST'"],
  ] as const) {
    it(`a mechanism that differs by ${what}`, () => {
      expect(refusal(`FF 00*7 01 7F 03 01 ${name} 00*32`)).toEqual(["fault ERR_ZMTP_MECHANISM_MISMATCH"])
    })
  }

  it("and nothing that it sends afterwards is looked at", () => {
    const end = started()
    end.receive(hex("00"))
    end.output()
    end.receive(concat([GREETING, readyOf("PUSH"), hex("00 01 41")]))
    expect(end.events).toEqual(unspecified)
    expect(end.output()).toHaveLength(0)
  })
})
