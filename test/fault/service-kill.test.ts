/** kill -9 of a server in the midst of streams, large results and arguments, and plain calls: each of them ends, and the safe ones well. */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { describe, expect, it, onTestFinished } from "vitest"
import { connect, serve } from "../../patterns/service/index.js"
import { type Engine, engines } from "../support/engine-pairs.js"
import { gate } from "../support/gate.js"
import type { Methods } from "./service-victim.js"

const VICTIM = "dist/test/fault/service-victim.js"
const LARGE = 20 * 1024 * 1024
const TO = 20

const whole: Methods = {
  work: async what => what,
  async *count(to) {
    for (let n = 1; n <= to; n++) yield n
  },
  async *silent(to) {
    yield to
  },
  async total(numbers) {
    let sum = 0
    for await (const n of numbers) sum += n
    return sum
  },
  load: size => new Uint8Array(size).fill(7),
  store: bytes => bytes.length,
}

/** A server that kills itself at so many messages of that command, and where it is. */
async function doomed(command: string, times: number): Promise<{ child: ChildProcess; address: string }> {
  const child = fork(VICTIM, ["server", command, String(times)])
  onTestFinished(() => void child.kill("SIGKILL"))
  const [address] = await Promise.race([once(child, "message"), once(child, "exit")])
  return { child, address }
}

/** All that comes, and the code of the error that ends it. */
async function readAll(items: AsyncIterable<number>, onItem: (n: number) => void = () => {}) {
  const seen: number[] = []
  try {
    for await (const n of items) {
      seen.push(n)
      onItem(n)
    }
  } catch (error) {
    return { seen, code: (error as { code: unknown }).code }
  }
  return { seen, code: null }
}

const upTo = (last: number) => Array.from({ length: last }, (_, n) => n + 1)
const lost = { code: "ELOST" }

describe.each(Object.keys(engines) as Engine[])("clients on %s", engine => {
  it.each([
    ["result", "PIECE", 10],
    ["argument", "CREDIT", 10],
  ])("a server is killed in the midst of a large %s", { timeout: 60_000 }, async (what, command, times) => {
    const { child, address } = await doomed(command, times)
    const other = await serve(whole, { bind: "tcp://127.0.0.1:*" })
    onTestFinished(() => other.close())
    const api = connect<Methods>({ to: address, sockets: engines[engine] })
    onTestFinished(() => api.$.close())
    await expect.poll(() => api.$.stats().servers, { timeout: 20_000 }).toBe(1)

    const safe = api.work("safe", { safe: true })
    const unsafe = api.work("unsafe")
    const short = api.work("short", { timeout: 300 })
    const notReadYet = api.count(TO, { safe: true })
    const silent = readAll(api.silent(TO, { safe: true }))
    const half = gate()
    const read = readAll(api.count(TO, { safe: true }), n => {
      if (n === TO / 2) half.open()
    })
    const takenThree = once(child, "message")
    const sent = api.total(numbers(), { safe: true })
    await Promise.all([half.opened, takenThree])
    const outcomes = Promise.allSettled([safe, unsafe, short, sent])

    const bytes = new Uint8Array(LARGE)
    const large = (options: object) => (what === "result" ? api.load(LARGE, options) : api.store(bytes, options))
    const larges = Promise.allSettled([large({ safe: true }), large({})])
    expect(api.$.stats().underWay).toBeGreaterThanOrEqual(8)
    const killed = once(child, "exit")
    api.$.add(other.lastEndpoint!)
    expect(await killed).toEqual([null, "SIGKILL"])

    const [ofSafe, ofUnsafe, ofShort, ofSent] = await outcomes
    expect(ofSafe).toEqual({ status: "fulfilled", value: "safe" })
    expect(ofUnsafe).toMatchObject({ reason: lost })
    expect(ofShort).toMatchObject({ reason: { code: expect.stringMatching(/^(ETIMEDOUT|ELOST)$/) } })
    // What was sent of a stream is gone.
    expect(ofSent).toMatchObject({ reason: lost })
    const [again, never] = await larges
    expect(never).toMatchObject({ reason: lost })
    expect(again!.status).toBe("fulfilled")
    const value = (again as PromiseFulfilledResult<unknown>).value
    if (what === "argument") expect(value).toBe(LARGE)
    else expect(Buffer.alloc(LARGE, 7).equals(value as Uint8Array)).toBe(true)
    expect(await read).toEqual({ seen: upTo(TO / 2), ...lost })
    expect(await readAll(notReadYet)).toEqual({ seen: upTo(TO / 2), ...lost })
    expect(await silent).toEqual({ seen: [TO], code: null })
    expect(api.$.stats()).toMatchObject({ underWay: 0, waiting: 0, servers: 1, retries: 3 })
    expect(other.stats()).toMatchObject({ running: 0, overdue: 0 })
  })
})

async function* numbers() {
  for (let n = 1; n <= 1000; n++) yield n
}
