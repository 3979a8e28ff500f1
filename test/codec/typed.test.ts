/** Sockets of values, on both engines and between them: what arrives, what is before it, and what does not decode. */
import * as peerlane from "peerlane"
import { type Codec, CodecError, json, msgpack, raw, type TypedMessage, typed } from "peerlane/codec"
import { afterEach, describe, expect, expectTypeOf, it, vi } from "vitest"
import * as zeromq from "zeromq"
import { z } from "zod"

const schema = z.object({ id: z.number() })
type Job = z.infer<typeof schema>

const opened: { close(): unknown }[] = []
const open = <S extends { close(): unknown }>(socket: S): S => {
  opened.push(socket)
  return socket
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map(socket => socket.close()))
})

type Engine = Pick<typeof peerlane, "Push" | "Pull" | "Router" | "Dealer" | "Publisher" | "Subscriber">
const engines: Record<string, Engine> = { peerlane, zeromq: zeromq as unknown as Engine }
const pairs = [
  ["peerlane", "peerlane"],
  ["zeromq", "zeromq"],
  ["peerlane", "zeromq"],
  ["zeromq", "peerlane"],
] as const

describe.each(pairs)("from %s to %s", (from, to) => {
  const sending = engines[from]!
  const receiving = engines[to]!

  async function pushAndPull() {
    const pull = open(new receiving.Pull({ linger: 0, receiveTimeout: 10_000 }))
    const push = open(new sending.Push({ linger: 0 }))
    await pull.bind("tcp://127.0.0.1:*")
    push.connect(pull.lastEndpoint!)
    return { push, pull }
  }

  it("values arrive by receive and by the loop", async () => {
    const { push, pull } = await pushAndPull()
    const out = typed(push, { schema })
    const into = typed(pull, { schema })
    await out.send({ id: 1 })
    expect(await into.receive()).toEqual({ value: { id: 1 }, before: [] })
    for (const id of [2, 3]) await out.send({ id })
    const ids: number[] = []
    for await (const { value } of into) if (ids.push(value.id) === 2) break
    expect(ids).toEqual([2, 3])
    expect(into).toMatchObject({ undecodable: 0, lastError: null })
  })

  it("frames before the value stay as they are", async () => {
    const { push, pull } = await pushAndPull()
    const out = typed(push, msgpack<unknown>())
    const into = typed(pull, msgpack<unknown>())
    await out.send("topic", [1n])
    await out.send(["a", Buffer.of(1), null], undefined)
    await out.send(undefined)
    expect(await into.receive()).toEqual({ value: [1n], before: [Buffer.from("topic")] })
    expect(await into.receive()).toEqual({ value: undefined, before: [Buffer.from("a"), Buffer.of(1), Buffer.of()] })
    expect(await into.receive()).toEqual({ value: undefined, before: [] })
  })

  it("a router answers who asked, and a bad question harms no other", async () => {
    const router = open(new receiving.Router({ linger: 0 }))
    const dealer = open(new sending.Dealer({ linger: 0, receiveTimeout: 10_000 }))
    await router.bind("tcp://127.0.0.1:*")
    dealer.connect(router.lastEndpoint!)
    const bad: string[] = []
    const server = typed(
      router,
      { schema },
      {
        onError: ({ code }, [id, bytes]) => bad.push(`${code} ${id!.length > 0} ${bytes}`),
      },
    )
    const client = typed(dealer, msgpack<unknown>())
    await dealer.send("\xc1no")
    await client.send({ id: "seven" })
    await client.send({ id: 7 })
    const { value, before } = await server.receive()
    await server.send(before, { id: value.id + 1 })
    expect(await client.receive()).toEqual({ value: { id: 8 }, before: [] })
    expect(bad).toEqual([expect.stringMatching(/^EDECODE true/), expect.stringMatching(/^ESCHEMA true/)])
    expect(server.undecodable).toBe(2)
  })

  it("without onError, receive rejects for that message, and the loop leaves it out and counts it", async () => {
    const { push, pull } = await pushAndPull()
    const out = typed(push, json<unknown>())
    const into = typed(pull, json({ schema }))
    for (const value of [{ id: 1 }, "no", { id: 2 }, "no", { id: 3 }]) await out.send("t", value)
    expect((await into.receive()).value).toEqual({ id: 1 })
    await expect(into.receive()).rejects.toMatchObject({ code: "ESCHEMA", bytes: Buffer.from('"no"') })
    expect((await into.receive()).value).toEqual({ id: 2 })
    expect(into.undecodable).toBe(1)
    for await (const { value, before } of into) {
      expect({ value, before }).toEqual({ value: { id: 3 }, before: [Buffer.from("t")] })
      break
    }
    expect(into.undecodable).toBe(2)
    expect(into.lastError).toBeInstanceOf(CodecError)
    expect(into.lastError?.issues).toHaveLength(1)
  })

  it("the loop ends when the socket is closed", async () => {
    const { push, pull } = await pushAndPull()
    await typed(push, raw).send(Buffer.from("last"))
    const seen: string[] = []
    for await (const { value } of typed(pull, raw)) {
      seen.push(Buffer.from(value).toString())
      pull.close()
    }
    expect(seen).toEqual(["last"])
  })

  it("topics of a publisher", async () => {
    const pub = open(new sending.Publisher({ linger: 0 }))
    const sub = open(new receiving.Subscriber({ linger: 0, receiveTimeout: 50 }))
    await pub.bind("tcp://127.0.0.1:*")
    sub.connect(pub.lastEndpoint!)
    sub.subscribe("jobs")
    const news = typed(sub, { schema })
    const out = typed(pub, { schema })
    await vi.waitFor(
      async () => {
        await out.send("other", { id: 0 })
        await out.send("jobs", { id: 1 })
        const { value, before } = await news.receive()
        expect([String(before[0]), value.id]).toEqual(["jobs", 1])
      },
      { timeout: 10_000, interval: 10 },
    )
  })
})

describe("a typed socket", () => {
  const push = () => open(new peerlane.Push({ linger: 0 }))
  const frames = (...messages: string[][]) => ({
    async receive() {
      const next = messages.shift()
      if (next === undefined) throw new Error("no more")
      return next.map(text => Buffer.from(text))
    },
    async *[Symbol.asyncIterator]() {
      for (const message of messages) yield message.map(text => Buffer.from(text))
    },
  })

  it("rejects what cannot be encoded, and sends nothing", async () => {
    const send = vi.fn(async () => {})
    await expect(typed({ send }, msgpack()).send(() => 1)).rejects.toMatchObject({ code: "EENCODE" })
    expect(send).not.toHaveBeenCalled()
  })

  it("tells onError with all frames, and ends only by what that throws", async () => {
    const seen: string[] = []
    const into = typed(frames(["a", "{"], ["b", "1"], ["c", "]"]), json<number>(), {
      onError({ code }, all) {
        seen.push(`${code} ${all.join(" ")}`)
        if (String(all[0]) === "c") throw new Error("enough")
      },
    })
    expect(await into.receive()).toEqual({ value: 1, before: [Buffer.from("b")] })
    await expect(into.receive()).rejects.toThrow("enough")
    expect(seen).toEqual(["EDECODE a {", "EDECODE c ]"])
  })

  it("takes what a codec of one's own throws as EDECODE", async () => {
    const cause = new RangeError("mine")
    const own: Codec<string> = {
      name: "own",
      encode: text => Buffer.from(text),
      decode() {
        throw cause
      },
    }
    await expect(typed(frames(["x"]), own).receive()).rejects.toMatchObject({
      code: "EDECODE",
      cause,
      bytes: Buffer.from("x"),
    })
  })

  it("passes the options of receive on", async () => {
    const pull = open(new peerlane.Pull())
    await expect(typed(pull, msgpack()).receive({ timeout: 1 })).rejects.toMatchObject({ code: "EAGAIN" })
  })

  it("checks what it is given", () => {
    expect(() => typed(push(), "msgpack" as never)).toThrow(TypeError)
    expect(() => typed(push(), json(), { onError: 1 as never })).toThrow(TypeError)
  })
})

it("is typed as far as its socket goes", () => {
  const jobs = { schema }
  const check = (
    push: peerlane.Push,
    pull: peerlane.Pull,
    theirPush: zeromq.Push,
    theirPull: zeromq.Pull,
    router: zeromq.Router | peerlane.Router,
  ) => {
    const out = typed(push, jobs)
    expectTypeOf(out.send).toBeCallableWith({ id: 1 })
    expectTypeOf(out.send).toBeCallableWith("topic", { id: 1 })
    expectTypeOf(out.socket).toEqualTypeOf<peerlane.Push>()
    // @ts-expect-error: no Job
    void out.send({ id: "1" })
    // @ts-expect-error: no Job
    void out.send("topic", 1)
    // @ts-expect-error: a Push does not receive
    void out.receive()
    const into = typed(pull, jobs)
    expectTypeOf(into.receive).returns.resolves.toEqualTypeOf<TypedMessage<Job>>()
    expectTypeOf(into.receive).toBeCallableWith({ timeout: 5 })
    // @ts-expect-error: a Pull does not send
    void into.send({ id: 1 })
    expectTypeOf(typed(theirPush, jobs).send).toBeCallableWith({ id: 1 })
    // @ts-expect-error: theirs does not receive, either
    void typed(theirPush, jobs).receive
    expectTypeOf(typed(theirPull, jobs).receive).returns.resolves.toEqualTypeOf<TypedMessage<Job>>()
    // @ts-expect-error: theirs takes no options
    void typed(theirPull, jobs).receive({ timeout: 5 })
    const both = typed(router, jobs)
    expectTypeOf(both.receive).returns.resolves.toEqualTypeOf<TypedMessage<Job>>()
    expectTypeOf(both.send).toBeCallableWith([Buffer.of(1), null], { id: 1 })
    // @ts-expect-error: a socket is needed
    typed({}, jobs)
  }
  expect(check).toBeTypeOf("function")
})
