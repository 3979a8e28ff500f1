/** The promises of patterns/pipeline on both engines, and mixed: the same checks on Peerlane's sockets and on libzmq's. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import {
  Consumer,
  type ConsumerOptions,
  type HoldingOptions,
  memoryStore,
  Producer,
} from "../../patterns/pipeline/index.js"
import { engines, pairs } from "../support/engine-pairs.js"

describe.each(pairs)("a producer on %s with consumers on %s", (makers, workers) => {
  const open: { close(options?: { grace: number }): Promise<void> }[] = []
  const folders: string[] = []

  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close({ grace: 100 })
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })

  async function producer<T = unknown>(options: Partial<HoldingOptions> = {}): Promise<Producer<T>> {
    const made = new Producer<T>({ bind: "tcp://127.0.0.1:*", heartbeat: 200, sockets: engines[makers], ...options })
    open.push(made)
    await made.ready()
    return made
  }

  function consumer<T = unknown>(of: Producer<T>, options: Partial<ConsumerOptions> = {}): Consumer<T> {
    const made = new Consumer<T>({ connect: of.lastEndpoint!, sockets: engines[workers], ...options })
    open.push(made)
    return made
  }

  function folder(): string {
    const made = mkdtempSync(join(tmpdir(), "pipeline-"))
    folders.push(made)
    return join(made, "queue")
  }

  it("hands each job to one consumer, once, and is empty when all are done", async () => {
    const jobs = await producer<number>()
    const seen: number[] = []
    for (let at = 0; at < 3; at++) void consumer(jobs).run(n => void seen.push(n), { concurrency: 4 })
    await Promise.all(Array.from({ length: 500 }, (_, n) => jobs.send(n)))
    await jobs.drain()
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, n) => n))
    expect(jobs.stats()).toMatchObject({ jobs: 0, bytes: 0, accepted: 500, done: 500, consumers: 3, inFlight: 0 })
  })

  it("tries a job again that a handler threw at, and gives it up after maxAttempts, with reason and stack", async () => {
    const jobs = await producer<string>({ maxAttempts: 3, backoff: { min: 1, max: 2 } })
    const attempts: number[] = []
    void consumer(jobs).run((_, { attempt }) => {
      attempts.push(attempt)
      throw new RangeError("too far")
    })
    const { id } = await jobs.send("there")
    await jobs.drain()
    expect(attempts).toEqual([1, 2, 3])
    const [letter, ...more] = [...jobs.dead]
    expect(more).toEqual([])
    expect(letter).toMatchObject({ id, attempts: 3, reason: "too far" })
    expect(letter!.stack).toContain("RangeError: too far")
    expect(await letter!.value()).toBe("there")
  })

  it("a dead letter that is put back has all its attempts again", async () => {
    const jobs = await producer<string>({ maxAttempts: 1 })
    let isBroken = true
    const done: string[] = []
    void consumer(jobs).run(job => {
      if (isBroken) throw "not an error"
      done.push(job)
    })
    const { id } = await jobs.send("again")
    await jobs.drain()
    expect([...jobs.dead].map(({ reason }) => reason)).toEqual(["not an error"])
    isBroken = false
    await jobs.dead.putBack(id)
    await jobs.drain()
    expect(done).toEqual(["again"])
    expect(jobs.dead.size).toBe(0)
    await expect(jobs.dead.remove(id)).rejects.toMatchObject({ code: "ENOENT" })
  })

  it("by hand: ack, nack and reject; a second ack is ESTALE", async () => {
    const jobs = await producer<string>({ maxAttempts: 2 })
    for (const name of ["good", "bad", "ugly"]) await jobs.send(name)
    const seen: string[] = []
    for await (const job of consumer(jobs)) {
      seen.push(`${job.value} ${job.attempt}`)
      if (job.value === "good") {
        await job.ack()
        await expect(job.ack()).rejects.toMatchObject({ code: "ESTALE" })
      } else if (job.value === "ugly") await job.reject("no")
      else await job.nack({ delay: 0, reason: "later" })
      if (seen.length === 4) break
    }
    expect(seen.sort()).toEqual(["bad 1", "bad 2", "good 1", "ugly 1"])
    expect([...jobs.dead].map(({ reason }) => reason).sort()).toEqual(["later", "no"])
  })

  it("gives the jobs of a consumer that hangs past its lease to another one, and tells the first by its signal", async () => {
    const jobs = await producer<string>({ lease: 150 })
    const told = new Promise<unknown>(resolve => {
      void consumer(jobs).run(async (_, { signal }) => {
        await new Promise(stop => signal.addEventListener("abort", stop))
        resolve(signal.reason)
      })
    })
    await jobs.send("slow")
    expect(await told).toMatchObject({ code: "ESTALE" })
    const by: number[] = []
    void consumer(jobs).run((_, { attempt }) => void by.push(attempt))
    await open.splice(1, 1)[0]!.close({ grace: 100 })
    await jobs.drain()
    expect(by[0]).toBeGreaterThan(1)
  })

  it("does the jobs of a key one after another, in their order", async () => {
    const jobs = await producer<{ key: string; n: number }>({ backoff: { min: 1, max: 1 } })
    const seen: Record<string, number[]> = { a: [], b: [] }
    const working = new Set<string>()
    for (let at = 0; at < 3; at++) {
      void consumer(jobs).run(
        async ({ key, n }, { attempt }) => {
          expect(working.has(key)).toBe(false)
          working.add(key)
          await new Promise(resolve => setImmediate(resolve))
          working.delete(key)
          if (n % 7 === 3 && attempt === 1) throw new Error("once")
          seen[key]!.push(n)
        },
        { concurrency: 4 },
      )
    }
    const sends = []
    for (let n = 0; n < 40; n++) for (const key of ["a", "b"]) sends.push(jobs.send({ key, n }, { key }))
    await Promise.all(sends)
    await jobs.drain()
    const inOrder = Array.from({ length: 40 }, (_, n) => n)
    expect(seen).toEqual({ a: inOrder, b: inOrder })
  })

  it("gives every job to each group", async () => {
    const jobs = await producer<number>({ groups: ["mail", "bill"] })
    const seen: Record<string, number[]> = { mail: [], bill: [] }
    void consumer(jobs, { group: "mail" }).run(n => void seen.mail!.push(n))
    await Promise.all([1, 2, 3].map(n => jobs.send(n)))
    expect(jobs.stats().jobs).toBe(3)
    void consumer(jobs, { group: "bill" }).run(n => void seen.bill!.push(n))
    await jobs.drain()
    expect(seen).toEqual({ mail: [1, 2, 3], bill: [1, 2, 3] })
    expect(jobs.stats().jobs).toBe(0)
    const lost = consumer(jobs, { group: "nobody" })
    const refused = new Promise(resolve => lost.on("refused", resolve))
    void lost.run(() => {})
    expect(await refused).toMatchObject({ error: { code: "ENOENT" } })
  })

  it("tells the sender what came of it, and how it goes", async () => {
    const jobs = await producer<number>()
    void consumer(jobs).run((n, { progress }) => {
      if (n < 0) throw new Error("negative")
      progress("half")
      return Math.sqrt(n)
    })
    const told: unknown[] = []
    const { done } = await jobs.send(49, { want: true, onProgress: value => told.push(value) })
    expect(await done).toBe(7)
    expect(told).toEqual(["half"])
    const dead = await jobs.send(-1, { want: true, maxAttempts: 1 })
    await expect(dead.done).rejects.toMatchObject({ code: "EDEAD" })
  })

  it("accepts a job of an id once, also while it is arriving, and after it is done", async () => {
    const jobs = await producer<string>()
    const seen: string[] = []
    const both = await Promise.all([jobs.send("a", { id: "one" }), jobs.send("b", { id: "one" })])
    expect(both.map(({ duplicate }) => duplicate)).toEqual([false, true])
    void consumer(jobs).run(job => void seen.push(job))
    await jobs.drain()
    expect(await jobs.send("c", { id: "one" })).toMatchObject({ id: "one", duplicate: true })
    await jobs.drain()
    expect(seen).toEqual(["a"])
  })

  it("waits when the queue is full, for as long as it is told to", async () => {
    const jobs = await producer<number>({ maxJobs: 2 })
    await jobs.send(1)
    await jobs.send(2)
    await expect(jobs.send(3, { timeout: 20 })).rejects.toMatchObject({ code: "ETIMEDOUT" })
    const waiting = jobs.send(4)
    const seen: number[] = []
    void consumer(jobs).run(n => void seen.push(n))
    await waiting
    await jobs.drain()
    expect(seen).toEqual([1, 2, 4])
  })

  it("delays, and lets what is too old die", async () => {
    const jobs = await producer<string>()
    await jobs.send("old", { ttl: 30 })
    await new Promise<void>(resolve => jobs.on("dead", () => resolve()))
    expect([...jobs.dead].map(({ reason }) => reason)).toEqual(["its time to live is over"])
    const sent = Date.now()
    await jobs.send("late", { delay: 100 })
    expect(jobs.stats().delayed).toBe(1)
    const at = new Promise<number>(resolve => void consumer(jobs).run(() => resolve(Date.now())))
    expect((await at) - sent).toBeGreaterThanOrEqual(100)
  })

  it("a job whose time ended while it waited in a consumer is dead when it is given back", async () => {
    const jobs = await producer<string>()
    const slow = consumer(jobs, { prefetch: 2 })
    const begun = new Promise<void>(resolve => {
      void slow.run((_, { signal }) => {
        resolve()
        return new Promise<void>(stop => signal.addEventListener("abort", () => stop()))
      })
    })
    await jobs.send("works")
    await begun
    await jobs.send("waits", { ttl: 50 })
    await expect.poll(() => slow.stats().waiting).toBe(1)
    await new Promise(resolve => setTimeout(resolve, 60)) // No event tells that a time has passed.
    await slow.close({ grace: 0 })
    const seen: string[] = []
    void consumer(jobs).run(job => void seen.push(job))
    await jobs.drain()
    expect(seen).toEqual(["works"])
    expect([...jobs.dead].map(({ reason }) => reason)).toEqual(["its time to live is over"])
  })

  it("finds everything in its folder again: what is not done, attempts, dead letters, ids", async () => {
    const store = folder()
    const first = await producer<string>({ store, maxAttempts: 2, backoff: { min: 0, max: 0 } })
    void consumer(first).run(job => {
      if (job === "dies") throw new Error("it died")
      if (job === "waits") return new Promise(() => {})
      return null
    })
    await first.send("waits", { id: "w" })
    await new Promise(resolve => setImmediate(resolve))
    await first.send("left")
    await open.pop()!.close({ grace: 50 })
    await open.pop()!.close()
    const second = await producer<string>({ store })
    expect(second.stats()).toMatchObject({ jobs: 2 })
    expect(await second.send("again", { id: "w" })).toMatchObject({ duplicate: true })
    const seen: string[] = []
    void consumer(second).run(job => void seen.push(job))
    await second.drain()
    expect(seen).toEqual(["waits", "left"])
  }, 30_000)

  it("a queue in a folder belongs to one process", async () => {
    const store = folder()
    await producer({ store })
    const other = new Producer({ bind: "tcp://127.0.0.1:*", store, sockets: engines[makers] })
    open.push(other)
    await expect(other.ready()).rejects.toMatchObject({ code: "EBUSY" })
    await expect(other.send(1)).rejects.toMatchObject({ code: "EBUSY" })
  })

  it("a store that refuses the first entry is given up, and can be opened again", async () => {
    const store = memoryStore()
    const put = store.put
    store.put = () => Promise.reject(Object.assign(new Error("the disk is full"), { code: "ENOSPC" }))
    const first = new Producer({ bind: "tcp://127.0.0.1:*", store, sockets: engines[makers] })
    open.push(first)
    await expect(first.ready()).rejects.toMatchObject({ code: "ENOSPC" })
    store.put = put
    await (await producer({ store })).send("fine")
  })

  it("what cannot be decoded is a dead letter with its bytes, and nobody is disturbed", async () => {
    const jobs = await producer<unknown>()
    const isText = {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: (value: unknown) =>
          typeof value === "string" ? { value } : { issues: [{ message: "is to be a text" }] },
      },
    }
    const seen: unknown[] = []
    const texts = consumer(jobs, { codec: { schema: isText } })
    const undecodable: string[] = []
    texts.on("undecodable", ({ id }) => undecodable.push(id))
    void texts.run(job => void seen.push(job))
    await jobs.send("one")
    const { id } = await jobs.send(2)
    await jobs.send("three")
    await jobs.drain()
    expect(seen).toEqual(["one", "three"])
    expect(undecodable).toEqual([id])
    expect([...jobs.dead].map(({ id }) => id)).toEqual([id])
    expect(await [...jobs.dead][0]!.value()).toBe(2)
  })

  it("refuses another version of the protocol, and what is none, and goes on", async () => {
    const jobs = await producer<string>()
    const dealer = new engines[workers].Dealer({ linger: 0 })
    dealer.connect(jobs.lastEndpoint!)
    const answers = dealer[Symbol.asyncIterator]()
    const told = async () => (await answers.next()).value.map(String)
    await dealer.send(["PL2 HELLO", "{}"])
    expect(await told()).toEqual(["PL1 REFUSED", expect.stringContaining("EPROTO")])
    await dealer.send(["GET / HTTP/1.1"])
    expect(await told()).toEqual(["PL1 REFUSED", expect.stringContaining("EINVAL")])
    await dealer.send(["PL1 HELLO", "[]"])
    expect(await told()).toEqual(["PL1 REFUSED", expect.stringContaining("EINVAL")])
    await dealer.send(["PL1 ACK", "x-1"])
    expect(await told()).toEqual(["PL1 WHO"])
    dealer.close()
    const seen: string[] = []
    void consumer(jobs).run(job => void seen.push(job))
    await jobs.send("fine")
    await jobs.drain()
    expect(seen).toEqual(["fine"])
  })

  it("is not disturbed by a consumer that sends rubbish: progress, a result, tags of nobody, a list that is none", async () => {
    const jobs = await producer<string>()
    const malformed: string[] = []
    jobs.on("malformed", ({ message }) => malformed.push(message))
    const dealer = new engines[workers].Dealer({ linger: 0 })
    dealer.connect(jobs.lastEndpoint!)
    const answers = dealer[Symbol.asyncIterator]()
    const told = async () => (await answers.next()).value as Buffer[]
    await dealer.send(["PL1 HELLO", JSON.stringify({ consumer: "rude", n: 1, prefetch: 5, holding: "all" })])
    expect(String((await told())[0])).toBe("PL1 REFUSED")
    await dealer.send(["PL1 HELLO", JSON.stringify({ consumer: "rude", n: 1, prefetch: 5 })])
    expect(String((await told())[0])).toBe("PL1 WELCOME")
    const { done } = await jobs.send("one", { want: true, onProgress: () => {} })
    const [{ tag }] = JSON.parse(String((await told())[1])) as [{ tag: string }]
    for (const message of [
      ["PL1 PROGRESS", tag, Buffer.from([0xc1])],
      ["PL1 PROGRESS", tag],
      ["PL1 CREDIT", "many"],
      ["PL1 EXTEND", `-1 ${tag}`],
      ["PL1 NACK", tag, "{"],
      ["PL1 JOB", "[{}]", "x"],
      ["PL1 ACK", "other-1 other-2"],
      ["PL1 ACK", tag, Buffer.from([0xc1])],
    ]) {
      await dealer.send(message)
    }
    await expect(done).rejects.toMatchObject({ code: "EDECODE" })
    await expect.poll(() => malformed.length).toBe(6)
    dealer.close()
    const seen: string[] = []
    void consumer(jobs).run(job => void seen.push(job))
    await jobs.send("two")
    await jobs.drain()
    expect(seen).toEqual(["two"])
  })
})
