/** Edges at which a pipeline once failed, or nearly: odd moments, odd values, odd limits. On both engines. */
import { describe, expect, it } from "vitest"
import { memoryStore } from "../../patterns/pipeline/index.js"
import { gate } from "../support/gate.js"
import { stage } from "./stage.js"

describe.each(["peerlane", "zeromq"] as const)("on %s", engine => {
  const { producer, consumer, bareConsumer } = stage(engine, engine)

  it("a consumer at work is not silent, however short the heartbeat is", async () => {
    const jobs = await producer<number>({ heartbeat: 100 })
    const retries: unknown[] = []
    jobs.on("retry", event => retries.push(event))
    void consumer(jobs).run(() => new Promise(resolve => setTimeout(resolve, 900)))
    await jobs.send(1)
    await jobs.drain()
    expect(retries).toEqual([])
  })

  it("resume and pause count before a consumer is welcome as well", async () => {
    const jobs = await producer<number>()
    const going = consumer(jobs)
    going.pause()
    void going.run(() => {})
    going.resume()
    await jobs.send(1)
    await jobs.drain()
    await going.close()

    const pausing = consumer(jobs)
    const welcome = new Promise(resolve => pausing.on("welcome", resolve))
    void pausing.run(() => {})
    pausing.pause()
    await welcome
    const probe = bareConsumer(jobs, "probe")
    await probe.hello({ prefetch: 0 })
    await jobs.send(1)
    await probe.say("PL1 PING")
    await probe.hear()
    expect(jobs.stats()).toMatchObject({ ready: 1, inFlight: 0 })
  })

  it("when drain resolves nothing is in work, and nothing is begun before resume", async () => {
    const jobs = await producer<number>()
    const worker = consumer(jobs, { prefetch: 4 })
    let [running, late, isDrained] = [0, 0, false]
    const work = async () => {
      running++
      if (isDrained) late++
      await new Promise(resolve => setImmediate(resolve))
      running--
    }
    void worker.run(work, { concurrency: 2 })
    await Promise.all(Array.from({ length: 2000 }, (_, n) => jobs.send(n)))
    for (let round = 1; round <= 10; round++) {
      await expect.poll(() => jobs.stats().done, { interval: 1 }).toBeGreaterThan(round * 50)
      await worker.drain()
      isDrained = true
      expect(running).toBe(0)
      await expect.poll(() => jobs.stats().inFlight).toBe(0)
      isDrained = false
      worker.resume()
    }
    await jobs.drain()
    expect(late).toBe(0)
  })

  it("draining a paused consumer gives back what it has not begun", async () => {
    const jobs = await producer<number>()
    const worker = consumer(jobs, { prefetch: 3 })
    const go = gate()
    void worker.run(() => go.opened)
    for (const n of [1, 2, 3]) await jobs.send(n)
    await expect.poll(() => worker.stats().waiting).toBe(2)
    worker.pause()
    go.open()
    await worker.drain()
    await expect.poll(() => jobs.stats()).toMatchObject({ ready: 2, done: 1 })
  })

  it.each([
    ["an object without a prototype", Object.create(null)],
    ["an error whose message is a number", Object.assign(new Error(), { message: 5 })],
    ["an error whose message is a bigint", Object.assign(new Error(), { message: 5n })],
    ["an error whose stack is none", Object.assign(new Error("x"), { stack: 7 })],
    ["a reason of a million letters", "x".repeat(1_000_000)],
    ["nothing", undefined],
  ])("a handler may throw %s", async (_, thrown) => {
    const jobs = await producer<string>({ maxAttempts: 1 })
    void consumer(jobs).run(job => {
      if (job === "bad") throw thrown
    })
    await jobs.send("bad")
    await jobs.send("good")
    await jobs.drain()
    expect(jobs.stats()).toMatchObject({ dead: 1, done: 1 })
    expect([...jobs.dead][0]!.reason.length).toBeLessThan(20_000)
  })

  it("what a handler returned and cannot be sent makes a dead letter, once", async () => {
    const jobs = await producer<string>({ socket: { maxMessageSize: 2000 } })
    let calls = 0
    const worker = consumer<string>(jobs)
    void worker.run(job => {
      calls++
      return job === "big" ? "x".repeat(5000) : job === "odd" ? () => {} : job
    })
    const [big, odd, small] = [
      await jobs.send("big", { want: true }),
      await jobs.send("odd", { want: true }),
      await jobs.send("small", { want: true }),
    ]
    expect(await small.done).toBe("small")
    await expect(big.done).rejects.toMatchObject({ code: "EDEAD", message: expect.stringContaining("above") })
    await expect(odd.done).rejects.toMatchObject({ code: "EDEAD" })
    expect(calls).toBe(3)
  })

  it("by hand, an ack whose result is too large is EMSGSIZE, and the job is still in hand", async () => {
    const jobs = await producer<string>({ socket: { maxMessageSize: 2000 } })
    const { done } = await jobs.send("big", { want: true })
    for await (const job of consumer(jobs)) {
      await expect(job.ack("x".repeat(5000))).rejects.toMatchObject({ code: "EMSGSIZE" })
      expect(() => job.progress("x".repeat(5000))).toThrow(expect.objectContaining({ code: "EMSGSIZE" }))
      await job.ack("short")
      break
    }
    expect(await done).toBe("short")
  })

  it.each([-1, 0, 1.5, Number.NaN, "3"])("a prefetch of %s is EINVAL", async prefetch => {
    const jobs = await producer<string>()
    expect(() => consumer(jobs, { prefetch: prefetch as number })).toThrow(expect.objectContaining({ code: "EINVAL" }))
  })

  it.each([
    { startAt: new Date(Number.NaN) },
    { maxAttempts: 1.5 },
    { lease: 0.5 },
    { id: 5 },
    { id: "" },
    { key: 5 },
    { ttl: Number.NaN },
  ])("send with %o is EINVAL", async options => {
    const jobs = await producer<string>()
    await expect(jobs.send("x", options as never)).rejects.toMatchObject({ code: "EINVAL" })
    expect(jobs.stats().jobs).toBe(0)
  })

  it("send with a signal that is aborted already is refused, room or not", async () => {
    const jobs = await producer<string>()
    await expect(jobs.send("x", { signal: AbortSignal.abort() })).rejects.toThrow()
    expect(jobs.stats().jobs).toBe(0)
  })

  it("extend and nack take no times that are none", async () => {
    const jobs = await producer<string>()
    await jobs.send("x")
    for await (const job of consumer(jobs)) {
      for (const ms of [-5, Number.NaN]) {
        expect(() => job.extend(ms)).toThrow(expect.objectContaining({ code: "EINVAL" }))
        await expect(job.nack({ delay: ms })).rejects.toMatchObject({ code: "EINVAL" })
      }
      job.extend(1000.5)
      await job.ack()
      break
    }
    await jobs.drain()
  })

  it("a shorter dedupeWindow counts after a restart, behind ids that were remembered for longer", async () => {
    const store = memoryStore()
    const first = await producer<string>({ store, heartbeat: 100, dedupeWindow: 60_000 })
    const before = consumer(first)
    void before.run(() => {})
    await first.send("a", { id: "long" })
    await first.drain()
    await before.close()
    await first.close()
    const jobs = await producer<string>({ store, heartbeat: 100, dedupeWindow: 100 })
    void consumer(jobs).run(() => {})
    await jobs.send("b", { id: "short" })
    await jobs.drain()
    await expect.poll(async () => (await jobs.send("b", { id: "short" })).duplicate, { timeout: 5000 }).toBe(false)
    expect((await jobs.send("a", { id: "long" })).duplicate).toBe(true)
  })

  it("a RETURN of what is not held is answered by STALE", async () => {
    const jobs = await producer<string>()
    const bare = bareConsumer(jobs, "one")
    await bare.hello()
    await bare.say("PL1 RETURN", "x-1")
    expect(await bare.hear()).toEqual(["PL1 STALE", "x-1"])
  })

  it("the signal of a job that is lost says ESTALE, also to who asks late", async () => {
    const jobs = await producer<string>({ lease: 300, backoff: { min: 60_000 } })
    const lost = new Promise(resolve => jobs.on("retry", resolve))
    const reason = new Promise(resolve => {
      const worker = consumer<string>(jobs)
      worker.on("stale", () => go.open())
      const go = gate()
      void worker.run(async (_, context) => {
        await go.opened
        resolve(context.signal.reason)
      })
    })
    await jobs.send("a")
    await lost
    expect(await reason).toMatchObject({ code: "ESTALE" })
  })

  it("by hand, who leaves the loop gives back what he was not handed, and may begin another", async () => {
    const jobs = await producer<string>()
    const worker = consumer<string>(jobs, { prefetch: 3 })
    for (const name of ["a", "b", "c", "d"]) await jobs.send(name)
    for await (const job of worker) {
      await job.ack()
      break
    }
    await expect.poll(() => jobs.stats()).toMatchObject({ ready: 3, inFlight: 0 })
    const seen: string[] = []
    for await (const job of worker) {
      seen.push(job.value)
      await job.ack()
      if (seen.length === 3) break
    }
    expect(seen).toEqual(["b", "c", "d"])
  })
})
