/** RADIO, DISH and DGRAM over udp against those of libzmq, by the `zeromq` package in the same process: both ways, unicast, multicast and IPv6. */
import { describe, expect, it } from "vitest"
import * as theirs from "zeromq/draft.js"
import * as ours from "../../patterns/draft/index.js"
import { freeUdpPort, GROUP, hasIpv6, hasMulticast, loopback, resending, VIA_LOOPBACK } from "../support/datagrams.js"
import { ownSockets } from "../support/sockets.js"

const Theirs = theirs as unknown as typeof ours
const hosts: [name: string, bound: string, connected: string, options: { ipv6?: boolean }][] = [
  ["unicast", "127.0.0.1", "127.0.0.1", {}],
  ["all interfaces", "*", "127.0.0.1", {}],
  ["an interface", loopback, "127.0.0.1", {}],
]
if (hasMulticast) {
  hosts.push(["multicast", VIA_LOOPBACK, VIA_LOOPBACK, {}])
  hosts.push(["multicast, by a name", `${loopback};${GROUP}`, VIA_LOOPBACK, {}])
}
if (hasIpv6) {
  hosts.push(["IPv6", "[::1]", "[::1]", { ipv6: true }])
  hosts.push(["IPv6 to all", "*", "[::1]", { ipv6: true }])
  hosts.push(["IPv4 to all", "*", "127.0.0.1", { ipv6: true }])
}

const ways = [
  ["our RADIO", ours, Theirs],
  ["our DISH", Theirs, ours],
] as const

describe.each(hosts)("udp and libzmq, %s", (_, bound, connected, options) => {
  const own = ownSockets()

  it.each(ways)("%s", async (_, from, to) => {
    const port = await freeUdpPort()
    const radio = own(new from.Radio(options))
    const dish = own(new to.Dish(options))
    await dish.bind(`udp://${bound}:${port}`)
    radio.connect(`udp://${connected}:${port}`)
    // Longer groups end the process of libzmq.
    const group = "g".repeat(127)
    dish.join(group, "left")
    dish.leave("left")
    for (const size of [0, 1, 255, 8192 - 128]) {
      const body = Buffer.alloc(size, size % 251)
      const send = async () => {
        await radio.send("no", { group: "other" })
        await radio.send("no", { group: "left" })
        await radio.send(body, { group })
      }
      const arrived = (async () => {
        for (;;) {
          const [got, tag] = await dish.receive()
          expect(String(tag.group)).toBe(group)
          if (got.length === size) return got
        }
      })()
      expect((await resending(send, arrived)).equals(body)).toBe(true)
    }
  })
})

describe.each([
  ["ours first", ours, Theirs],
  ["theirs first", Theirs, ours],
] as const)("DGRAM and libzmq, %s", (_, one, two) => {
  const own = ownSockets()

  it("ask and answer, by the address that came", async () => {
    const [here, there] = [await freeUdpPort(), await freeUdpPort()]
    const asking = own(new one.Datagram())
    const answering = own(new two.Datagram())
    await asking.bind(`udp://127.0.0.1:${here}`)
    await answering.bind(`udp://127.0.0.1:${there}`)
    const [from, question] = await resending(() => asking.send([`127.0.0.1:${there}`, "question"]), answering.receive())
    expect([String(from).replace("\0", ""), String(question)]).toEqual([`127.0.0.1:${here}`, "question"])
    const [by, answer] = await resending(() => answering.send([from, "answer"]), asking.receive())
    expect([String(by).replace("\0", ""), String(answer)]).toEqual([`127.0.0.1:${there}`, "answer"])
  })

  it("hears a RADIO, as anybody does", async () => {
    const port = await freeUdpPort()
    const socket = own(new one.Datagram())
    await socket.bind(`udp://127.0.0.1:${port}`)
    const radio = own(new two.Radio())
    radio.connect(`udp://127.0.0.1:${port}`)
    const [, datagram] = await resending(() => radio.send("body", { group: "g" }), socket.receive())
    expect(String(datagram)).toBe("\u0001gbody")
  })
})

it.runIf(hasMulticast)("a group is shared by a DISH of ours, one of theirs, and a second one of ours", async () => {
  const at = `udp://${VIA_LOOPBACK}:${await freeUdpPort()}`
  const dishes = [new ours.Dish(), new Theirs.Dish(), new ours.Dish()]
  const radio = new ours.Radio()
  try {
    for (const dish of dishes) {
      await dish.bind(at)
      dish.join("g")
    }
    radio.connect(at)
    await resending(
      () => radio.send("x", { group: "g" }),
      Promise.all(dishes.map(async dish => expect(String((await dish.receive())[0])).toBe("x"))),
    )
  } finally {
    for (const socket of [...dishes, radio]) await socket.close()
  }
})
