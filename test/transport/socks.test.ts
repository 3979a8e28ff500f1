/** SOCKS5 byte for byte (RFC 1928, RFC 1929; the values of libzmq's own test): what is sent, what is read, cut anywhere. */
import { describe, expect, it } from "vitest"
import { SocksHandshake, type SocksRequest } from "../../src/transport/socks.js"

const NOBODY = { username: "", password: "" }
const SOMEBODY = { username: "user", password: "pa55" }
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
const bytesOf = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex")

/** Answers with `replies`, cut into pieces of `size` bytes. Returns all that was said, and what was left of the last piece. */
function converse(request: SocksRequest, replies: string, size = Number.POSITIVE_INFINITY) {
  const handshake = new SocksHandshake(request)
  const said = [hex(handshake.start())]
  const bytes = bytesOf(replies)
  let left = ""
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size)
    const end = handshake.receive(piece, 0, answer => void said.push(hex(answer)))
    left += hex(piece.subarray(end))
  }
  return { said, left, done: handshake.done }
}

const to = (host: string, port = 0x1234, who = NOBODY): SocksRequest => ({ host, port, ...who })

describe("what is asked", () => {
  it.each<[string, SocksRequest, string, string[]]>([
    ["an IPv4 address", to("127.0.0.1"), "0500", ["050100", "050100017f0000011234"]],
    ["an IPv6 address", to("::1"), "0500", ["050100", `05010004${"00".repeat(15)}011234`]],
    [
      "an IPv6 address with a zone",
      to("fe80::a:b%eth0"),
      "0500",
      ["050100", "05010004fe80000000000000000000000" + "00a000b1234"],
    ],
    ["a mapped one", to("::ffff:1.2.3.4"), "0500", ["050100", "0501000400000000000000000000ffff010203041234"]],
    ["a full one", to("1:2:3:4:5:6:7:8", 80), "0500", ["050100", "05010004000100020003000400050006000700080050"]],
    ["a name", to("a.example", 65535), "0500", ["050100", `0501000309${hex(Buffer.from("a.example"))}ffff`]],
    ["a password", to("10.0.0.1", 80, SOMEBODY), "0502", ["050102", "010475736572" + "0470613535"]],
    ["no password", to("10.0.0.1", 80, { username: "u", password: "" }), "0502", ["050102", "01017500"]],
    [
      "and what follows it",
      to("10.0.0.1", 80, SOMEBODY),
      "05020100",
      ["050102", "0104757365720470613535", "050100010a0000010050"],
    ],
  ])("%s", (_, request, replies, said) => {
    expect(converse(request, replies)).toEqual({ said, left: "", done: false })
  })

  it("the longest name", () => {
    const { said } = converse(to("n".repeat(255), 1), "0500")
    expect(said[1]).toBe(`05010003ff${"6e".repeat(255)}0001`)
  })
})

describe("what is answered", () => {
  const address = {
    IPv4: "01 01020304 1234",
    IPv6: `04 ${"00".repeat(16)} 1234`,
    name: "03 03 616263 1234",
    "no name": "03 00 1234",
  }

  for (const [kind, end] of Object.entries(address)) {
    for (const who of [NOBODY, SOMEBODY]) {
      it(`is the same cut at every byte: ${kind}, ${who.username || "nobody"}`, () => {
        const replies = `${who === NOBODY ? "0500" : "0502 0100"} 050000 ${end} ff00000000`
        const whole = converse(to("h", 1, who), replies)
        expect(whole).toMatchObject({ done: true, left: "ff00000000" })
        for (let size = 1; size < bytesOf(replies).length; size++) {
          expect([size, converse(to("h", 1, who), replies, size)]).toEqual([size, whole])
        }
      })
    }
  }

  it.each<[string, SocksRequest, string, string]>([
    ["another version", to("h"), "0400", "EPROTO"],
    ["no method that it would take", to("h"), "05ff", "EACCES"],
    ["a method that was not offered", to("h"), "0502", "EACCES"],
    ["no authentication where a password was offered", to("h", 1, SOMEBODY), "0500", "EACCES"],
    ["a wrong password", to("h", 1, SOMEBODY), "0502 0101", "EACCES"],
    ["another version of the password's answer", to("h", 1, SOMEBODY), "0502 0500", "EPROTO"],
    ["another version of its answer", to("h"), "0500 0400000100", "EPROTO"],
    ["an unknown kind of address", to("h"), "0500 0500000700", "EPROTO"],
    ["a general failure", to("h"), "0500 0501000100", "ECONNABORTED"],
    ["not allowed", to("h"), "0500 0502000100", "EACCES"],
    ["network unreachable", to("h"), "0500 0503000100", "ENETUNREACH"],
    ["host unreachable", to("h"), "0500 0504000100", "EHOSTUNREACH"],
    ["refused", to("h"), "0500 0505000100", "ECONNREFUSED"],
    ["time to live expired", to("h"), "0500 0506000100", "ETIMEDOUT"],
    ["no such command", to("h"), "0500 0507000100", "ENOTSUP"],
    ["no such kind of address", to("h"), "0500 0508000100", "EAFNOSUPPORT"],
    ["an unknown reply", to("h"), "0500 05ff000100", "EPROTO"],
  ])("by %s is an error, cut anywhere", (_, request, replies, code) => {
    for (let size = 1; size <= bytesOf(replies).length; size++) {
      expect(() => converse(request, replies, size)).toThrow(expect.objectContaining({ code }))
    }
  })
})
