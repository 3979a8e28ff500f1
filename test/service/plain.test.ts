/** Calls of plain REP sockets, which know nothing of services: one JSON message there, one back. */
import { describe, expect, it } from "vitest"
import * as zeromq from "zeromq"
import { Reply } from "../../patterns/index.js"
import type { ClientOptions } from "../../patterns/service/index.js"
import { type Engine, pairs } from "../support/engine-pairs.js"
import { gate } from "../support/gate.js"
import { stage } from "./stage.js"

interface Question {
  method: string
  argument?: unknown
  timeout?: number
  context?: Record<string, string>
}

interface Api {
  add(terms: { a: number; b: number }): number
  nothing(): void
  echo(value: unknown): unknown
}

/** Answers of a REP; null: it has none. */
type Answer = (question: Question) => unknown

const usual: Answer = ({ method, argument }) => {
  const { a, b } = (argument ?? {}) as { a: number; b: number }
  if (method === "add") return { result: a + b }
  if (method === "echo") return { result: argument }
  if (method === "nothing") return {}
  return { error: { code: "ENOENT", message: `no ${method}`, name: "Missing", data: [1] } }
}

/** A REP of either engine that answers as it is told, until it is closed. */
async function reply(engine: Engine, answer: Answer, address = "tcp://127.0.0.1:*") {
  const rep = engine === "peerlane" ? new Reply({ linger: 0 }) : new zeromq.Reply({ linger: 0 })
  await rep.bind(address)
  const asked: Question[] = []
  const serving = (async () => {
    for await (const [question] of rep) {
      asked.push(JSON.parse(String(question)))
      const said = await answer(asked.at(-1)!)
      if (rep.closed) return
      await rep.send(typeof said === "string" ? said : JSON.stringify(said))
    }
  })()
  return {
    address: rep.lastEndpoint!,
    asked,
    async close() {
      rep.close()
      await serving.catch(() => {})
    },
  }
}

describe.each(pairs)("plain REPs on %s, called from %s", (makers, callers) => {
  const { client, closes } = stage(makers, callers)

  async function rep(answer: Answer = usual, address?: string) {
    const made = await reply(makers, answer, address)
    closes.push(() => made.close())
    return made
  }

  function caller(to: string | string[], options: Partial<ClientOptions> = {}) {
    return client<Api>(to, { plain: true, ...options })
  }

  it("are asked in JSON, one question at a time, and answered for", async () => {
    const one = await rep()
    const api = caller(one.address)
    expect(await api.add({ a: 1, b: 2 }, { timeout: 5000, context: { traceparent: "00-1" } })).toBe(3)
    expect(one.asked[0]).toMatchObject({ method: "add", argument: { a: 1, b: 2 }, context: { traceparent: "00-1" } })
    expect(one.asked[0]!.timeout).toBeLessThanOrEqual(5000)
    expect(await api.nothing()).toBeNull()
    expect(await api.echo({ text: "ß", list: [1, null] })).toEqual({ text: "ß", list: [1, null] })
    expect(await api.echo("x".repeat(1_000_000))).toHaveLength(1_000_000)
    const sums = await Promise.all(Array.from({ length: 200 }, (_, a) => api.add({ a, b: 1 })))
    expect(sums).toEqual(Array.from({ length: 200 }, (_, a) => a + 1))
  })

  it("say what went wrong", async () => {
    const api = caller((await rep()).address)
    await expect((api as unknown as { other(): Promise<void> }).other()).rejects.toMatchObject({
      code: "ENOENT",
      message: "no other",
      remoteName: "Missing",
      data: [1],
    })
    expect(await api.add({ a: 1, b: 1 })).toBe(2)
  })

  it("that answer what is no answer fail that call, and no other", async () => {
    const answers = ["rubbish", "[]", "5", "null", '{"error":{"code":5}}', "", '{"error":"a text"}', '{"error":{}}']
    let at = 0
    const api = caller((await rep(question => (question.method === "echo" ? answers[at++]! : usual(question)))).address)
    for (const _ of answers) {
      await expect(api.echo(1)).rejects.toMatchObject({ code: expect.stringMatching(/EINVAL|EREMOTE/) })
      expect(await api.add({ a: 1, b: 1 })).toBe(2)
    }
  })

  it("that are late: the answer is nobody's, and not that to the next question", async () => {
    const [go, came] = [gate(), gate()]
    const one = await rep(async question => {
      if (question.argument !== "slow") return usual(question)
      came.open()
      await go.opened
      return { result: "late" }
    })
    const api = caller(one.address)
    const late = expect(api.echo("slow", { timeout: 200 })).rejects.toMatchObject({ code: "ETIMEDOUT" })
    await came.opened
    await late
    const next = api.echo("quick").finally(() => {})
    go.open()
    expect(await next).toBe("quick")
    expect(await Promise.all([1, 2, 3].map(n => api.echo(n)))).toEqual([1, 2, 3])
  })

  it("can be given up by a signal, and asked again", async () => {
    const [go, came] = [gate(), gate()]
    const one = await rep(async question => {
      if (question.argument === "slow") came.open()
      if (question.argument === "slow") await go.opened
      return usual(question)
    })
    const api = caller(one.address)
    const controller = new AbortController()
    const call = expect(api.echo("slow", { signal: controller.signal })).rejects.toMatchObject({ code: "ECANCELED" })
    await came.opened
    controller.abort()
    await call
    go.open()
    expect(await api.echo("next")).toBe("next")
  })

  it("that die and come back answer again", async () => {
    const one = await rep()
    const api = caller(one.address)
    expect(await api.echo(1)).toBe(1)
    await one.close()
    await expect(api.echo(2, { timeout: 200 })).rejects.toMatchObject({ code: "ETIMEDOUT" })
    const waiting = api.echo(3).finally(() => {})
    await rep(usual, one.address)
    expect(await waiting).toBe(3)
    expect(await api.echo(4)).toBe(4)
  })

  it("several of them share the questions, one each at a time", async () => {
    const go = gate()
    const reps = await Promise.all(
      [0, 1, 2].map(() =>
        rep(async question => {
          await go.opened
          return usual(question)
        }),
      ),
    )
    const api = caller(reps.map(({ address }) => address))
    const calls = Array.from({ length: 9 }, (_, n) => api.echo(n))
    await expect.poll(() => reps.map(({ asked }) => asked.length)).toEqual([1, 1, 1])
    expect(api.$.stats()).toMatchObject({ underWay: 3, waiting: 6, servers: 3 })
    go.open()
    expect(await Promise.all(calls)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(reps.reduce((sum, { asked }) => sum + asked.length, 0)).toBe(9)
  })

  it("cannot be sent a stream, nor bytes beyond maxResult back", async () => {
    const api = caller((await rep()).address, { maxResult: 100 })
    async function* stream() {
      yield 1
    }
    await expect(api.echo(stream())).rejects.toMatchObject({ code: "EINVAL" })
    await expect(api.echo("x".repeat(100))).rejects.toMatchObject({ code: "EMSGSIZE" })
    expect(await api.echo("x")).toBe("x")
  })

  it("a client that closes ends what is under way, and what waits", async () => {
    const [go, came] = [gate(), gate()]
    const one = await rep(async question => {
      came.open()
      await go.opened
      return usual(question)
    })
    const api = caller(one.address)
    const calls = [api.echo(1), api.echo(2)].map(call => expect(call).rejects.toMatchObject({ code: "ECLOSED" }))
    await came.opened
    await api.$.close()
    await Promise.all(calls)
    await expect(api.echo(3)).rejects.toMatchObject({ code: "ECLOSED" })
    expect(one.asked).toHaveLength(1)
    go.open()
  })

  it("one that is removed answers what it was asked, and the rest goes elsewhere", async () => {
    const [go, came] = [gate(), gate()]
    const one = await rep(async question => {
      came.open()
      await go.opened
      return usual(question)
    })
    const api = caller(one.address)
    const first = api.echo(1).finally(() => {})
    await came.opened
    const two = await rep()
    const removed = api.$.remove(one.address)
    api.$.add(two.address)
    expect(await api.echo(2)).toBe(2)
    go.open()
    expect(await first).toBe(1)
    await removed
    expect([one.asked.length, two.asked.length]).toEqual([1, 1])
    expect(await api.$.describe()).toEqual({})
  })
})
