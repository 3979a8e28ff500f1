/** What a review found that a pipeline did not hold: with peers that say rubbish, sockets that refuse, sends that wait. */
import { describe, expect, it } from "vitest"
import { raw } from "../../patterns/codec/index.js"
import { memoryStore, type Producer } from "../../patterns/pipeline/index.js"
import { engines } from "../support/engine-pairs.js"
import { gate } from "../support/gate.js"
import { stage } from "./stage.js"
import { bareQueue, noRejectionIsLeft, rubbish, tapped, within } from "./trouble.js"

noRejectionIsLeft()
const { producer, sender, consumer, bareConsumer, router } = stage("peerlane", "peerlane")

/** Whoever comes has jobs done there. */
async function goesOn(jobs: Producer): Promise<void> {
  void consumer(jobs).run(job => job)
  const { done } = await within("a send", jobs.send("good", { want: true }))
  expect(await within("its end", done)).toBe("good")
}

describe("groups whose bodies are not in memory", () => {
  it.each([
    ["raw", raw],
    ["msgpack", undefined],
  ] as const)("have whole ones handed out, each job to each of them, in %s", async (_, codec) => {
    const jobs = await producer<Uint8Array>({ groups: ["a", "b"], cacheBytes: 0, codec })
    const whole = { a: new Set<number>(), b: new Set<number>() }
    for (const group of ["a", "b"] as const) {
      void consumer(jobs, { group, codec }).run(
        job => {
          if (job.length === 100) whole[group].add(Buffer.from(job).readUInt32LE())
        },
        { concurrency: 8 },
      )
    }
    await expect.poll(() => jobs.stats().consumers).toBe(2)
    const bodies = Array.from({ length: 800 }, (_, n) => {
      const body = Buffer.alloc(100)
      body.writeUInt32LE(n)
      return body
    })
    await Promise.all(bodies.map(body => jobs.send(body)))
    await within("drain", jobs.drain())
    expect(jobs.stats()).toMatchObject({ dead: 0, done: 1600 })
    expect([whole.a.size, whole.b.size]).toEqual([800, 800])
  })

  it("have them behind jobs whose time has not come and that fill the memory", async () => {
    const jobs = await producer<Uint8Array>({ groups: ["a", "b"], cacheBytes: 10_000 })
    for (let n = 0; n < 20; n++) await jobs.send(new Uint8Array(1000), { delay: 3_600_000 })
    let whole = 0
    for (const group of ["a", "b"]) {
      const handler = (job: Uint8Array) => {
        if (job.length === 1000) whole++
      }
      void consumer(jobs, { group }).run(handler, { concurrency: 8 })
    }
    await expect.poll(() => jobs.stats().consumers).toBe(2)
    for (let n = 0; n < 200; n++) await jobs.send(new Uint8Array(1000))
    const ended = () => jobs.stats().done + jobs.stats().dead
    await expect.poll(ended, { timeout: 8000 }).toBe(400)
    expect([whole, jobs.stats().dead]).toEqual([400, 0])
  })
})

describe.each(Object.entries(rubbish))("a peer that says %s", (_, bad) => {
  it.each([
    ["for what it holds", `{"consumer":"x","n":1,"prefetch":0,"holding":[${bad}]}`],
    ["for its group", `{"consumer":"x","n":1,"group":${bad}}`],
    ["for its name", `{"consumer":${bad},"n":1}`],
    ["as a submitter, for its name", `{"submitter":${bad},"n":1}`],
  ])("%s does not stop a queue", async (_, hello) => {
    const jobs = await producer()
    const bare = bareConsumer(jobs, "x")
    await bare.say("PL1 HELLO", hello)
    await within("an answer", bare.hear())
    await goesOn(jobs)
  })

  it("for ids that it wants to know of does not stop a queue", async () => {
    const jobs = await producer()
    const bare = bareConsumer(jobs, "x")
    await bare.say("PL1 HELLO", '{"submitter":"x","n":1}')
    await bare.hear()
    await bare.say("PL1 WANT", `{"ids":[${bad}]}`)
    await bare.say("PL1 PING")
    await within("an answer", bare.hear())
    await goesOn(jobs)
  })

  it("of a job in its hands does not stop a queue", async () => {
    const jobs = await producer()
    const bare = bareConsumer(jobs, "x")
    await bare.hello()
    await jobs.send("first")
    const { tag } = await bare.job()
    await bare.say("PL1 NACK", tag, `{"reason":${bad}}`)
    await bare.say("PL1 REJECT", tag, `{"reason":${bad},"stack":${bad}}`)
    await bare.say("PL1 BYE")
    await goesOn(jobs)
  })

  it("as a queue does not stop a consumer", async () => {
    const queue = await router()
    const bare = bareQueue(queue)
    const done = gate<string>()
    void consumer<Buffer>(queue).run(job => done.open(String(job)))
    const n = await bare.hello()
    await bare.say("REFUSED", `{"message":${bad}}`)
    await bare.say("REFUSED", `{"code":${bad}}`)
    await bare.welcome(n)
    await bare.say("JOB", `[${bad}]`, "1")
    await bare.say("JOB", `[{"tag":${bad}}]`, "1")
    await bare.say("JOB", `[{"tag":"s-1","id":${bad}}]`, "1")
    await bare.say("WELCOME", `{"n":${n},"session":"s","kept":[${bad}]}`)
    await bare.welcome(n)
    await bare.say("JOB", '[{"tag":"s-2","id":"good","attempt":1}]', "good")
    void bare.welcomeAll()
    expect(await within("a job", done.opened)).toBe("good")
  })

  it("as a queue does not stop a producer that connects", async () => {
    const queue = await router()
    const bare = bareQueue(queue)
    const sending = sender<string>(queue.lastEndpoint!)
    const n = await bare.hello()
    await bare.say("REFUSED", `{"message":${bad}}`)
    await bare.say("WELCOME", `{"n":${n},"session":"s","window":9,"windowBytes":1000,"groups":[${bad}]}`)
    await bare.welcome(n, { groups: [""] })
    const sends = [sending.send("one"), sending.send("two", { id: "two", want: true })]
    const [declined, accepted] = [sends[0]!.catch(() => "declined"), sends[1]!]
    accepted.catch(() => {})
    const one = JSON.parse((await within("a job", bare.hear("SUBMIT")))[0]!) as { n: number }
    const two = JSON.parse((await within("a job", bare.hear("SUBMIT")))[0]!) as { n: number }
    await bare.say("DECLINED", `{"n":${one.n},"code":${bad},"message":${bad}}`)
    await bare.say("ACCEPTED", String(two.n), "")
    await bare.say("PROGRESS", `{"id":${bad},"group":${bad}}`, "x")
    await bare.say("RESULT", `{"id":${bad},"groups":[${bad}]}`, "x")
    await bare.say("RESULT", `{"id":"other","groups":[${bad}]}`, "x")
    await bare.say("RESULT", `{"id":"other","code":${bad},"message":${bad}}`)
    await bare.say("RESULT", '{"id":"two","groups":[]}')
    const { done } = await within("an accepted job", accepted)
    expect(await within("its end", done)).toBe(undefined)
    // Declined for a reason that nobody can read, or not understood: then it is still under way.
    if (sending.stats().jobs === 0) expect(await declined).toBe("declined")
  })
})

describe("drain of a producer that connects", () => {
  it("resolves when everything that was sent is accepted, and not before", async () => {
    const jobs = await producer<Uint8Array>()
    const sending = sender<Uint8Array>(jobs.lastEndpoint!)
    await sending.ready()
    const sends = Promise.allSettled(Array.from({ length: 3 }, () => sending.send(new Uint8Array(3 << 20))))
    await within("drain", sending.drain())
    expect(jobs.stats().jobs).toBe(3)
    expect((await within("the sends", sends)).map(({ status }) => status)).toEqual(Array(3).fill("fulfilled"))
  })

  it.each(["timeout", "signal"])("resolves when what it waited for has ended by its %s", async how => {
    const jobs = await producer<string>()
    const sending = sender<string>(jobs.lastEndpoint!)
    await sending.ready()
    sending.pause()
    const abort = new AbortController()
    const send = sending.send("late", how === "timeout" ? { timeout: 50 } : { signal: abort.signal })
    const drained = sending.drain()
    abort.abort(new Error("mine"))
    await expect(send).rejects.toThrow()
    await within("drain", drained)
    expect(sending.stats()).toMatchObject({ jobs: 0, waiting: 0 })
  })
})

it.each(["DONE", "ACCEPTED", "RESULT", "JOB", "WELCOME"])(
  "when a socket refuses %s once, everything still comes to its end",
  async command => {
    const { tap, sockets } = tapped(engines.peerlane)
    const jobs = await producer<number>({ sockets, heartbeat: 100, lease: 1000 })
    const sending = sender<number>(jobs.lastEndpoint!)
    await sending.ready()
    const worker = consumer<number>(jobs)
    tap.refuse = command
    void worker.run(job => job)
    const { done } = await within("the send", sending.send(1, { want: true }))
    // A result that is lost on its way is not kept: that its sender is told so is an end as well.
    const end = await within(
      "its end",
      done.catch((error: { code?: string }) => error.code),
    )
    expect([1, "ENOENT"]).toContain(end)
    await within("what the consumer is told", worker.drain())
    expect(tap.refuse).toBe("")
    worker.resume()
    for (let n = 2; n < 7; n++) await jobs.send(n)
    await within("drain of the queue", jobs.drain())
  },
)

describe.each(["peerlane", "zeromq"] as const)("on %s", engine => {
  const on = stage(engine, engine)

  it("a handler may tell of its progress thirty thousand times: its job is done, once", async () => {
    const jobs = await on.producer<string>()
    const worker = on.consumer<string>(jobs)
    let [runs, told, stale] = [0, 0, 0]
    worker.on("stale", () => stale++)
    void worker.run((_, { progress }) => {
      runs++
      for (let n = 0; n < 30_000; n++) progress(n)
      return "done"
    })
    const { done } = await jobs.send("talkative", { onProgress: () => told++ })
    expect(await within("its end", done, 15_000)).toBe("done")
    expect([runs, stale]).toEqual([1, 0])
    expect(told).toBeGreaterThan(0)
  })

  it("the same by hand, where the end comes in the same turn", async () => {
    const jobs = await on.producer<string>()
    const { done } = await jobs.send("talkative", { onProgress: () => {} })
    let runs = 0
    for await (const job of on.consumer<string>(jobs)) {
      runs++
      for (let n = 0; n < 30_000; n++) job.progress(n)
      await within("its ack", job.ack("done"))
      break
    }
    expect(await within("its end", done)).toBe("done")
    expect(runs).toBe(1)
  })
})

it("sends that wait for room at a queue that closes go on waiting, and are accepted when it is open again", async () => {
  const { tap, sockets } = tapped(engines.peerlane)
  const options = { store: memoryStore(), maxJobs: 1, heartbeat: 100 }
  const first = await producer<number>({ ...options, sockets })
  const bind = first.lastEndpoint!
  const sending = sender<number>(bind)
  const sends = Promise.allSettled([0, 1, 2].map(n => sending.send(n)))
  const submitted = () => tap.heard.filter(command => command === "PL1 SUBMIT").length
  await expect.poll(submitted, { timeout: 8000 }).toBe(3)
  await expect.poll(() => first.stats().jobs).toBe(1)
  await first.close()
  const second = await producer<number>({ ...options, bind })
  const seen: number[] = []
  void consumer(second).run(job => void seen.push(job))
  const ends = await within("the sends", sends)
  expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled"])
  await within("drain", second.drain())
  expect(seen.sort()).toEqual([0, 1, 2])
})

describe("drain", () => {
  it("after close, is ECLOSED if jobs are left, and resolves if none are", async () => {
    const [some, none] = [await producer<string>(), await producer<string>()]
    await some.send("left")
    await some.close()
    await none.close()
    await expect(within("drain", some.drain())).rejects.toMatchObject({ code: "ECLOSED" })
    await within("drain", none.drain())
  })

  it.each([false, true])(
    "with a signal that is aborted, rejects with its reason (another waits: %s)",
    async another => {
      const jobs = await producer<string>()
      await jobs.send("left")
      const other = another ? jobs.drain() : null
      const signal = AbortSignal.abort(new Error("mine"))
      await expect(within("drain", jobs.drain({ signal }))).rejects.toThrow("mine")
      void consumer(jobs).run(() => {})
      if (other !== null) await within("the other", other)
      await within("drain", jobs.drain())
    },
  )
})

describe("sends are accepted in their order", () => {
  it("where a producer that connects had to wait", async () => {
    const jobs = await producer<string>()
    const sending = sender<string>(jobs.lastEndpoint!)
    await sending.ready()
    for (let round = 0; round < 3; round++) {
      sending.pause()
      const first = sending.send(`A${round}`, { key: "k" })
      sending.resume()
      const second = sending.send(`B${round}`, { key: "k" })
      await within("the sends", Promise.all([first, second]))
    }
    const seen: string[] = []
    void consumer(jobs).run(job => void seen.push(job))
    await within("drain", jobs.drain())
    expect(seen).toEqual(["A0", "B0", "A1", "B1", "A2", "B2"])
  })

  it("where a queue was full", async () => {
    const jobs = await producer<number>({ maxJobs: 1 })
    await jobs.send(0, { key: "k" })
    const waiting = [1, 2].map(n => jobs.send(n, { key: "k" }))
    const third = waiting[0]!.then(() => jobs.send(3, { key: "k" }))
    const seen: number[] = []
    void consumer(jobs).run(job => void seen.push(job))
    await within("the sends", Promise.all([...waiting, third]))
    await within("drain", jobs.drain())
    expect(seen).toEqual([0, 1, 2, 3])
  })
})

it("a second send of an id is accepted by itself when the first, which waited for room, is aborted", async () => {
  const jobs = await producer<string>({ maxJobs: 1 })
  await jobs.send("there")
  const abort = new AbortController()
  const first = expect(jobs.send("first", { id: "x", signal: abort.signal })).rejects.toThrow("went away")
  const second = jobs.send("second", { id: "x" })
  second.catch(() => {})
  abort.abort(new Error("went away"))
  await first
  const seen: string[] = []
  void consumer(jobs).run(job => void seen.push(job))
  expect(await within("the second", second)).toMatchObject({ id: "x", duplicate: false })
  await within("drain", jobs.drain())
  expect(seen).toEqual(["there", "second"])
})

it("jobs of others that wait for room do not count in maxWaiting", async () => {
  const jobs = await producer<number>({ maxJobs: 1, maxWaiting: 0 })
  const sending = sender<number>(jobs.lastEndpoint!)
  await sending.ready()
  const sends = Promise.allSettled(Array.from({ length: 50 }, (_, n) => sending.send(n)))
  const seen: number[] = []
  void consumer(jobs).run(job => void seen.push(job))
  const ends = await within("the sends", sends)
  expect(ends.filter(({ status }) => status === "rejected")).toEqual([])
  await within("drain", jobs.drain())
  expect(seen).toHaveLength(50)
})
