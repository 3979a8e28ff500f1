/**
 * What came whole before a peer broke the protocol was sent in good order, and is received (libzmq delivers it, too: it
 * flushes its session before it reports the fault). Over real connections, as this is where engine, session and pipe meet.
 */
import { describe, expect, it } from "vitest"
import { Pair, Pull, Router } from "../../patterns/index.js"
import { header, LONG, message, RawPeer } from "../support/raw-zmtp.js"

const broken = header(LONG, 2n ** 63n)

describe("messages in the same chunk as a broken frame", () => {
  for (const [type, make] of [
    ["PUSH", () => new Pull()],
    ["PAIR", () => new Pair()],
    ["DEALER", () => new Router()],
  ] as const) {
    it(`of a ${type} are received`, async () => {
      await using socket = make()
      socket.receiveTimeout = 2000
      await socket.bind("tcp://127.0.0.1:*")
      const peer = await RawPeer.connect(socket.lastEndpoint!)
      await peer.handshake(type, "me")
      peer.send(message("one"), message("two", "parts"), broken)
      await peer.ended
      const words = async () => (await socket.receive()).map(String).slice(type === "DEALER" ? 1 : 0)
      expect(await words()).toEqual(["one"])
      expect(await words()).toEqual(["two", "parts"])
    })
  }
})
