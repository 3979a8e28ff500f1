/** Bodies above 256 KiB: they arrive whole, hold up nobody, stay within the limits, and can be given up on their way. */
import { randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import { raw } from "../../patterns/codec/index.js"
import type { CallContext } from "../../patterns/service/index.js"
import { pairs } from "../support/engine-pairs.js"
import { gate } from "../support/gate.js"
import { stage } from "./stage.js"

const KIB = 1024
const MIB = 1024 * KIB
const PIECE = 256 * KIB
const SIZES = [PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 1, 5 * MIB + 3, 48 * MIB]

const files = {
  echo: (bytes: Uint8Array) => bytes,
  size: (bytes: Uint8Array) => Buffer.from(String(bytes.length)),
  make: (size: Uint8Array) => Buffer.alloc(Number(size), "x"),
}

const plain = {
  // biome-ignore lint/suspicious/noExplicitAny: it is whatever was sent
  echo: (value: any) => value,
  make: (size: number) => Buffer.alloc(size, "x"),
  async *each(sizes: number[]) {
    for (const size of sizes) yield Buffer.alloc(size, size % 251)
  },
  async *back(items: AsyncIterable<Uint8Array>) {
    for await (const item of items) yield item
  },
}

describe.each(pairs)("bodies in pieces, to a server on %s from clients on %s", (makers, callers) => {
  const { server, client, bareClient, bareServer } = stage(makers, callers)

  it.each(SIZES)("an argument and a result of %i bytes as they are", async size => {
    const api = client<typeof files>(await server(files), { codec: raw })
    const bytes = randomBytes(size)
    expect(Buffer.compare(await api.echo(bytes), bytes)).toBe(0)
    expect(String(await api.size(bytes))).toBe(String(size))
    expect((await api.make(Buffer.from(String(size)))).length).toBe(size)
  })

  it.each(SIZES)("an argument and a result with %i bytes among other things", async size => {
    const api = client<typeof plain>(await server(plain))
    const bytes = randomBytes(size)
    const back = await api.echo({ bytes, name: "ß", list: [1, { two: null }] })
    expect(Buffer.compare(back.bytes, bytes)).toBe(0)
    expect({ ...back, bytes: 0 }).toEqual({ bytes: 0, name: "ß", list: [1, { two: null }] })
  })

  it("many at a time, none of them mixed with another", async () => {
    const api = client<typeof plain>(await server(plain))
    const all = Array.from({ length: 12 }, (_, at) => randomBytes(PIECE + at * 100_001))
    const back = await Promise.all(all.map(bytes => api.echo(bytes)))
    expect(back.map((bytes, at) => Buffer.compare(bytes, all[at]!))).toEqual(all.map(() => 0))
  })

  it("items of a stream, there and back, between small ones", async () => {
    const api = client<typeof plain>(await server(plain))
    const sizes = [1, PIECE, PIECE + 1, 0, 3 * MIB, 7, 2 * PIECE, 5]
    const came: number[] = []
    for await (const item of api.each(sizes)) {
      came.push(item.length)
      expect(item.every(byte => byte === item.length % 251)).toBe(true)
    }
    expect(came).toEqual(sizes)
    const items = sizes.map(size => randomBytes(size))
    const back: Uint8Array[] = []
    for await (const item of api.back(of(items))) back.push(item)
    expect(back.map((bytes, at) => Buffer.compare(bytes, items[at]!))).toEqual(items.map(() => 0))
  })

  it("calls made while 40 MiB travel do not wait for it, whichever way it goes", async () => {
    const api = client<typeof plain>(await server(plain))
    const bytes = Buffer.alloc(40 * MIB)
    for (const big of [() => api.echo(bytes).then(() => {}), () => api.make(40 * MIB).then(() => {})]) {
      const order: string[] = []
      const call = big().then(() => order.push("big"))
      for (let at = 0; at < 5; at++) order.push(await api.echo(`small ${at}`))
      await call
      expect(order).toEqual(["small 0", "small 1", "small 2", "small 3", "small 4", "big"])
    }
  })

  it("maxArgument is of the whole argument, in pieces or not, and of each item of a stream", async () => {
    const seen: number[] = []
    const implementation = {
      take: (bytes: Uint8Array) => void seen.push(bytes.length),
      async all(items: AsyncIterable<Uint8Array>) {
        for await (const { length } of items) seen.push(length)
      },
    }
    for (const most of [1000, PIECE, 3 * PIECE + 5]) {
      const api = client<typeof implementation>(await server(implementation, { maxArgument: most }), { codec: raw })
      await api.take(Buffer.alloc(most))
      await expect(api.take(Buffer.alloc(most + 1))).rejects.toMatchObject({ code: "EMSGSIZE" })
      await expect(api.take(Buffer.alloc(most + 2 * MIB))).rejects.toMatchObject({ code: "EMSGSIZE" })
      await api.all(of([Buffer.alloc(most), Buffer.alloc(most)]))
      await expect(api.all(of([Buffer.alloc(1), Buffer.alloc(most + 1)]))).rejects.toMatchObject({ code: "EMSGSIZE" })
      expect(seen.splice(0)).toEqual([most, most, most, 1])
    }
  })

  it("maxResult is of the whole result, in pieces or not, and of each item of a stream", async () => {
    const implementation = {
      make: files.make,
      async *each(sizes: Uint8Array) {
        for (const size of String(sizes).split(" ")) yield Buffer.alloc(Number(size))
      },
    }
    const made = await server(implementation)
    for (const most of [1000, PIECE, 3 * PIECE + 5]) {
      const api = client<typeof implementation>(made, { codec: raw, maxResult: most })
      expect((await api.make(Buffer.from(String(most)))).length).toBe(most)
      for (const size of [most + 1, most + 2 * MIB]) {
        await expect(api.make(Buffer.from(String(size)))).rejects.toMatchObject({ code: "EMSGSIZE" })
      }
      const came: number[] = []
      const reading = async () => {
        for await (const { length } of api.each(Buffer.from(`${most} 1 ${most + 1}`))) came.push(length)
      }
      await expect(reading()).rejects.toMatchObject({ code: "EMSGSIZE" })
      expect(came).toEqual([most, 1])
      await expect.poll(() => [made.stats().running, api.$.stats().underWay]).toEqual([0, 0])
    }
  })

  it("maxArriving is of all arguments on their way, and is given back by those that end, however they do", async () => {
    const made = await server({ size: ({ length }: Uint8Array) => length }, { maxArriving: MIB, maxArgument: 2 * MIB })
    const api = client<{ size(bytes: Uint8Array): number }>(made)
    for (let at = 0; at < 3; at++) {
      await expect(api.size(Buffer.alloc(3 * MIB))).rejects.toMatchObject({
        code: expect.stringMatching(/EBUSY|EMSGSIZE/),
      })
      await expect(api.size(Buffer.alloc(1.5 * MIB))).rejects.toMatchObject({ code: "EBUSY" })
      expect(await api.size(Buffer.alloc(MIB))).toBe(MIB)
    }
    const bare = bareClient(made.lastEndpoint!)
    await bare.hello()
    for (let id = 1; id <= 10; id++) {
      await bare.call([{ id, method: "size", argument: "pieces" }], "")
      expect(await bare.words()).toEqual(["CREDIT", `${id} 64`])
      for (let n = 0; n < 3; n++) await bare.say("PIECE", `${id} ${n}`, Buffer.alloc(PIECE))
      expect((await bare.words())[0]).toBe("CREDIT")
      await bare.say("CANCEL", String(id))
      await expect.poll(() => made.stats().running).toBe(0)
    }
    expect(await api.size(Buffer.alloc(MIB))).toBe(MIB)
  })

  it("cancelled on its way, it frees both sides", async () => {
    const reasons: string[] = []
    const slow = {
      never: (_: Uint8Array, { signal }: CallContext) =>
        new Promise(resolve => signal.addEventListener("abort", () => resolve(reasons.push(signal.reason.code)))),
      make: plain.make,
      echo: plain.echo,
    }
    const made = await server(slow)
    const api = client<typeof slow>(made)
    for (const call of [
      (signal: AbortSignal) => api.never(Buffer.alloc(48 * MIB), { signal }),
      (signal: AbortSignal) => api.make(48 * MIB, { signal }),
    ]) {
      const controller = new AbortController()
      const ended = expect(call(controller.signal)).rejects.toMatchObject({ code: "ECANCELED" })
      await expect.poll(() => made.stats().running, { interval: 1 }).toBe(1)
      controller.abort()
      await ended
      await expect.poll(() => made.stats()).toMatchObject({ running: 0, overdue: 0 })
      expect(api.$.stats()).toMatchObject({ underWay: 0, waiting: 0 })
      expect(await api.echo("next")).toBe("next")
    }
  })

  it("a client that gives up in the middle of an argument sends CANCEL, and no more of it", async () => {
    const bare = await bareServer()
    const api = client<{ take(bytes: Uint8Array): void }>(bare.address, { codec: raw })
    await bare.welcome()
    const controller = new AbortController()
    const call = expect(api.take(Buffer.alloc(4 * MIB), { signal: controller.signal })).rejects.toMatchObject({
      code: "ECANCELED",
    })
    const [command, head] = await bare.words()
    expect([command, JSON.parse(head!).calls]).toMatchObject(["CALL", [{ id: 1, argument: "pieces" }]])
    await bare.say("CREDIT", "1 32")
    expect((await bare.words()).slice(0, 2)).toEqual(["PIECE", "1 0"])
    expect((await bare.words()).slice(0, 2)).toEqual(["PIECE", "1 1"])
    controller.abort()
    expect(await bare.words()).toEqual(["CANCEL", "1"])
    await bare.say("CREDIT", "1 640")
    await call
    void api.take(Buffer.alloc(1)).catch(() => {})
    expect((await bare.words())[0]).toBe("CALL")
  })

  it("nothing of an argument goes to a server that does not begin the call", async () => {
    const bare = await bareServer()
    const api = client<{ take(bytes: Uint8Array): void }>(bare.address, { codec: raw })
    await bare.welcome()
    for (const [at, code] of ["ENOENT", "EBUSY"].entries()) {
      const call = expect(api.take(Buffer.alloc(MIB))).rejects.toMatchObject({ code })
      expect((await bare.words())[0]).toBe("CALL")
      await bare.say("ERROR", JSON.stringify({ id: at + 1, code, message: "no" }))
      await call
    }
    const go = gate()
    const made = await server({ wait: () => go.opened }, { concurrency: 1 })
    const one = bareClient(made.lastEndpoint!)
    await one.hello()
    const calls = [{ method: "missing" }, { method: "wait", argument: undefined }, { method: "wait" }]
    await one.call(
      calls.map((call, at) => ({ id: at + 1, argument: "pieces", ...call })),
      "",
      "",
      "",
    )
    expect(await one.words()).toEqual(["ERROR", expect.stringContaining("ENOENT")])
    expect(await one.words()).toEqual(["ERROR", expect.stringContaining("EBUSY")])
    go.open()
    expect((await one.words())[0]).toBe("RESULT")
  })
})

async function* of<T>(items: T[]): AsyncGenerator<T> {
  yield* items
}
