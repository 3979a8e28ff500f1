/** Services on Peerlane's sockets, on libzmq's, and mixed: what a caller is promised. */
import { afterEach, describe, expect, it } from "vitest"
import { type CallContext, connect, type Server, type ServerOptions, serve } from "../../patterns/service/index.js"
import type { Sockets } from "../../patterns/typed/sockets.js"
import { engines, pairs } from "../support/engine-pairs.js"
import { gate } from "../support/gate.js"

class Odd extends Error {
  override readonly name = "Odd"
  readonly code = "EODD"
  readonly data = { digits: [1, 2] }
}

const math = {
  add: async ({ a, b }: { a: number; b: number }) => a + b,
  nothing: () => {},
  echo: (value: unknown) => value,
  odd: () => {
    throw new Odd("not even")
  },
  rude: () => {
    throw "not an error"
  },
  inner: { deep: { answer: () => 42 } },
  wait: (ms: number, { signal }: CallContext) =>
    new Promise<string>((resolve, reject) => {
      const timer = setTimeout(resolve, ms, "rested")
      signal.addEventListener("abort", () => {
        clearTimeout(timer)
        reject(signal.reason)
      })
    }),
  who: (_: undefined, { context, method, timeLeft }: CallContext) => ({ context, method, timeLeft }),
  async *count(to: number) {
    for (let n = 1; n <= to; n++) yield n
  },
  function_: () => () => {},
}

describe.each(pairs)("a server on %s and clients on %s", (makers, callers) => {
  const open: { close(): Promise<void> }[] = []

  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  async function server(implementation: object = math, options: Partial<ServerOptions> = {}): Promise<Server> {
    const made = await serve(implementation, {
      bind: "tcp://127.0.0.1:*",
      heartbeat: 100,
      sockets: engines[makers],
      ...options,
    })
    open.push(made)
    return made
  }

  function client<T extends object = typeof math>(...servers: Server[]) {
    const made = connect<T>({ to: servers.map(({ lastEndpoint }) => lastEndpoint!), sockets: engines[callers] })
    open.push(made.$)
    return made
  }

  it("calls by name, whatever the argument is, thousands at a time, in any order", async () => {
    const api = client(await server())
    expect(await api.add({ a: 1, b: 2 })).toBe(3)
    expect(await api.nothing()).toBeUndefined()
    expect(await api.inner.deep.answer()).toBe(42)
    const value = { date: new Date(5), map: new Map([[1, 2n]]), bytes: new Uint8Array([1]) }
    expect(await api.echo(value)).toEqual({ ...value, bytes: Buffer.from([1]) })
    const sums = await Promise.all(Array.from({ length: 3000 }, (_, a) => api.add({ a, b: 1 })))
    expect(sums).toEqual(Array.from({ length: 3000 }, (_, a) => a + 1))
  })

  it("tells what a method threw: code, name, message and data, and no stack", async () => {
    const failed: unknown[] = []
    const api = client((await server()).on("failed", ({ method }) => failed.push(method)))
    await expect(api.odd()).rejects.toMatchObject({
      code: "EODD",
      remoteName: "Odd",
      message: "not even",
      data: { digits: [1, 2] },
      remoteStack: null,
    })
    await expect(api.rude()).rejects.toMatchObject({ code: "EREMOTE", message: "not an error" })
    await expect(api.function_()).rejects.toMatchObject({ code: "EENCODE" })
    expect(failed).toEqual(["odd", "rude", "function_"])
  })

  it("shows where an error came from where the server is told to", async () => {
    const api = client(await server(math, { stacks: true }))
    await expect(api.odd()).rejects.toMatchObject({ remoteStack: expect.stringContaining("Odd: not even") })
  })

  it("calls nothing but own methods", async () => {
    const served = Object.create({ inherited: () => 1 }, { own: { value: () => 2, enumerable: true } })
    const api = client<Record<string, () => Promise<number>>>(await server(served))
    expect(await api.own!()).toBe(2)
    for (const name of ["inherited", "toString", "constructor", "__proto__", "hasOwnProperty", "own.call"]) {
      await expect(api[name]!()).rejects.toMatchObject({ code: "ENOENT" })
    }
  })

  it("ends a call when its time is over, at the server as well, and tells what is left of it", async () => {
    const ended = gate()
    const reasons: unknown[] = []
    const slow = {
      wait: (_: undefined, { signal }: CallContext) =>
        new Promise(() =>
          signal.addEventListener("abort", () => {
            reasons.push(signal.reason.code)
            ended.open()
          }),
        ),
      who: math.who,
    }
    const api = client<typeof slow>(await server(slow))
    await api.who(undefined)
    await expect(api.wait(undefined, { timeout: 500 })).rejects.toMatchObject({ code: "ETIMEDOUT" })
    await ended.opened
    expect(["ETIMEDOUT", "ECANCELED"]).toContain(reasons[0])
    const { timeLeft, method, context } = await api.who(undefined, { timeout: 5000, context: { traceparent: "00-1" } })
    expect(timeLeft).toBeGreaterThan(0)
    expect(timeLeft).toBeLessThanOrEqual(5000)
    expect({ method, context }).toEqual({ method: "who", context: { traceparent: "00-1" } })
  })

  it("cancels by a signal, at the server as well", async () => {
    const [begun, ended] = [gate(), gate()]
    const slow = {
      wait: (_: undefined, { signal }: CallContext) => {
        begun.open()
        return new Promise(() => signal.addEventListener("abort", () => ended.open()))
      },
    }
    const api = client<typeof slow>(await server(slow))
    const controller = new AbortController()
    const call = api.wait(undefined, { signal: controller.signal })
    await begun.opened
    controller.abort(new Error("enough"))
    await expect(call).rejects.toMatchObject({ code: "ECANCELED", cause: new Error("enough") })
    await ended.opened
    await expect(api.wait(undefined, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ECANCELED" })

    const warnings: unknown[] = []
    const warned = (warning: unknown) => warnings.push(warning)
    process.on("warning", warned)
    const shared = new AbortController()
    const calls = Array.from({ length: 100 }, () => api.wait(undefined, { signal: shared.signal }))
    await expect.poll(() => api.$.stats().underWay).toBe(100)
    shared.abort()
    const ends = await Promise.allSettled(calls)
    expect(ends.map(end => end.status === "rejected" && end.reason.code)).toEqual(ends.map(() => "ECANCELED"))
    process.off("warning", warned)
    expect(warnings).toEqual([])
  })

  it("streams what a generator yields, and stops it when nobody reads on", async () => {
    let [made, isOver] = [0, gate()]
    const numbers = {
      async *endless() {
        try {
          for (;;) yield ++made
        } finally {
          isOver.open()
        }
      },
      count: math.count,
      async *bad() {
        yield 1
        throw new Odd("in the middle")
      },
    }
    const api = client<typeof numbers>(await server(numbers))
    const seen: number[] = []
    for await (const n of api.count(100)) seen.push(n)
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n + 1))

    for await (const n of api.endless()) {
      if (n === 50) break
    }
    await isOver.opened
    expect(made).toBeLessThan(150)

    const some: number[] = []
    const reading = async () => {
      for await (const n of api.bad()) some.push(n)
    }
    await expect(reading()).rejects.toMatchObject({ code: "EODD" })
    expect(some).toEqual([1])
  })

  it("a reader that stops reading stops the generator", async () => {
    let made = 0
    const numbers = {
      async *endless() {
        for (;;) yield ++made
      },
      echo: math.echo,
    }
    const api = client<typeof numbers>(await server(numbers))
    const iterator = api.endless()[Symbol.asyncIterator]()
    expect(await iterator.next()).toEqual({ value: 1, done: false })
    for (let at = 0; at < 50; at++) await api.echo(at)
    expect(made).toBeLessThan(70)
    await iterator.return?.()
  })

  it("refuses at once what is above a limit, of the server or of a method", async () => {
    const go = gate()
    const slow = { wait: () => go.opened, other: () => go.opened, quick: () => 1 }
    const api = client<typeof slow>(await server(slow, { concurrency: 3, limits: { wait: 1 } }))
    const running = [api.wait(), api.other()]
    await expect(api.wait()).rejects.toMatchObject({ code: "EBUSY" })
    expect(await api.quick()).toBe(1)
    go.open()
    await Promise.all(running)
    expect(await api.wait()).toBeUndefined()
  })

  it("goes to the server with the fewest calls, and elsewhere when one is full", async () => {
    const go = gate()
    const counts = [0, 0]
    const servers = [0, 1].map(at => ({
      wait: () => {
        counts[at]!++
        return go.opened
      },
    }))
    const [one, two] = [await server(servers[0]), await server(servers[1], { limits: { wait: 2 } })]
    const api = client<{ wait: () => Promise<void> }>(one, two)
    await expect.poll(() => api.$.stats().servers).toBe(2)
    const calls = Array.from({ length: 10 }, () => api.wait())
    await expect.poll(() => counts).toEqual([8, 2])
    go.open()
    await Promise.all(calls)
  })

  it("of a server that goes, tries again what does no harm, and says of the rest that it is lost", async () => {
    const slow = {
      wait: (_: undefined, { signal }: CallContext) => new Promise(r => signal.addEventListener("abort", r)),
    }
    const [bad, good] = [await server(slow), await server({ wait: () => "done" })]
    const api = client<{ wait: () => Promise<string> }>(bad)
    const safe = api.wait(undefined, { safe: true })
    const unsafe = api.wait()
    await expect.poll(() => bad.stats().running).toBe(2)
    api.$.add(good.lastEndpoint!)
    await expect.poll(() => api.$.stats().servers).toBe(2)
    await bad.close()
    await expect(unsafe).rejects.toMatchObject({ code: "ELOST" })
    expect(await safe).toBe("done")
    expect(await api.wait()).toBe("done")
    expect(api.$.stats()).toMatchObject({ retries: 1, errors: { ELOST: 1 } })
  })

  it("a server that drains finishes what runs, and callers move on without an error", async () => {
    const go = gate()
    const [one, two] = [await server({ work: () => go.opened.then(() => 1) }), await server({ work: () => 2 })]
    const api = client<{ work: () => Promise<number> }>(one)
    const running = api.work()
    await expect.poll(() => one.stats().running).toBe(1)
    api.$.add(two.lastEndpoint!)
    const drained = one.drain()
    const results = await Promise.all(Array.from({ length: 50 }, () => api.work()))
    expect(new Set(results)).toEqual(new Set([2]))
    go.open()
    expect(await running).toBe(1)
    await drained
    expect(api.$.stats().errors).toEqual({})
  })

  it("a drain and a close behind it cost nobody a call, whatever is on its way", async () => {
    const work = { work: () => Promise.resolve(1) }
    const stays = await server(work)
    const api = client<typeof work>(stays)
    let [isOver, calls] = [false, 0]
    const caller = async () => {
      while (!isOver) {
        await api.work()
        calls++
      }
    }
    const callers = Promise.all(Array.from({ length: 32 }, caller))
    for (let round = 0; round < 10; round++) {
      const goes = await server(work)
      api.$.add(goes.lastEndpoint!)
      await expect.poll(() => goes.stats().methods.work?.calls ?? 0, { interval: 1 }).toBeGreaterThan(50)
      await goes.drain()
      await goes.close()
      void api.$.remove(goes.lastEndpoint!)
    }
    isOver = true
    await callers
    expect(calls).toBeGreaterThan(500)
    expect(api.$.stats().errors).toEqual({})
  })

  it("waits for a server that is not there yet, as long as there is time", async () => {
    const first = await server()
    const address = first.lastEndpoint!
    const api = client(first)
    expect(await api.add({ a: 1, b: 1 })).toBe(2)
    await first.close()
    await expect(api.add({ a: 1, b: 1 }, { timeout: 100 })).rejects.toMatchObject({
      code: expect.stringMatching(/ETIMEDOUT|ELOST/),
    })
    const call = api.add({ a: 2, b: 2 }, { safe: true })
    await server(math, { bind: address })
    expect(await call).toBe(4)
  })

  it("sticks to one server for each key, as long as it is there", async () => {
    const servers = await Promise.all([0, 1, 2].map(at => server({ name: () => at })))
    const api = client<{ name: () => Promise<number> }>(...servers)
    await expect.poll(() => api.$.stats().servers).toBe(3)
    const of = async (key: string) =>
      new Set(await Promise.all([1, 2, 3, 4].map(() => api.name(undefined, { sticky: key }))))
    const chosen = await Promise.all(["a", "b", "c", "d", "e", "f"].map(of))
    for (const set of chosen) expect(set.size).toBe(1)
    expect(new Set(chosen.map(set => [...set][0])).size).toBeGreaterThan(1)
  })

  it("answers a plain REQ, in JSON", async () => {
    const made = await server()
    const req = new engines[callers].Dealer({ linger: 0 }) as InstanceType<Sockets["Dealer"]>
    req.connect(made.lastEndpoint!)
    const answers = req[Symbol.asyncIterator]()
    const ask = async (question: unknown) => {
      await req.send(["", typeof question === "string" ? question : JSON.stringify(question)])
      const [empty, answer] = (await answers.next()).value as Buffer[]
      expect(empty!.length).toBe(0)
      return JSON.parse(String(answer))
    }
    expect(await ask({ method: "add", argument: { a: 1, b: 2 } })).toEqual({ result: 3 })
    expect(await ask({ method: "nothing" })).toEqual({ result: null })
    expect(await ask({ method: "missing" })).toMatchObject({ error: { code: "ENOENT" } })
    expect(await ask({ method: "odd" })).toMatchObject({
      error: { code: "EODD", name: "Odd", data: { digits: [1, 2] } },
    })
    expect(await ask("rubbish")).toMatchObject({ error: { code: "EINVAL" } })
    req.close()
  })

  it("describes itself, and counts", async () => {
    const made = await server()
    const api = client(made)
    await api.add({ a: 1, b: 2 })
    await api.odd().catch(() => {})
    const described = Object.values(await api.$.describe())
    expect(described).toEqual([
      {
        methods: expect.objectContaining({ add: { running: 0, limit: 1024 } }),
        running: 0,
        concurrency: 1024,
        draining: false,
      },
    ])
    expect(made.stats()).toMatchObject({ clients: 1, methods: { add: { calls: 1 }, odd: { errors: { EODD: 1 } } } })
    expect(api.$.stats()).toMatchObject({ calls: 2, errors: { EODD: 1 } })
  })

  it("ends every call when the client is closed, and aborts what runs", async () => {
    const ended = gate()
    const slow = {
      wait: (_: undefined, { signal }: CallContext) =>
        new Promise(() => signal.addEventListener("abort", () => ended.open())),
    }
    const made = await server(slow)
    const api = client<typeof slow>(made)
    const call = api.wait()
    await expect.poll(() => made.stats().running).toBe(1)
    await api.$.close()
    await expect(call).rejects.toMatchObject({ code: "ECLOSED" })
    await ended.opened
    await expect(api.wait()).rejects.toMatchObject({ code: "ECLOSED" })
  })

  it("ends a call whose argument has no bytes, and survives rubbish in JSON", async () => {
    const made = await server()
    const api = client(made)
    await expect(api.echo(() => {})).rejects.toMatchObject({ code: "EENCODE" })
    const rude = new engines[callers].Dealer({ linger: 0 })
    rude.connect(made.lastEndpoint!)
    const heard = rude[Symbol.asyncIterator]()
    const hear = async () => ((await heard.next()).value as Buffer[]).map(String)
    await rude.send(["PS1 HELLO", JSON.stringify({ client: "rude", n: 1 })])
    const { session } = JSON.parse((await hear())[1]!) as { session: string }
    const odd = { toString: 1 }
    for (const [n, more] of [{ context: { a: odd } }, { id: odd }, { method: odd }, { timeout: odd }].entries()) {
      const calls = [{ id: n + 1, method: "add", ...more }]
      await rude.send(["PS1 CALL", session, JSON.stringify({ at: 0, calls }), ""])
      expect((await hear())[0]).toMatch(/^PS1 (ERROR|REFUSED)$/)
    }
    await rude.send(["", JSON.stringify({ method: "add", context: odd })])
    expect(JSON.parse((await hear())[1]!)).toMatchObject({ error: { code: "EINVAL" } })
    rude.close()
    expect(await api.add({ a: 1, b: 1 })).toBe(2)
  })

  it("tells a peer of another version, and goes on", async () => {
    const made = await server()
    const malformed: string[] = []
    made.on("malformed", ({ message }) => malformed.push(message))
    const dealer = new engines[callers].Dealer({ linger: 0 })
    dealer.connect(made.lastEndpoint!)
    const heard = dealer[Symbol.asyncIterator]()
    const hear = async () => ((await heard.next()).value as Buffer[]).map(String)
    await dealer.send(["PS9 HELLO", "{}"])
    expect((await hear())[0]).toBe("PS1 REFUSED")
    await dealer.send(["PS1 CALL", "{}"])
    expect(await hear()).toEqual(["PS1 WHO"])
    for (const message of [["PS1 HELLO", "["], ["PS1 HELLO", "{}"], ["x"], ["PS1 RESULT"]]) await dealer.send(message)
    await expect.poll(() => malformed.length).toBe(4)
    dealer.close()
    expect(await client(made).add({ a: 1, b: 1 })).toBe(2)
  })
})
