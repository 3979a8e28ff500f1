/** What a review found that a pipeline did not keep: with stores that refuse or are slow, leases that end, times that pass. */
import { describe, expect, it } from "vitest"
import type { JobContext } from "../../patterns/pipeline/index.js"
import { Inbox, Producer, Rejection, type Store } from "../../patterns/pipeline/index.js"
import { engines } from "../support/engine-pairs.js"
import { gate } from "../support/gate.js"
import { stage } from "./stage.js"
import { bareQueue, fullError, noRejectionIsLeft, troubledStore, within } from "./trouble.js"

noRejectionIsLeft()
const { producer, sender, consumer, bareConsumer, router } = stage("peerlane", "peerlane")

describe("the end of a job for one of two groups that the store refuses once", () => {
  it.each(["at once", "while the end for the other is on its way"])("%s, does not keep the job there", async when => {
    const [noted, refused, removing] = [gate(), gate(), gate()]
    let refusals = 0
    const patience = () => new Promise<void>(resolve => setTimeout(resolve, 500))
    const store = troubledStore({
      setMeta: async go => {
        noted.open()
        if (refusals++ > 0) return go()
        // A queue may do one after the other, and then there is no removal yet.
        if (when !== "at once") await Promise.race([removing.opened, patience()])
        setImmediate(refused.open)
        throw fullError()
      },
      remove: async go => {
        removing.open()
        await refused.opened
        await new Promise(resolve => setImmediate(resolve))
        return go()
      },
    })
    const jobs = await producer<string>({ groups: ["a", "b"], store })
    const errors: unknown[] = []
    jobs.on("storeError", ({ error }) => errors.push(error))
    void consumer(jobs, { group: "a" }).run(() => {})
    void consumer(jobs, { group: "b" }).run(() => noted.opened)
    await jobs.send("one")
    await within("drain", jobs.drain())
    expect(jobs.stats()).toMatchObject({ jobs: 0, done: 2, dead: 0 })
    expect(errors.map(error => (error as { code: string }).code)).toEqual(["ENOSPC"])
  })
})

it("reject by hand resolves when a store that refused it for a while has it, and it is dead after a restart", async () => {
  let [refusals, kept] = [2, false]
  const store = troubledStore({
    setMeta: async go => {
      if (refusals-- > 0) throw fullError()
      await go()
      kept = true
    },
  })
  const first = await producer<string>({ store })
  const worker = consumer(first)
  await first.send("poison")
  for await (const job of worker) {
    await within("reject", job.reject("never again"))
    expect(kept).toBe(true)
    break
  }
  await worker.close()
  await first.close()
  const second = await producer<string>({ store })
  expect([...second.dead].map(({ reason, attempts }) => [reason, attempts])).toEqual([["never again", 1]])
  expect(second.stats()).toMatchObject({ ready: 0, jobs: 1 })
})

describe("an inbox", () => {
  const backoff = { min: 5, max: 5 }

  it("whose store refused a note once does not have the handler run again, and notes it when the job comes again", async () => {
    let refusals = 1
    const store = troubledStore({ put: async go => (refusals-- > 0 ? Promise.reject(fullError()) : go()) })
    const inbox = new Inbox({ store })
    const jobs = await producer<string>({ maxAttempts: 5, backoff })
    let runs = 0
    void consumer(jobs).run(inbox.once(() => `run ${++runs}`))
    const { done } = await jobs.send("once", { want: true })
    expect(await within("its end", done)).toBe("run 1")
    expect([runs, inbox.size]).toEqual([1, 1])
    await inbox.close()
    const second = new Inbox({ store })
    await second.ready()
    expect(second.size).toBe(1)
    await second.close()
  })

  it("remembers a job whose result cannot be kept: it is rejected, and not run again", async () => {
    const inbox = new Inbox()
    let runs = 0
    const once = inbox.once(() => {
      runs++
      return () => {}
    })
    const context = { id: "alone" } as JobContext
    await expect(once("x", context)).rejects.toBeInstanceOf(Rejection)
    await Promise.allSettled([once("x", context)]) // It comes again.
    expect([runs, inbox.size]).toEqual([1, 1])

    const jobs = await producer<string>({ maxAttempts: 5, backoff })
    void consumer(jobs).run(once)
    await jobs.send("x")
    await within("drain", jobs.drain())
    expect([runs, inbox.size]).toEqual([2, 2])
    expect(jobs.stats()).toMatchObject({ dead: 1, retried: 0 })
    await inbox.close()
  })
})

describe("a job that is handed over", () => {
  it("again has what is left of its time to live", async () => {
    const queue = await router()
    const bare = bareQueue(queue)
    const sending = sender<string>(queue.lastEndpoint!)
    const ttlOf = async () => {
      await bare.welcome(await bare.hello())
      return (JSON.parse((await bare.hear("SUBMIT"))[0]!) as { ttl: number }).ttl
    }
    const send = sending.send("x", { ttl: 60_000 })
    send.catch(() => {}) // It ends with the test.
    const first = await within("a SUBMIT", ttlOf())
    const heard = Date.now()
    await new Promise(resolve => setTimeout(resolve, 300))
    const passed = Date.now() - heard
    await bare.say("WHO")
    const second = await within("a second SUBMIT", ttlOf())
    expect(first).toBeLessThanOrEqual(60_000)
    expect(second).toBeLessThanOrEqual(first - passed + 50)
    expect(second).toBeGreaterThan(0)
  })

  it.each([
    ["a priority that is none", { priority: "x" }],
    ["a key that is no text", { key: 5 }],
    ["a delay that is no whole number", { delay: 1e17 }],
    ["an id that is no text", { id: {} }],
  ])("with %s is declined by its number", async (_, odd) => {
    const jobs = await producer<string>()
    const bare = bareConsumer(jobs, "x")
    await bare.say("PL1 HELLO", '{"submitter":"x","n":1}')
    await bare.hear()
    await bare.say("PL1 SUBMIT", JSON.stringify({ n: 7, id: "a", codec: "raw", ...odd }), "body")
    const [command, said] = await within("an answer", bare.hear())
    expect([command, JSON.parse(said!)]).toMatchObject(["PL1 DECLINED", { n: 7, code: "EINVAL" }])
    await bare.say("PL1 SUBMIT", JSON.stringify({ n: 8, id: "b", codec: "raw" }), "body")
    expect((await within("an answer", bare.hear())).slice(0, 2)).toEqual(["PL1 ACCEPTED", "8"])
  })

  it("with a delay that no queue can take is EINVAL, and holds up nothing", async () => {
    const jobs = await producer<string>()
    const sending = sender<string>(jobs.lastEndpoint!)
    await expect(within("the send", sending.send("x", { delay: 1e17 }))).rejects.toMatchObject({ code: "EINVAL" })
    await within("drain", sending.drain())
  })
})

it("a store that cannot be closed: close says so, everybody is sent away, and the port is free", async () => {
  const store = troubledStore({ close: () => Promise.reject(new Error("EIO at close")) })
  const jobs = new Producer<string>({ bind: "tcp://127.0.0.1:*", store, sockets: engines.peerlane })
  await jobs.ready()
  const bind = jobs.lastEndpoint!
  const { done } = await jobs.send("x", { want: true })
  const ends = Promise.allSettled([done, jobs.drain()])
  await expect(within("close", jobs.close())).rejects.toThrow("EIO at close")
  const reasons = (await within("their ends", ends)).map(end => (end as PromiseRejectedResult).reason)
  expect(reasons).toMatchObject([{ code: "ECLOSED" }, { code: "ECLOSED" }])
  await within("another at its port", producer({ bind }))
})

it("an ACK that is on its way to the disk when HELLO comes, and is said again, is confirmed by one DONE", async () => {
  const onDisk = gate()
  const store: Store = troubledStore({ remove: async go => onDisk.opened.then(go) })
  const jobs = await producer<string>({ store })
  const bare = bareConsumer(jobs, "x")
  try {
    await bare.hello()
    await jobs.send("x")
    const { tag } = await bare.job()
    await bare.say("PL1 ACK", tag)
    await bare.hello({ n: 2, prefetch: 0, holding: [tag] })
    await bare.say("PL1 ACK", tag)
    await bare.say("PL1 PING")
    expect(await within("an answer", bare.hear())).toEqual(["PL1 PONG"])
    onDisk.open()
    expect(await within("its end", bare.hear())).toEqual(["PL1 DONE", tag])
    await bare.say("PL1 PING")
    expect(await within("an answer", bare.hear())).toEqual(["PL1 PONG"])
  } finally {
    onDisk.open()
  }
  await within("drain", jobs.drain())
  expect(jobs.stats()).toMatchObject({ done: 1, retried: 0 })
})

it("a consumer does not begin a job that waited until its lease was over", async () => {
  const queue = await router()
  const bare = bareQueue(queue)
  const worker = consumer<Buffer>(queue, { prefetch: 3 })
  const [begun, go] = [gate(), gate()]
  const seen: string[] = []
  void worker.run(job => {
    seen.push(String(job))
    begun.open()
    return go.opened
  })
  await bare.welcome(await bare.hello(), { lease: 300 })
  const heads = [1, 2, 3].map(n => ({ tag: `s-${n}`, id: `job ${n}`, attempt: 1 }))
  await bare.say("JOB", JSON.stringify(heads), "1", "2", "3")
  await bare.say("BYE") // So it cannot extend them.
  await within("the first", begun.opened)
  await expect.poll(() => worker.stats().producers).toBe(0)
  await new Promise(resolve => setTimeout(resolve, 500))
  go.open()
  await expect.poll(() => worker.stats(), { timeout: 8000 }).toMatchObject({ waiting: 0, running: 0 })
  expect(seen).toEqual(["1"])
})
