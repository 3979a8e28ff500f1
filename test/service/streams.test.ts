/** Streams as arguments: what a handler reads of a caller's generator, at whose pace. */
import { describe, expect, it } from "vitest"
import { pairs } from "../support/engine-pairs.js"
import { gate } from "../support/gate.js"
import { counter, KIB, sums, WINDOW } from "./counter.js"
import { stage } from "./stage.js"

describe.each(pairs)("streams as arguments, to a server on %s from clients on %s", (makers, callers) => {
  const { server, client } = stage(makers, callers)

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
})
