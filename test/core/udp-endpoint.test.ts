/**
 * Endpoints of datagrams on a transport that does as the test says: what waits where, what is dropped and counted, what an
 * end does with what is left, and how a place that cannot be sent to is tried again.
 */
import { beforeEach, describe, expect, it } from "vitest"
import { Datagram, Dish, Radio } from "../../patterns/draft/index.js"
import { Context } from "../../patterns/index.js"
import { ZmqError } from "../../src/errors.js"
import type { DatagramPort, DatagramTransport, PortSink } from "../../src/transport/datagram.js"
import { Simulation } from "../support/simulation.js"

class Port implements DatagramPort {
  queuedBytes = 0
  closed = false
  readonly sent: { bytes: Uint8Array; to: string | null }[] = []
  private told = 0

  constructor(
    readonly endpoint: string,
    readonly sink: PortSink,
  ) {}

  check(to: string): void {
    if (!/:\d+$/.test(to)) throw new ZmqError("EINVAL")
  }

  send(bytes: Uint8Array, to: string | null): void {
    expect(this.closed).toBe(false)
    this.sent.push({ bytes: Buffer.from(bytes), to })
  }

  /** Tells what became of those that were sent and not told of. */
  tell(error: Error | null = null, count = this.sent.length - this.told): void {
    for (; count > 0; count--) {
      this.told++
      this.sink.onSent(error)
    }
  }

  close(): void {
    this.closed = true
  }

  get texts(): string[] {
    return this.sent.map(({ bytes }) => Buffer.from(bytes).toString("latin1"))
  }
}

class Datagrams implements DatagramTransport {
  readonly scheme = "udp"
  readonly longest = 100
  readonly ports: Port[] = []
  /** What opening one fails with. */
  failure: Error | null = null
  /** Ends the opening of those that are held back. */
  go = () => {}
  held = false

  check(): void {}

  async connect(address: string, _options: unknown, sink: PortSink): Promise<DatagramPort> {
    if (this.held) await new Promise<void>(resolve => (this.go = resolve))
    return this.open(address, sink)
  }

  async bind(address: string, _options: unknown, sink: PortSink): Promise<DatagramPort> {
    return this.open(address, sink)
  }

  bindSync(address: string, _options: unknown, sink: PortSink): DatagramPort {
    return this.open(address, sink)
  }

  private open(address: string, sink: PortSink): Port {
    if (this.failure !== null) throw this.failure
    const port = new Port(`udp://${address}`, sink)
    this.ports.push(port)
    return port
  }
}

let sim: Simulation
let udp: Datagrams
let context: Context

beforeEach(() => {
  sim = new Simulation()
  udp = new Datagrams()
  context = new Context(undefined, { runtime: sim.runtime, transports: [], datagrams: [udp] })
})

/** A RADIO that is connected, and its port. */
async function radio(options: object = {}): Promise<{ radio: Radio; port: Port }> {
  const socket = new Radio({ context, ...options })
  socket.connect("udp://place:1")
  await sim.turn()
  return { radio: socket, port: udp.ports.at(-1)! }
}

/** A DGRAM that is bound, and its port. */
function datagram(options: object = {}): { socket: Datagram; port: Port } {
  const socket = new Datagram({ context, ...options })
  socket.bindSync("udp://place:1")
  return { socket, port: udp.ports.at(-1)! }
}

const MANY = 256 * 1024

describe("what waits", () => {
  it("goes at once while the port takes it", async () => {
    const { radio: socket, port } = await radio()
    socket.trySend("a", { group: "g" })
    expect(port.texts).toEqual(["\u0001ga"])
    expect(socket.stats()).toMatchObject({ messagesOut: 1, bytesOut: 2, queuedOut: 0 })
    const flushed = socket.flushed()
    port.tell()
    await sim.until(flushed)
    await socket.close()
  })

  it("waits in the pipe when the port is full, up to the mark; then a RADIO drops, and counts", async () => {
    const { radio: socket, port } = await radio({ sendHighWaterMark: 3 })
    port.queuedBytes = MANY
    for (let index = 0; index < 5; index++) socket.trySend(`${index}`, { group: "" })
    expect(port.sent).toEqual([])
    expect(socket.stats()).toMatchObject({ queuedOut: 3, dropped: { total: 2, full: 2 } })
    port.queuedBytes = 0
    socket.trySend("behind them", { group: "" })
    expect(port.texts.slice(0, 3)).toEqual(["\u00000", "\u00001", "\u00002"])
    await socket.close({ linger: 0 })
  })

  it("is bounded even when the operating system takes all and says nothing yet", async () => {
    const { radio: socket, port } = await radio({ sendHighWaterMark: 10 })
    for (let index = 0; index < 10_000; index++) socket.trySend("", { group: "" })
    expect(port.sent.length).toBe(4096)
    expect(socket.stats()).toMatchObject({ queuedOut: 10, dropped: { full: 10_000 - 4096 - 10 } })
    port.tell(null, 1)
    expect(port.sent.length).toBe(4097)
    await socket.close({ linger: 0 })
  })

  it("makes a DGRAM wait, in order", async () => {
    const { socket, port } = datagram({ sendHighWaterMark: 2 })
    port.queuedBytes = MANY
    const place = "1.2.3.4:5"
    const done: number[] = []
    for (let index = 0; index < 5; index++) void socket.send([place, `${index}`]).then(() => done.push(index))
    await sim.turn()
    expect(done).toEqual([0, 1])
    expect([socket.writable, socket.trySend([place, "x"])]).toEqual([false, false])
    port.queuedBytes = 0
    port.sink.onSent(null)
    await sim.turn()
    expect(done).toEqual([0, 1, 2, 3, 4])
    expect(port.texts).toEqual(["0", "1", "2", "3", "4"])
    expect(port.sent.every(({ to }) => to === place)).toBe(true)
    await socket.close({ linger: 0 })
  })

  it("short frames that wait are copies", async () => {
    const { socket, port } = datagram()
    const [address, body] = [Buffer.from("1.2.3.4:5"), Buffer.from("body")]
    port.queuedBytes = MANY
    socket.trySend([address, body])
    address.fill(0)
    body.fill(0)
    port.queuedBytes = 0
    socket.trySend(["1.2.3.4:6", "x"])
    port.sink.onSent(null)
    expect(port.sent.map(({ bytes, to }) => [String(bytes), to])).toEqual([
      ["body", "1.2.3.4:5"],
      ["x", "1.2.3.4:6"],
    ])
    await socket.close({ linger: 0 })
  })
})

describe("what cannot go", () => {
  it("is EMSGSIZE above 8,192 bytes of a RADIO, and nobody gets it", async () => {
    const { radio: socket, port } = await radio()
    expect(() => socket.trySend(Buffer.alloc(8191), { group: "g" })).toThrow("8192 bytes, and these are 8193")
    expect(await sim.failure(socket.send(Buffer.alloc(8191), { group: "g" }))).toMatchObject({
      code: "EMSGSIZE",
      address: "udp://place:1",
    })
    expect(port.sent).toEqual([])
    socket.trySend(Buffer.alloc(8190), { group: "g" })
    expect(port.sent.length).toBe(1)
    port.tell()
    await socket.close()
  })

  it("is EMSGSIZE above what a datagram holds, and EINVAL for what is no address, of a DGRAM", async () => {
    const { socket, port } = datagram()
    expect(() => socket.trySend(["1.2.3.4:5", Buffer.alloc(101)])).toThrow("100 bytes, and these are 101")
    expect(await sim.failure(socket.send(["nobody", "x"]))).toMatchObject({ code: "EINVAL" })
    expect(port.sent).toEqual([])
    await socket.close()
  })

  it("is counted when the operating system refuses it", async () => {
    const { radio: socket, port } = await radio()
    for (let index = 0; index < 3; index++) socket.trySend("", { group: "" })
    port.tell(new ZmqError("ENETUNREACH"))
    expect(socket.stats().dropped).toEqual({ total: 3, unroutable: 3 })
    await sim.until(socket.flushed())
    await socket.close()
  })
})

describe("what comes", () => {
  function dish(options: object = {}) {
    const socket = new Dish({ context, ...options })
    socket.bindSync("udp://place:1")
    const port = udp.ports.at(-1)!
    return { socket, come: (text: string) => port.sink.onDatagram(Buffer.from(text, "latin1"), "1.2.3.4:5") }
  }

  it("is filtered before it takes a place in the queue, and dropped when that is full", async () => {
    const { socket, come } = dish({ receiveHighWaterMark: 4 })
    socket.join("g")
    for (let index = 0; index < 10; index++) {
      come("\u0001hno")
      come(`\u0001g${index}`)
    }
    come("\u0009")
    expect(socket.stats()).toMatchObject({
      queuedIn: 4,
      messagesIn: 4,
      dropped: { total: 17, filtered: 10, full: 6, malformed: 1 },
    })
    const got: string[] = []
    for (let next = socket.tryReceive(); next !== null; next = socket.tryReceive()) got.push(String(next[0]))
    expect(got).toEqual(["0", "1", "2", "3"])
    come("\u0001glater")
    expect(String((await sim.until(socket.receive()))[0])).toBe("later")
    socket.leave("g")
    come("\u0001gno")
    expect(socket.tryReceive()).toBeNull()
    await socket.close()
  })

  it("is dropped above maxMessageSize", async () => {
    const { socket, come } = dish({ maxMessageSize: 3 })
    socket.join("g")
    come("\u0001g1234")
    come("\u0001g123")
    expect(String(socket.tryReceive()![0])).toBe("123")
    expect(socket.stats().dropped).toEqual({ total: 1, malformed: 1 })
    await socket.close()
  })

  it("wakes who waits, and says by which endpoint it came", async () => {
    const { socket, port } = datagram()
    const waiting = socket.receiveFrom()
    port.sink.onDatagram(Buffer.from("hello"), "1.2.3.4:5")
    const { message, peer } = await sim.until(waiting)
    expect(message.map(String)).toEqual(["1.2.3.4:5", "hello"])
    expect([peer.endpoint, peer.address, peer.since]).toEqual(["udp://place:1", "", null])
    peer.disconnect()
    expect(port.closed).toBe(false)
    port.sink.onError(new Error("for once"))
    port.sink.onDatagram(Buffer.from("more"), "1.2.3.4:5")
    expect(String(socket.tryReceive()![1])).toBe("more")
    expect([socket.peers(), socket.stats().peers]).toEqual([[], 0])
    await socket.close()
  })

  it("can still be read when its endpoint is unbound", async () => {
    const { socket, port } = datagram()
    port.sink.onDatagram(Buffer.from("before"), "1.2.3.4:5")
    socket.unbindSync("udp://place:1")
    expect(port.closed).toBe(true)
    expect(String(socket.tryReceive()![1])).toBe("before")
    expect(socket.trySend(["1.2.3.4:5", "x"])).toBe(false)
    socket.bindSync("udp://place:2")
    expect(socket.trySend(["1.2.3.4:5", "x"])).toBe(true)
    await socket.close({ linger: 0 })
  })
})

describe("an end", () => {
  it("waits for what is queued and on its way, and keeps the process alive for it", async () => {
    const { radio: socket, port } = await radio()
    socket.trySend("1", { group: "" })
    port.queuedBytes = MANY
    socket.trySend("2", { group: "" })
    let done = false
    void socket.close().then(() => {
      done = true
    })
    await sim.advance(1000)
    expect([done, port.closed, sim.leftovers().held]).toEqual([false, false, 1])
    port.queuedBytes = 0
    port.tell(null, 1)
    expect(port.texts).toEqual(["\u00001", "\u00002"])
    await sim.turn()
    expect(done).toBe(false)
    port.tell(null, 1)
    await sim.turn()
    expect([done, port.closed, sim.leftovers().held]).toEqual([true, true, 0])
    expect(socket.stats().dropped.total).toBe(0)
  })

  it.each([0, 50])("drops and counts what is left after a linger of %i", async linger => {
    const { radio: socket, port } = await radio({ linger })
    socket.trySend("1", { group: "" })
    port.queuedBytes = MANY
    socket.trySend("2", { group: "" })
    const closed = socket.close()
    await sim.until(closed)
    expect([sim.now, port.closed]).toEqual([linger, true])
    expect(socket.stats().dropped).toEqual({ total: 2, closed: 2 })
  })

  it("is done at once when nothing is owed", async () => {
    const { radio: socket, port } = await radio()
    const dish = new Dish({ context })
    dish.bindSync("udp://place:2")
    await sim.until(Promise.all([socket.close(), dish.close()]))
    expect(udp.ports.map(({ closed }) => closed)).toEqual([true, true])
    expect(port.closed).toBe(true)
  })

  it("of a socket that was closed while it bound closes the port", async () => {
    const socket = new Datagram({ context })
    const binding = socket.bind("udp://place:1")
    void socket.close()
    await sim.until(binding)
    expect(udp.ports[0]!.closed).toBe(true)
  })

  it("of the process sends what can be", async () => {
    const { radio: socket, port } = await radio()
    port.queuedBytes = MANY
    socket.trySend("1", { group: "" })
    port.queuedBytes = 0
    context.core.onExit()
    expect(port.texts).toEqual(["\u00001"])
    await socket.close({ linger: 0 })
  })
})

describe("a place that cannot be sent to", () => {
  it("is tried again, as reconnectInterval says; what is sent waits", async () => {
    udp.failure = new ZmqError("ENOTFOUND")
    const socket = new Radio({ context, reconnectInterval: 100, reconnectMaxInterval: 400, sendHighWaterMark: 2 })
    const seen = sim.events(socket)
    socket.connect("udp://place:1")
    await sim.advance(650)
    for (let index = 0; index < 3; index++) socket.trySend(`${index}`, { group: "" })
    udp.failure = null
    await sim.advance(400)
    expect(seen.map(({ type, at, interval }) => [type, at, interval])).toEqual([
      ["close", 0, undefined],
      ["connect:retry", 0, 100],
      ["close", 100, undefined],
      ["connect:retry", 100, 200],
      ["close", 300, undefined],
      ["connect:retry", 300, 400],
      ["connect", 700, undefined],
    ])
    expect(udp.ports[0]!.texts).toEqual(["\u00000", "\u00001"])
    expect(socket.stats().dropped).toEqual({ total: 1, full: 1 })
    await socket.close({ linger: 0 })
  })

  it("is not tried again when reconnectInterval is -1", async () => {
    udp.failure = new ZmqError("ENOTFOUND")
    const socket = new Radio({ context, reconnectInterval: -1 })
    socket.connect("udp://place:1")
    socket.trySend("1", { group: "" })
    await sim.advance(1000)
    expect(socket.stats().dropped).toEqual({ total: 1, closed: 1 })
    socket.trySend("2", { group: "" })
    expect(socket.stats().dropped.total).toBe(1)
    socket.disconnect("udp://place:1")
    await sim.until(socket.close())
  })

  it("is left by an end, which cancels the timer, or drops a port that opens too late", async () => {
    udp.failure = new ZmqError("ENOTFOUND")
    const one = new Radio({ context })
    one.connect("udp://place:1")
    await sim.turn()
    await sim.until(one.close())
    expect(sim.leftovers().timers).toBe(0)
    udp.failure = null
    udp.held = true
    const two = new Radio({ context })
    two.connect("udp://place:2")
    await sim.until(two.close())
    udp.go()
    await sim.turn()
    expect(udp.ports.map(({ closed }) => closed)).toEqual([true])
  })
})

it("a bind that fails is told, and leaves nothing", async () => {
  udp.failure = Object.assign(new Error("taken"), { code: "EADDRINUSE" })
  const socket = new Datagram({ context })
  const seen = sim.events(socket)
  expect(await sim.failure(socket.bind("udp://place:1"))).toMatchObject({
    code: "EADDRINUSE",
    address: "udp://place:1",
  })
  await sim.turn()
  expect(seen).toMatchObject([{ type: "bind:error", address: "udp://place:1", error: { code: "EADDRINUSE" } }])
  udp.failure = null
  await sim.until(socket.bind("udp://place:1"))
  await sim.turn()
  expect(seen.at(-1)).toMatchObject({ type: "bind", address: "udp://place:1" })
  await socket.close()
  await sim.turn()
  expect(seen.map(({ type }) => type)).toEqual(["bind:error", "bind", "close", "end"])
})
