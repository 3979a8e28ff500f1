/**
 * Sockets in all weathers: the same traffic over a network that is slow, loses segments, cuts chunks anywhere, holds
 * little, and breaks connections, from many seeds. What arrives is whole, unaltered, in order and only once; without
 * breaks it is everything.
 */
import { describe, expect, it } from "vitest"
import { Dealer, Publisher, Pull, Push, Reply, Request, Router, Subscriber } from "../../patterns/index.js"
import { Simulation } from "../support/simulation.js"

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
const SIZES = [0, 1, 8, 63, 64, 65, 128, 129, 255, 256, 1000, 5000, 32_767, 32_768, 70_000, 200_000]

function weather(seed: number): Simulation {
  const sim = new Simulation({ seed })
  const { network, runtime } = sim
  network.latency = Math.floor(runtime.random() * 50)
  network.loss = runtime.random() * 0.05
  network.fragments = runtime.random() < 0.7
  network.capacity = [300, 4096, 65_536, 1_048_576][Math.floor(runtime.random() * 4)]!
  return sim
}

/** A message that tells its own number, shape and bytes. */
function messageOf(sim: Simulation, number: number): Buffer[] {
  const frames = [Buffer.from(`${number}`)]
  const more = Math.floor(sim.runtime.random() * 3)
  for (let i = 0; i < more; i++) {
    const size = SIZES[Math.floor(sim.runtime.random() * (sim.network.capacity < 1000 ? 9 : SIZES.length))]!
    frames.push(Buffer.alloc(size, (number + i) & 0xff))
  }
  frames[0] = Buffer.from(`${number} ${frames.slice(1).map(({ length }) => length)}`)
  return frames
}

/** Checks a message against what it tells of itself. Returns its number. */
function checked([head, ...frames]: Buffer[]): number {
  const [number, sizes = ""] = String(head).split(" ")
  expect(`${frames.map(({ length }) => length)}`).toBe(sizes)
  for (const [i, frame] of frames.entries()) {
    if (frame.length > 0) expect(frame.equals(Buffer.alloc(frame.length, (Number(number) + i) & 0xff))).toBe(true)
  }
  return Number(number)
}

describe.each(SEEDS)("weather %i", seed => {
  it("PUSH to PULL: everything, in order, while the reader is at times slow", async () => {
    const sim = weather(seed)
    const push = sim.open(Push, { sendHighWaterMark: 20 })
    const pull = sim.open(Pull, { receiveHighWaterMark: 10 })
    push.connect(await sim.bind(pull))
    const count = 300
    const sending = (async () => {
      for (let i = 0; i < count; i++) await push.send(messageOf(sim, i))
    })()
    for (let i = 0; i < count; i++) {
      if (sim.runtime.random() < 0.1) await sim.advance(sim.runtime.random() * 500)
      expect(checked(await sim.until(pull.receive()))).toBe(i)
    }
    await sim.until(sending)
    await sim.until(push.close())
    expect(push.stats().dropped.total).toBe(0)
  })

  it("PUSH to PULL with marks in bytes, above and below the size of a message: everything, in order", async () => {
    const sim = weather(seed)
    const mark = () => [1, 500, 20_000, 300_000][Math.floor(sim.runtime.random() * 4)]!
    const push = sim.open(Push, { sendHighWaterMarkBytes: mark() })
    const pull = sim.open(Pull, { receiveHighWaterMarkBytes: mark() })
    pull.connect(await sim.bind(push))
    const count = 100
    const sending = (async () => {
      for (let i = 0; i < count; i++) await push.send(messageOf(sim, i))
    })()
    for (let i = 0; i < count; i++) {
      if (sim.runtime.random() < 0.1) await sim.advance(sim.runtime.random() * 500)
      expect(checked(await sim.until(pull.receive()))).toBe(i)
    }
    await sim.until(sending)
  })

  it("PUSH to PULL over connections that break: whole, in order, never twice, and the losses are counted", async () => {
    const sim = weather(seed)
    const push = sim.open(Push, { reconnectInterval: 10, sendHighWaterMark: 50 })
    const pull = sim.open(Pull)
    push.connect(await sim.bind(pull))
    const count = 300
    const sending = (async () => {
      for (let i = 0; i < count; i++) {
        await push.send(messageOf(sim, i))
        if (i % 10 === 0) await push.flushed()
      }
      await push.flushed()
    })()
    const got: number[] = []
    const reading = (async () => {
      for await (const message of pull) got.push(checked(message))
    })()
    let sent = false
    void sending.then(() => {
      sent = true
    })
    for (let cuts = 0; cuts < 5 && !sent; cuts++) {
      await sim.advance(200 + sim.runtime.random() * 2000)
      sim.network.cut()
    }
    await sim.until(sending)
    await sim.advance(60_000)
    expect(got).toEqual([...new Set(got)].sort((a, b) => a - b))
    // What was taken by the network of a connection that broke is lost without anybody's knowing.
    expect(got.length).toBeLessThanOrEqual(count)
    expect(got.length + push.stats().dropped.total).toBeGreaterThan(count / 2)
    expect(push.stats().messagesOut).toBe(count)
    void pull.close()
    await reading
  })

  it("DEALER to ROUTER and back: everything, each to its own", async () => {
    const sim = weather(seed)
    const router = sim.open(Router)
    const endpoint = await sim.bind(router)
    const echoing = (async () => {
      for await (const message of router) await router.send(message)
    })()
    const dealers = [1, 2, 3].map(() => sim.open(Dealer))
    await Promise.all(
      dealers.map(async (dealer, index) => {
        dealer.connect(endpoint)
        for (let i = 0; i < 50; i++) await dealer.send(messageOf(sim, index * 1000 + i))
      }),
    )
    for (const [index, dealer] of dealers.entries()) {
      for (let i = 0; i < 50; i++) expect(checked(await sim.until(dealer.receive()))).toBe(index * 1000 + i)
    }
    void router.close()
    await echoing
  })

  it("REQ to REP over connections that break: a relaxed, correlated client gets the reply to what it asked", async () => {
    const sim = weather(seed)
    const reply = sim.open(Reply)
    const request = sim.open(Request, { relaxed: true, correlate: true, reconnectInterval: 10 })
    request.connect(await sim.bind(reply))
    const serving = (async () => {
      for await (const [question] of reply) await reply.send([question!, "answer"])
    })()
    let answered = 0
    for (let i = 0; answered < 20; i++) {
      if (i % 3 === 2) sim.network.cut()
      await sim.until(request.send(`${i}`))
      const answer = await sim.until(request.receive({ timeout: 5000 }).catch(() => null))
      if (answer === null) continue
      expect(answer.map(String)).toEqual([`${i}`, "answer"])
      answered++
    }
    void reply.close()
    await serving
  })

  it("SUB over connections that break: keeps its subscriptions, and hears nothing else", async () => {
    const sim = weather(seed)
    const publisher = sim.open(Publisher)
    const subscriber = sim.open(Subscriber, { reconnectInterval: 10 })
    subscriber.subscribe("a", "b", "c")
    subscriber.connect(await sim.bind(publisher))
    subscriber.unsubscribe("c")
    for (let i = 0; i < 5; i++) {
      await sim.until(publisher.waitForSubscribers("b"))
      for (const topic of ["c", "d", "", "b"]) await sim.until(publisher.send([topic, `${i}`]))
      expect((await sim.until(subscriber.receive())).map(String)).toEqual(["b", `${i}`])
      sim.network.cut()
      await sim.eventually(() => publisher.peers().length === 0)
    }
  })
})
