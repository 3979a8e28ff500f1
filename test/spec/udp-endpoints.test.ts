/**
 * Addresses of udp: who may bind and who may connect to what, and what fails with which code (unittest_udp_address.cpp,
 * case 125). libzmq binds later, in the background, so of what goes wrong there it says nothing.
 */
import { describe, expect, it } from "vitest"
import { freeUdpPort, hasIpv6, hasMulticast, loopback, RawUdp } from "../support/datagrams.js"
import { type AnySocket, draft, engine, zmq } from "../support/engine.js"
import { failsWith, failure, ownSockets } from "../support/sockets.js"

type Code = string | null
/** 5556 stands for a free port. A code for each of: DISH and DGRAM bind, RADIO connects; null: that works. libzmq's codes follow where they differ. */
type Verdict = [address: string, bind: Code, connect: Code, ...libzmq: [bind: Code, connect: Code] | []]

const ipv4: Verdict[] = [
  ["127.0.0.1:0", null, "EINVAL", null, null],
  ["127.0.0.1:*", null, "EINVAL"],
  ["*:*", null, "EINVAL"],
  [`${loopback}:*`, null, "EINVAL"],
  // A name may be known to DNS later; libzmq looks it up at once, and waits for that.
  [`${loopback}:5556`, null, null, null, "EINVAL"],
  ["localhost:*", null, "EINVAL"],
  ["[127.0.0.1]:*", null, "EINVAL"],
  ["no-such-host.invalid:5556", "ENODEV", null, "ENODEV", "EINVAL"],
  [":5556", "ENODEV", "EINVAL"],
  ["a b:5556", "ENODEV", "EINVAL"],
  ["127.0.0.1", "EINVAL", "EINVAL"],
  ["127.0.0.1:", "EINVAL", "EINVAL"],
  ["127.0.0.1:x", "EINVAL", "EINVAL"],
  ["127.0.0.1:-1", "EINVAL", "EINVAL", null, null],
  ["127.0.0.1:65536", "EINVAL", "EINVAL", "EINVAL", "EINVAL"],
  ["127.0.0.1:99999", "EINVAL", "EINVAL", null, null],
  ["[::1]:*", "ENODEV", "EINVAL"],
  ["[::1]:5556", "ENODEV", "EINVAL"],
  [`${loopback};127.0.0.1:5556`, "EINVAL", "EINVAL"],
  [`${loopback};*:5556`, "EINVAL", "EINVAL"],
  ["127.0.0.1;*:5556", "EINVAL", "EINVAL"],
  ["239.0.0.2;239.0.0.1:5556", "EINVAL", "EINVAL"],
  ["nosuch;239.0.0.1:5556", "ENODEV", "ENODEV"],
  [";239.0.0.1:5556", "ENODEV", "ENODEV"],
  ["127.0.0.1:5;239.0.0.1:5556", "ENODEV", "ENODEV"],
  ["[::1];239.0.0.1:5556", "ENODEV", "ENODEV"],
  ["127.0.0.1;239.0.0.1", "EINVAL", "EINVAL"],
  ["127.0.0.1;239.0.0.1:*", null, "EINVAL"],
  [`${loopback};239.0.0.1:5556`, null, null],
]
const ipv6: Verdict[] = [
  ["[::1]:*", null, "EINVAL"],
  ["[::1]:5556", null, null],
  ["::1:5556", null, null],
  ["127.0.0.1:5556", null, null],
  ["*:*", null, "EINVAL"],
  [`${loopback}:*`, null, "EINVAL"],
  ["[::1];[ff02::1]:5556", "ENODEV", "ENODEV"],
  ["nosuch;[ff02::1]:5556", "ENODEV", "ENODEV"],
  ["[ff02::2];[ff02::1]:5556", "EINVAL", "EINVAL"],
  [`${loopback};[::1]:5556`, "EINVAL", "EINVAL"],
  ["*;[ff02::1]:*", null, "EINVAL"],
  [`${loopback};[ff02::1]:*`, null, "EINVAL"],
  [`${loopback};239.0.0.1:5556`, null, null, "EINVAL", "EINVAL"],
]

const outcome = async (call: () => unknown): Promise<Code> => {
  try {
    await call()
    return null
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

describe.each([
  ["IPv4 only", {}, ipv4],
  ["IPv6 as well", { ipv6: true }, hasIpv6 ? ipv6 : []],
] as const)("addresses of udp, %s", (_, options, verdicts) => {
  const own = ownSockets()

  it.each(verdicts.filter(([address]) => hasMulticast || !address.includes(";")))(
    "%s: bind %s, connect %s",
    async (address, bind, connect, ...libzmq) => {
      const [wantedBind, wantedConnect] = engine === "zeromq" && libzmq.length > 0 ? libzmq : [bind, connect]
      const endpoint = `udp://${address.replace("5556", `${await freeUdpPort()}`)}`
      for (const socket of [new draft.Dish(options), new draft.Datagram(options)]) {
        expect([endpoint, "bind", await outcome(() => own(socket).bind(endpoint))]).toEqual([
          endpoint,
          "bind",
          wantedBind,
        ])
        await socket.close()
      }
      const radio = own(new draft.Radio(options))
      expect([endpoint, "connect", await outcome(() => radio.connect(endpoint))]).toEqual([
        endpoint,
        "connect",
        wantedConnect,
      ])
    },
  )
})

describe("who may use udp", () => {
  const own = ownSockets()
  const others = ["Push", "Pull", "Publisher", "Subscriber", "Request", "Router", "Pair"] as const

  it.each(["udp://127.0.0.1:5556", "udp://nonsense"])("RADIO connects, DISH and DGRAM bind: %s", async endpoint => {
    await failsWith("ENOCOMPATPROTO", () => own(new draft.Radio()).bind(endpoint))
    await failsWith("ENOCOMPATPROTO", () => own(new draft.Radio()).bindSync(endpoint))
    await failsWith("ENOCOMPATPROTO", () => own(new draft.Dish()).connect(endpoint))
    await failsWith("ENOCOMPATPROTO", () => own(new draft.Datagram()).connect(endpoint))
    await failsWith("ENOENT", () => own(new draft.Radio()).unbind(endpoint))
    await failsWith("ENOENT", () => own(new draft.Dish()).disconnect(endpoint))
    await failsWith("EINVAL", () => own(new draft.Dish()).bind("udp://"))
  })

  it.each(others)("%s has it neither way", async name => {
    const open = (): AnySocket => own(new zmq[name]())
    for (const endpoint of ["udp://127.0.0.1:5556", "udp://nonsense"]) {
      await failsWith("ENOCOMPATPROTO", () => open().bind(endpoint))
      await failsWith("ENOCOMPATPROTO", () => open().connect(endpoint))
      await failsWith("ENOCOMPATPROTO", () => open().unbind(endpoint))
      await failsWith("ENOCOMPATPROTO", () => open().disconnect(endpoint))
    }
  })
})

describe("what libzmq does not tell", () => {
  const own = ownSockets()
  // Its lastEndpoint has no scheme and not the port that was taken, a bind that fails is tried again in the background, and
  // it never finds an endpoint to unbind.
  const ours = it.runIf(engine === "peerlane")

  ours("lastEndpoint has what was taken, and can be connected to and unbound", async () => {
    const dish = own(new draft.Dish())
    await dish.bind("udp://127.0.0.1:*")
    expect(dish.lastEndpoint).toMatch(/^udp:\/\/127\.0\.0\.1:\d{2,5}$/)
    const at = dish.lastEndpoint!
    const radio = own(new draft.Radio())
    radio.connect(at)
    expect(radio.lastEndpoint).toBe(at)
    await failsWith("EADDRINUSE", () => own(new draft.Datagram()).bind(at))
    await dish.unbind(at)
    await failsWith("ENOENT", () => dish.unbind(at))
    await own(new draft.Datagram()).bind(at)
    radio.disconnect(at)
    await failsWith("ENOENT", () => radio.disconnect(at))
    await dish.bind("udp://*:*")
    expect(dish.lastEndpoint).toMatch(/^udp:\/\/0\.0\.0\.0:\d{2,5}$/)
    await dish.bind(`udp://${loopback}:0`)
    expect(dish.lastEndpoint).toMatch(/^udp:\/\/127\.0\.0\.1:\d{2,5}$/)
  })

  ours("a socket may be bound to many endpoints, a DGRAM to one at a time", async () => {
    const dish = own(new draft.Dish())
    for (let count = 0; count < 3; count++) await dish.bind("udp://127.0.0.1:*")
    const socket = own(new draft.Datagram())
    await socket.bind("udp://127.0.0.1:*")
    const first = socket.lastEndpoint!
    await failsWith("EINVAL", () => socket.bind("udp://127.0.0.1:*"))
    expect(socket.lastEndpoint).toBe(first)
    await socket.unbind(first)
    await socket.bind("udp://127.0.0.1:*")
  })

  ours("a DGRAM has nothing but udp", async () => {
    const socket = own(new draft.Datagram())
    for (const endpoint of ["tcp://127.0.0.1:*", "ipc://*", "inproc://datagram"]) {
      await failsWith("ENOCOMPATPROTO", () => socket.bind(endpoint))
      await failsWith("ENOCOMPATPROTO", () => socket.bindSync(endpoint))
      await failsWith("ENOCOMPATPROTO", () => socket.connect(endpoint))
    }
    await failsWith("EPROTONOSUPPORT", () => socket.bind("foo://bar"))
  })

  ours("a port that is taken and an address that is not ours fail", async () => {
    const taken = await RawUdp.open()
    const dish = own(new draft.Dish())
    const error = await failure(() => dish.bind(`udp://127.0.0.1:${taken.port}`))
    expect(error).toMatchObject({ code: "EADDRINUSE", address: `udp://127.0.0.1:${taken.port}` })
    await failsWith("EADDRNOTAVAIL", () => dish.bind("udp://203.0.113.200:*"))
    expect(dish.lastEndpoint).toBeNull()
  })

  it.skipIf(engine !== "peerlane" || !hasMulticast)("an interface that is not ours has no group", async () => {
    await failsWith("EADDRNOTAVAIL", () => own(new draft.Dish()).bind("udp://203.0.113.200;239.0.0.1:*"))
  })
})

describe("bindSync", () => {
  const own = ownSockets()

  it("binds at once", async () => {
    const dish = own(new draft.Dish())
    const port = await freeUdpPort()
    dish.bindSync(`udp://127.0.0.1:${port}`)
    const socket = own(new draft.Datagram())
    socket.bindSync(`udp://127.0.0.1:${await freeUdpPort()}`)
    await failsWith("EINVAL", () => own(new draft.Dish()).bindSync("udp://127.0.0.1"))
    await failsWith("ENODEV", () => own(new draft.Dish()).bindSync("udp://[::1]:*"))
    if (engine !== "peerlane") return
    expect(dish.lastEndpoint).toBe(`udp://127.0.0.1:${port}`)
    await failsWith("EADDRINUSE", () => own(new draft.Dish()).bindSync(dish.lastEndpoint!))
    // DNS takes time.
    const error = await failure(() => own(new draft.Dish()).bindSync("udp://localhost:*"))
    expect(error).toMatchObject({ code: "ENOTSUP", address: "udp://localhost:*" })
  })
})
