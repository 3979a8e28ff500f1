/**
 * The clocks of a connection by virtual time: connectTimeout, handshakeInterval, and heartbeats with their timeouts
 * (protocol.md §5.1 "Heartbeat", §1.7; 37/ZMTP, heartbeating).
 */
import { describe, expect, it } from "vitest"
import { Dealer, Pull, Push, Router } from "../../patterns/index.js"
import { command, frame, greeting, ready } from "../support/raw-zmtp.js"
import { Simulation, type TimedEvent } from "../support/simulation.js"
import { dial, hear, type Recorder } from "../transport/recorder.js"

const HOUR = 3_600_000

const types = (events: TimedEvent[]) => events.map(({ type }) => type)
const when = (events: TimedEvent[], type: string) => events.filter(event => event.type === type).map(({ at }) => at)

/** A peer made by hand that greets and gets ready, then does no more than it is told to. */
async function rawDealer(sim: Simulation, endpoint: string): Promise<Recorder> {
  const peer = dial(sim.network, endpoint)
  await sim.eventually(() => peer.opened)
  peer.stream.write(Buffer.concat([greeting(), ready("DEALER")]))
  await sim.turn()
  return peer
}

/** Commands of a name among what a raw peer got, told by their first bytes. */
function count(peer: Recorder, name: string): number {
  return (
    Buffer.concat(peer.chunks)
      .toString("latin1")
      .split(`${String.fromCharCode(name.length)}${name}`).length - 1
  )
}

describe("connectTimeout", () => {
  it("ends an attempt that nobody answers, then waits as after any failure", async () => {
    const sim = new Simulation()
    sim.network.swallow("void")
    const push = sim.open(Push, { connectTimeout: 500, reconnectInterval: 100, reconnectMaxInterval: 100 })
    const events = sim.events(push)
    push.connect("sim://void")
    await sim.advance(1900)
    expect(events.map(({ type, at }) => [type, at]).slice(0, 7)).toEqual([
      ["connect:delay", 0],
      ["close", 500],
      ["connect:retry", 500],
      ["connect:delay", 600],
      ["close", 1100],
      ["connect:retry", 1100],
      ["connect:delay", 1200],
    ])
  })

  it("is the operating system's when 0", async () => {
    const sim = new Simulation()
    sim.network.swallow("void")
    const push = sim.open(Push)
    push.connect("sim://void")
    await sim.advance(HOUR)
    expect(sim.network.dials).toHaveLength(1)
    expect(sim.leftovers().timers).toBe(0)
  })

  it("is over when the connection is there, however long the handshake takes", async () => {
    const sim = new Simulation()
    const { accepted } = await hear(sim.network, "silent")
    const push = sim.open(Push, { connectTimeout: 500, handshakeInterval: 20_000 })
    push.connect("sim://silent")
    await sim.advance(19_000)
    expect(accepted).toHaveLength(1)
    expect(accepted[0]!.closed).toBeUndefined()
  })
})

describe("handshakeInterval", () => {
  it("ends a connection whose server says nothing, and another one follows", async () => {
    const sim = new Simulation()
    await hear(sim.network, "silent")
    const push = sim.open(Push, { handshakeInterval: 300, reconnectInterval: 50, reconnectMaxInterval: 50 })
    const events = sim.events(push)
    push.connect("sim://silent")
    await sim.advance(400)
    expect(events.map(({ type, at }) => [type, at])).toEqual([
      ["connect:delay", 0],
      ["connect", 0],
      ["handshake:error:other", 300],
      ["disconnect", 300],
      ["connect:retry", 300],
      ["connect:delay", 350],
      ["connect", 350],
    ])
    expect(events[2]!.error?.code).toBe("ETIMEDOUT")
  })

  it("ends a connection whose client says nothing; the others go on", async () => {
    const sim = new Simulation()
    const pull = sim.open(Pull, { handshakeInterval: 300 })
    const endpoint = await sim.bind(pull)
    const events = sim.events(pull)
    const push = sim.open(Push)
    push.connect(endpoint)
    await sim.until(push.ready())
    const silent = dial(sim.network, endpoint)
    await sim.advance(299)
    expect(silent.closed).toBeUndefined()
    await sim.advance(2)
    expect(silent.closed).toBeNull()
    expect(types(events)).toContain("handshake:error:other")
    await sim.until(push.send("still here"))
    expect(String(await sim.until(pull.receive()))).toBe("still here")
  })

  it("is not lengthened by a greeting that comes in drops", async () => {
    const sim = new Simulation()
    const endpoint = await sim.bind(sim.open(Router, { handshakeInterval: 300 }))
    const slow = dial(sim.network, endpoint)
    const bytes = greeting()
    for (let i = 0; i < 60; i++) {
      slow.stream.write(bytes.subarray(i, i + 1))
      await sim.advance(10)
    }
    expect(slow.closed).toBeNull()
  })

  it("is half a minute unless it is set", async () => {
    const sim = new Simulation()
    const silent = dial(sim.network, await sim.bind(sim.open(Pull)))
    await sim.advance(29_999)
    expect(silent.closed).toBeUndefined()
    await sim.advance(2)
    expect(silent.closed).toBeNull()
  })

  it("is for ever when 0", async () => {
    const sim = new Simulation()
    const silent = dial(sim.network, await sim.bind(sim.open(Pull, { handshakeInterval: 0 })))
    await sim.advance(HOUR)
    expect(silent.closed).toBeUndefined()
  })

  it("does not matter once the handshake is done, and leaves no timer", async () => {
    const sim = new Simulation()
    const push = sim.open(Push, { handshakeInterval: 300 })
    const pull = sim.open(Pull, { handshakeInterval: 300 })
    push.connect(await sim.bind(pull))
    await sim.until(push.ready())
    await sim.advance(HOUR)
    expect(sim.leftovers().timers).toBe(0)
    await sim.until(push.send("hello"))
    expect(String(await sim.until(pull.receive()))).toBe("hello")
  })
})

describe("heartbeats", () => {
  /** Two sockets that have met, and what the connecting one tells. */
  async function pair(options: object, others: object = {}) {
    const sim = new Simulation()
    const router = sim.open(Router, others)
    const dealer = sim.open(Dealer, options)
    const events = sim.events(dealer)
    const served = sim.events(router)
    dealer.connect(await sim.bind(router))
    await sim.until(dealer.ready())
    return { sim, router, dealer, events, served, start: sim.now }
  }

  it("keep an idle connection for as long as it answers", async () => {
    const { sim, events } = await pair({ heartbeatInterval: 100 })
    await sim.advance(60_000)
    expect(types(events)).not.toContain("disconnect")
  })

  it.each([
    ["an interval, when no timeout is set", {}, 200],
    ["the timeout", { heartbeatTimeout: 250 }, 350],
    ["a timeout shorter than the interval", { heartbeatTimeout: 30 }, 130],
  ])("give a peer up that is silent after a PING for %s", async (_, options, after) => {
    const { sim, events, start } = await pair({ heartbeatInterval: 100, ...options })
    sim.network.partition()
    await sim.advance(5000)
    expect(when(events, "disconnect")).toEqual([start + after])
    expect(when(events, "connect:retry")).toEqual([start + after])
    sim.network.heal()
    await sim.eventually(() => when(events, "handshake").length === 2)
  })

  it("never give a peer up when the timeout is 0", async () => {
    const { sim, events } = await pair({ heartbeatInterval: 100, heartbeatTimeout: 0 })
    sim.network.partition()
    await sim.advance(60_000)
    expect(types(events)).not.toContain("disconnect")
  })

  it("tell the peer when to hang up, which does so without heartbeats of its own", async () => {
    const { sim, served, start } = await pair({ heartbeatInterval: 100, heartbeatTimeToLive: 300, heartbeatTimeout: 0 })
    await sim.advance(1050)
    expect(types(served)).not.toContain("disconnect")
    sim.network.partition()
    await sim.advance(5000)
    expect(when(served, "disconnect")).toEqual([start + 1000 + 300])
  })

  it("of which none is sent say nothing: a silent peer stays", async () => {
    const { sim, events, served } = await pair({})
    sim.network.partition()
    await sim.advance(HOUR)
    expect([...types(events), ...types(served)]).not.toContain("disconnect")
  })

  it("go out each interval, also while messages flow", async () => {
    const sim = new Simulation()
    const router = sim.open(Router, { heartbeatInterval: 100, heartbeatTimeout: 0 })
    const peer = await rawDealer(sim, await sim.bind(router))
    await sim.advance(1050)
    expect(count(peer, "PING")).toBe(10)
    for (let i = 0; i < 100; i++) {
      peer.stream.write(frame("busy"))
      await sim.advance(10)
    }
    expect(count(peer, "PING")).toBe(20)
  })

  it("give a peer up that reads and never answers", async () => {
    const sim = new Simulation()
    const router = sim.open(Router, { heartbeatInterval: 100 })
    const peer = await rawDealer(sim, await sim.bind(router))
    await sim.advance(199)
    expect(peer.closed).toBeUndefined()
    await sim.advance(2)
    expect(peer.closed).toBeNull()
  })

  it("take any frame for an answer", async () => {
    const sim = new Simulation()
    const router = sim.open(Router, { heartbeatInterval: 100, heartbeatTimeout: 50 })
    const peer = await rawDealer(sim, await sim.bind(router))
    for (let i = 0; i < 20; i++) {
      await sim.advance(50)
      peer.stream.write(i % 2 === 0 ? frame("a message") : command("PONG"))
    }
    await sim.turn()
    expect(peer.closed).toBeUndefined()
  })

  it("are answered at once, with what they carried", async () => {
    const sim = new Simulation()
    const peer = await rawDealer(sim, await sim.bind(sim.open(Router)))
    peer.chunks.length = 0
    peer.stream.write(command("PING", "\0\0context"))
    await sim.turn()
    expect(Buffer.concat(peer.chunks).toString("latin1")).toBe(command("PONG", "context").toString("latin1"))
  })

  it("a time to live counts from the last PING, and ends with any frame", async () => {
    const sim = new Simulation()
    const router = sim.open(Router)
    const peer = await rawDealer(sim, await sim.bind(router))
    peer.stream.write(command("PING", Buffer.of(0, 5)))
    await sim.advance(499)
    peer.stream.write(frame("alive"))
    await sim.advance(10_000)
    expect(peer.closed).toBeUndefined()
    peer.stream.write(command("PING", Buffer.of(0, 5)))
    await sim.advance(499)
    expect(peer.closed).toBeUndefined()
    await sim.advance(2)
    expect(peer.closed).toBeNull()
  })

  it("do not end a connection that is slow to take what is sent", async () => {
    const { sim, router, dealer, events } = await pair(
      { heartbeatInterval: 100, linger: 0 },
      { heartbeatInterval: 100 },
    )
    // The wire is full: neither PING nor PONG gets through until the router reads.
    const received = (async () => {
      let size = 0
      while (size < 4 * 1024 * 1024) size += (await router.receive())[1]!.length
      return size
    })()
    sim.network.latency = 1
    await sim.until(dealer.send(Buffer.alloc(4 * 1024 * 1024)))
    expect(await sim.until(received)).toBe(4 * 1024 * 1024)
    expect(types(events)).not.toContain("disconnect")
  })
})
