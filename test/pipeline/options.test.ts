/** Options and calls that cannot be meant are EINVAL, where they are made. */
import { describe, expect, it } from "vitest"
import { Consumer, type HoldingOptions, Producer, type SendOptions } from "../../patterns/pipeline/index.js"
import { stage } from "./stage.js"

const { producer, consumer } = stage("peerlane", "peerlane")
const EINVAL = expect.objectContaining({ code: "EINVAL" })

describe("a producer's options", () => {
  const wrong: [string, object][] = [
    ["maxJobs", { maxJobs: 0 }],
    ["maxBytes", { maxBytes: 0 }],
    ["maxJobBytes", { maxJobBytes: 1.5 }],
    ["maxWaiting", { maxWaiting: -1 }],
    ["maxAttempts", { maxAttempts: 0 }],
    ["lease", { lease: Number.NaN }],
    ["heartbeat", { heartbeat: 9 }],
    ["dedupeWindow", { dedupeWindow: -1 }],
    ["dedupeMax", { dedupeMax: 0 }],
    ["cacheBytes", { cacheBytes: "1" }],
    ["maxJobs", { maxJobs: Number.POSITIVE_INFINITY }],
    ["groups", { groups: [] }],
    ["groups", { groups: ["mail", "mail"] }],
    ["backoff", { backoff: { min: -1 } }],
    ["backoff", { backoff: { min: 10, max: 5 } }],
    ["backoff", { backoff: { factor: 0.5 } }],
    ["backoff", { backoff: { jitter: 1.1 } }],
    ["backoff", { backoff: { max: Number.NaN } }],
  ]

  it.each(wrong)("%s: %j", (name, options) => {
    const make = () => new Producer({ bind: "tcp://127.0.0.1:*", ...(options as Partial<HoldingOptions>) })
    expect(make).toThrow(EINVAL)
    expect(make).toThrow(name)
  })
})

describe("a job's options", () => {
  const wrong: [string, object][] = [
    ["priority", { priority: "urgent" }],
    ["delay", { delay: -1 }],
    ["delay", { delay: Number.NaN }],
    ["ttl", { ttl: Number.POSITIVE_INFINITY }],
    ["maxAttempts", { maxAttempts: -1 }],
    ["lease", { lease: -5 }],
  ]

  it.each(wrong)("%s: %j", async (name, options) => {
    const jobs = await producer()
    const sent = jobs.send(1, options as SendOptions)
    await expect(sent).rejects.toThrow(EINVAL)
    await expect(sent).rejects.toThrow(name)
    expect(jobs.stats()).toMatchObject({ jobs: 0, bytes: 0, accepted: 0, waiting: 0 })
  })

  it("a value that cannot be encoded is EENCODE, and not in the queue", async () => {
    const jobs = await producer()
    await expect(jobs.send(() => {})).rejects.toMatchObject({ code: "EENCODE" })
    expect(jobs.stats()).toMatchObject({ jobs: 0, bytes: 0 })
  })
})

describe("a consumer's", () => {
  it("connect names an address", () => {
    expect(() => new Consumer({ connect: [] })).toThrow(EINVAL)
  })

  it.each([0, -1, 1.5, Number.NaN])("concurrency is not %s", async concurrency => {
    const jobs = await producer()
    await expect(consumer(jobs).run(() => {}, { concurrency })).rejects.toThrow(EINVAL)
  })

  it("run is called once, and not when it is closed", async () => {
    const jobs = await producer()
    const worker = consumer(jobs)
    const running = worker.run(() => {})
    await expect(worker.run(() => {})).rejects.toThrow(EINVAL)
    await worker.close()
    await running
    await expect(worker.run(() => {})).rejects.toMatchObject({ code: "ECLOSED" })
  })

  it("signal ends a run, also when it is aborted before", async () => {
    const jobs = await producer()
    const ending = new AbortController()
    const worker = consumer(jobs)
    const running = worker.run(() => {}, { signal: ending.signal })
    ending.abort()
    await running
    expect(worker.closed).toBe(true)
    await consumer(jobs).run(() => {}, { signal: AbortSignal.abort() })
  })
})
