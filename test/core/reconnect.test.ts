/**
 * Dialing by virtual time: when it tries again and when never, what the waits are, what becomes of the queue meanwhile
 * (protocol.md §3.1 "Connect side", §5.1 "Reconnect", §1.7).
 */
import { describe, expect, it } from "vitest"
import { Dealer, Publisher, Pull, Push, Reply, Request } from "../../patterns/index.js"
import { Simulation, type TimedEvent } from "../support/simulation.js"
import { hear } from "../transport/recorder.js"

const NOBODY = "sim://nobody"
const TEN_SECONDS = 10_000

const intervals = (events: TimedEvent[]) => events.flatMap(({ interval }) => (interval === undefined ? [] : [interval]))
const types = (events: TimedEvent[]) => events.map(({ type }) => type)

/** A client that has failed to connect for so long, and what it told. */
async function failing(
  sim: Simulation,
  options: { reconnectInterval?: number; reconnectMaxInterval?: number },
  ms: number,
) {
  const push = sim.open(Push, options)
  const events = sim.events(push)
  push.connect(NOBODY)
  await sim.advance(ms)
  return { push, events }
}

describe("waits between attempts", () => {
  it("are the interval and up to once more of it at random, when there is no longest one", async () => {
    const seen: number[] = []
    for (const seed of [1, 2, 3]) {
      const sim = new Simulation({ seed })
      const { events } = await failing(sim, { reconnectInterval: 100 }, TEN_SECONDS)
      seen.push(...intervals(events))
    }
    expect(seen.length).toBeGreaterThan(150)
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(100)
    expect(Math.min(...seen)).toBeLessThan(110)
    expect(Math.max(...seen)).toBeLessThan(200)
    expect(Math.max(...seen)).toBeGreaterThan(190)
    expect(seen.every(Number.isInteger)).toBe(true)
  })

  it("come out the same from the same seed", async () => {
    const runs = []
    for (let i = 0; i < 2; i++) runs.push((await failing(new Simulation({ seed: 7 }), {}, TEN_SECONDS)).events)
    expect(runs[0]).toEqual(runs[1])
  })

  it("double up to the longest one, without any chance", async () => {
    const { events } = await failing(
      new Simulation(),
      { reconnectInterval: 100, reconnectMaxInterval: 1500 },
      TEN_SECONDS,
    )
    expect(intervals(events).slice(0, 7)).toEqual([100, 200, 400, 800, 1500, 1500, 1500])
  })

  it("are the longest one when that is shorter than the first", async () => {
    const { events } = await failing(new Simulation(), { reconnectInterval: 500, reconnectMaxInterval: 200 }, 1000)
    expect(intervals(events).slice(0, 5)).toEqual([200, 200, 200, 200, 200])
  })

  it("do not overflow in a month", async () => {
    const sim = new Simulation()
    const { events } = await failing(
      sim,
      { reconnectInterval: 1000, reconnectMaxInterval: 2147483647 },
      30 * 86_400_000,
    )
    const seen = intervals(events)
    expect(seen.every(interval => interval > 0 && interval <= 2147483647)).toBe(true)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
  })

  it("are told, and are what passes until the next attempt", async () => {
    const sim = new Simulation()
    const { events } = await failing(sim, { reconnectInterval: 70 }, TEN_SECONDS)
    const told = events.flatMap(({ at, interval }) => (interval === undefined ? [] : [at + interval]))
    expect(sim.network.dials.slice(1).map(({ at }) => at)).toEqual(told.slice(0, sim.network.dials.length - 1))
    expect(types(events).slice(0, 6)).toEqual([
      "connect:delay",
      "close",
      "connect:retry",
      "connect:delay",
      "close",
      "connect:retry",
    ])
  })

  it("begin anew once it was connected, though not yet greeted", async () => {
    const sim = new Simulation()
    const { push, events } = await failing(sim, { reconnectInterval: 100, reconnectMaxInterval: 1600 }, 1000)
    expect(intervals(events)).toEqual([100, 200, 400, 800])
    // A server that hangs up before the handshake is over.
    const server = await hear(sim.network, "nobody", {
      onAccepted: ({ stream }) => sim.runtime.later(() => stream.destroy()),
    })
    events.length = 0
    await sim.advance(1000)
    expect(server.accepted.length).toBeGreaterThan(3)
    expect(new Set(intervals(events))).toEqual(new Set([100]))
    expect(types(events)).toContain("handshake:error:other")
    push.disconnect(NOBODY)
  })

  it("begin anew after each connection that was lost", async () => {
    const sim = new Simulation()
    const { events } = await failing(sim, { reconnectInterval: 100, reconnectMaxInterval: 1600 }, 1000)
    await sim.bind(sim.open(Pull), NOBODY)
    await sim.eventually(() => types(events).includes("handshake"))
    for (let i = 0; i < 3; i++) {
      events.length = 0
      sim.network.cut()
      await sim.eventually(() => types(events).includes("handshake"))
      expect(intervals(events)).toEqual([100])
    }
  })
})

describe("no further attempt", () => {
  it.each([-1, 0])("when the interval is %i", async reconnectInterval => {
    const sim = new Simulation()
    const { events } = await failing(sim, { reconnectInterval }, 1000)
    expect(sim.network.dials).toHaveLength(1)
    expect(types(events)).toEqual(["connect:delay", "close"])
    expect(sim.leftovers()).toMatchObject({ timers: 0, streams: 0 })
  })

  it("when the interval is -1 and a connection was lost", async () => {
    const sim = new Simulation()
    const endpoint = await sim.bind(sim.open(Pull))
    const push = sim.open(Push, { reconnectInterval: -1 })
    const events = sim.events(push)
    push.connect(endpoint)
    await sim.until(push.ready())
    sim.network.cut()
    await sim.advance(TEN_SECONDS)
    expect(sim.network.dials).toHaveLength(1)
    expect(types(events)).toEqual(["connect:delay", "connect", "handshake", "disconnect"])
    expect(push.writable).toBe(false)
  })

  it("after bytes that are not ZMTP", async () => {
    const sim = new Simulation()
    const { listener } = await hear(sim.network, "*", {
      onAccepted: peer => sim.runtime.later(() => peer.write("HTTP/1.1 400\r\n\r\n")),
    })
    const push = sim.open(Push)
    const events = sim.events(push)
    push.connect(listener.endpoint)
    await sim.advance(TEN_SECONDS)
    expect(types(events)).toEqual(["connect:delay", "connect", "handshake:error:protocol", "disconnect"])
    expect(sim.network.dials).toHaveLength(1)
    expect(sim.leftovers()).toMatchObject({ timers: 0, streams: 0 })
  })

  it("to a socket of a type that cannot be talked to; the other side goes on", async () => {
    const sim = new Simulation()
    const pull = sim.open(Pull)
    const endpoint = await sim.bind(pull)
    const wrong = sim.open(Publisher)
    wrong.connect(endpoint)
    await sim.advance(TEN_SECONDS)
    expect(sim.network.dials).toHaveLength(1)
    expect(sim.network.streams.size).toBe(0)
    const push = sim.open(Push)
    push.connect(endpoint)
    await sim.until(push.send("hello"))
    expect(String(await sim.until(pull.receive()))).toBe("hello")
  })

  it("after disconnect, whether it waited, dialed, shook hands or was connected", async () => {
    for (const state of ["waits", "dials", "shakes hands", "is connected"]) {
      const sim = new Simulation()
      const push = sim.open(Push, { linger: 0 })
      if (state === "dials") sim.network.swallow("nobody")
      if (state === "shakes hands") await hear(sim.network, "nobody")
      if (state === "is connected") await sim.bind(sim.open(Pull), NOBODY)
      push.connect(NOBODY)
      await sim.advance(50)
      push.disconnect(NOBODY)
      const before = sim.network.dials.length
      await sim.advance(60_000)
      expect([state, sim.network.dials.length]).toEqual([state, before])
      expect([state, sim.leftovers().timers, sim.network.streams.size]).toEqual([state, 0, 0])
      expect(() => push.disconnect(NOBODY)).toThrow(expect.objectContaining({ code: "ENOENT" }))
    }
  })
})

describe("what is queued", () => {
  it("before there is a server goes out in order when it comes", async () => {
    const sim = new Simulation()
    const push = sim.open(Push)
    push.connect(NOBODY)
    for (let i = 0; i < 100; i++) await sim.until(push.send(`${i}`))
    await sim.advance(5000)
    const pull = sim.open(Pull)
    await sim.bind(pull, NOBODY)
    for (let i = 0; i < 100; i++) expect(String(await sim.until(pull.receive()))).toBe(`${i}`)
  })

  it("while a connection is lost goes out in order with the next one", async () => {
    const sim = new Simulation()
    const pull = sim.open(Pull)
    const push = sim.open(Push)
    push.connect(await sim.bind(pull))
    await sim.until(push.send("before"))
    expect(String(await sim.until(pull.receive()))).toBe("before")
    sim.network.cut()
    for (let i = 0; i < 100; i++) await sim.until(push.send(`${i}`))
    for (let i = 0; i < 100; i++) expect(String(await sim.until(pull.receive()))).toBe(`${i}`)
    expect(push.stats().dropped.total).toBe(0)
  })

  it("has room up to the mark while nobody is there, and waits at it", async () => {
    const sim = new Simulation()
    const push = sim.open(Push, { sendHighWaterMark: 10 })
    push.connect(NOBODY)
    let taken = 0
    while (push.trySend(`${taken}`)) taken++
    expect(taken).toBe(10)
    const eleventh = push.send("10")
    const pull = sim.open(Pull)
    await sim.bind(pull, NOBODY)
    await sim.until(eleventh)
    for (let i = 0; i <= 10; i++) expect(String(await sim.until(pull.receive()))).toBe(`${i}`)
  })

  it("is nothing with immediate: sends wait for a peer whose handshake is done", async () => {
    const sim = new Simulation()
    const push = sim.open(Push, { immediate: true })
    push.connect(NOBODY)
    expect(push.writable).toBe(false)
    expect(push.trySend("too early")).toBe(false)
    const sent = push.send("waited")
    await sim.advance(5000)
    expect(push.stats()).toMatchObject({ messagesOut: 0, queuedOut: 0 })
    const pull = sim.open(Pull)
    await sim.bind(pull, NOBODY)
    await sim.until(sent)
    expect(String(await sim.until(pull.receive()))).toBe("waited")
    expect(push.writable).toBe(true)
    sim.network.cut()
    await sim.turn()
    expect(push.writable).toBe(false)
    expect(push.trySend("between")).toBe(false)
    await sim.until(push.ready())
    await sim.until(push.send("after"))
    expect(String(await sim.until(pull.receive()))).toBe("after")
  })

  it("goes to the peers that are there, with immediate", async () => {
    const sim = new Simulation()
    const push = sim.open(Push, { immediate: true })
    const pull = sim.open(Pull)
    push.connect(NOBODY)
    push.connect(await sim.bind(pull))
    await sim.until(push.ready())
    for (let i = 0; i < 10; i++) await sim.until(push.send(`${i}`))
    for (let i = 0; i < 10; i++) expect(String(await sim.until(pull.receive()))).toBe(`${i}`)
  })
})

describe("connecting twice to one endpoint", () => {
  it("is one connection for DEALER and REQ, two for PUSH", async () => {
    const sim = new Simulation()
    for (const [socket, server, dials] of [
      [sim.open(Dealer), sim.open(Reply), 1],
      [sim.open(Request), sim.open(Reply), 1],
      [sim.open(Push), sim.open(Pull), 2],
    ] as const) {
      const endpoint = await sim.bind(server)
      const before = sim.network.dials.length
      socket.connect(endpoint)
      socket.connect(endpoint)
      await sim.until(socket.ready({ peers: dials }))
      expect(sim.network.dials.length - before).toBe(dials)
      socket.disconnect(endpoint)
      await sim.eventually(() => socket.peers().length === 0)
    }
  })
})
