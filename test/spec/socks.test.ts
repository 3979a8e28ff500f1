/**
 * socksProxy (ZMQ_SOCKS_PROXY; libzmq's test_socks): tcp connections by a SOCKS5 proxy, to which names and addresses go as
 * they are. What the proxy refuses is tried again like any connection that failed.
 */
import { describe, expect, it } from "vitest"
import { engine, zmq } from "../support/engine.js"
import { EventLog } from "../support/events.js"
import { eventually } from "../support/eventually.js"
import { bound, failsWith, ownSockets, text } from "../support/sockets.js"
import { type ProxyOptions, SocksProxy } from "../support/socks-proxy.js"

// With libzmq 4.3.5 these passed one by one, until its SOCKS aborted the process (an assertion in epoll.cpp).
const skipped = engine === "zeromq"
if (skipped) console.warn("skipped: socksProxy on zeromq; libzmq 4.3.5 may abort the process")

describe.skipIf(skipped)("socksProxy", () => {
  const own = ownSockets()

  async function proxied(options: ProxyOptions, endpoint: (target: string) => string, more: object = {}) {
    const pull = own(new zmq.Pull())
    const proxy = await SocksProxy.start(options)
    proxy.target = await bound(pull, "tcp://127.0.0.1:*")
    const push = own(new zmq.Push({ socksProxy: proxy.endpoint, reconnectInterval: 20, linger: 0, ...more }))
    const log = new EventLog(push)
    push.connect(endpoint(proxy.target))
    return { pull, push, proxy, log }
  }

  const port = (endpoint: string) => Number(new URL(endpoint).port).toString(16).padStart(4, "0")

  it.each([
    ["an IPv4 address", (target: string) => target, "017f000001"],
    [
      "a name, which it looks up",
      (target: string) => target.replace("127.0.0.1", "somewhere.invalid"),
      `0311${Buffer.from("somewhere.invalid").toString("hex")}`,
    ],
  ])("takes messages to %s", async (_, endpoint, asked) => {
    const { pull, push, proxy, log } = await proxied({}, endpoint)
    await push.send(["hello", "there"])
    expect(await text(pull)).toEqual(["hello", "there"])
    expect(proxy.heard).toEqual(["050100", `050100${asked}${port(proxy.target)}`])
    await log.seen("handshake")
    expect(log.types).toEqual(["connect:delay", "connect", "handshake"])
  })

  it("takes messages to an IPv6 address", async () => {
    const { pull, push, proxy } = await proxied({}, target => target.replace("127.0.0.1", "[::1]"), { ipv6: true })
    await push.send("hello")
    expect(await text(pull)).toEqual(["hello"])
    expect(proxy.heard[1]).toBe(`05010004${"00".repeat(15)}01${port(proxy.target)}`)
  })

  it("may answer a byte at a time", async () => {
    const { pull, push } = await proxied({ trickles: true }, target => target)
    await push.send("hello")
    expect(await text(pull)).toEqual(["hello"])
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 0x20])("that answers %i is tried again", async reply => {
    const { proxy, log, pull, push } = await proxied({ reply }, target => target)
    await eventually(() => proxy.connections >= 2)
    await log.seen("connect:retry", 2)
    expect(log.types.slice(0, 4)).toEqual(["connect:delay", "close", "connect:retry", "connect:delay"])
    proxy.options.reply = 0
    await push.send("at last")
    expect(await text(pull)).toEqual(["at last"])
  })

  it("that is not there is tried again", async () => {
    const push = own(new zmq.Push({ socksProxy: "127.0.0.1:1", reconnectInterval: 20 }))
    const log = new EventLog(push)
    push.connect("tcp://127.0.0.1:9")
    await log.seen("connect:retry", 2)
    expect(log.count("connect")).toBe(0)
  })

  it("is used again when the connection is lost", async () => {
    const { pull, push, proxy, log } = await proxied({}, target => target)
    await push.send("one")
    expect(await text(pull)).toEqual(["one"])
    await pull.unbind(proxy.target)
    await log.seen("disconnect")
    await pull.bind(proxy.target)
    await log.seen("handshake", 2)
    await push.send("two")
    expect(await text(pull)).toEqual(["two"])
    expect(proxy.heard.length).toBeGreaterThan(2)
  })
})

describe.skipIf(skipped)("socksProxy, beyond the zeromq package", () => {
  const own = ownSockets()

  it("takes a user name and a password", async () => {
    const proxy = await SocksProxy.start({ method: 2 })
    const pull = own(new zmq.Pull())
    proxy.target = await bound(pull, "tcp://127.0.0.1:*")
    const push = own(new zmq.Push({ socksProxy: proxy.endpoint, socksUsername: "me", socksPassword: "x" }))
    push.connect(proxy.target)
    await push.send("hello")
    expect(await text(pull)).toEqual(["hello"])
    expect(proxy.heard.slice(0, 2)).toEqual(["050102", "01026d650178"])
  })

  it.each([0, 1, 2])(
    "that stalls after %i answers is left after connectTimeout, or handshakeInterval",
    async stallsAfter => {
      for (const options of [{ connectTimeout: 50 }, { handshakeInterval: 50 }]) {
        const proxy = await SocksProxy.start({ method: 2, stallsAfter })
        const pull = own(new zmq.Pull())
        proxy.target = await bound(pull, "tcp://127.0.0.1:*")
        const push = own(
          new zmq.Push({ socksProxy: proxy.endpoint, socksUsername: "me", reconnectInterval: 10, ...options }),
        )
        const log = new EventLog(push)
        push.connect(proxy.target)
        await log.seen("close", 2)
        expect(log.count("connect")).toBe(0)
      }
    },
  )

  it("is EINVAL at connect() if it is none, or cannot be told the name", async () => {
    const push = own(new zmq.Push({ socksProxy: "nowhere" }))
    await failsWith("EINVAL", () => push.connect("tcp://127.0.0.1:9"))
    push.socksProxy = "127.0.0.1:1"
    await failsWith("EINVAL", () => push.connect(`tcp://${"n".repeat(256)}:9`))
    for (const option of ["socksUsername", "socksPassword"]) {
      await failsWith("EINVAL", () => own(new zmq.Push({ [option]: "x".repeat(256) })))
    }
  })
})
