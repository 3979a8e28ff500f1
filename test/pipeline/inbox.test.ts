/** The inbox, and what else a handler of `run` may do. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { Consumer, type Handler, Inbox, Producer, Rejection } from "../../patterns/pipeline/index.js"
import { createWorld } from "../../patterns/testing/index.js"

const open: { close(): Promise<void> }[] = []
const folders: string[] = []

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "inbox-"))
  folders.push(made)
  return join(made, "seen")
}

type Context = Parameters<Handler<string>>[1]
const job = (id: string) => ({ id }) as Context

describe("an inbox", () => {
  it("calls a handler once for each id, and returns the same again, also after a restart", async () => {
    const store = folder()
    const calls: string[] = []
    const handler = (value: string) => {
      calls.push(value)
      return { length: value.length }
    }
    const first = new Inbox({ store })
    const once = first.once(handler)
    expect(await once("abc", job("1"))).toEqual({ length: 3 })
    expect(await once("abc", job("1"))).toEqual({ length: 3 })
    expect(await once("de", job("2"))).toEqual({ length: 2 })
    await first.close()
    const second = new Inbox({ store })
    open.push(second)
    expect(await second.once(handler)("abc", job("1"))).toEqual({ length: 3 })
    expect(calls).toEqual(["abc", "de"])
    expect(second.size).toBe(2)
  })

  it("lets who comes with the same id meanwhile wait for the first, and forgets a handler that threw", async () => {
    const inbox = new Inbox()
    open.push(inbox)
    let release!: () => void
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    let calls = 0
    const once = inbox.once(async () => {
      calls++
      await gate
      if (calls === 1) throw new Error("not yet")
      return calls
    })
    const both = Promise.allSettled([once("x", job("1")), once("x", job("1"))])
    release()
    expect((await both).map(({ status }) => status)).toEqual(["rejected", "rejected"])
    expect(await once("x", job("1"))).toBe(2)
    expect(calls).toBe(2)
  })

  it("forgets the oldest beyond its max, and what is older than its window", async () => {
    const world = createWorld({ seed: 1 })
    const seen: number[] = []
    world.machine("m").start(async ({ runtime }) => {
      const inbox = new Inbox({ max: 3, window: 1000, runtime })
      const once = inbox.once((_: string) => {})
      for (const id of "abcde") await once("", job(id))
      seen.push(inbox.size)
      await new Promise<void>(resolve => void runtime.clock.after(5000, resolve))
      await once("", job("f"))
      seen.push(inbox.size)
      await inbox.close()
    })
    await world.run()
    expect(seen).toEqual([3, 1])
  })

  it("makes one of a job that is handed out twice", async () => {
    const jobs = new Producer<string>({ bind: "tcp://127.0.0.1:*", lease: 100, heartbeat: 100 })
    open.push(jobs)
    await jobs.ready()
    const inbox = new Inbox()
    open.push(inbox)
    let calls = 0
    const handler = inbox.once(async () => {
      calls++
      await new Promise(resolve => setTimeout(resolve, 400))
    })
    for (let at = 0; at < 2; at++) {
      const worker = new Consumer<string>({ connect: jobs.lastEndpoint! })
      open.push(worker)
      void worker.run(handler)
    }
    await jobs.send("slow")
    await jobs.drain()
    expect(calls).toBe(1)
    expect(jobs.stats().retried).toBeGreaterThan(0)
  })
})

it("a handler that throws a Rejection makes a dead letter at once", async () => {
  const jobs = new Producer<string>({ bind: "tcp://127.0.0.1:*" })
  open.push(jobs)
  await jobs.ready()
  const worker = new Consumer<string>({ connect: jobs.lastEndpoint! })
  open.push(worker)
  void worker.run(() => {
    throw new Rejection("never")
  })
  await jobs.send("no")
  await jobs.drain()
  expect([...jobs.dead].map(({ reason, attempts }) => [reason, attempts])).toEqual([["never", 1]])
  expect(worker.stats()).toMatchObject({ failed: 1, done: 0, rates: { done: 0 } })
})

it("stats have rates: of the last ten seconds", async () => {
  const world = createWorld({ seed: 1 })
  const rates: number[] = []
  world.machine("m").start(async ({ runtime, sockets }) => {
    const jobs = new Producer<number>({ bind: "tcp://*:1", runtime, sockets })
    for (let n = 0; n < 40; n++) {
      await jobs.send(n)
      await new Promise<void>(resolve => void runtime.clock.after(500, resolve))
    }
    rates.push(jobs.stats().rates.accepted)
    await new Promise<void>(resolve => void runtime.clock.after(60_000, resolve))
    rates.push(jobs.stats().rates.accepted)
    await jobs.close()
  })
  await world.run()
  expect(rates[0]).toBeCloseTo(2, 0)
  expect(rates[1]).toBe(0)
})
