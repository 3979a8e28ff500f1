/** A producer that has no queue and hands its jobs to one that has, on either engine and on both at once. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import * as peerlane from "../../patterns/index.js"
import { Consumer, type HoldingOptions, Producer } from "../../patterns/pipeline/index.js"
import { engines, pairs } from "../support/engine-pairs.js"

describe.each(pairs)("a producer that connects, with the queue on %s and itself on %s", (holder, maker) => {
  const open: { close(): Promise<void> }[] = []
  const folders: string[] = []

  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })

  async function queue(options: Partial<HoldingOptions> = {}): Promise<Producer<string>> {
    const bind = options.bind ?? "tcp://127.0.0.1:*"
    const made = new Producer<string>({ heartbeat: 100, sockets: engines[holder], ...options, bind })
    open.push(made)
    await made.ready()
    return made
  }

  function sender(address: string): Producer<string> {
    const made = new Producer<string>({ connect: address, sockets: engines[maker] })
    open.push(made)
    return made
  }

  function consumer(address: string): Consumer<string> {
    const made = new Consumer<string>({ connect: address, sockets: engines[holder] })
    open.push(made)
    return made
  }

  it("sends resolve when the queue has the job, with the order of a key, priorities and ids kept", async () => {
    const jobs = await queue()
    const sending = sender(jobs.lastEndpoint!)
    await sending.ready()
    const sent = await Promise.all(Array.from({ length: 600 }, (_, n) => sending.send(`job ${n}`, { key: "k" })))
    expect(new Set(sent.map(({ id }) => id)).size).toBe(600)
    expect(jobs.stats()).toMatchObject({ jobs: 600, accepted: 600 })
    expect(sending.stats()).toMatchObject({ jobs: 0, waiting: 0, accepted: 600 })
    const seen: string[] = []
    void consumer(jobs.lastEndpoint!).run(job => void seen.push(job), { concurrency: 4 })
    await jobs.drain()
    expect(seen).toEqual(Array.from({ length: 600 }, (_, n) => `job ${n}`))
  })

  it("tells what a handler returned, what it said meanwhile, and that a job is dead", async () => {
    const jobs = await queue({ maxAttempts: 1 })
    const sending = sender(jobs.lastEndpoint!)
    void consumer(jobs.lastEndpoint!).run(async (job, { progress }) => {
      progress(`${job} is begun`)
      if (job === "bad") throw new Error("no good")
      return job.toUpperCase()
    })
    const told: unknown[] = []
    const good = await sending.send("good", { want: true, onProgress: value => told.push(value) })
    const bad = await sending.send("bad", { want: true })
    expect(await good.done).toBe("GOOD")
    expect(told).toEqual(["good is begun"])
    await expect(bad.done).rejects.toMatchObject({ code: "EDEAD", message: expect.stringContaining("no good") })
  })

  it("with groups, tells what each returned", async () => {
    const jobs = await queue({ groups: ["x", "y"] })
    const sending = sender(jobs.lastEndpoint!)
    for (const group of ["x", "y"]) {
      const made = new Consumer<string>({ connect: jobs.lastEndpoint!, group, sockets: engines[holder] })
      open.push(made)
      void made.run(job => (group === "x" ? `x of ${job}` : undefined))
    }
    const { done } = await sending.send("both", { want: true })
    expect(await done).toEqual({ x: "x of both", y: undefined })
  })

  it("hands over again what was not accepted, and goes on wanting to know, when the queue's process was away", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pipeline-"))
    folders.push(folder)
    const first = await queue({ store: join(folder, "queue") })
    const address = first.lastEndpoint!
    const sending = sender(address)
    const before = await sending.send("before", { want: true })
    await first.close()
    const while_ = sending.send("while", { want: true })
    const late = sending.send("late", { timeout: 50 })
    await expect(late).rejects.toMatchObject({ code: "ETIMEDOUT" })
    const second = await queue({ store: join(folder, "queue"), bind: address })
    const { done } = await while_
    void consumer(address).run(job => `${job} is done`)
    expect(await before.done).toBe("before is done")
    expect(await done).toBe("while is done")
    await second.drain()
  })

  it("waits where it is while the queue is full, and drains when everything is accepted", async () => {
    const jobs = await queue({ maxJobs: 10 })
    const sending = sender(jobs.lastEndpoint!)
    const sends = Array.from({ length: 500 }, (_, n) => sending.send(`job ${n}`))
    await expect(sending.drain({ timeout: 200 })).rejects.toMatchObject({ code: "ETIMEDOUT" })
    expect(jobs.stats().jobs).toBe(10)
    let seen = 0
    void consumer(jobs.lastEndpoint!).run(() => void seen++, { concurrency: 4 })
    await sending.drain()
    await Promise.all(sends)
    await jobs.drain()
    expect(seen).toBe(500)
  })

  it("an id is accepted once, whoever sends it; a job that is too large is declined, and nothing else is", async () => {
    const jobs = await queue({ maxJobBytes: 100 })
    const sending = sender(jobs.lastEndpoint!)
    expect(await jobs.send("one", { id: "1" })).toMatchObject({ duplicate: false })
    expect(await sending.send("one", { id: "1" })).toMatchObject({ duplicate: true })
    const again = await sending.send("one", { id: "1", want: true })
    await expect(again.done).rejects.toMatchObject({ code: "ENOENT" })
    const large = sending.send("x".repeat(200))
    const small = sending.send("small")
    await expect(large).rejects.toMatchObject({ code: "EMSGSIZE" })
    await small
    expect(jobs.stats().jobs).toBe(2)
  })

  it("has no dead letters of its own, and ends its sends when it is closed", async () => {
    const sending = sender("tcp://127.0.0.1:9")
    expect(() => sending.dead).toThrow(expect.objectContaining({ code: "EINVAL" }))
    const send = sending.send("nowhere")
    const ready = sending.ready()
    const ended = Promise.allSettled([send, ready])
    await sending.close()
    expect((await ended).map(end => (end as PromiseRejectedResult).reason.code)).toEqual(["ECLOSED", "ECLOSED"])
    await expect(sending.send("more")).rejects.toMatchObject({ code: "ECLOSED" })
  })
})

it.each(["peerlane", "zeromq"] as const)(
  "a consumer on %s whose producer vanished without a word can be closed",
  async engine => {
    const router = new peerlane.Router({ linger: 0 })
    await router.bind("tcp://127.0.0.1:*")
    const worker = new Consumer({ connect: router.lastEndpoint!, sockets: engines[engine] })
    const welcome = new Promise<unknown>(resolve => worker.on("welcome", resolve))
    const running = worker.run(() => {})
    const [routing, , said] = await router.receive()
    const { n } = JSON.parse(String(said)) as { n: number }
    await router.send([routing!, "PL1 WELCOME", JSON.stringify({ session: "s", n, lease: 60_000, heartbeat: 60_000 })])
    await welcome
    await router.close()
    await worker.close()
    await running
  },
)

it("is to have either bind or connect", () => {
  expect(() => new Producer({} as never)).toThrow(expect.objectContaining({ code: "EINVAL" }))
  const both = { bind: "tcp://127.0.0.1:*", connect: "tcp://127.0.0.1:9" }
  expect(() => new Producer(both as never)).toThrow(expect.objectContaining({ code: "EINVAL" }))
})
