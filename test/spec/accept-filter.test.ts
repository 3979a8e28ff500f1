/**
 * tcpAcceptFilter (ZMQ_TCP_ACCEPT_FILTER; libzmq's test of accept filters): each value set is one more range of addresses
 * that may connect to a bound tcp endpoint. Who is outside is closed before a byte is sent.
 */
import { describe, expect, it } from "vitest"
import { zmq } from "../support/engine.js"
import { EventLog } from "../support/events.js"
import { RawPeer } from "../support/raw-zmtp.js"
import { bound, failsWith, ownSockets, text } from "../support/sockets.js"

describe("tcpAcceptFilter (113)", () => {
  const own = ownSockets()

  it.each([
    "",
    "foo",
    "0.0.0.0foo",
    "/foo",
    "/",
    "/-1",
    "/33",
    "127.0.0.1/",
    "127.0.0.1/33",
    "localhost",
    "*",
    " 127.0.0.1",
  ])("%j is EINVAL", async range => {
    await failsWith("EINVAL", () => own(new zmq.Pull({ tcpAcceptFilter: range })))
  })

  it.each([
    [["127.0.0.1"]],
    [["127.0.0.0/8"]],
    [["0.0.0.0/0"]],
    [["10.0.0.0/8", "127.0.0.1/32"]],
    [["10.0.0.0/8", null]],
  ])("%j lets a local peer in", async ranges => {
    const pull = own(new zmq.Pull())
    for (const range of ranges) pull.tcpAcceptFilter = range
    const push = own(new zmq.Push())
    push.connect(await bound(pull, "tcp://127.0.0.1:*"))
    await push.send("in")
    expect(await text(pull)).toEqual(["in"])
  })

  it("keeps who is outside out: accept:error here, a failed handshake and another try there", async () => {
    const pull = own(new zmq.Pull({ tcpAcceptFilter: "10.0.0.0/8" }))
    pull.tcpAcceptFilter = "127.0.0.2"
    const push = own(new zmq.Push({ reconnectInterval: 20 }))
    const [here, there] = [new EventLog(pull), new EventLog(push)]
    const endpoint = await bound(pull, "tcp://127.0.0.1:*")
    push.connect(endpoint)
    expect(await here.seen("accept:error", 2)).toMatchObject({ address: endpoint, error: { code: "EAGAIN" } })
    await there.seen("disconnect", 2)
    expect(there.types.slice(0, 5)).toEqual([
      "connect:delay",
      "connect",
      "handshake:error:other",
      "disconnect",
      "connect:retry",
    ])
    expect(here.count("accept")).toBe(0)
  })

  it("sends nothing to who is outside", async () => {
    const pull = own(new zmq.Pull({ tcpAcceptFilter: "10.0.0.0/8" }))
    const raw = await RawPeer.connect(await bound(pull, "tcp://127.0.0.1:*"))
    await raw.ended
    expect(raw.socket.bytesRead).toBe(0)
  })

  it("counts at the next bind", async () => {
    const pull = own(new zmq.Pull({ tcpAcceptFilter: "10.0.0.0/8" }))
    const log = new EventLog(pull)
    const closed = await bound(pull, "tcp://127.0.0.1:*")
    pull.tcpAcceptFilter = null
    const open = await bound(pull, "tcp://127.0.0.1:*")
    const push = own(new zmq.Push({ reconnectInterval: 20 }))
    push.connect(closed)
    await log.seen("accept:error")
    push.connect(open)
    await log.seen("handshake")
    expect(log.all.filter(({ type }) => type === "handshake")).toMatchObject([{ address: open }])
  })
})
