/**
 * A socket that closes ends its side of each connection and waits for the peer to end the other: long enough for what was
 * sent to arrive, and not for ever.
 */

import { once } from "node:events"
import { describe, expect, it, onTestFinished } from "vitest"
import { Pull } from "../../patterns/index.js"
import { eventually } from "../support/eventually.js"
import { RawPeer } from "../support/raw-zmtp.js"

describe("a peer that never ends its side", () => {
  it.each([
    ["is silent", 200, 1],
    ["talks on for ever", 5, 64 * 1024],
  ])("and %s is left some time after the socket was closed", async (_, interval, size) => {
    const pull = new Pull()
    await pull.bind("tcp://127.0.0.1:*")
    const peer = await RawPeer.connect(pull.lastEndpoint!, { allowHalfOpen: true })
    await peer.handshake("PUSH")
    await pull.ready()
    let left = false
    peer.socket.once("close", () => {
      left = true
    })
    const ended = once(peer.socket, "end")
    await pull.close()
    await ended
    expect(left).toBe(false)
    // That nobody is there shows when something is written to it.
    const talk = setInterval(() => peer.socket.write(Buffer.alloc(size)), interval)
    onTestFinished(() => clearInterval(talk))
    await eventually(() => left, 10_000)
  })
})
