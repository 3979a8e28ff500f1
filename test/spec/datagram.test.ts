/**
 * DGRAM: an address and a datagram, both ways, over udp. There is no RFC; what holds is what libzmq does (test_dgram.cpp,
 * case 125), but for the zero with which it ends the address of a received message.
 */
import { describe, expect, it } from "vitest"
import { freeUdpPort, GROUP, hasMulticast, RawUdp, resending, VIA_LOOPBACK } from "../support/datagrams.js"
import { draft, engine } from "../support/engine.js"
import { pause } from "../support/eventually.js"
import { failsWith, failure, ownSockets } from "../support/sockets.js"

type Datagram = InstanceType<typeof draft.Datagram>

/** The next message as text, without libzmq's zero. */
async function read(socket: Datagram): Promise<[address: string, body: string]> {
  const [address, body] = await socket.receive()
  return [String(address).replace("\0", ""), String(body)]
}

describe("DGRAM", () => {
  const own = ownSockets()

  /** A socket, and the address by which it is known. */
  async function listening(options = {}): Promise<{ socket: Datagram; address: string; port: number }> {
    const socket = own(new draft.Datagram(options))
    const port = await freeUdpPort()
    await socket.bind(`udp://127.0.0.1:${port}`)
    return { socket, address: `127.0.0.1:${port}`, port }
  }

  it("has the number that libzmq has", () => {
    expect(own(new draft.Datagram()).type).toBe(18)
  })

  it("two of them talk by their addresses", async () => {
    const here = await listening()
    const there = await listening()
    const question = await resending(() => here.socket.send([there.address, "how are you?"]), read(there.socket))
    expect(question).toEqual([here.address, "how are you?"])
    const answer = await resending(() => there.socket.send([question[0], "fine"]), read(here.socket))
    expect(answer).toEqual([there.address, "fine"])
  })

  it("talks to anybody who speaks udp, and the address that came is one to send to", async () => {
    const { socket, address, port } = await listening()
    const peer = await RawUdp.open()
    const [from, body] = await resending(() => peer.send("hello", port), socket.receive())
    expect([String(from).replace("\0", ""), String(body)]).toEqual([peer.address, "hello"])
    const { bytes, from: sender } = await resending(() => socket.send([from, Buffer.from("yes?")]), peer.next())
    expect([String(bytes), `${sender.address}:${sender.port}`]).toEqual(["yes?", address])
  })

  it("carries the empty datagram, and one of 8,192 bytes", async () => {
    const { socket, port } = await listening()
    const peer = await RawUdp.open()
    for (const sent of [Buffer.alloc(0), Buffer.alloc(8192, 7)]) {
      let got: Buffer
      do [, got] = await resending(() => peer.send(sent, port), socket.receive())
      while (got.length !== sent.length)
      expect(got.equals(sent)).toBe(true)
      do got = (await resending(() => socket.send([peer.address, sent]), peer.next())).bytes
      while (got.length !== sent.length)
      expect(got.equals(sent)).toBe(true)
    }
  })

  it("is bound: it does not connect, and it is not sent without", async () => {
    const socket = own(new draft.Datagram({ sendTimeout: 50 }))
    expect([socket.readable, socket.writable]).toEqual([false, false])
    for (const endpoint of ["udp://127.0.0.1:5556", "udp://nonsense"]) {
      await failsWith("ENOCOMPATPROTO", () => socket.connect(endpoint))
    }
    await failsWith("EAGAIN", () => socket.send(["127.0.0.1:5556", "x"]))
    await socket.bind(`udp://127.0.0.1:${await freeUdpPort()}`)
    expect([socket.readable, socket.writable]).toEqual([false, true])
    await socket.send(["127.0.0.1:5556", "x"])
  })

  it("a send that waits goes when there is an endpoint", async () => {
    const peer = await RawUdp.open()
    const socket = own(new draft.Datagram())
    const sent = socket.send([peer.address, "waited"])
    await pause(20)
    await socket.bind(`udp://127.0.0.1:${await freeUdpPort()}`)
    await sent
    const { bytes } = await resending(() => socket.send([peer.address, "later"]), peer.next())
    expect(["waited", "later"]).toContain(String(bytes))
  })

  it("a message is an address and a datagram", async () => {
    const { socket, address } = await listening()
    for (const message of ["x", ["x"], [address, "a", "b"]]) {
      await failsWith("EINVAL", () => socket.send(message as never))
    }
    expect(await failure(() => socket.send(undefined as never))).toBeInstanceOf(TypeError)
  })

  // libzmq drops them in silence.
  it
    .skipIf(engine !== "peerlane")
    .each([
      "nonsense",
      "",
      "127.0.0.1",
      "127.0.0.1:0",
      "127.0.0.1:65536",
      "127.0.0.1:5x",
      "localhost:5556",
      "127.0.0.1.1:5556",
      "[::1]:5556",
      "::1:5556",
      "*:5556",
    ])("an address that cannot be sent to is EINVAL: %j", async address => {
    const { socket } = await listening()
    await failsWith("EINVAL", () => socket.send([address, "x"]))
    expect(() => socket.trySend([address, "x"])).toThrow("127.0.0.1:5555")
  })

  it.runIf(hasMulticast)("hears the group that it is bound to, and sends to it by that interface", async () => {
    const port = await freeUdpPort()
    const socket = own(new draft.Datagram())
    await socket.bind(`udp://${VIA_LOOPBACK}:${port}`)
    const peer = await RawUdp.open()
    peer.socket.setMulticastInterface("127.0.0.1")
    const toGroup = () => new Promise(sent => peer.socket.send("to all", port, GROUP, sent))
    expect(await resending(toGroup, read(socket))).toEqual([peer.address, "to all"])
    if (engine !== "peerlane") return
    // libzmq sends by the interface of the default route.
    const mine = await resending(
      () => socket.send([`${GROUP}:${port}`, "to myself"]),
      (async () => {
        let body = ""
        while (body !== "to myself") body = (await read(socket))[1]
        return body
      })(),
    )
    expect(mine).toBe("to myself")
  })
})
