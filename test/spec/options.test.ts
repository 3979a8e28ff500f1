/**
 * Options: defaults, ranges, what is stored and read back, what fails with which code; for sockets and contexts. The tables are what the
 * `zeromq` package 6 shows on libzmq 4.3.5.
 */
import { describe, expect, it } from "vitest"
import { zmq } from "../support/engine.js"
import { eventually } from "../support/eventually.js"
import { bound, failsWith, failure, ownSockets, text } from "../support/sockets.js"

type Options = Record<string, unknown>

/** A socket with its options reachable by name. */
const loose = (socket: object) => socket as Options

const classes = {
  Pair: 0,
  Publisher: 1,
  Subscriber: 2,
  Request: 3,
  Reply: 4,
  Dealer: 5,
  Router: 6,
  Pull: 7,
  Push: 8,
  XPublisher: 9,
  XSubscriber: 10,
} as const
const names = Object.keys(classes) as (keyof typeof classes)[]
const receivers = names.filter(name => !["Publisher", "Push"].includes(name))
const senders = names.filter(name => !["Subscriber", "Pull"].includes(name))

const everySocket: Options = {
  affinity: 0,
  backlog: 100,
  closed: false,
  connectTimeout: 0,
  handshakeInterval: 30_000,
  heartbeatInterval: 0,
  heartbeatTimeout: -1,
  heartbeatTimeToLive: 0,
  immediate: false,
  interface: null,
  ipv6: false,
  lastEndpoint: null,
  maxMessageSize: -1,
  multicastMaxTransportDataUnit: 1500,
  rate: 100,
  reconnectInterval: 100,
  reconnectMaxInterval: 0,
  recoveryInterval: 10_000,
  securityMechanism: null,
  socksProxy: null,
  tcpKeepalive: -1,
  tcpKeepaliveCount: -1,
  tcpKeepaliveIdle: -1,
  tcpKeepaliveInterval: -1,
  tcpMaxRetransmitTimeout: 0,
  threadSafe: false,
  typeOfService: 0,
  zapDomain: null,
}

describe("defaults", () => {
  const own = ownSockets()

  it.each(names)("of every option that all sockets have: %s", name => {
    const socket = own(new zmq[name]())
    const found = Object.fromEntries(Object.keys(everySocket).map(option => [option, loose(socket)[option]]))
    expect(found).toEqual(everySocket)
    expect(socket.type).toBe(classes[name])
    expect(socket.linger).toBe(["Subscriber", "XSubscriber"].includes(name) ? 0 : -1)
    expect(socket.context).toBe(zmq.context)
    expect(socket.readable).toBe(false)
    expect(socket.writable).toBe(["Publisher", "XPublisher", "XSubscriber", "Router"].includes(name))
  })

  it.each(receivers)("of what receives: %s", name => {
    const socket = new zmq[name]()
    expect(socket).toMatchObject({ receiveBufferSize: -1, receiveHighWaterMark: 1000, receiveTimeout: -1 })
    void socket.close()
  })

  it.each(senders)("of what sends: %s", name => {
    const socket = new zmq[name]()
    expect(socket).toMatchObject({ sendBufferSize: -1, sendHighWaterMark: 1000, sendTimeout: -1, multicastHops: 1 })
    void socket.close()
  })

  it("of options that some types have", () => {
    for (const socket of [new zmq.Request(), new zmq.Reply(), new zmq.Dealer(), new zmq.Router()]) {
      expect(own(socket).routingId).toBeNull()
    }
    for (const socket of [new zmq.Publisher(), new zmq.Subscriber(), new zmq.XPublisher()]) {
      expect(own(socket).invertMatching).toBe(false)
    }
  })
})

describe("ranges", () => {
  const own = ownSockets()

  it.each<[string, unknown[]]>([
    ["affinity", [0, 5]],
    ["backlog", [0, 1, 65_535]],
    ["connectTimeout", [0, 1, 60_000]],
    ["handshakeInterval", [0, 1]],
    ["heartbeatInterval", [0, 1]],
    ["heartbeatTimeout", [0, 1]],
    ["immediate", [true, false]],
    ["ipv6", [true, false]],
    ["linger", [-1, 0, 1, 2 ** 31 - 1]],
    ["maxMessageSize", [-1, 0, 1, 2 ** 40]],
    ["multicastHops", [1, 255]],
    ["rate", [1, 100]],
    ["receiveBufferSize", [-1, 0, 4096]],
    ["receiveHighWaterMark", [0, 1, 2 ** 31 - 1]],
    ["receiveTimeout", [-1, 0, 1]],
    ["reconnectInterval", [-1, 0, 1]],
    ["reconnectMaxInterval", [0, 1]],
    ["recoveryInterval", [0, 1]],
    ["routingId", ["a", "x".repeat(255)]],
    ["sendBufferSize", [-1, 0, 4096]],
    ["sendHighWaterMark", [0, 1, 2 ** 31 - 1]],
    ["sendTimeout", [-1, 0, 1]],
    ["tcpKeepalive", [-1, 0, 1]],
    ["tcpKeepaliveCount", [-1, 0, 1]],
    ["tcpKeepaliveIdle", [-1, 0, 1]],
    ["tcpKeepaliveInterval", [-1, 0, 1]],
    ["typeOfService", [0, 1]],
  ])("%s is read back as it was set: %j", (option, values) => {
    const socket = loose(own(new zmq.Router()))
    for (const value of values) {
      socket[option] = value
      expect(socket[option]).toBe(value)
    }
  })

  it.each<[string, unknown[]]>([
    ["backlog", [-1]],
    ["connectTimeout", [-1]],
    ["handshakeInterval", [-1]],
    ["heartbeatInterval", [-1]],
    ["heartbeatTimeout", [-2]],
    ["heartbeatTimeToLive", [6_553_600]],
    ["linger", [-2]],
    ["multicastHops", [0]],
    ["rate", [0, -1]],
    ["receiveBufferSize", [-2]],
    ["receiveHighWaterMark", [-1]],
    ["receiveTimeout", [-2]],
    ["reconnectInterval", [-2]],
    ["reconnectMaxInterval", [-1]],
    ["recoveryInterval", [-1]],
    ["routingId", ["", null, "x".repeat(256)]],
    ["sendBufferSize", [-2]],
    ["sendHighWaterMark", [-1]],
    ["sendTimeout", [-2]],
    ["tcpKeepalive", [-2, 2]],
    ["tcpKeepaliveIdle", [-2]],
    ["tcpMaxRetransmitTimeout", [-1]],
  ])("%s out of range is EINVAL and leaves the value alone: %j", async (option, values) => {
    const socket = loose(own(new zmq.Router()))
    const before = socket[option]
    for (const value of values) {
      await failsWith("EINVAL", () => {
        socket[option] = value
      })
      expect(socket[option]).toBe(before)
    }
  })

  it.each<[string, unknown[]]>([
    ["linger", ["1", true, null, undefined]],
    ["immediate", [1, "true", null]],
    ["routingId", [5, true, undefined]],
    ["sendHighWaterMark", ["5", null, {}]],
    ["mandatory", [1, "x"]],
    ["probeRouter", [0]],
    ["type", [3]],
    ["lastEndpoint", ["tcp://127.0.0.1:1"]],
    ["noSuchOption", [1]],
  ])("%s of the wrong type, read-only or unknown is a TypeError: %j", async (option, values) => {
    const socket = loose(own(new zmq.Router()))
    for (const value of values) {
      const error = await failure(() => {
        socket[option] = value
      })
      expect(error).toBeInstanceOf(TypeError)
    }
  })

  it("heartbeatTimeToLive counts tenths of a second: below 100 ms is none, 6553599 is the most", () => {
    const socket = own(new zmq.Pair())
    for (const [set, read] of [
      [99, 0],
      [100, 100],
      [555, 500],
      [6_553_599, 6_553_500],
    ] as const) {
      socket.heartbeatTimeToLive = set
      expect(socket.heartbeatTimeToLive).toBe(read)
    }
  })

  it("options of other types of sockets are unknown", async () => {
    for (const [socket, option] of [
      [new zmq.Push(), "receiveTimeout"],
      [new zmq.Pull(), "sendTimeout"],
      [new zmq.Push(), "routingId"],
      [new zmq.Dealer(), "mandatory"],
      [new zmq.Reply(), "correlate"],
      [new zmq.Subscriber(), "manual"],
      [new zmq.Pair(), "conflate"],
    ] as const) {
      const error = await failure(() => {
        loose(own(socket))[option] = 1
      })
      expect(error).toBeInstanceOf(TypeError)
    }
  })
})

describe("options at construction", () => {
  const own = ownSockets()

  it("are set one and all", () => {
    const socket = own(
      new zmq.Dealer({ linger: 5, sendHighWaterMark: 7, routingId: "me", immediate: true, sendTimeout: 3 }),
    )
    expect(socket).toMatchObject({ linger: 5, sendHighWaterMark: 7, routingId: "me", immediate: true, sendTimeout: 3 })
  })

  it("fail as they do later", async () => {
    await failsWith("EINVAL", () => own(new zmq.Dealer({ linger: -2 })))
    expect(await failure(() => own(new zmq.Push({ noSuchOption: 1 } as object)))).toBeInstanceOf(TypeError)
  })

  it("copies the bytes it is given", async () => {
    const router = own(new zmq.Router())
    const address = await bound(router, "tcp://127.0.0.1:*")
    const dealer = own(new zmq.Dealer())
    const id = Buffer.from("before")
    loose(dealer).routingId = id
    id.write("behind")
    dealer.connect(address)
    await dealer.send("hello")
    expect((await router.receive()).map(String)).toEqual(["before", "hello"])
  })

  it("take a Buffer for a routing id", () => {
    const socket = own(new zmq.Dealer())
    loose(socket).routingId = Buffer.from("bytes")
    expect(socket.routingId).toBe("bytes")
  })

  it("verbosity takes its three values; it cannot be read", () => {
    const socket = own(new zmq.XPublisher())
    for (const value of ["allSubs", "allSubsUnsubs", null] as const) socket.verbosity = value
    expect(loose(socket).verbosity).toBeUndefined()
  })

  it("maxMessageSize ends the connection of who sends more", async () => {
    const pull = own(new zmq.Pull({ maxMessageSize: 1_000 }))
    const push = own(new zmq.Push())
    let left = 0
    pull.events.on("disconnect", () => {
      left += 1
    })
    push.connect(await bound(pull, "tcp://127.0.0.1:*"))
    await push.send(Buffer.alloc(1_000, "a"))
    expect((await text(pull))[0]).toHaveLength(1_000)
    await push.send(Buffer.alloc(1_001))
    await eventually(() => left >= 1)
  })
})

describe("contexts (92)", () => {
  const own = ownSockets()

  it("have libzmq's defaults", () => {
    const context = new zmq.Context()
    expect(context).toMatchObject({
      ioThreads: 1,
      maxSockets: 1023,
      ipv6: false,
      blocky: true,
      maxMessageSize: 2 ** 31 - 1,
    })
    expect(context.maxSocketsLimit).toBe(65_535)
  })

  it("read back what is set, at construction or later", () => {
    const context = new zmq.Context({ ioThreads: 0, maxSockets: 10 })
    expect(context).toMatchObject({ ioThreads: 0, maxSockets: 10 })
    context.ioThreads = 3
    context.maxMessageSize = 4_096
    context.ipv6 = true
    context.blocky = false
    expect(context).toMatchObject({ ioThreads: 3, maxMessageSize: 4_096, ipv6: true, blocky: false })
  })

  it("refuse what is out of range with EINVAL, and the wrong type with a TypeError", async () => {
    const context = loose(new zmq.Context())
    for (const [option, value] of [
      ["ioThreads", -1],
      ["maxSockets", 0],
      ["maxSockets", -1],
      ["maxMessageSize", -1],
    ] as const) {
      await failsWith("EINVAL", () => {
        context[option] = value
      })
    }
    for (const [option, value] of [
      ["ipv6", 1],
      ["blocky", 5],
      ["maxSockets", "many"],
      ["maxSocketsLimit", 5],
      ["noSuchOption", 5],
    ] as const) {
      const error = await failure(() => {
        context[option] = value
      })
      expect(error).toBeInstanceOf(TypeError)
    }
  })

  it("give their sockets ipv6, and linger 0 when not blocky", () => {
    const context = new zmq.Context({ ipv6: true, blocky: false })
    expect(own(new zmq.Push({ context }))).toMatchObject({ ipv6: true, linger: 0 })
    expect(own(new zmq.Push())).toMatchObject({ ipv6: false, linger: -1 })
  })
})

describe("the module", () => {
  it("says which libzmq it is like, and what it can", () => {
    expect(zmq.version).toBe("4.3.5")
    expect(zmq.capability.ipc).toBe(true)
    expect(zmq.context).toBeInstanceOf(zmq.Context)
  })
})
