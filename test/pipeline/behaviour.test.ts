/** What producers and consumers do beyond what pipeline.test.ts has, on Peerlane's sockets and on libzmq's. */
import { describe, expect, it } from "vitest"
import { type Consumer, type JobContext, memoryStore, type Producer } from "../../patterns/pipeline/index.js"
import { gate } from "../support/gate.js"
import { stage } from "./stage.js"

const numbers = (many: number) => Array.from({ length: many }, (_, n) => n)
const sendAll = <T>(jobs: Producer<T>, all: readonly T[]) => Promise.all(all.map(one => jobs.send(one)))
const joined = (jobs: Pick<Producer, "on">) => new Promise<void>(resolve => jobs.on("join", () => resolve()))

describe.each(["peerlane", "zeromq"] as const)("the pipeline on %s", engine => {
  const { producer, consumer, bareConsumer, router, folder } = stage(engine, engine)

  /** Works on nothing, and has what it was given until the test is over. */
  function holder<T>(of: Producer<T>, prefetch: number): Consumer<T> {
    const made = consumer(of, { prefetch })
    void made.run((_, { signal }) => new Promise(stop => signal.addEventListener("abort", stop)))
    return made
  }

  describe("pausing", () => {
    it("a producer that is paused accepts, and hands out nothing until it is resumed", async () => {
      const jobs = await producer<number>()
      jobs.pause()
      const joins = joined(jobs)
      const seen: number[] = []
      void consumer(jobs).run(n => void seen.push(n))
      await joins
      await sendAll(jobs, numbers(5))
      expect(jobs.stats()).toMatchObject({ ready: 5, inFlight: 0, consumers: 1 })
      jobs.resume()
      await jobs.drain()
      expect(seen).toEqual(numbers(5))
    })

    it("what is in hand when a producer is paused is finished", async () => {
      const jobs = await producer<number>()
      const [begun, go] = [gate(), gate()]
      const seen: number[] = []
      void consumer(jobs, { prefetch: 2 }).run(async n => {
        begun.open()
        await go.opened
        seen.push(n)
      })
      await sendAll(jobs, numbers(6))
      await begun.opened
      jobs.pause()
      go.open()
      await expect.poll(() => jobs.stats()).toMatchObject({ ready: 4, inFlight: 0, done: 2 })
      expect(seen).toEqual([0, 1])
      jobs.resume()
      await jobs.drain()
      expect(seen).toEqual(numbers(6))
    })

    it("a consumer that is paused finishes what it works on, and begins nothing until it is resumed", async () => {
      const jobs = await producer<number>({ lease: 1500, backoff: { min: 1, max: 1 } })
      const retried = new Promise<{ id: string }>(resolve => jobs.on("retry", resolve))
      const [begun, go] = [gate(), gate()]
      const seen: string[] = []
      const worker = consumer(jobs, { prefetch: 3 })
      void worker.run(async (n, { attempt }) => {
        begun.open()
        await go.opened
        seen.push(`${n} ${attempt}`)
      })
      await sendAll(jobs, numbers(6))
      await begun.opened
      await expect.poll(() => worker.stats().waiting).toBe(2)
      worker.pause()
      go.open()
      await expect.poll(() => jobs.stats()).toMatchObject({ done: 1, ready: 3, inFlight: 2 })
      // Another one is served meanwhile, and outlasts its lease: jobs that wait stay whose they are, however long that takes.
      let lost = ""
      const other = consumer(jobs, { prefetch: 1 })
      void other.run((_, { id, signal }) => {
        lost = id
        return new Promise(stop => signal.addEventListener("abort", stop))
      })
      expect(await retried).toMatchObject({ id: lost })
      await other.close({ grace: 0 })
      expect(worker.stats()).toMatchObject({ waiting: 2, running: 0 })
      expect(seen).toEqual(["0 1"])
      worker.resume()
      await jobs.drain()
      expect(seen.slice(0, 3)).toEqual(["0 1", "1 1", "2 1"])
      expect(seen.length).toBe(6)
    })

    it("a consumer that is paused before it runs is welcome, and takes nothing", async () => {
      const jobs = await producer<number>()
      const seen: number[] = []
      const worker = consumer(jobs)
      const welcome = new Promise(resolve => worker.on("welcome", resolve))
      worker.pause()
      void worker.run(n => void seen.push(n))
      await welcome
      await sendAll(jobs, [1, 2])
      expect(jobs.stats()).toMatchObject({ ready: 2, inFlight: 0, consumers: 1 })
      worker.resume()
      await jobs.drain()
      expect(seen).toEqual([1, 2])
    })

    it("a consumer that drains finishes what it has, takes no more, and goes on when it is resumed", async () => {
      const jobs = await producer<number>()
      const [begun, go] = [gate(), gate()]
      const seen: number[] = []
      const worker = consumer(jobs, { prefetch: 3 })
      void worker.run(async n => {
        begun.open()
        await go.opened
        seen.push(n)
      })
      await sendAll(jobs, numbers(9))
      await begun.opened
      await expect.poll(() => worker.stats().waiting).toBe(2)
      const drained = worker.drain()
      go.open()
      await drained
      expect(seen).toEqual([0, 1, 2])
      expect(worker.stats()).toMatchObject({ waiting: 0, running: 0, done: 3 })
      expect(jobs.stats()).toMatchObject({ ready: 6, inFlight: 0, done: 3 })
      worker.resume()
      await jobs.drain()
      expect(seen).toEqual(numbers(9))
    })
  })

  describe("turns", () => {
    it("serves priorities 8 : 4 : 1 while all have some, and starves none", async () => {
      const jobs = await producer<string>()
      for (const priority of ["low", "normal", "high"] as const) {
        await Promise.all(numbers(40).map(() => jobs.send(priority, { priority })))
      }
      const seen: string[] = []
      void consumer(jobs, { prefetch: 1 }).run(priority => void seen.push(priority))
      await jobs.drain()
      const among = (priority: string, most: number) => seen.slice(0, most).filter(one => one === priority).length
      expect([among("high", 39), among("normal", 39), among("low", 39)]).toEqual([24, 12, 3])
      // High ones are out behind 65; the others go on, 4 : 1.
      expect([among("high", 65), among("normal", 65), among("low", 65)]).toEqual([40, 20, 5])
      expect(seen.length).toBe(120)
    })

    it("a slow consumer with a prefetch of 1 has one job, and a fast one does the others", async () => {
      const jobs = await producer<number>()
      const slow = holder(jobs, 1)
      await sendAll(jobs, [0])
      await expect.poll(() => slow.stats().running).toBe(1)
      const seen: number[] = []
      void consumer(jobs, { prefetch: 4 }).run(n => void seen.push(n))
      await sendAll(jobs, numbers(100).slice(1))
      await expect.poll(() => jobs.stats().done).toBe(99)
      expect(seen).toEqual(numbers(100).slice(1))
      await slow.close({ grace: 0 })
    })

    it("serves the least loaded first, and of equals the one that was served longest ago", async () => {
      const jobs = await producer<number>()
      const loads = (...those: Consumer<number>[]) =>
        those.map(one => one.stats().waiting + one.stats().running).join(" ")
      const first = holder(jobs, 10)
      await sendAll(jobs, numbers(4))
      await expect.poll(() => loads(first)).toBe("4")
      const joins = joined(jobs)
      const second = holder(jobs, 10)
      await joins
      await sendAll(jobs, numbers(4))
      await expect.poll(() => loads(first, second)).toBe("4 4")
      await sendAll(jobs, numbers(1))
      await expect.poll(() => loads(first, second)).toBe("5 4")
      await sendAll(jobs, numbers(2))
      await expect.poll(() => loads(first, second)).toBe("6 5")
    })

    it("a job of a later date is done behind those that may start; a date that is past is now", async () => {
      const jobs = await producer<string>()
      const at = Date.now() + 400
      await jobs.send("later", { startAt: new Date(at + 20) })
      await jobs.send("late", { startAt: new Date(at) })
      await jobs.send("past", { startAt: new Date(0) })
      await jobs.send("now")
      expect(jobs.stats()).toMatchObject({ delayed: 2, ready: 2 })
      const seen: string[] = []
      const times: number[] = []
      void consumer(jobs).run(job => {
        seen.push(job)
        times.push(Date.now())
      })
      await jobs.drain()
      expect(seen).toEqual(["past", "now", "late", "later"])
      expect(times[2]).toBeGreaterThanOrEqual(at)
    })
  })

  describe("leases", () => {
    it("a job whose work is extended is kept past its lease, and one that is not goes to others", async () => {
      const jobs = await producer<string>({ backoff: { min: 60_000 } })
      const retried = new Promise<{ id: string; reason: string }>(resolve => jobs.on("retry", resolve))
      const kept: JobContext[] = []
      const worker = consumer(jobs)
      void worker.run(
        async (job, context) => {
          if (job === "kept") {
            kept.push(context)
            context.extend(60_000)
            await retried
          } else await new Promise(stop => context.signal.addEventListener("abort", stop))
        },
        { concurrency: 2 },
      )
      const { id } = await jobs.send("kept", { lease: 1000 })
      const other = await jobs.send("lost", { lease: 1300 })
      // The lease of the other one began later, and was longer.
      expect(await retried).toMatchObject({ id: other.id, reason: "its lease ended" })
      await expect.poll(() => jobs.stats().done).toBe(1)
      expect(kept.map(({ id, attempt, signal }) => [id, attempt, signal.aborted])).toEqual([[id, 1, false]])
      expect(worker.stats()).toMatchObject({ stale: 1, failed: 0 })
    })

    it("a job whose time to live ends in work is done if the work succeeds, and is not tried again if it fails", async () => {
      const jobs = await producer<string>()
      const dead: unknown[] = []
      jobs.on("dead", letter => dead.push(letter))
      const go = gate()
      void consumer(jobs).run(
        async job => {
          await go.opened
          if (job === "fails") throw new Error("it failed")
        },
        { concurrency: 2 },
      )
      await jobs.send("succeeds", { ttl: 400 })
      const { id } = await jobs.send("fails", { ttl: 400 })
      await expect.poll(() => jobs.stats().inFlight).toBe(2)
      await new Promise(resolve => setTimeout(resolve, 420)) // No event tells that a time has passed.
      expect(dead).toEqual([])
      go.open()
      await jobs.drain()
      expect(dead).toEqual([{ id, group: "", attempts: 1, reason: "it failed" }])
      expect(jobs.stats()).toMatchObject({ done: 1, dead: 1, retried: 0 })
    })
  })

  describe("who waits for the result", () => {
    it("has the results and the progress of all groups, by their names", async () => {
      const jobs = await producer<number>({ groups: ["mail", "bill", "log"] })
      const told: unknown[] = []
      const { done } = await jobs.send(6, { want: true, onProgress: value => told.push(value) })
      for (const group of ["mail", "bill"]) {
        void consumer(jobs, { group }).run((n, { progress }) => {
          progress(`${group} began`)
          return { by: group, twice: n * 2 }
        })
      }
      void consumer(jobs, { group: "log" }).run(() => {})
      expect(await done).toEqual({ mail: { by: "mail", twice: 12 }, bill: { by: "bill", twice: 12 }, log: undefined })
      expect(told.sort()).toEqual(["bill began", "mail began"])
    })

    it("is told when it is a dead letter in one group, and in which", async () => {
      const jobs = await producer<number>({ groups: ["mail", "bill"], maxAttempts: 1 })
      void consumer(jobs, { group: "mail" }).run(() => "sent")
      void consumer(jobs, { group: "bill" }).run(() => {
        throw new Error("no money")
      })
      const { done } = await jobs.send(1, { want: true })
      await expect(done).rejects.toMatchObject({
        code: "EDEAD",
        message: expect.stringMatching(/the group bill: no money/),
      })
    })

    it("is told when the producer closes before", async () => {
      const jobs = await producer<number>()
      const { done } = await jobs.send(1, { want: true })
      await jobs.close()
      await expect(done).rejects.toMatchObject({ code: "ECLOSED" })
    })
  })

  describe("limits", () => {
    it("a job that is too big is EMSGSIZE, and nothing else is lost", async () => {
      const jobs = await producer<string>({ maxJobBytes: 100, maxBytes: 150 })
      await jobs.send("a")
      await expect(jobs.send("x".repeat(200))).rejects.toMatchObject({ code: "EMSGSIZE" })
      const greatest = jobs.send("y".repeat(98))
      await expect(jobs.send("z".repeat(99))).rejects.toMatchObject({ code: "EMSGSIZE" })
      await greatest
      const seen: string[] = []
      void consumer(jobs).run(job => void seen.push(job))
      await jobs.drain()
      expect(seen).toEqual(["a", "y".repeat(98)])
      expect(jobs.stats()).toMatchObject({ jobs: 0, bytes: 0, accepted: 2, waiting: 0 })
    })

    it("a job that can never fit into the queue is EMSGSIZE, whatever waits", async () => {
      const jobs = await producer<string>({ maxBytes: 50 })
      await expect(jobs.send("x".repeat(60))).rejects.toMatchObject({ code: "EMSGSIZE" })
      await jobs.send("x".repeat(40))
      const waiting = jobs.send("y".repeat(40))
      await expect(jobs.send("z".repeat(60))).rejects.toMatchObject({ code: "EMSGSIZE" })
      void consumer(jobs).run(() => {})
      await waiting
      await jobs.drain()
      expect(jobs.stats()).toMatchObject({ accepted: 2, done: 2, bytes: 0, waiting: 0 })
    })

    it("a send that waits for room ends by its signal, and makes way for those behind it", async () => {
      const jobs = await producer<string>({ maxBytes: 100 })
      await jobs.send("x".repeat(60))
      const ending = new AbortController()
      const big = jobs.send("y".repeat(80), { signal: ending.signal })
      const small = jobs.send("z".repeat(20))
      await expect.poll(() => jobs.stats().waiting).toBe(2)
      ending.abort(new Error("no more"))
      await expect(big).rejects.toThrow("no more")
      await small
      expect(jobs.stats()).toMatchObject({ jobs: 2, waiting: 0, accepted: 2 })
    })

    it("more sends than may wait are EBUSY at once", async () => {
      const jobs = await producer<number>({ maxJobs: 1, maxWaiting: 2 })
      await jobs.send(0)
      const waiting = [jobs.send(1), jobs.send(2)]
      await expect(jobs.send(3)).rejects.toMatchObject({ code: "EBUSY" })
      const seen: number[] = []
      void consumer(jobs).run(n => void seen.push(n))
      await Promise.all(waiting)
      await jobs.drain()
      expect(seen).toEqual([0, 1, 2])
    })

    it("sends that wait when the producer closes are ECLOSED, and so is every other", async () => {
      const jobs = await producer<number>({ maxJobs: 1 })
      await jobs.send(0)
      const waiting = jobs.send(1)
      const draining = jobs.drain()
      await Promise.all([
        expect(waiting).rejects.toMatchObject({ code: "ECLOSED" }),
        expect(draining).rejects.toMatchObject({ code: "ECLOSED" }),
        jobs.close(),
      ])
      await expect(jobs.send(2)).rejects.toMatchObject({ code: "ECLOSED" })
    })

    it("drain ends by its timeout and by its signal", async () => {
      const jobs = await producer<number>()
      await jobs.drain()
      await jobs.send(0)
      await expect(jobs.drain({ timeout: 10 })).rejects.toMatchObject({ code: "ETIMEDOUT" })
      const ending = new AbortController()
      const draining = jobs.drain({ signal: ending.signal })
      ending.abort(new Error("no more"))
      await expect(draining).rejects.toThrow("no more")
    })

    it("takes no more bytes in hand than it said, but one job", async () => {
      const jobs = await producer<string>()
      const worker = consumer(jobs, { prefetch: 10, prefetchBytes: 100 })
      void worker.run((_, { signal }) => new Promise(stop => signal.addEventListener("abort", stop)))
      await sendAll(jobs, Array(5).fill("x".repeat(60)))
      await expect.poll(() => jobs.stats().inFlight).toBe(2)
      expect(jobs.stats().ready).toBe(3)
    })
  })

  describe("handlers", () => {
    it("may throw what is no error, and what they throw is the reason", async () => {
      const jobs = await producer<string>({ maxAttempts: 1 })
      const thrown: Record<string, unknown> = {
        nothing: undefined,
        null: null,
        number: 7,
        text: "a text",
        symbol: Symbol("sign"),
        object: { code: 5 },
        empty: new Error(),
      }
      const failed: unknown[] = []
      const worker = consumer(jobs)
      worker.on("failed", ({ error }) => failed.push(error))
      void worker.run(name => {
        throw thrown[name]
      })
      await sendAll(jobs, Object.keys(thrown))
      await jobs.drain()
      const letters = await Promise.all([...jobs.dead].map(async one => [await one.value(), one.reason]))
      expect(Object.fromEntries(letters)).toEqual({
        nothing: "undefined",
        null: "null",
        number: "7",
        text: "a text",
        symbol: "Symbol(sign)",
        object: "[object Object]",
        empty: "",
      })
      expect(failed).toEqual(Object.values(thrown))
    })

    it("a result that cannot be encoded is a failed attempt, and only where it is wanted", async () => {
      const jobs = await producer<number>({ maxAttempts: 1 })
      void consumer(jobs).run(() => () => {})
      await jobs.send(1)
      await jobs.drain()
      expect(jobs.stats()).toMatchObject({ done: 1, dead: 0 })
      const { done } = await jobs.send(2, { want: true })
      await expect(done).rejects.toMatchObject({ code: "EDEAD" })
    })

    it("a listener that throws does not end a run", async () => {
      const jobs = await producer<number>({ maxAttempts: 2, backoff: { min: 0, max: 0 } })
      const thrown = new Promise<unknown>(resolve => process.once("uncaughtException", resolve))
      const others = process.rawListeners("uncaughtException").filter(one => one.name !== "bound onceWrapper")
      for (const other of others) process.off("uncaughtException", other as () => void)
      try {
        const worker = consumer(jobs)
        worker.on("failed", () => {
          throw new Error("of a listener")
        })
        void worker.run((_, { attempt }) => {
          if (attempt === 1) throw new Error("once")
        })
        await jobs.send(1)
        await jobs.drain()
        expect(await thrown).toMatchObject({ message: "of a listener" })
      } finally {
        for (const other of others) process.on("uncaughtException", other as () => void)
      }
    })
  })

  describe("strangers", () => {
    it("what a consumer says of another's job is STALE, and changes nothing", async () => {
      const jobs = await producer<string>()
      const owner = bareConsumer(jobs, "owner")
      await owner.hello()
      const { id } = await jobs.send("mine")
      const { tag } = await owner.job()
      const thief = bareConsumer(jobs, "thief")
      await thief.hello({ prefetch: 0, holding: [tag] })
      const thefts = [
        ["PL1 ACK", tag],
        ["PL1 ACK", tag, "\u00a1"],
        ["PL1 NACK", tag, '{"delay":0}'],
        ["PL1 REJECT", tag, '{"reason":"stolen"}'],
        ["PL1 EXTEND", `1 ${tag}`],
      ]
      for (const theft of thefts) {
        await thief.say(...theft)
        expect(await thief.hear()).toEqual(["PL1 STALE", tag])
      }
      await thief.say("PL1 RETURN", tag)
      await thief.say("PL1 PROGRESS", tag, "\u00a1")
      await thief.say("PL1 PING")
      while ((await thief.hear())[0] !== "PL1 PONG");
      expect(jobs.stats()).toMatchObject({ inFlight: 1, done: 0, dead: 0, retried: 0 })
      await owner.say("PL1 ACK", tag)
      expect(await owner.hear()).toEqual(["PL1 DONE", tag])
      expect(jobs.stats()).toMatchObject({ done: 1, jobs: 0 })
      await owner.say("PL1 ACK", tag)
      expect(await owner.hear()).toEqual(["PL1 STALE", tag])
      expect(id).not.toBe("")
    })

    it("a HELLO with tags of another's jobs keeps none of them", async () => {
      const jobs = await producer<string>()
      const owner = bareConsumer(jobs, "owner")
      await owner.hello()
      await jobs.send("mine")
      const { tag } = await owner.job()
      const thief = bareConsumer(jobs, "thief")
      expect(await thief.hello({ holding: [tag] })).toMatchObject({ kept: [] })
      expect(await owner.hello({ n: 2, holding: [tag] })).toMatchObject({ kept: [tag] })
    })

    it("peers of other versions are refused, while the others work", async () => {
      const jobs = await producer<number>()
      const malformed: string[] = []
      jobs.on("malformed", ({ message }) => malformed.push(message))
      const seen: number[] = []
      for (let at = 0; at < 2; at++) void consumer(jobs).run(n => void seen.push(n))
      const other = bareConsumer(jobs, "other")
      const sent = sendAll(jobs, numbers(200))
      for (const command of ["HELLO", "ACK", "BYE"]) {
        await other.say(`PL9 ${command}`, "{}")
        const [first, what] = await other.hear()
        expect(first).toBe("PL1 REFUSED")
        expect(JSON.parse(what!)).toMatchObject({ code: "EPROTO", message: expect.stringContaining("PL9") })
      }
      await sent
      await jobs.drain()
      expect(seen.sort((a, b) => a - b)).toEqual(numbers(200))
      expect(malformed.length).toBe(3)
      expect(jobs.stats()).toMatchObject({ consumers: 2, retried: 0 })
    })

    it("a consumer is told when its producer speaks another version, and when it talks rubbish", async () => {
      const strange = await router()
      const told: string[] = []
      const jobs = { lastEndpoint: strange.lastEndpoint } as Producer<never>
      const worker = consumer(jobs)
      worker.on("refused", ({ error }) => told.push(error.code))
      void worker.run(() => {})
      const messages = strange[Symbol.asyncIterator]()
      const [routing, hello] = (await messages.next()).value as Buffer[]
      expect(String(hello)).toBe("PL1 HELLO")
      for (const rubbish of [["PL9 WELCOME", "{}"], ["PL1 WELCOME", "["], ["PL1 JOB"], [""], ["PL1 HELLO", "{}"]]) {
        await strange.send([routing!, ...rubbish])
      }
      await expect.poll(() => told).toEqual(["EPROTO", "EINVAL", "EINVAL", "EPROTO", "EPROTO"])
      expect(worker.stats()).toMatchObject({ producers: 0, running: 0 })
    })
  })

  describe("events", () => {
    it("tell who joins and who leaves, and why", async () => {
      const jobs = await producer<number>({ groups: ["mail"], heartbeat: 200 })
      const events: string[] = []
      jobs.on("join", ({ consumer, group }) => events.push(`${consumer} joined ${group}`))
      jobs.on("leave", ({ consumer, group, reason }) => events.push(`${consumer} left ${group}: ${reason}`))
      const polite = bareConsumer(jobs, "polite")
      await polite.hello({ group: "mail" })
      await polite.say("PL1 BYE")
      await expect.poll(() => events.length).toBe(2)
      const silent = bareConsumer(jobs, "silent")
      await silent.hello({ group: "mail" })
      await expect.poll(() => events.length).toBe(4)
      expect(events).toEqual([
        "polite joined mail",
        "polite left mail: its consumer left",
        "silent joined mail",
        "silent left mail: its consumer is silent",
      ])
      expect(jobs.stats().consumers).toBe(0)
    })

    it("tell of each failed attempt, how long the job rests, and that it died", async () => {
      const jobs = await producer<number>({ maxAttempts: 3, backoff: { min: 4, factor: 3, max: 10, jitter: 0 } })
      const events: unknown[] = []
      jobs.on("retry", event => events.push(event))
      jobs.on("dead", event => events.push(event))
      void consumer(jobs).run((_, { attempt }) => {
        throw new Error(`attempt ${attempt}`)
      })
      const { id } = await jobs.send(1)
      await jobs.drain()
      expect(events).toEqual([
        { id, group: "", attempt: 1, reason: "attempt 1", rest: 4 },
        { id, group: "", attempt: 2, reason: "attempt 2", rest: 10 },
        { id, group: "", attempts: 3, reason: "attempt 3" },
      ])
      expect(jobs.stats()).toMatchObject({ retried: 2, dead: 1 })
    })

    it("are not told to who listens no more", async () => {
      const jobs = await producer<number>()
      let joins = 0
      const listener = () => void joins++
      jobs.on("join", listener)
      await bareConsumer(jobs, "one").hello()
      jobs.off("join", listener)
      await bareConsumer(jobs, "two").hello()
      expect(joins).toBe(1)
    })
  })

  describe("ids", () => {
    it("may be used again when their window is over, and no earlier, also across a restart", async () => {
      const store = folder()
      const first = await producer<string>({ store, heartbeat: 100, dedupeWindow: 800 })
      const worker = consumer(first)
      void worker.run(() => {})
      await first.send("a", { id: "one" })
      await first.drain()
      expect(await first.send("a", { id: "one" })).toMatchObject({ id: "one", duplicate: true })
      await worker.close()
      await first.close()
      const jobs = await producer<string>({ store, heartbeat: 100, dedupeWindow: 800 })
      await expect.poll(async () => (await jobs.send("a", { id: "one" })).duplicate).toBe(false)
      void consumer(jobs).run(() => {})
      await jobs.drain()
      expect(await jobs.send("a", { id: "one" })).toMatchObject({ duplicate: true })
    })

    it("of no more jobs than dedupeMax are remembered, the latest", async () => {
      const jobs = await producer<string>({ dedupeMax: 2, heartbeat: 100 })
      void consumer(jobs).run(() => {})
      for (const id of ["a", "b", "c"]) {
        await jobs.send(id, { id })
        await jobs.drain()
      }
      await expect.poll(async () => (await jobs.send("a", { id: "a" })).duplicate).toBe(false)
      expect(await jobs.send("c", { id: "c" })).toMatchObject({ duplicate: true })
    })

    it("are not remembered at all with a window of 0, but while their jobs are there", async () => {
      const jobs = await producer<string>({ dedupeWindow: 0 })
      await jobs.send("a", { id: "a" })
      expect(await jobs.send("a", { id: "a" })).toMatchObject({ duplicate: true })
      void consumer(jobs).run(() => {})
      await jobs.drain()
      expect(await jobs.send("a", { id: "a" })).toMatchObject({ duplicate: false })
    })

    it("of a send that failed may be used again", async () => {
      const store = memoryStore()
      const jobs = await producer<string>({ store })
      const put = store.put
      store.put = () => Promise.reject(Object.assign(new Error("the disk is full"), { code: "ENOSPC" }))
      await expect(jobs.send("a", { id: "a" })).rejects.toMatchObject({ code: "ENOSPC" })
      store.put = put
      expect(await jobs.send("a", { id: "a" })).toMatchObject({ duplicate: false })
      expect(jobs.stats()).toMatchObject({ jobs: 1, bytes: 2, accepted: 1 })
    })
  })
})
