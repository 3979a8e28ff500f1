/** Streams as arguments that do not come to their end: who is told what, and that nothing of them is left. */
import { describe, expect, it } from "vitest"
import type { CallContext } from "../../patterns/service/index.js"
import { pairs } from "../support/engine-pairs.js"
import { gate } from "../support/gate.js"
import { counter, KIB, sums, WINDOW } from "./counter.js"
import { stage } from "./stage.js"

describe.each(pairs)("streams that end early, to a server on %s from clients on %s", (makers, callers) => {
  const { server, client, bareClient, bareServer } = stage(makers, callers)

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
