/**
 * Limits that take many peers, much memory or time (docs/limits.md): the mark in bytes that holds by default for what comes
 * from another process, a thousand handshakes that never end, lengths that are lies, and what is left when a peer leaves.
 */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "vitest"
import { Publisher, Pull, Push, XPublisher, XSubscriber } from "../../patterns/index.js"
import type { Pipe } from "../../src/pipe/pipe.js"
import { Subscriptions } from "../../src/pipe/subscriptions.js"
import type { ByteStream, StreamSink } from "../../src/transport/transport.js"
import { createPipe } from "../pipe/pipes.js"
import { command, frame, greeting, header, LONG, ready } from "../support/raw-zmtp.js"
import { Simulation } from "../support/simulation.js"

const MiB = 1024 * 1024
/** What `receiveHighWaterMarkBytes` of -1 stands for. */
const MARK = 64 * MiB

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

/** Hears nothing, and notes the end. */
class Deaf implements StreamSink {
  closed = false
  onOpen(): void {}
  onBytes(): void {}
  onDrained(): void {}
  onClosed(): void {
    this.closed = true
  }
}

/** A peer made by hand, which is connected. */
async function raw(sim: Simulation, endpoint: string): Promise<{ stream: ByteStream; sink: Deaf }> {
  const stream = sim.network.connect(endpoint.slice("sim://".length))
  const sink = new Deaf()
  stream.sink = sink
  await sim.turn()
  return { stream, sink }
}

describe("receiveHighWaterMarkBytes", () => {
  /** How many messages of 1 MiB wait at a PULL that takes none. */
  async function waiting(receiveHighWaterMarkBytes: number, endpoint: string, count: number) {
    const sim = new Simulation()
    sim.network.latency = 1
    sim.network.capacity = MiB
    const pull = sim.open(Pull, { receiveHighWaterMark: 0, receiveHighWaterMarkBytes })
    const push = sim.open(Push, { sendHighWaterMark: 0 })
    push.connect(await sim.bind(pull, endpoint))
    const body = Buffer.alloc(MiB, "x")
    for (let at = 0; at < count; at++) expect(push.trySend([`${at}`, body])).toBe(true)
    await sim.advance(10_000)
    const queued = pull.stats().queuedIn
    // It goes on as messages are taken, and all of them come.
    for (let at = 0; at < count; at++) {
      const [number, { length }] = (await sim.until(pull.receive())) as [Buffer, Buffer]
      expect([String(number), length]).toEqual([`${at}`, MiB])
    }
    return queued
  }

  it("is 64 MiB by default for what comes by a wire", async () => {
    const queued = await waiting(-1, "sim://*", 100)
    expect(queued).toBeGreaterThan(60)
    expect(queued).toBeLessThanOrEqual(MARK / MiB)
  })

  it("is none with 0, and none by default on inproc", async () => {
    expect(await waiting(0, "sim://*", 100)).toBe(100)
    expect(await waiting(-1, "inproc://here", 100)).toBe(100)
  })

  it("lets a larger message pass, alone", async () => {
    const sim = new Simulation()
    sim.network.capacity = 4 * MiB
    sim.network.latency = 1
    const pull = sim.open(Pull)
    const push = sim.open(Push)
    push.connect(await sim.bind(pull))
    const large = Buffer.alloc(MARK + 16 * MiB, "x")
    for (const message of ["before", large, "between", large, "after"]) expect(push.trySend(message)).toBe(true)
    await sim.advance(10_000)
    expect(pull.stats().queuedIn).toBe(1)
    const lengths: number[] = []
    for (let at = 0; at < 5; at++) lengths.push((await sim.until(pull.receive()))[0]!.length)
    expect(lengths).toEqual([6, large.length, 7, large.length, 5])
  })

  it("counts the frames of a message that has many, however empty they are", async () => {
    const sim = new Simulation()
    sim.network.latency = 1
    const pull = sim.open(Pull, { receiveHighWaterMark: 0 })
    const push = sim.open(Push)
    push.connect(await sim.bind(pull))
    const frames = Array.from({ length: 60_000 }, () => "")
    for (let at = 0; at < 20; at++) expect(push.trySend(frames)).toBe(true)
    await sim.advance(10_000)
    const queued = pull.stats().queuedIn
    expect(queued).toBeGreaterThan(8)
    expect(queued).toBeLessThanOrEqual(1 + MARK / (60_000 * 96))
    for (let at = 0; at < 20; at++) expect((await sim.until(pull.receive())).length).toBe(60_000)
  })

  it("bounds what an XPUB keeps for a user who does not receive", async () => {
    const sim = new Simulation()
    sim.network.latency = 1
    sim.network.capacity = MiB
    const xpub = sim.open(XPublisher)
    const xsub = sim.open(XSubscriber)
    xsub.connect(await sim.bind(xpub))
    await sim.until(xsub.ready())
    const body = Buffer.alloc(MiB, "x")
    for (let at = 0; at < 100; at++) xsub.trySend(body)
    await sim.eventually(() => xpub.stats().messagesIn === 100)
    expect(xpub.stats().dropped).toEqual({ total: 35, full: 35 })
  })
})

it("1,024 connections may shake hands by default; then the oldest goes for each that comes, and good ones get in", async () => {
  const sim = new Simulation()
  const pull = sim.open(Pull)
  const endpoint = await sim.bind(pull)
  const silent: Deaf[] = []
  for (let count = 0; count < 1024; count++) silent.push((await raw(sim, endpoint)).sink)
  expect(silent.filter(({ closed }) => closed)).toEqual([])
  for (let count = 0; count < 3; count++) await raw(sim, endpoint)
  await sim.turn()
  expect(silent.map(({ closed }) => closed).lastIndexOf(true)).toBe(2)
  expect(silent.filter(({ closed }) => closed)).toHaveLength(3)
  const push = sim.open(Push)
  push.connect(endpoint)
  push.trySend("in")
  expect(String((await sim.until(pull.receive()))[0])).toBe("in")
  expect(pull.stats().refused).toEqual({ total: 4, maxHandshakes: 4 })
  await sim.advance(30_000)
  expect(pull.stats().refused).toEqual({ total: 1027, maxHandshakes: 4, handshakeInterval: 1023 })
})

it("a declared length costs nothing: 200 peers that send a byte at a time of 2^52", async () => {
  const sim = new Simulation()
  const pull = sim.open(Pull)
  const endpoint = await sim.bind(pull)
  const peers = await Promise.all(Array.from({ length: 200 }, () => raw(sim, endpoint)))
  for (const { stream } of peers) stream.write(Buffer.concat([greeting(), ready("PUSH")]))
  await sim.eventually(() => pull.peers().length === 200)
  collect()
  const before = process.memoryUsage().arrayBuffers
  for (const { stream } of peers) stream.write(header(LONG, 2n ** 52n))
  for (let count = 0; count < 20; count++) {
    for (const { stream } of peers) stream.write(Buffer.of(count))
    await sim.turn()
  }
  collect()
  // At most 64 KiB for a frame of which little has come.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 66 * 1024)
  expect(pull.stats()).toMatchObject({ peers: 200, messagesIn: 0, refused: { total: 0 } })
})

it("subscriptions cost a publisher a bounded number of bytes each, and nothing when their peer has left", () => {
  const count = 100_000
  const subscriptions = new Subscriptions()
  const [greedy, other] = [createPipe(), createPipe()] as [Pipe, Pipe]
  subscriptions.add(other, Buffer.from("other"))
  collect()
  const before = process.memoryUsage().heapUsed
  for (let at = 0; at < count; at++) subscriptions.add(greedy, Buffer.from(`topic ${at} ${at * 7919}`))
  collect()
  const cost = process.memoryUsage().heapUsed - before
  expect(cost / count).toBeLessThan(600)
  subscriptions.forget(greedy)
  collect()
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(cost / 10)
  expect(subscriptions.size).toBe(1)
})

it("a peer that subscribes and cancels all the time leaves nothing behind", async () => {
  const sim = new Simulation()
  const pub = sim.open(Publisher)
  const endpoint = await sim.bind(pub)
  const { stream } = await raw(sim, endpoint)
  stream.write(Buffer.concat([greeting(), ready("SUB")]))
  await sim.turn()
  for (let at = 0; at < 20_000; at += 100) {
    const topics = Array.from({ length: 100 }, (_, index) => `${at + index}`)
    stream.write(Buffer.concat(topics.flatMap(topic => [command("SUBSCRIBE", topic), frame(`\0${topic}`)])))
    await sim.turn()
  }
  await sim.advance(1000)
  expect(pub.topicsCount).toBe(0)
  expect(pub.stats()).toMatchObject({ peers: 1, queuedIn: 0, refused: { total: 0 } })
  stream.destroy()
})
