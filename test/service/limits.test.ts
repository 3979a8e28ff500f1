/** A server whose handlers do not end, and whose calls come late: what these may cost. */
import { describe, expect, it } from "vitest"
import { type CallContext, connect, serve } from "../../patterns/service/index.js"
import { type Engine, engines, pairs } from "../support/engine-pairs.js"
import { gate } from "../support/gate.js"
import { stage } from "./stage.js"

describe.each(pairs)("limits of a server on %s, with clients on %s", (makers, callers) => {
  const { server, client, bareClient } = stage(makers, callers)

  describe("handlers that do not end", () => {
    it("keep a drain waiting as long as it will wait, and it drains on behind that", async () => {
      const go = gate()
      const made = await server({ wait: () => go.opened, quick: () => 1 })
      const api = client<{ wait(): Promise<void>; quick(): number }>(made)
      const call = api.wait().finally(() => {})
      await expect.poll(() => made.stats().running).toBe(1)
      await expect(made.drain({ timeout: 50 })).rejects.toMatchObject({
        code: "ETIMEDOUT",
        message: expect.stringContaining("1"),
      })
      const controller = new AbortController()
      const drained = made.drain({ signal: controller.signal })
      controller.abort(new Error("enough"))
      await expect(drained).rejects.toThrow("enough")
      await expect(made.drain({ signal: AbortSignal.abort(new Error("at once")) })).rejects.toThrow("at once")
      expect(made.stats()).toMatchObject({ draining: true, running: 1 })
      await expect(api.quick(undefined, { timeout: 50 })).rejects.toMatchObject({ code: "ETIMEDOUT" })
      const rest = made.drain({ timeout: 10_000 })
      go.open()
      await Promise.all([call, rest, made.drain()])
      expect(made.stats()).toMatchObject({ running: 0, overdue: 0 })
    })

    it("are overdue while nobody wants them any more, and count in the limits", async () => {
      const go = gate()
      const made = await server({ deaf: () => go.opened.then(() => 1) }, { concurrency: 2 })
      const api = client<{ deaf(): Promise<number> }>(made)
      const controller = new AbortController()
      const calls = [api.deaf(undefined, { timeout: 100 }), api.deaf(undefined, { signal: controller.signal })]
      const codes = Promise.all(calls.map(call => call.catch(error => (error as { code: string }).code)))
      await expect.poll(() => made.stats()).toMatchObject({ running: 2, overdue: expect.any(Number) })
      controller.abort()
      expect(await codes).toEqual(["ETIMEDOUT", "ECANCELED"])
      await expect.poll(() => made.stats()).toMatchObject({ running: 2, overdue: 2 })
      await expect(api.deaf()).rejects.toMatchObject({ code: "EBUSY" })
      go.open()
      await expect.poll(() => made.stats()).toMatchObject({ running: 0, overdue: 0 })
      expect(await api.deaf()).toBe(1)
      expect(made.stats().methods.deaf).toMatchObject({ calls: 3, running: 0 })
    })

    it("do not keep a server from closing", async () => {
      const reasons: string[] = []
      const made = await server({
        never: (_: undefined, { signal }: CallContext) =>
          new Promise(() => signal.addEventListener("abort", () => reasons.push(signal.reason.code))),
        async *stuck() {
          await new Promise(() => {})
        },
      })
      const api = client<{ never(): void; stuck(): AsyncGenerator<number> }>(made)
      void api.never()
      void api
        .stuck()
        [Symbol.asyncIterator]()
        .next()
        .catch(() => {})
      await expect.poll(() => made.stats().running).toBe(2)
      await made.close()
      expect(reasons).toEqual(["ELOST"])
    })
  })

  it("a call whose time was over on its way is ETIMEDOUT, and not begun", async () => {
    const begun: number[] = []
    const made = await server({ work: (n: number) => begun.push(n) })
    const bare = bareClient(made.lastEndpoint!)
    await bare.hello({ codec: "json" })
    const call = (id: number, at: number, timeout?: number) =>
      bare.say("CALL", JSON.stringify({ at, calls: [{ id, method: "work", timeout }] }), String(id))
    // By its clock all of this happens between HELLO and a minute later.
    await call(1, 60_000, 1000)
    expect((await bare.words()).slice(0, 2)).toEqual(["RESULT", "1"])
    await call(2, 0, 1000)
    expect(await bare.words()).toEqual(["ERROR", expect.stringContaining("ETIMEDOUT")])
    await call(3, 0, 10 * 60_000)
    expect((await bare.words()).slice(0, 2)).toEqual(["RESULT", "3"])
    await call(4, 0)
    expect((await bare.words()).slice(0, 2)).toEqual(["RESULT", "4"])
    expect(begun).toEqual([1, 3, 4])
  })
})

it.each(pairs)(
  "a process of both that stands still for long loses no call of its own (%s, %s)",
  async (makers, callers) => {
    const go = gate()
    const made = await serve({ wait: () => go.opened.then(() => 1) }, options(makers))
    const api = connect<{ wait(): Promise<number> }>({ to: made.lastEndpoint!, sockets: engines[callers] })
    const call = api.wait()
    await expect.poll(() => made.stats().running).toBe(1)
    for (let times = 0; times < 3; times++) {
      const until = Date.now() + 500 // Five heartbeats in which nothing can be said or heard.
      while (Date.now() < until);
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(made.stats()).toMatchObject({ running: 1, clients: 1 })
    go.open()
    expect(await call).toBe(1)
    await api.$.close()
    await made.close()
  },
)

it("a client asks for descriptions as soon as it is welcome, and does not wait long for who is away", async () => {
  const made = await serve({ one: () => 1 }, { bind: "tcp://127.0.0.1:*" })
  const api = connect<{ one(): number }>({ to: [made.lastEndpoint!, "tcp://127.0.0.1:9"] })
  const described = await api.$.describe({ timeout: 500 })
  expect(Object.keys(described)).toEqual([made.lastEndpoint])
  await api.$.close()
  await made.close()
})

function options(engine: Engine) {
  return { bind: "tcp://127.0.0.1:*", heartbeat: 100, sockets: engines[engine] }
}

it.each(pairs)("a frame that no body may be ends its connection, and no other (%s, %s)", async (makers, callers) => {
  const made = await serve({ one: () => 1 }, { ...options(makers), maxArgument: 1000 })
  const api = connect<{ one(): number }>({ to: made.lastEndpoint!, sockets: engines[callers] })
  expect(await api.one()).toBe(1)
  const rude = new engines[callers].Dealer({ linger: 0 })
  rude.connect(made.lastEndpoint!)
  const heard = rude[Symbol.asyncIterator]()
  await rude.send(["PS1 PING"])
  expect(String((await heard.next()).value?.[0])).toBe("PS1 WHO")
  let isHeard = false
  void heard.next().then(({ done }) => {
    isHeard = !done
  })
  await rude.send(["PS1 PING", Buffer.alloc(3_000_000)])
  for (let calls = 0; calls < 50; calls++) expect(await api.one()).toBe(1)
  expect(isHeard).toBe(false)
  await rude.close()
  await api.$.close()
  await made.close()
})
