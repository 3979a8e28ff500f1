/** A client whose server says what nobody should: that ends its call, or nothing, and the next call is made as ever. */
import { describe, expect, it } from "vitest"
import { json } from "../../patterns/codec/index.js"
import { pairs } from "../support/engine-pairs.js"
import { type BareServer, stage } from "./stage.js"

const PIECE = 256 * 1024
const WINDOW = 64

interface Api {
  get(): Promise<unknown>
  each(): AsyncGenerator<unknown>
  take(items: AsyncIterable<unknown>): Promise<unknown>
}

describe.each(pairs)("a server on %s that misbehaves, and a client on %s", (makers, callers) => {
  const { client, bareServer } = stage(makers, callers)

  async function both() {
    const bare = await bareServer()
    const api = client<Api>(bare.address, { maxResult: 3 * PIECE, codec: json() })
    const troubles: string[] = []
    api.$.on("refused", ({ error }) => troubles.push(error.code))
    await bare.welcome()
    return { bare, api, troubles }
  }

  /** The next CALL that is heard; its id. */
  async function called(bare: BareServer): Promise<number> {
    for (;;) {
      const [command, head] = await bare.words()
      if (command === "CALL") return (JSON.parse(head!) as { calls: [{ id: number }] }).calls[0].id
    }
  }

  /** All is well behind it. */
  async function goesOn({ bare, api }: Awaited<ReturnType<typeof both>>): Promise<void> {
    const call = api.get().finally(() => {})
    await bare.say("RESULT", String(await called(bare)), '"well"')
    expect(await call).toBe("well")
    expect(api.$.stats()).toMatchObject({ underWay: 0, waiting: 0 })
  }

  const outcome = (call: PromiseLike<unknown>) =>
    call.then(
      value => value,
      (error: { code: string }) => error.code,
    )

  const read = async (items: AsyncIterable<unknown>) => {
    const came: unknown[] = []
    try {
      for await (const item of items) came.push(item)
    } catch (error) {
      came.push((error as { code: string }).code)
    }
    return came
  }

  it("answers to calls long gone, twice, or never made are ignored", async () => {
    const meeting = await both()
    const { bare, api, troubles } = meeting
    const calls = [outcome(api.get(undefined, { timeout: 100 })), outcome(api.get())]
    expect(await called(bare)).toBe(1)
    expect(await calls[0]).toBe("ETIMEDOUT")
    await bare.say("RESULT", "2 1 77 2", "2", "1", "77", "3")
    await bare.say("RESULT", "2", "4")
    expect(await calls[1]).toBe(2)
    for (const id of [1, 2, 99]) {
      await bare.say("ERROR", JSON.stringify({ id, code: "EODD", message: "late" }))
      await bare.say("PIECE", `${id} 0`, Buffer.alloc(PIECE))
      await bare.say("ITEM", `${id} 0`, "1")
      await bare.say("END", `${id} 5`)
      await bare.say("CREDIT", `${id} 1000`)
      await bare.say("CANCEL", `${id}`)
      await bare.say("DESCRIPTION", `${id}`, "{}")
    }
    await goesOn(meeting)
    expect(troubles).toEqual([])
  })

  it("more items than there was credit for end the stream, behind those that came in order", async () => {
    const meeting = await both()
    const { bare, api } = meeting
    const items = api.each()[Symbol.asyncIterator]()
    const first = items.next()
    const id = await called(bare)
    await bare.say("ITEM", `${id} 0`, "0")
    await first
    for (let n = 1; n <= WINDOW + 1; n++) await bare.say("ITEM", `${id} ${n}`, String(n))
    expect(await bare.words()).toEqual(["CANCEL", String(id)])
    const came = await read({ [Symbol.asyncIterator]: () => items })
    expect(came.at(-1)).toBe("EPROTO")
    expect(came.slice(0, -1)).toEqual(Array.from({ length: came.length - 1 }, (_, at) => at + 1))
    await goesOn(meeting)
  })

  it("a stream with a gap, or that counts wrong, is ELOST", async () => {
    const meeting = await both()
    const { bare, api } = meeting
    for (const [command, words, ...frames] of [
      ["ITEM", "2", "2"],
      ["ITEM", "1:3", "2"],
      ["END", "5"],
      ["END", "0"],
      ["PIECE", "1", "x"],
    ]) {
      const all = read(api.each())
      const id = await called(bare)
      await bare.say("ITEM", `${id} 0`, "1")
      await bare.say("ITEM", `${id} 0`, "1")
      await bare.say(command!, `${id} ${words}`, ...frames)
      expect(await all).toEqual([1, "ELOST"])
    }
    await goesOn(meeting)
  })

  it("a result in pieces beyond maxResult is EMSGSIZE as soon as that is known, and given up", async () => {
    const meeting = await both()
    const { bare, api } = meeting
    const call = outcome(api.get())
    const id = await called(bare)
    for (let n = 0; n < 4; n++) await bare.say("PIECE", `${id} ${n}`, Buffer.alloc(PIECE))
    expect(await call).toBe("EMSGSIZE")
    let word = ""
    while (word !== "CANCEL") [word] = (await bare.words()) as [string]
    await bare.say("RESULT", `${id}:4`, "x")
    await goesOn(meeting)
  })

  it("pieces that are missing, or of a size of their own, end the call", async () => {
    const meeting = await both()
    const { bare, api } = meeting
    const faults: [string, (id: number) => Promise<void>][] = [
      ["ELOST", id => bare.say("PIECE", `${id} 1`, Buffer.alloc(PIECE))],
      ["ELOST", id => bare.say("RESULT", `${id}:1`, "1")],
      ["EPROTO", id => bare.say("PIECE", `${id} 0`, Buffer.alloc(1))],
      ["EPROTO", id => bare.say("PIECE", `${id} 0`)],
    ]
    for (const [code, say] of faults) {
      const call = outcome(api.get())
      await say(await called(bare))
      expect(await call).toBe(code)
    }
    await goesOn(meeting)
  })

  it("an answer that cannot be understood ends the call that it is of, where that is to be seen", async () => {
    const meeting = await both()
    const { bare, api } = meeting
    const answers: ((id: number) => [string, ...string[]])[] = [
      id => ["RESULT", `${id}`, "{"],
      id => ["ERROR", JSON.stringify({ id, code: 5 })],
      id => ["ERROR", JSON.stringify({ id, code: "EODD", message: {} })],
      id => ["ERROR", JSON.stringify({ id, code: "EODD", message: "x", name: [] })],
      id => ["END", `${id} x`],
      id => ["END", `${id}`],
      id => ["PIECE", `${id} x`, "1"],
      id => ["ITEM", `${id} x`, "1"],
    ]
    for (const answer of answers) {
      const call = outcome(api.get(undefined, { timeout: Number.POSITIVE_INFINITY }))
      await bare.say(...answer(await called(bare)))
      expect(await call, String(answer)).toMatch(/EINVAL|EDECODE|EPROTO/)
    }
    await goesOn(meeting)
  })

  it("what is no message of a server, or names no call, is told of, and nothing else", async () => {
    const meeting = await both()
    const { bare, troubles } = meeting
    const messages: [string, ...string[]][] = [
      ["RESULT", "x", "1"],
      ["RESULT", "1:x", "1"],
      ["ERROR"],
      ["ERROR", "["],
      ["ERROR", '{"id":"x"}'],
      ["PIECE"],
      ["ITEM", ":"],
      ["END", "9".repeat(16)],
      ["CREDIT", "1x 5"],
      ["CANCEL", "-1"],
      ["CALL", "{}"],
      ["HELLO", "{}"],
    ]
    for (const [at, message] of messages.entries()) {
      await bare.say(...message)
      await expect.poll(() => troubles.length, { message: String(message) }).toBe(at + 1)
    }
    await goesOn(meeting)
  })

  it("a description that is none is nobody's, and keeps nobody waiting", async () => {
    const meeting = await both()
    const { bare, api } = meeting
    await expect.poll(() => api.$.stats().servers).toBe(1)
    const asked = api.$.describe()
    const [, id] = await bare.words()
    await bare.say("DESCRIPTION", id!, "[")
    expect(await asked).toEqual({})
    await goesOn(meeting)
  })

  it("credit without end for a stream that never waits lets others run", async () => {
    const meeting = await both()
    const { bare, api } = meeting
    let isOver = false
    async function* endless() {
      try {
        for (;;) yield "x".repeat(10_000)
      } finally {
        isOver = true
      }
    }
    const call = outcome(api.take(endless()))
    const id = await called(bare)
    await bare.say("CREDIT", `${id} 999999999999999`)
    expect((await bare.words())[0]).toBe("ITEM")
    await bare.say("RESULT", String(id), '"enough"')
    expect(await call).toBe("enough")
    await expect.poll(() => isOver).toBe(true)
    await goesOn(meeting)
  })
})
