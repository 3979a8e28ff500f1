/**
 * Peers of ZMTP 1.0 and 2.0 over tcp: raw clients that say, byte for byte, what such peers say. Each script runs against
 * libzmq (the `zeromq` package) as well, which must hear, answer and tell the same: it is the witness for all the bytes here.
 */
import { describe, expect, it, onTestFinished } from "vitest"
import * as peerlane from "../../patterns/index.js"
import { eventually } from "../support/eventually.js"
import { message, RawPeer, rawServer } from "../support/raw-zmtp.js"
import { Watch } from "../support/watch.js"
import { hex } from "../wire/hex.js"

const libzmq = (await import("zeromq")) as unknown as typeof peerlane

const SIGNATURE = "FF 00*7 01 7F"
const bytes = (text: string) => Buffer.from(hex(text))

interface Bindable {
  bind(endpoint: string): Promise<void>
  close(): unknown
  readonly lastEndpoint: string | null
  readonly events: { receive(): Promise<unknown> }
}

const NOW = { linger: 0 }

/** A bound socket of the engine, ended with the test, and what it tells. */
async function bound<S extends Bindable>(socket: S): Promise<{ socket: S; endpoint: string; watch: Watch }> {
  onTestFinished(() => void socket.close())
  const watch = new Watch(socket)
  await socket.bind("tcp://127.0.0.1:*")
  return { socket, endpoint: socket.lastEndpoint!, watch }
}

const texts = (frames: Buffer[]) => frames.map(String)

for (const [engine, zmq] of [
  ["Peerlane", peerlane],
  ["libzmq", libzmq],
] as const) {
  /** Connects, says all that it has to say before it is answered, and checks what is answered. */
  async function meet(endpoint: string, says: string, hears: string): Promise<RawPeer> {
    const raw = await RawPeer.connect(endpoint)
    raw.send(bytes(says))
    const expected = bytes(hears)
    expect((await raw.read(expected.length)).toString("hex")).toBe(expected.toString("hex"))
    return raw
  }

  describe(`${engine}: a 1.0 peer`, () => {
    it("that pushes to a Pull, whole and byte by byte", async () => {
      const { socket, endpoint } = await bound(new zmq.Pull(NOW))
      const raw = await meet(endpoint, "01 00 06 00 'hello' 02 01 41 02 00 42 01 00", SIGNATURE)
      expect(texts(await socket.receive())).toEqual(["hello"])
      expect(texts(await socket.receive())).toEqual(["A", "B"])
      expect(texts(await socket.receive())).toEqual([""])
      const long = `FF 00*6 01 2D 00 ${"4C".repeat(300)}`
      for (const byte of bytes(`${long} 02 00 5A`)) raw.send(Buffer.of(byte))
      expect(texts(await socket.receive())).toEqual(["L".repeat(300)])
      expect(texts(await socket.receive())).toEqual(["Z"])
    })

    it("that asks a Router, by its identity, and reads our routing id", async () => {
      const { socket, endpoint } = await bound(new zmq.Router({ ...NOW, routingId: "me!" }))
      const raw = await meet(endpoint, "04 00 'abc' 01 01 06 00 'hello'", "FF 00*7 04 7F 'me!'")
      expect(texts(await socket.receive())).toEqual(["abc", "", "hello"])
      await socket.send(["abc", "", "x".repeat(254)])
      expect((await raw.read(2 + 10 + 254)).toString("hex")).toBe(bytes(`01 01 FF 00*7 FF 00 78*254`).toString("hex"))
    })

    it("without identity that asks a Reply", async () => {
      const { socket, endpoint } = await bound(new zmq.Reply(NOW))
      const raw = await meet(endpoint, "01 00 01 01 06 00 'hello'", SIGNATURE)
      expect(texts(await socket.receive())).toEqual(["hello"])
      await socket.send("world")
      expect((await raw.read(9)).toString("hex")).toBe(bytes("01 01 06 00 'world'").toString("hex"))
    })

    it("that is pushed to", async () => {
      const { socket, endpoint } = await bound(new zmq.Push(NOW))
      const raw = await meet(endpoint, "01 00", SIGNATURE)
      await socket.send(["A", "", "B"])
      expect((await raw.read(8)).toString("hex")).toBe("020141" + "0101" + "020042")
    })

    it("gets all that a Publisher sends, beside a subscriber of 3.x", async () => {
      const { socket, endpoint } = await bound(new zmq.Publisher(NOW))
      const raw = await meet(endpoint, "01 00", SIGNATURE)
      const modern = await RawPeer.connect(endpoint)
      await modern.handshake("SUB")
      modern.send(message("\x01"))
      // Nobody is told when a subscription has arrived, so the first ones repeat until both have one.
      const there = [raw, modern].map(async peer => void (await peer.read(3)))
      let count = 0
      void Promise.all(there).then(() => {
        count = -1
      })
      await eventually(async () => {
        if (count >= 0) await socket.send("?")
        return count < 0
      })
      await socket.send(["topic", "body"])
      await socket.send("end")
      const read = async (peer: RawPeer, last: string) => {
        let seen = ""
        while (!seen.endsWith(last)) seen += (await peer.read(1)).toString("hex")
        return seen
      }
      const end = bytes("06 01 'topic' 05 00 'body' 04 00 'end'").toString("hex")
      expect((await read(raw, end)).replace(end, "")).toMatch(/^(02003f)*$/)
      const modernEnd = bytes("01 05 'topic' 00 04 'body' 00 03 'end'").toString("hex")
      expect((await read(modern, modernEnd)).replace(modernEnd, "")).toMatch(/^(00013f)*$/)
    })

    it("is subscribed to everything at an XPublisher, which is told", async () => {
      const { socket, endpoint } = await bound(new zmq.XPublisher(NOW))
      const raw = await meet(endpoint, "01 00", SIGNATURE)
      expect((await socket.receive()).map(frame => frame.toString("hex"))).toEqual(["01"])
      await socket.send("news")
      expect((await raw.read(6)).toString("hex")).toBe(bytes("05 00 'news'").toString("hex"))
    })

    it("that sends a frame of length 0 is disconnected", async () => {
      const { socket, endpoint, watch } = await bound(new zmq.Pull(NOW))
      const raw = await meet(endpoint, "01 00 02 00 41", SIGNATURE)
      // Only now: a reset would throw away what we have not read.
      raw.send(bytes("00"))
      await raw.ended
      await watch.next("disconnect")
      expect(texts(await socket.receive())).toEqual(["A"])
    })

    it("that publishes to a Subscriber which connected, and hears its subscription", async () => {
      let heard: Promise<Buffer> | undefined
      const endpoint = await rawServer(raw => {
        raw.send(bytes("01 00"))
        heard = raw.read(10 + 7)
        void heard.then(() => raw.send(bytes("06 00 'topic' 06 00 'other' 07 01 'topic2' 02 00 42")))
      })
      const socket = new zmq.Subscriber(NOW)
      onTestFinished(() => void socket.close())
      socket.subscribe("topi")
      socket.connect(endpoint)
      expect(texts(await socket.receive())).toEqual(["topic"])
      expect(texts(await socket.receive())).toEqual(["topic2", "B"])
      expect((await heard!).toString("hex")).toBe(bytes(`${SIGNATURE} 06 00 01 'topi'`).toString("hex"))
    })
  })

  describe(`${engine}: a peer of 1.0 behind a greeting`, () => {
    it("that pushes to a Pull, and is no subscriber by itself", async () => {
      const { socket, endpoint } = await bound(new zmq.Pull(NOW))
      await meet(endpoint, `${SIGNATURE} 00 08 01 00 06 00 'hello'`, `${SIGNATURE} 03 07 01 00`)
      expect(texts(await socket.receive())).toEqual(["hello"])
      const { socket: publisher, endpoint: other } = await bound(new zmq.XPublisher(NOW))
      const raw = await meet(other, `${SIGNATURE} 00 02 01 00 03 00 01 42`, `${SIGNATURE} 03 09 01 00`)
      expect((await publisher.receive()).map(frame => frame.toString("hex"))).toEqual(["0142"])
      await publisher.send("A")
      await publisher.send("B")
      expect((await raw.read(3)).toString("hex")).toBe("020042")
    })
  })

  describe(`${engine}: a 2.0 peer`, () => {
    it("that pushes to a Pull, with a PING that is not answered", async () => {
      const { socket, endpoint } = await bound(new zmq.Pull(NOW))
      const stream = `${SIGNATURE} 01 08 00 00 00 05 'hello' 04 07 04 'PING' 00 00 01 01 41 00 01 42`
      const raw = await meet(endpoint, stream, `${SIGNATURE} 03 07 00 00`)
      expect(texts(await socket.receive())).toEqual(["hello"])
      expect(texts(await socket.receive())).toEqual(["A", "B"])
      void socket.close()
      await expect(raw.read(1)).rejects.toThrow("ended after 0")
    })

    it("that asks a Router, by its identity, and reads our routing id", async () => {
      const { socket, endpoint, watch } = await bound(new zmq.Router({ ...NOW, routingId: "me!" }))
      const stream = `${SIGNATURE} 01 05 00 03 'abc' 01 00 00 05 'hello'`
      const raw = await meet(endpoint, stream, "FF 00*7 04 7F 03 06 00 03 'me!'")
      expect(texts(await socket.receive())).toEqual(["abc", "", "hello"])
      await socket.send(["abc", "", "hi"])
      expect((await raw.read(6)).toString("hex")).toBe(bytes("01 00 00 02 'hi'").toString("hex"))
      expect(watch.count("accept")).toBe(1)
      expect(watch.count("handshake")).toBe(0)
    })

    it("that subscribes to a Publisher by messages", async () => {
      const { socket, endpoint } = await bound(new zmq.XPublisher(NOW))
      const raw = await meet(endpoint, `${SIGNATURE} 01 02 00 00 00 02 01 42`, `${SIGNATURE} 03 09 00 00`)
      expect((await socket.receive()).map(frame => frame.toString("hex"))).toEqual(["0142"])
      await socket.send("A")
      await socket.send("B")
      expect((await raw.read(3)).toString("hex")).toBe("000142")
      raw.send(bytes("00 02 00 42"))
      expect((await socket.receive()).map(frame => frame.toString("hex"))).toEqual(["0042"])
    })

    it("that publishes to a Subscriber which connected: subscriptions go as messages, and no handshake is told", async () => {
      let heard: Promise<Buffer> | undefined
      const endpoint = await rawServer(raw => {
        raw.send(bytes(`${SIGNATURE} 01 01 00 00`))
        heard = raw.read(12 + 2 + 7)
        void heard.then(() => raw.send(bytes("00 05 'topic'")))
      })
      const socket = new zmq.Subscriber({ ...NOW, heartbeatInterval: 5, heartbeatTimeout: 5 })
      onTestFinished(() => void socket.close())
      const watch = new Watch(socket)
      socket.subscribe("topi")
      socket.connect(endpoint)
      expect(texts(await socket.receive())).toEqual(["topic"])
      expect((await heard!).toString("hex")).toBe(bytes(`${SIGNATURE} 03 02 00 00 00 05 01 'topi'`).toString("hex"))
      await eventually(() => watch.count("connect") === 1)
      expect(watch.count("handshake")).toBe(0)
    })

    it("that is asked by a Request", async () => {
      const endpoint = await rawServer(raw => {
        raw.send(bytes(`${SIGNATURE} 01 04 00 00`))
        void raw.read(12 + 2 + 2 + 7).then(asked => raw.send(bytes("01 00"), asked.subarray(-7)))
      })
      const socket = new zmq.Request(NOW)
      onTestFinished(() => void socket.close())
      socket.connect(endpoint)
      await socket.send("hello")
      expect(texts(await socket.receive())).toEqual(["hello"])
    })
  })
}

describe("Peerlane", () => {
  it("tells of such a peer what it can, and forgets it when it leaves", async () => {
    const { socket, endpoint } = await bound(new peerlane.Router(NOW))
    const raw = await RawPeer.connect(endpoint)
    raw.send(bytes("04 00 'abc'"))
    await socket.ready()
    const [peer] = [...socket.peers()]
    expect(peer).toMatchObject({ type: "", mechanism: "NULL" })
    expect(peer?.routingId?.toString()).toBe("abc")
    raw.destroy()
    await eventually(() => [...socket.peers()].length === 0)
  })
})
