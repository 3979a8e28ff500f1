/** One program on three networks: the simulated one, Peerlane's and that of the `zeromq` package. What it sees is the same. */
import * as peerlane from "peerlane"
import { createWorld } from "peerlane/testing"
import { expect, it } from "vitest"
import * as zeromq from "zeromq"
import type { Sockets } from "../../patterns/typed/sockets.js"
import { codeOf } from "./echo.js"

/** Two dealers ask ten questions each, one after the other; the router answers each, and tells what it has seen. */
async function program({ Dealer, Router }: Sockets): Promise<unknown[]> {
  const seen: unknown[] = []
  const router = new Router({ mandatory: true, sendTimeout: 0, linger: 0 })
  await router.bind("tcp://127.0.0.1:*")
  seen.push(await codeOf(router.bind(router.lastEndpoint!)), await codeOf(router.send(["nobody", "x"])))
  const ids = new Map<string, string>()
  const serving = (async () => {
    for await (const [id, name, number, ...rest] of router) {
      const key = id!.toString("hex")
      if (!ids.has(key)) ids.set(key, String(name))
      expect([id!.length, id![0], ids.get(key)]).toEqual([5, 0, String(name)])
      await router.send([id!, "ack", number!, ...rest])
    }
    return "router ended"
  })()
  const ask = async (name: string) => {
    const dealer = new Dealer({ immediate: true, linger: 0 })
    dealer.connect(router.lastEndpoint!)
    const answers = dealer[Symbol.asyncIterator]()
    const got: string[] = []
    for (let number = 0; number < 10; number++) {
      const bytes = new Uint8Array(3).fill(number)
      await dealer.send([name, String(number), bytes, ""])
      bytes.fill(99)
      const message: Buffer[] = (await answers.next()).value
      got.push(message.map(frame => frame.toString("latin1")).join("|"))
    }
    const last = answers.next()
    dealer.close()
    got.push(String((await last).done), String(dealer.closed), await codeOf(() => dealer.send(["x"])))
    return got
  }
  seen.push(...(await Promise.all([ask("a"), ask("b")])))
  router.close()
  seen.push(await serving, [...ids.values()].sort(), router.closed, await codeOf(() => router.send(["x", "y"])))
  return seen
}

it("a small program sees the same on simulated sockets, on Peerlane's and on zeromq's", async () => {
  const onPeerlane = await program(peerlane)
  const onZeromq = await program(zeromq)
  const traces = new Set<string>()
  for (let seed = 0; seed < 20; seed++) {
    const world = createWorld({ seed })
    let simulated: unknown[] | null = null
    world.machine("a").start(async ({ sockets }) => {
      simulated = await program(sockets)
    })
    expect(await world.run({ until: () => simulated !== null })).toBe("until")
    expect(simulated).toEqual(onPeerlane)
    traces.add(world.trace)
  }
  expect(onZeromq).toEqual(onPeerlane)
  expect(onPeerlane.slice(0, 2)).toEqual(["EADDRINUSE", "EHOSTUNREACH"])
  expect(traces.size).toBe(20)
})
