/**
 * Connections that fail to shake hands, because what they say is not ZMTP, or not a version, mechanism, socket type or
 * command that fits: each of them ends, an event says why, and the socket goes on serving everyone else.
 */

import { describe, expect, it } from "vitest"
import { zmq } from "../support/engine.js"
import { eventually, pause } from "../support/eventually.js"
import { command, frame, greeting, header, LONG, property, RawPeer, rawServer, ready } from "../support/raw-zmtp.js"
import { ownSockets } from "../support/sockets.js"
import { Watch } from "../support/watch.js"
import { servedRouter } from "./served-router.js"

const bytes = (...values: number[]) => Buffer.from(values)
const hello = greeting()
const signature = hello.subarray(0, 10)

/** Bytes that look random and are the same in each run. */
function noise(seed: number, size: number): Buffer {
  let state = seed
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 24
  }
  return Buffer.from(Array.from({ length: size }, next))
}

const notZmtp: Record<string, Buffer> = {
  "an HTTP request": Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n"),
  "a TLS hello": Buffer.concat([
    bytes(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03),
    noise(1, 508),
  ]),
  zeros: Buffer.alloc(4096),
  "all ones": Buffer.alloc(4096, 0xff),
  "a line of text": Buffer.from("not-a-handshake\n".repeat(8)),
}
for (let seed = 2; seed < 12; seed++) notZmtp[`noise ${seed}`] = noise(seed, 1000 * seed)

/** Peers of ZMTP 1.0 and 2.0 are spoken to, but not these. */
const oldVersions: Record<string, Buffer> = {
  "a 1.0 identity with flags": bytes(0x01, 0x02),
  "a 1.0 identity of length 0 after a greeting": Buffer.concat([signature, bytes(0x00, 0x05, 0x00, 0x00)]),
  "a 1.0 identity of long length 0": Buffer.from("ff000000000000000000", "hex"),
  "a 1.0 identity longer than any number": Buffer.from("ff800000000000000000", "hex"),
  "a 1.0 identity of two frames": Buffer.from("01010100", "hex"),
  "a command in place of a 2.0 identity": Buffer.concat([signature, bytes(0x01, 0x05), ready("DEALER")]),
  "a 2.0 identity longer than any number": Buffer.concat([signature, bytes(0x01, 0x05), header(LONG, 2n ** 63n)]),
}

const mechanisms = ["PLAIN", "CURVE", "GSSAPI", "NULLX", "null", "", "MADEUP"]

const badReadies: Record<string, Buffer> = {
  "a message": frame("hello"),
  "an empty frame": bytes(0x00, 0x00),
  "an empty command": bytes(0x04, 0x00),
  "an unknown command": command("HELLO"),
  "a command whose name runs past its frame": bytes(0x04, 0x02, 0x09, 0x52),
  "metadata cut in a name": command("READY", bytes(0x0b, 0x53, 0x6f)),
  "metadata cut in a value": command("READY", property("Socket-Type", "DEALER").subarray(0, -2)),
  "metadata with bytes left over": command("READY", Buffer.concat([property("Socket-Type", "DEALER"), bytes(0x05)])),
  "a value of 2 GiB that does not come": command(
    "READY",
    Buffer.concat([bytes(1), Buffer.from("X"), bytes(0x7f, 0xff, 0xff, 0xff)]),
  ),
  "a value of 4 GiB": command("READY", Buffer.concat([bytes(1), Buffer.from("X"), bytes(0xff, 0xff, 0xff, 0xff)])),
  "an ERROR that gives a reason": command("ERROR", Buffer.concat([bytes(4), Buffer.from("nope")])),
  "an ERROR whose reason is cut": command("ERROR", Buffer.concat([bytes(9), Buffer.from("nope")])),
  "a READY longer than any number": Buffer.concat([header(0x04 | LONG, 2n ** 63n), Buffer.from("\x05READY")]),
}

const misfits = ["PUSH", "PULL", "PUB", "SUB", "XPUB", "XSUB", "REP", "PAIR", "STREAM", "router", "", "NOSUCH"]

describe("a bound socket ends a connection that sends", () => {
  /** Sends the bytes on a connection of its own and waits until it was ended for them. */
  async function attack(sent: Buffer, why: string, code?: string): Promise<void> {
    const { endpoint, watch, serves } = await servedRouter({ handshakeInterval: 60_000 })
    const raw = await RawPeer.connect(endpoint)
    raw.send(sent)
    await raw.ended
    const event = await watch.next("handshake:error")
    expect(event.type.startsWith(why)).toBe(true)
    expect(event.error).toBeInstanceOf(Error)
    if (code !== undefined) expect(event.error?.code).toBe(code)
    await watch.next("disconnect")
    await serves()
  }

  for (const [what, sent] of Object.entries({ ...notZmtp, ...oldVersions })) {
    it(what, () => attack(sent, "handshake:error:protocol"))
  }

  for (const mechanism of mechanisms) {
    it(`the mechanism "${mechanism}"`, () =>
      attack(greeting({ mechanism }), "handshake:error:protocol", "ERR_ZMTP_MECHANISM_MISMATCH"))
  }

  for (const [what, sent] of Object.entries(badReadies)) {
    const why = what === "an ERROR that gives a reason" ? "handshake:error" : "handshake:error:protocol"
    it(`${what} in place of READY`, () => attack(Buffer.concat([hello, sent]), why))
  }

  for (const type of misfits) {
    it(`the socket type "${type}"`, () => attack(Buffer.concat([hello, ready(type)]), "handshake:error:protocol"))
  }

  it("a READY above maxMessageSize", async () => {
    const { endpoint, watch, serves } = await servedRouter({ handshakeInterval: 60_000, maxMessageSize: 100 })
    const raw = await RawPeer.connect(endpoint)
    raw.send(hello, command("READY", property("X-Large", Buffer.alloc(101))))
    await raw.ended
    expect((await watch.next("handshake:error")).error).toBeInstanceOf(Error)
    await serves()
  })

  it("each of these, one byte at a time", async () => {
    const { endpoint, watch, serves } = await servedRouter({ handshakeInterval: 60_000 })
    const cut = [
      notZmtp["an HTTP request"]!,
      oldVersions["a command in place of a 2.0 identity"]!,
      greeting({ mechanism: "PLAIN" }),
      Buffer.concat([hello, ready("SUB")]),
    ]
    for (const sent of cut) {
      const raw = await RawPeer.connect(endpoint)
      for (const byte of sent) {
        if (raw.isOver) break
        raw.send(bytes(byte))
        await new Promise(setImmediate)
      }
      await raw.ended
      expect((await watch.next("handshake:error")).type).toBe("handshake:error:protocol")
    }
    await serves()
  })
})

describe("a connecting socket ends a connection that sends", () => {
  const own = ownSockets()

  /** A server that sends the bytes to whoever connects; protocol errors are final, so nobody connects twice. */
  async function meetLiar(sent: Buffer): Promise<void> {
    let connections = 0
    const endpoint = await rawServer(raw => {
      connections++
      raw.send(sent)
    })
    const honest = own(new zmq.Router())
    await honest.bind("tcp://127.0.0.1:*")
    const dealer = own(new zmq.Dealer({ reconnectInterval: 10, handshakeInterval: 60_000 }))
    const watch = new Watch(dealer)
    dealer.connect(endpoint)
    expect((await watch.next("handshake:error")).error).toBeInstanceOf(Error)
    await watch.next("disconnect")
    await pause(100) // ten reconnect intervals
    expect(connections).toBe(1)
    // The dead endpoint takes no messages from the living one.
    dealer.connect(honest.lastEndpoint!)
    for (const text of ["one", "two", "three"]) {
      await dealer.send(text)
      expect((await honest.receive()).at(-1)?.toString()).toBe(text)
    }
  }

  it("an HTTP answer", () => meetLiar(Buffer.from("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".repeat(2))))
  it("a command in place of a 2.0 identity", () => meetLiar(oldVersions["a command in place of a 2.0 identity"]!))
  it("another mechanism", () => meetLiar(greeting({ mechanism: "CURVE" })))
  it("a socket type that does not fit", () => meetLiar(Buffer.concat([hello, ready("PUB")])))
  it("an ERROR", () => meetLiar(Buffer.concat([hello, badReadies["an ERROR that gives a reason"]!])))
})

describe("many failures at once", () => {
  it("200 strangers of all kinds leave nothing behind", async () => {
    const { endpoint, watch, serves } = await servedRouter({ handshakeInterval: 60_000 })
    const kinds = [...Object.values(notZmtp), ...Object.values(oldVersions), greeting({ mechanism: "PLAIN" })]
    const strangers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const raw = await RawPeer.connect(endpoint)
        raw.send(kinds[index % kinds.length]!)
        return raw
      }),
    )
    await Promise.all(strangers.map(raw => raw.ended))
    await eventually(() => watch.count("disconnect") === 200)
    expect(watch.count("handshake:error:protocol")).toBe(200)
    await serves()
  })
})
