/** Streams as arguments: what a handler reads of a caller's generator, at whose pace, and how either of them ends. */
import { describe, expect, it } from "vitest"
import type { CallContext } from "../../patterns/service/index.js"
import { pairs } from "../support/engine-pairs.js"
import { gate } from "../support/gate.js"
import { stage } from "./stage.js"

const WINDOW = 64
const KIB = 1024

const sums = {
  async sum(items: AsyncIterable<number>) {
    let total = 0
    for await (const item of items) total += item
    return total
  },
  echo: <T>(value: T) => value,
}

describe.each(pairs)("streams as arguments, to a server on %s from clients on %s", (makers, callers) => {
  const { server, client, bareClient, bareServer } = stage(makers, callers)

  interface Counter {
    made: number
    readonly over: Promise<void>
    readonly items: AsyncGenerator<number>
  }

  /** Numbers from 1 on, how many were taken, and when it has ended. */
  function counter(to = Number.POSITIVE_INFINITY, item: (n: number) => unknown = n => n): Counter {
    const over = gate()
    async function* items(): AsyncGenerator<number> {
      try {
        while (counter.made < to) yield item(++counter.made) as number
      } finally {
        over.open()
      }
    }
    const counter = { made: 0, over: over.opened, items: items() }
    return counter
  }

  it("are read to their end, in order, whole, from generators and anything else that is async iterable", async () => {
    const implementation = {
      ...sums,
      all: async (items: AsyncIterable<unknown>) => {
        const all: unknown[] = []
        for await (const item of items) all.push(item)
        return all
      },
    }
    const api = client<typeof implementation>(await server(implementation))
    expect(await api.sum(counter(1000).items)).toBe(500_500)
    expect(await api.sum(counter(0).items)).toBe(0)
    const values = [1, "two", { three: [3] }, null, new Uint8Array([4])]
    let at = 0
    const iterable = {
      [Symbol.asyncIterator]: () => ({
        next: async () =>
          at < values.length ? { value: values[at++], done: false } : { value: undefined, done: true as const },
      }),
    }
    expect(await api.all(iterable as AsyncIterable<unknown>)).toEqual([...values.slice(0, 4), Buffer.from([4])])
    const many = await Promise.all(Array.from({ length: 20 }, (_, n) => api.sum(counter(n * 10).items)))
    expect(many).toEqual(Array.from({ length: 20 }, (_, n) => (n * 10 * (n * 10 + 1)) / 2))
  })

  it("a handler that reads slowly stops the caller's generator, and gets all of it in the end", async () => {
    const go = gate()
    const slow = {
      ...sums,
      async sum(items: AsyncIterable<number>) {
        await go.opened
        return sums.sum(items)
      },
    }
    const api = client<typeof slow>(await server(slow))
    const numbers = counter(1000)
    const call = api.sum(numbers.items).finally(() => {})
    await expect.poll(() => numbers.made).toBeGreaterThanOrEqual(WINDOW)
    for (let at = 0; at < 50; at++) await api.echo(at)
    // What is sent, and the one that finds no room.
    expect(numbers.made).toBeLessThanOrEqual(WINDOW + 1)
    go.open()
    expect(await call).toBe(500_500)
  })

  it("items above 16 KiB take more of the credit", async () => {
    const go = gate()
    const implementation = { ...sums, wait: async (_: AsyncIterable<Uint8Array>) => go.opened }
    const api = client<typeof implementation>(await server(implementation))
    const chunks = counter(1000, () => Buffer.alloc(60 * KIB)) as unknown as {
      made: number
      items: AsyncIterable<Uint8Array>
    }
    const call = api.wait(chunks.items).finally(() => {})
    await expect.poll(() => chunks.made).toBeGreaterThanOrEqual(WINDOW / 4)
    for (let at = 0; at < 50; at++) await api.echo(at)
    expect(chunks.made).toBeLessThanOrEqual(WINDOW / 4 + 1)
    go.open()
    await call
  })

  it("a handler that leaves early ends the caller's generator, and goes on", async () => {
    const go = gate()
    const implementation = {
      async first(items: AsyncIterable<number>) {
        for await (const item of items) {
          if (item === 3) break
        }
        await go.opened
        return "three"
      },
    }
    const made = await server(implementation)
    const api = client<typeof implementation>(made)
    const numbers = counter()
    const call = api.first(numbers.items).finally(() => {})
    await numbers.over
    expect(numbers.made).toBeLessThanOrEqual(2 * WINDOW)
    expect(made.stats()).toMatchObject({ running: 1, overdue: 0 })
    go.open()
    expect(await call).toBe("three")
  })

  it("a handler that never reads is answered for all the same, and the caller's generator ends", async () => {
    const implementation = {
      async ignore(_: AsyncIterable<number>) {
        return "no, thanks"
      },
      async refuse(_: AsyncIterable<number>) {
        throw new Error("no")
      },
    }
    const made = await server(implementation)
    const api = client<typeof implementation>(made)
    for (const method of ["ignore", "refuse"] as const) {
      const [numbers, begun] = [counter(), gate()]
      const items = (async function* () {
        begun.open()
        yield* numbers.items
      })()
      const outcome = await api[method](items).catch(error => (error as Error).message)
      expect(outcome).toBe(method === "ignore" ? "no, thanks" : "no")
      // Perhaps nothing of it was asked for.
      await Promise.race([begun.opened.then(() => numbers.over), api.ignore(counter(1).items)])
      expect(numbers.made).toBeLessThanOrEqual(WINDOW + 1)
      await expect.poll(() => [made.stats().running, api.$.stats().underWay]).toEqual([0, 0])
    }
  })

  it("a stream that throws: the handler sees an error behind what came, and the caller gets its own", async () => {
    const seen: unknown[] = []
    const ended = gate()
    const implementation = {
      async read(items: AsyncIterable<number>) {
        try {
          for await (const item of items) seen.push(item)
        } catch (error) {
          seen.push((error as Error).message)
        }
        ended.open()
      },
    }
    const made = await server(implementation)
    const api = client<typeof implementation>(made)
    class Own extends Error {}
    const own = new Own("the disk is gone")
    const items = (async function* () {
      yield 1
      yield 2
      throw own
    })()
    await expect(api.read(items)).rejects.toBe(own)
    await ended.opened
    expect(seen).toEqual([1, 2, expect.stringContaining("the disk is gone")])
    await expect.poll(() => [made.stats().running, api.$.stats().underWay]).toEqual([0, 0])
  })

  it("an item that has no bytes is the end of it in the same way, and its generator's", async () => {
    const api = client<typeof sums>(await server(sums))
    const functions = counter(10, () => () => {})
    await expect(api.sum(functions.items)).rejects.toMatchObject({ code: "EENCODE" })
    await functions.over
    expect(functions.made).toBe(1)
    expect(await api.sum(counter(10).items)).toBe(55)
  })

  it("a stream that failed leaves nothing behind, not even where the handler goes on for ever", async () => {
    const implementation = {
      async never(items: AsyncIterable<number>, { signal }: CallContext) {
        await sums.sum(items).catch(() => {})
        if (!signal.aborted) await new Promise(resolve => signal.addEventListener("abort", resolve))
      },
    }
    const made = await server(implementation)
    const api = client<typeof implementation>(made)
    const items = (async function* () {
      yield 1
      throw new Error("over")
    })()
    await expect(api.never(items, { timeout: 100 })).rejects.toThrow("over")
    await expect.poll(() => [made.stats().running, api.$.stats().underWay]).toEqual([0, 0])
  })

  it("go both ways at once, in lockstep", async () => {
    const duplex = {
      async *double(items: AsyncIterable<number>) {
        for await (const item of items) yield 2 * item
      },
    }
    const api = client<typeof duplex>(await server(duplex))
    let answered = gate<number>()
    const asked: number[] = []
    const items = (async function* () {
      for (let n = 1; n <= 200; n++) {
        const next = answered
        asked.push(n)
        yield n
        expect(await next.opened).toBe(2 * n)
      }
    })()
    const came: number[] = []
    for await (const item of api.double(items)) {
      came.push(item)
      // Nothing was asked before this was answered.
      expect(asked.length).toBe(came.length)
      const before = answered
      answered = gate()
      before.open(item)
    }
    expect(came).toEqual(Array.from({ length: 200 }, (_, at) => 2 * (at + 1)))
  })

  it.each(["signal", "timeout", "break"])("ended in the middle by %s, both generators end", async how => {
    const [served, controller] = [gate(), new AbortController()]
    const duplex = {
      async *echo(items: AsyncIterable<number>) {
        try {
          for await (const item of items) yield item
        } finally {
          served.open()
        }
      },
    }
    const made = await server(duplex)
    const api = client<typeof duplex>(made)
    const numbers = counter()
    const timeout = how === "timeout" ? 200 : 10_000
    const reading = async () => {
      for await (const item of api.echo(numbers.items, { timeout, signal: controller.signal })) {
        if (item < 100) continue
        if (how === "break") return "left"
        if (how === "signal") controller.abort()
      }
      return "ended"
    }
    const outcome = await reading().catch(({ code }) => code)
    expect(outcome).toBe({ signal: "ECANCELED", timeout: "ETIMEDOUT", break: "left" }[how])
    await Promise.all([numbers.over, served.opened])
    await expect.poll(() => [made.stats().running, api.$.stats().underWay]).toEqual([0, 0])
  })

  it("a server that closes in the middle ends the call and the generator", async () => {
    const made = await server(sums, { heartbeat: 50 })
    const numbers = counter()
    const call = expect(client<typeof sums>(made).sum(numbers.items)).rejects.toMatchObject({ code: "ELOST" })
    await expect.poll(() => numbers.made).toBeGreaterThan(1000)
    await made.close()
    await call
    await numbers.over
  })

  it("a safe call goes elsewhere as long as nothing of its stream was taken, and is lost after that", async () => {
    const made = await server(sums)
    for (const isTaken of [false, true]) {
      const bare = await bareServer()
      const api = client<typeof sums>(bare.address)
      await bare.welcome()
      const numbers = counter(10)
      const call = api.sum(numbers.items, { safe: true }).catch(error => (error as { code: string }).code)
      expect((await bare.words())[0]).toBe("CALL")
      if (isTaken) {
        await bare.say("CREDIT", "1 1")
        expect((await bare.words()).slice(0, 2)).toEqual(["ITEM", "1 0"])
      }
      expect(numbers.made > 0).toBe(isTaken)
      api.$.add(made.lastEndpoint!)
      await expect.poll(() => api.$.stats().servers).toBe(2)
      await bare.say("WHO")
      expect(await call).toBe(isTaken ? "ELOST" : 55)
      expect(api.$.stats().retries).toBe(isTaken ? 0 : 1)
    }
  })

  it("a server takes items that came twice once, and ends those with a gap, or with no credit", async () => {
    const outcomes: unknown[] = []
    const made = await server({
      read: (items: AsyncIterable<string>) =>
        sums.sum(items as never).then(
          sum => outcomes.push(sum),
          e => outcomes.push(e.code),
        ),
    })
    const bare = bareClient(made.lastEndpoint!)
    await bare.hello({ codec: "json" })
    const endings: [unknown, () => Promise<void>][] = [
      [
        6,
        async () => {
          await bare.say("ITEM", "1 0", "1", "2")
          await bare.say("ITEM", "1 1", "2", "3")
          await bare.say("ITEM", "1 0", "1")
          await bare.say("END", "1 3")
        },
      ],
      ["ELOST", () => bare.say("ITEM", "2 1", "1")],
      ["ELOST", () => bare.say("END", "3 1")],
      ["ELOST", () => bare.say("ITEM", "4 0:1", "1")],
      [
        "EPROTO",
        () => bare.say("ITEM", "5 0", ...Array.from({ length: 2 * WINDOW }, () => Buffer.alloc(20 * KIB, "1"))),
      ],
    ]
    for (const [at, [outcome, say]] of endings.entries()) {
      await bare.call([{ id: at + 1, method: "read", argument: "stream" }], "")
      await say()
      await expect.poll(() => outcomes).toHaveLength(at + 1)
      expect(outcomes[at]).toBe(outcome)
    }
    await expect.poll(() => made.stats().running).toBe(0)
  })
})
