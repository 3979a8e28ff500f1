/**
 * Whoever can reach a port can send anything to it, as fast as he likes: sockets of udp keep their bounds, count what they
 * drop, and go on.
 */
import { describe, expect, it } from "vitest"
import { Datagram, Dish } from "../../patterns/draft/index.js"
import { fuzzing, Random } from "../fuzz/random.js"
import { portOf, RawUdp, resending } from "../support/datagrams.js"
import { eventually, pause } from "../support/eventually.js"
import { ownSockets } from "../support/sockets.js"

const own = ownSockets()

describe("a flood", () => {
  /** Sends so many, and lets them come in now and then. */
  async function flood(peer: RawUdp, port: number, datagram: Uint8Array, count: number): Promise<void> {
    for (let sent = 0; sent < count; sent++) {
      const arrived = peer.send(datagram, port)
      if (sent % 32 === 31) await arrived
    }
    await pause(10)
  }

  it("to a DISH that does not read fills its queue and no more", async () => {
    const dish = own(new Dish({ receiveHighWaterMark: 50 }))
    await dish.bind("udp://127.0.0.1:*")
    dish.join("g")
    const peer = await RawUdp.open()
    const port = portOf(dish.lastEndpoint)
    const body = Buffer.concat([Buffer.from("\u0001g"), Buffer.alloc(8000, 1)])
    await eventually(async () => {
      await flood(peer, port, body, 500)
      return dish.stats().messagesIn === 50 && dish.stats().dropped.total > 1000
    })
    const { queuedIn, bytesIn, dropped } = dish.stats()
    expect(queuedIn).toBe(50)
    expect(bytesIn).toBe(50 * 8001)
    expect(dropped).toEqual({ total: dropped.total, full: dropped.total })
    // It goes on when somebody reads.
    for (let count = 0; count < 50; count++) expect((await dish.receive())[0].length).toBe(8000)
    const last = async () => {
      for (;;) if ((await dish.receive())[0].length === 4) return "read"
    }
    expect(await resending(() => peer.send("\u0001glast", port), last())).toBe("read")
  })

  it("of other groups takes no place in the queue of a DISH", async () => {
    const dish = own(new Dish({ receiveHighWaterMark: 5 }))
    await dish.bind("udp://127.0.0.1:*")
    dish.join("g")
    const peer = await RawUdp.open()
    const port = portOf(dish.lastEndpoint)
    await eventually(async () => {
      await flood(peer, port, Buffer.from("\u0001hello"), 200)
      return (dish.stats().dropped.filtered ?? 0) > 100
    })
    expect(dish.stats().queuedIn).toBe(0)
    await resending(() => peer.send("\u0001gwanted", port), dish.receive())
  })

  it("to a DGRAM keeps to a mark in bytes", async () => {
    const socket = own(new Datagram({ receiveHighWaterMark: 0, receiveHighWaterMarkBytes: 100_000 }))
    await socket.bind("udp://127.0.0.1:*")
    const peer = await RawUdp.open()
    await eventually(async () => {
      await flood(peer, portOf(socket.lastEndpoint), Buffer.alloc(5000), 200)
      return (socket.stats().dropped.full ?? 0) > 100
    })
    const { queuedIn, bytesIn } = socket.stats()
    expect(queuedIn).toBe(19)
    expect(bytesIn).toBeLessThanOrEqual(100_000)
  })
})

it("whatever comes, a DISH and a DGRAM take it or count it, and go on", { timeout: fuzzing.timeout }, async () => {
  const random = new Random(Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31))
  const dish = own(new Dish({ receiveHighWaterMark: 0 }))
  const socket = own(new Datagram({ receiveHighWaterMark: 0 }))
  dish.join("g", "")
  const peer = await RawUdp.open()
  for (const receiver of [dish, socket]) await receiver.bind("udp://127.0.0.1:*")
  const counted = ({ messagesIn, dropped }: ReturnType<Dish["stats"]>) => messagesIn + dropped.total
  let sent = 0
  for (let round = 0; round < 20; round++) {
    for (let count = 0; count < 20; count++) {
      const datagram = random.bytes(random.once(20) ? 8000 + random.below(1000) : random.below(40))
      if (random.once(3)) datagram[0] = random.below(4)
      if (random.once(3)) datagram[1] = "g".charCodeAt(0)
      await peer.send(datagram, portOf(dish.lastEndpoint))
      await peer.send(datagram, portOf(socket.lastEndpoint))
      sent++
    }
    await pause(5)
  }
  await eventually(() => counted(dish.stats()) > sent / 2 && counted(socket.stats()) > sent / 2)
  expect(counted(dish.stats())).toBeLessThanOrEqual(sent)
  expect(socket.stats().dropped.total).toBe(0)
  expect(Object.keys(dish.stats().dropped).sort()).toEqual(["filtered", "malformed", "total"])
  for (let got = dish.tryReceive(); got !== null; got = dish.tryReceive()) {
    expect(["", "g"]).toContain(String(got[1].group))
  }
  for (let got = socket.tryReceive(); got !== null; got = socket.tryReceive()) {
    expect(String(got[0])).toBe(peer.address)
  }
})
