/** A server whose client says what nobody should: that is the end of a call, or REFUSED, and no other client hears of it. */
import { afterEach, describe, expect, it } from "vitest"
import { pairs } from "../support/engine-pairs.js"
import { gate } from "../support/gate.js"
import { type BareClient, stage } from "./stage.js"

const PIECE = 256 * 1024
const NUMBERLESS = [
  "12x",
  ":",
  "1:",
  ":1",
  "1:2:3",
  "-1",
  "1.5",
  "1e3",
  "",
  "NaN",
  "9".repeat(16),
  "9".repeat(400),
  "ß",
]

describe.each(pairs)("a server on %s, and a client on %s that misbehaves", (makers, callers) => {
  const { server, client, bareClient } = stage(makers, callers)
  const go = gate()
  const outcomes: unknown[] = []

  const implementation = {
    echo: (value: unknown) => value,
    async sum(items: AsyncIterable<number>) {
      let sum = 0
      for await (const item of items) sum += item
      return sum
    },
    async later(items: AsyncIterable<number>) {
      await go.opened
      outcomes.push(await implementation.sum(items).catch(error => (error as { code: string }).code))
    },
    async *endless() {
      for (;;) yield "x".repeat(10_000)
    },
  }

  afterEach(() => void outcomes.splice(0))

  /** The rude one, and a polite one that is served before, meanwhile and behind. */
  async function both(rude: (bare: BareClient, running: () => number) => Promise<void>): Promise<void> {
    const made = await server(implementation)
    const api = client<{ echo(value: number): number }>(made)
    expect(await api.echo(1)).toBe(1)
    const bare = bareClient(made.lastEndpoint!)
    await bare.hello({ codec: "json" })
    await rude(bare, () => made.stats().running)
    expect(await api.echo(2)).toBe(2)
    bare.close()
    expect(await api.echo(3)).toBe(3)
    expect(api.$.stats()).toMatchObject({ retries: 0, errors: {} })
  }

  /** What is heard until a question that is asked now is answered. */
  async function heard(bare: BareClient): Promise<string[][]> {
    await bare.say("DESCRIBE", "probe")
    const all: string[][] = []
    for (;;) {
      const words = await bare.words()
      if (words[0] === "DESCRIPTION") return all
      all.push(words)
    }
  }

  it("words that are no numbers are REFUSED, and end nothing", () =>
    both(async bare => {
      await bare.call([{ id: 1, method: "sum", argument: "stream" }], "")
      expect(await heard(bare)).toEqual([["CREDIT", "1 64"]])
      for (const word of NUMBERLESS) {
        await bare.say("PIECE", `1 ${word}`, Buffer.alloc(PIECE))
        await bare.say("ITEM", `1 ${word}`, "1")
        await bare.say("END", `1 ${word}`)
        await bare.say("CREDIT", `1 ${word}`)
        await bare.say("ARGUMENT", word, "x")
        await bare.say("CANCEL", `${word} `)
        expect(await heard(bare), word).toEqual(Array.from({ length: 6 }, () => ["REFUSED"]))
      }
      await bare.say("ITEM", "1 0", "1", "2")
      await bare.say("END", "1 2")
      expect(await bare.words()).toEqual(["RESULT", "1", "3"])
    }))

  it("so are frames that are missing or no JSON, and commands of a server", () =>
    both(async bare => {
      const messages = [
        ["CALL"],
        ["CALL", "{"],
        ["CALL", "[]"],
        ["CALL", '{"calls":5}'],
        ["CALL", '{"calls":[5]}'],
        ["CALL", '{"at":-1,"calls":[]}'],
        ["CALL", '{"calls":[{"id":"x"}]}'],
        ["PIECE"],
        ["ITEM"],
        ["END"],
        ["ARGUMENT"],
        ["CREDIT"],
        ["ERROR"],
        ["ERROR", "[]"],
        ["ERROR", '{"id":"x"}'],
        ["RESULT", "1", "x"],
        ["DESCRIPTION", "1", "{}"],
      ]
      for (const [command, ...frames] of messages) {
        await bare.say(command!, ...frames)
        expect(await heard(bare), `${command} ${frames}`).toEqual([["REFUSED"]])
      }
      await bare.call([
        { id: 1, method: "echo" },
        { id: 2, method: "echo" },
      ])
      expect(await bare.words()).toEqual(["RESULT", "1 2", "", ""])
    }))

  it("what belongs to no call is ignored", () =>
    both(async bare => {
      await bare.call([{ id: 5, method: "echo" }], "1")
      expect((await bare.words())[0]).toBe("RESULT")
      for (const id of [0, 1, 5, 6, 999_999_999_999_999]) {
        await bare.say("PIECE", `${id} 0`, Buffer.alloc(10))
        await bare.say("ITEM", `${id} 7:9`, "1", "2")
        await bare.say("END", `${id} 3`)
        await bare.say("ARGUMENT", `${id}:4`, "x")
        await bare.say("CREDIT", `${id} 999999999999999`)
        await bare.say("ERROR", JSON.stringify({ id, message: "x" }))
        await bare.say("CANCEL", `${id} ${id}`)
      }
      // A call that was made before, or after a later one.
      await bare.call(
        [
          { id: 5, method: "echo" },
          { id: 4, method: "echo" },
        ],
        "1",
        "1",
      )
      expect(await heard(bare)).toEqual([])
    }))

  it("an argument that does not come as it was said ends that call, unbegun", () =>
    both(async (bare, running) => {
      const faults: [string, (id: number) => Promise<void>][] = [
        ["ELOST", id => bare.say("PIECE", `${id} 1`, Buffer.alloc(PIECE))],
        ["EPROTO", id => bare.say("PIECE", `${id} 0`)],
        ["EPROTO", id => bare.say("PIECE", `${id} 0`, Buffer.alloc(PIECE + 1))],
        ["ELOST", id => bare.say("ARGUMENT", `${id}:1`, "x")],
        ["ELOST", id => bare.say("END", `${id} 1`)],
        ["ELOST", id => bare.say("ITEM", `${id} 3`, "1")],
      ]
      for (const [at, [code, say]] of faults.entries()) {
        const id = at + 1
        await bare.call([{ id, method: "echo", argument: "pieces" }], "")
        await say(id)
        const [credit, error, ...more] = await heard(bare)
        expect(credit).toEqual(["CREDIT", `${id} 64`])
        expect(error![0]).toBe("ERROR")
        const told = JSON.parse(error![1]!) as object
        expect(told).toMatchObject({ id, code })
        expect(told).not.toHaveProperty("name")
        expect(more).toEqual([])
        expect(running()).toBe(0)
      }
    }))

  it("pieces without credit end the stream, once, however many come", () =>
    both(async (bare, running) => {
      await bare.call([{ id: 1, method: "later", argument: "stream" }], "")
      await bare.say("ITEM", "1 0", "1")
      // What came before the first that was too much is in order.
      for (let n = 0; n < 20; n++) await bare.say("PIECE", `1 ${n}`, Buffer.alloc(PIECE))
      for (let n = 0; n < 100; n++) await bare.say("ITEM", `1 ${n + 1}`, "1")
      await bare.say("END", "1 1000")
      expect(await heard(bare)).toEqual([
        ["CREDIT", "1 64"],
        ["CANCEL", "1"],
      ])
      go.open()
      await expect.poll(() => outcomes).toEqual(["EPROTO"])
      expect((await bare.words())[0]).toBe("RESULT")
      expect(running()).toBe(0)
    }))

  it("a stream that is failed, ended or gone on with twice has one end", () =>
    both(async bare => {
      await bare.call([{ id: 1, method: "sum", argument: "stream" }], "")
      await bare.say("ITEM", "1 0", "1")
      await bare.say("END", "1 1")
      await bare.say("END", "1 1")
      await bare.say("END", "1 5")
      await bare.say("ITEM", "1 1", "1")
      await bare.say("ITEM", "1 7", "1")
      await bare.say("PIECE", "1 0", Buffer.alloc(PIECE))
      await bare.say("ERROR", JSON.stringify({ id: 1, message: "x" }))
      const all = await heard(bare)
      expect(all).toContainEqual(["RESULT", "1", "1"])
      expect(all.filter(([command]) => command !== "CREDIT")).toHaveLength(1)
    }))

  it("one that grants all there is, and does not read, does not stop the server", async () => {
    const made = await server(implementation)
    const api = client<{ echo(value: number): number }>(made)
    const bare = bareClient(made.lastEndpoint!)
    await bare.hello({ codec: "json", credit: Number.MAX_SAFE_INTEGER })
    await bare.call([{ id: 1, method: "endless" }], "")
    await bare.say("CREDIT", "1 999999999999999")
    expect((await bare.words())[0]).toBe("ITEM")
    for (let at = 0; at < 20; at++) expect(await api.echo(at)).toBe(at)
    bare.close()
    await expect.poll(() => made.stats().running).toBe(0)
  })
})
