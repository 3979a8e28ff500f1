/** What a review has found: each of these failed once. */
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { describe, expect, it } from "vitest"
import { json } from "../../patterns/codec/index.js"
import {
  type CallContext,
  type CallOptions,
  type ClientCall,
  method,
  type ServiceError,
} from "../../patterns/service/index.js"
import type { Sockets, TypedDealer } from "../../patterns/typed/sockets.js"
import { engines } from "../support/engine-pairs.js"
import { gate } from "../support/gate.js"
import { type Bare, stage } from "./stage.js"

const { server, client, bareClient, bareServer, closes } = stage("peerlane", "peerlane")

const codeOf = (call: PromiseLike<unknown>) =>
  call.then(
    () => "well",
    (error: ServiceError) => error.code,
  )

interface Head {
  readonly id: number
  readonly timeout?: number
}

/** The heads of the next CALL that is heard. */
async function called(bare: Bare): Promise<readonly Head[]> {
  for (;;) {
    const [command, head] = await bare.words()
    if (command === "CALL") return (JSON.parse(head!) as { calls: Head[] }).calls
  }
}

interface Api {
  get(value: unknown): Promise<unknown>
  take(items: AsyncIterable<unknown>): Promise<unknown>
  each(): AsyncGenerator<unknown>
}

describe("a client", () => {
  it("whose stream fails late ends that call, and none of the same number in the next session", async () => {
    const bare = await bareServer()
    const api = client<Api>(bare.address, { codec: json() })
    await bare.welcome()
    const [go, gone] = [gate(), gate()]
    async function* failing() {
      try {
        yield 1
        await go.opened
        throw new Error("late")
      } finally {
        gone.open()
      }
    }
    const first = codeOf(api.take(failing()))
    expect(await called(bare)).toMatchObject([{ id: 1 }])
    await bare.say("CREDIT", "1 64")
    expect((await bare.words())[0]).toBe("ITEM")
    await bare.say("WHO")
    await bare.welcome()
    expect(await first).toBe("ELOST")
    const second = codeOf(api.get(2))
    expect(await called(bare)).toMatchObject([{ id: 1 }])
    go.open()
    await gone.opened
    await bare.say("RESULT", "1", "7")
    expect(await second).toBe("well")
  })

  it("that is lost with its server just as it gets credit takes nothing of a stream that it sends again", async () => {
    const bare = await bareServer()
    const api = client<Api>(bare.address, { codec: json() })
    await bare.welcome()
    async function* three() {
      yield* [1, 2, 3]
    }
    const call = codeOf(api.take(three(), { safe: true }))
    await called(bare)
    void bare.say("CREDIT", "1 64")
    await bare.say("WHO")
    await bare.welcome()
    expect(await called(bare)).toMatchObject([{ id: 1 }])
    await bare.say("CREDIT", "1 64")
    expect(await bare.words()).toEqual(["ITEM", "1 0", "1", "2", "3"])
    await bare.say("RESULT", "1", "7")
    expect(await call).toBe("well")
  })

  it.each([
    ["the client closes", "ECLOSED"],
    ["the call is cancelled", "ECANCELED"],
  ])("where %s while it is told of a retry has ended that call", async (_, code) => {
    const bare = await bareServer()
    const api = client<Api>(bare.address, { codec: json() })
    await bare.welcome()
    const controller = new AbortController()
    api.$.on("retry", () => (code === "ECLOSED" ? void api.$.close() : controller.abort()))
    const call = codeOf(api.get(1, { safe: true, timeout: Number.POSITIVE_INFINITY, signal: controller.signal }))
    await called(bare)
    await bare.say("BYE")
    expect(await call).toBe(code)
    expect(api.$.stats()).toMatchObject({ waiting: 0, underWay: 0 })
  })

  /** Two servers that take one call each, and have one. */
  async function two() {
    const [a, b] = [await bareServer(), await bareServer()]
    const api = client<Api>([a.address, b.address], { codec: json() })
    await Promise.all([a.welcome({ concurrency: 1 }), b.welcome({ concurrency: 1 })])
    await expect.poll(() => api.$.stats().servers).toBe(2)
    const call = (n: number, options: CallOptions = {}) => codeOf(api.get(n, options))
    const calls = [call(1), call(2)]
    await Promise.all([called(a), called(b)])
    const refuse = () => a.say("ERROR", JSON.stringify({ id: 1, code: "EBUSY", message: "" }))
    return { a, b, api, call, calls, refuse }
  }

  it("that is refused leaves its place to one that waits", async () => {
    const { a, api, call, refuse } = await two()
    void call(3)
    expect(api.$.stats()).toMatchObject({ underWay: 2, waiting: 1 })
    await refuse()
    expect(await called(a)).toMatchObject([{ id: 2 }])
  })

  it.each(["BYE", "DRAINING"])("that one server has refused goes there when the other says %s", async command => {
    const { a, b, api, calls, refuse } = await two()
    await refuse()
    await expect.poll(() => api.$.stats()).toMatchObject({ underWay: 1, waiting: 1 })
    await b.say(command)
    expect(await called(a)).toMatchObject([{ id: 2 }])
    await a.say("RESULT", "2", "7")
    expect(await calls[0]).toBe("well")
  })

  it("that one server has refused, and goes on refusing, is EBUSY when the other has left", async () => {
    const { a, b, calls, refuse } = await two()
    await refuse()
    await b.say("BYE")
    await called(a)
    await a.say("ERROR", JSON.stringify({ id: 2, code: "EBUSY", message: "" }))
    expect(await calls[0]).toBe("EBUSY")
  })

  it("with a key waits no more for a server that is removed", async () => {
    const { a, b, api, call } = await two()
    await a.say("RESULT", "1", "7")
    await b.say("RESULT", "1", "7")
    await expect.poll(() => api.$.stats().underWay).toBe(0)
    const done = [call(3, { sticky: "key" }), call(4, { sticky: "key" })]
    const heard = [called(a), called(b)]
    const first = await Promise.race(heard.map((calls, at) => calls.then(() => at)))
    const [busy, other] = first === 0 ? [a, b] : [b, a]
    expect(api.$.stats()).toMatchObject({ underWay: 1, waiting: 1 })
    void api.$.remove(busy.address)
    await heard[1 - first]
    await busy.say("RESULT", "2", "7")
    await other.say("RESULT", "2", "7")
    expect(await Promise.all(done)).toEqual(["well", "well"])
  })

  it("whose stream throws what throws when it is looked at has that for an end", async () => {
    const made = await server({
      async take(items: AsyncIterable<number>) {
        for await (const _ of items);
      },
    })
    const odd = Object.defineProperty(new Error("odd"), "code", {
      get() {
        throw new Error("do not look")
      },
    })
    async function* failing() {
      yield 1
      throw odd
    }
    const call = client<Api>(made)
      .take(failing())
      .catch(error => error)
    expect((await call) === odd).toBe(true)
  })

  it("may give any time, and one beyond all numbers of the wire is none", async () => {
    const api = client<Api>(await server({ get: () => 1 }))
    for (const timeout of [2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER, 2 ** 60, Number.MAX_VALUE]) {
      expect([timeout, await codeOf(api.get(1, { timeout }))]).toEqual([timeout, "well"])
    }
  })

  it("with no budget tries nothing again", async () => {
    const bare = await bareServer()
    const api = client<Api>(bare.address, { codec: json(), retryBudget: 0 })
    await bare.welcome()
    const call = codeOf(api.get(1, { safe: true }))
    await called(bare)
    await bare.say("BYE")
    expect(await call).toBe("ELOST")
  })

  it("that is closed ends calls whose results are being checked, and is with nobody", async () => {
    const asked = gate()
    const validate = () => {
      asked.open()
      return new Promise<never>(() => {})
    }
    const result = { "~standard": { version: 1, vendor: "test", validate } } as const
    const api = client<Api>(await server({ get: () => 1 }), { schemas: { get: { result } } })
    const call = codeOf(api.get(1, { timeout: Number.POSITIVE_INFINITY }))
    await asked.opened
    await api.$.close()
    expect(await call).toBe("ECLOSED")
    expect(api.$.stats()).toMatchObject({ servers: 0, underWay: 0 })
    expect(await api.$.describe()).toEqual({})
  })

  it("with an address that is none leaves nothing of the others", async () => {
    const made = await server({ get: () => 1 })
    const open: TypedDealer[] = []
    class Dealer extends engines.peerlane.Dealer {
      constructor(options: object) {
        super(options)
        open.push(this)
      }
    }
    const sockets = { ...engines.peerlane, Dealer } as unknown as Sockets
    for (const plain of [false, true]) {
      expect(() => client([made.lastEndpoint!, "nowhere"], { sockets, plain })).toThrow()
      await expect.poll(() => open.map(({ closed }) => closed)).toEqual([true, true])
      open.splice(0)
    }
    expect(made.stats().clients).toBe(0)
  })

  it.each([
    ["none", []],
    ["one", [(call: ClientCall, next: (call: ClientCall) => unknown) => next(call)]],
  ])("with middleware, %s, may leave a stream before its first item, and while it waits for one", async (_, use) => {
    const made = await server({
      async *each(_: undefined, { signal }: CallContext) {
        await new Promise(resolve => signal.addEventListener("abort", resolve))
      },
    })
    const api = client<Api>(made, { use })
    for (const begin of [() => undefined, (items: AsyncIterator<unknown>) => items.next()]) {
      const items = api.each()[Symbol.asyncIterator]()
      const next = begin(items)
      await expect.poll(() => made.stats().running).toBe(1)
      await items.return?.()
      await expect.poll(() => made.stats().running).toBe(0)
      expect(await next).toEqual(next && { value: undefined, done: true })
    }
  })

  it("that is welcomed twice goes on with what it called, and counts on", async () => {
    const router = new engines.peerlane.Router({ linger: 0 })
    closes.push(() => router.close())
    await router.bind("tcp://127.0.0.1:*")
    const api = client<Api>(router.lastEndpoint!, { codec: json() })
    const heard = router[Symbol.asyncIterator]()
    const [routing, , said] = (await heard.next()).value as Buffer[]
    const { n } = JSON.parse(String(said)) as { n: number }
    const welcome = { session: "s", n, heartbeat: 60_000, concurrency: 9 }
    const say = (command: string, ...frames: string[]) => router.send([routing!, `PS1 ${command}`, ...frames])
    await say("WELCOME", JSON.stringify(welcome))
    const first = codeOf(api.get(1))
    await heard.next()
    await say("WELCOME", JSON.stringify({ ...welcome, concurrency: 8 }))
    await say("WELCOME", JSON.stringify({ ...welcome, session: "t" }))
    const description = api.$.describe()
    await heard.next()
    await say("DESCRIPTION", "s", "1", "{}")
    await description
    const second = api.get(2)
    const [, , , head] = (await heard.next()).value as Buffer[]
    expect(JSON.parse(String(head))).toMatchObject({ calls: [{ id: 2 }] })
    await say("RESULT", "s", "2 1", "2", "1")
    expect([await first, await second]).toEqual(["well", 2])
  })
})

describe("a server", () => {
  it("whose handler throws what throws when it is looked at ends that call, and goes on", async () => {
    const thrower = () => {
      throw new Error("do not look")
    }
    const errors = [
      Object.defineProperty(new Error("odd"), "code", { get: thrower }),
      new Proxy(new Error("odd"), { getPrototypeOf: thrower }),
    ]
    const made = await server({
      fail(which: number) {
        throw errors[which]
      },
    })
    const api = client<{ fail(which: number): void }>(made)
    for (const which of [0, 1]) expect(await codeOf(api.fail(which))).toBe("EREMOTE")
    expect(made.stats()).toMatchObject({ running: 0, methods: { fail: { errors: { EREMOTE: 2 } } } })
  })

  it("leaves out data that JSON does not have, and not the code with it", async () => {
    const ring: unknown[] = []
    ring.push(ring)
    const made = await server({
      fail(data: unknown) {
        throw Object.assign(new Error("mine"), { code: "EMINE", data: data === "ring" ? ring : data })
      },
    })
    const api = client<{ fail(data: unknown): void }>(made)
    for (const data of ["ring", { big: 1n }]) {
      await expect(api.fail(data)).rejects.toMatchObject({ code: "EMINE", message: "mine", data: undefined })
    }
  })

  it("tells a plain question to a stream that it cannot be, however large the items", async () => {
    const made = await server({
      async *each() {
        yield "x".repeat(2 * 1024 * 1024)
      },
    })
    const req = new engines.peerlane.Dealer({ linger: 0 })
    closes.push(() => req.close())
    req.connect(made.lastEndpoint!)
    await req.send(["", JSON.stringify({ method: "each" })])
    const { value } = await req[Symbol.asyncIterator]().next()
    expect(String(value![1])).toContain("EINVAL")
    await expect.poll(() => made.stats().running).toBe(0)
  })

  const patient =
    (aborted: (code: string) => void) =>
    (_: unknown, { signal }: CallContext) =>
      new Promise<void>(resolve => {
        signal.addEventListener("abort", () => {
          aborted((signal.reason as ServiceError).code)
          resolve()
        })
      })

  it("that closes aborts what plain questions have begun as well", async () => {
    const aborted = gate<string>()
    const made = await server({ wait: patient(aborted.open) })
    const req = new engines.peerlane.Dealer({ linger: 0 })
    closes.push(() => req.close())
    req.connect(made.lastEndpoint!)
    await req.send(["", JSON.stringify({ method: "wait" })])
    await expect.poll(() => made.stats().running).toBe(1)
    await made.close()
    expect(await aborted.opened).toBe("ELOST")
  })

  it("that is closed by a handler aborts that one as well", async () => {
    const aborted = gate<string>()
    const made = await server({
      close(_: undefined, call: CallContext) {
        void made.close()
        if (call.signal.aborted) aborted.open("ELOST")
        return patient(aborted.open)(_, call)
      },
    })
    const call = codeOf(client<{ close(): Promise<void> }>(made).close())
    expect(await aborted.opened).toBe("ELOST")
    expect(await call).toBe("ELOST")
  })

  it("begins nothing for one that it has given up within a message", async () => {
    const made = await server({ wait: patient(() => {}) })
    const bare = bareClient(made.lastEndpoint!)
    await bare.hello({ codec: "json" })
    // It is told of each that is missing, and does not read that fast.
    await bare.call(
      Array.from({ length: 100_100 }, (_, n) => ({ id: n + 1, method: n < 100_050 ? "missing" : "wait" })),
    )
    await expect.poll(() => made.stats().clients).toBe(0)
    expect(made.stats()).toMatchObject({ running: 0, methods: { wait: { calls: 0 } } })
  })

  it("without a limit takes any number of calls of a client", async () => {
    const go = gate()
    const made = await server({ wait: () => go.opened }, { concurrency: Number.POSITIVE_INFINITY })
    const api = client<{ wait(): Promise<void> }>(made)
    const calls = [api.wait(), api.wait(), api.wait()].map(codeOf)
    await expect.poll(() => made.stats().running).toBe(3)
    go.open()
    expect(await Promise.all(calls)).toEqual(["well", "well", "well"])
  })

  it.each([
    { concurrency: 1.5 },
    { heartbeat: 0 },
    { heartbeat: 0.5 },
    { heartbeat: -1 },
    { heartbeat: Number.NaN },
    { limits: { get: 0 } },
  ])("does not begin with %o, which its clients could not understand", async options => {
    await expect(server({ get: () => 1 }, options)).rejects.toMatchObject({ code: "EINVAL" })
  })

  it("may have methods of any name", async () => {
    const made = await server({ toString: () => 1, constructor: () => 2, ["__proto__"]: () => 3 }, { concurrency: 5 })
    const api = client<Record<string, () => number>>(made)
    const names = ["toString", "constructor", "__proto__"]
    expect(await Promise.all(names.map(name => api[name]!()))).toEqual([1, 2, 3])
    const [description] = Object.values(await api.$.describe())
    expect(Object.entries(description!.methods!)).toEqual(names.map(name => [name, { running: 0, limit: 5 }]))
    expect(Object.keys(made.stats().methods)).toEqual(names)
    expect(Object.keys(api.$.stats().methods).sort()).toEqual([...names].sort())
  })

  it("waits for a schema whose promise is not one of its own realm", async () => {
    const result = { issues: [{ message: "not this" }] }
    // biome-ignore lint/suspicious/noThenProperty: such a promise is what this is about
    const validate = () => ({ then: (resolve: (value: unknown) => void) => resolve(result) })
    const argument = { "~standard": { version: 1, vendor: "test", validate } } as unknown as StandardSchemaV1
    const api = client<Api>(await server({ get: method({ argument }, () => "begun") }))
    expect(await codeOf(api.get(1))).toBe("EINVAL")
  })
})
