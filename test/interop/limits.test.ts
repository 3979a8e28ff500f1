/**
 * Limits (docs/limits.md) as peers of libzmq meet them: who is turned away tries again and gets in when there is room; who
 * keeps within them notices nothing.
 */
import { afterEach, describe, expect, it } from "vitest"
import * as libzmq from "zeromq"
import { engine, zmq } from "../support/engine.js"
import { EventLog } from "../support/events.js"
import { bound, ownSockets, text } from "../support/sockets.js"

describe.skipIf(engine === "zeromq")("a peer of libzmq", () => {
  const own = ownSockets()
  const theirs: libzmq.Socket[] = []
  afterEach(() => {
    for (const socket of theirs.splice(0)) socket.close()
  })
  function their<S extends libzmq.Socket>(socket: S): S {
    theirs.push(socket)
    return socket
  }

  it("that maxPeers keeps out gets in when another has left", async () => {
    const pull = own(new zmq.Pull({ maxPeers: 1 }))
    const log = new EventLog(pull)
    const endpoint = await bound(pull, "tcp://127.0.0.1:*")
    const first = their(new libzmq.Push({ linger: 0 }))
    first.connect(endpoint)
    await first.send("first")
    expect(await text(pull)).toEqual(["first"])
    const second = their(new libzmq.Push({ linger: 0, reconnectInterval: 10 }))
    second.connect(endpoint)
    await log.seen("accept:error")
    first.close()
    await second.send("second")
    expect(await text(pull)).toEqual(["second"])
    expect(pull.stats().refused.maxPeers).toBeGreaterThan(0)
  })

  it("that accept() refuses goes on trying, and is let in when it says yes", async () => {
    const pull = own(new zmq.Pull())
    const log = new EventLog(pull)
    let asked = 0
    pull.accept = peer => peer.type === "PUSH" && ++asked > 2
    const endpoint = await bound(pull, "tcp://127.0.0.1:*")
    const push = their(new libzmq.Push({ linger: 0, immediate: true, reconnectInterval: 10 }))
    push.connect(endpoint)
    await log.seen("handshake")
    await push.send("in")
    expect(await text(pull)).toEqual(["in"])
    expect(pull.stats().refused).toEqual({ total: 2, accept: 2 })
  })

  it("with as many subscriptions as it may have is served, and is ended with one more", async () => {
    const pub = own(new zmq.Publisher({ maxSubscriptions: 3 }))
    const log = new EventLog(pub)
    const sub = their(new libzmq.Subscriber({ linger: 0 }))
    sub.connect(await bound(pub, "tcp://127.0.0.1:*"))
    sub.subscribe("a", "b", "c")
    await pub.waitForSubscribers("c")
    await pub.send("c3")
    expect((await sub.receive()).map(String)).toEqual(["c3"])
    sub.subscribe("d")
    expect(await log.seen("disconnect")).toMatchObject({ error: { limit: "maxSubscriptions" } })
  })
})
