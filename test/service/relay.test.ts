/** Streams that are handed on, and streams that wait for something else when nobody wants more of them. */
import { describe, expect, it } from "vitest"
import type { CallContext, ClientMiddleware } from "../../patterns/service/index.js"
import { pairs } from "../support/engine-pairs.js"
import { gate } from "../support/gate.js"
import { stage } from "./stage.js"

const counted = {
  async *count(to: number) {
    for (let n = 1; n <= to; n++) yield n
  },
  async *failing() {
    yield 1
    throw Object.assign(new Error("enough"), { code: "EENOUGH" })
  },
}

/** Yields nothing, and says when it is told to stop. */
function quiet() {
  const [asked, told] = [gate(), gate()]
  let end!: (result: IteratorResult<number>) => void
  const iterator: AsyncIterableIterator<number> = {
    next() {
      asked.open()
      return new Promise(resolve => {
        end = resolve
      })
    },
    async return() {
      told.open()
      end({ value: undefined, done: true })
      return { value: undefined, done: true }
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return { iterator, asked: asked.opened, told: told.opened }
}

async function all(items: AsyncIterable<number>): Promise<number[]> {
  const seen: number[] = []
  for await (const item of items) seen.push(item)
  return seen
}

describe.each(pairs)("services on %s, and clients on %s", (makers, callers) => {
  const { server, client } = stage(makers, callers)
  const middleware: ClientMiddleware = (_, next) => next()

  it.each([
    ["without middleware", []],
    ["with middleware", [middleware]],
  ])("a stream that is awaited is there as soon as something has come, and can be handed on, %s", async (_, use) => {
    const inner = client<typeof counted>(await server(counted), { use })
    const relaying = {
      count: (to: number, call: CallContext) => inner.count(to, { within: call }),
      failing: (_: undefined, call: CallContext) => inner.failing(undefined, { within: call }),
    }
    const api = client<typeof relaying>(await server(relaying))
    expect(await all(api.count(100))).toHaveLength(100)
    expect(await all(await api.count(3))).toEqual([1, 2, 3])
    expect(await all(await api.count(0))).toEqual([])
    await expect(all(api.failing())).rejects.toMatchObject({ code: "EENOUGH" })
    for await (const n of api.count(1_000_000)) if (n === 70) break
    await expect.poll(() => inner.$.stats().underWay).toBe(0)
    expect(inner.$.stats().errors).toMatchObject({ EENOUGH: 1 })
  })

  it("a source that waits for something else is told at once that its reader has left", async () => {
    const source = quiet()
    const made = await server({ events: () => source.iterator })
    const api = client<{ events(): AsyncIterable<number> }>(made)
    const items = api.events()[Symbol.asyncIterator]()
    const reading = items.next()
    await source.asked
    await items.return?.()
    await source.told
    expect(await reading).toEqual({ value: undefined, done: true })
    await expect.poll(() => made.stats().running).toBe(0)
  })

  it("and a caller's, that the call has ended", async () => {
    const source = quiet()
    const made = await server({
      first: async (items: AsyncIterable<number>) => {
        const iterator = items[Symbol.asyncIterator]()
        const first = iterator.next()
        await source.asked
        await iterator.return?.()
        return (await first).done
      },
    })
    const api = client<{ first(items: AsyncIterable<number>): Promise<boolean> }>(made)
    expect(await api.first(source.iterator)).toBe(true)
    await source.told
  })
})

describe("a drain", () => {
  const { server, client, bareClient } = stage("peerlane", "peerlane")

  it("does not wait for ever for a client that lives and does not answer", async () => {
    const made = await server({ one: () => 1 }, { heartbeat: 50 })
    const deaf = await bareClient(made.lastEndpoint!)
    await deaf.hello()
    let isDrained = false
    const drained = made.drain().then(() => {
      isDrained = true
    })
    while (!isDrained) {
      await deaf.say("PING")
      await deaf.hear()
    }
    await drained
  })

  it("that a close comes before ends by ECLOSED", async () => {
    const begun = gate()
    const made = await server({ wait: () => new Promise(() => begun.open()) })
    const call = client<{ wait(): Promise<void> }>(made).wait()
    await begun.opened
    const drained = made.drain()
    await Promise.all([expect(drained).rejects.toMatchObject({ code: "ECLOSED" }), made.close()])
    await expect(call).rejects.toMatchObject({ code: "ELOST" })
  })
})
