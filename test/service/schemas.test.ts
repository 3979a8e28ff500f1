/** Methods with schemas of three libraries: what fits goes on, and what does not is told of. */
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { type } from "arktype"
import * as v from "valibot"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { method } from "../../patterns/service/index.js"
import { pairs } from "../support/engine-pairs.js"
import { stage } from "./stage.js"

interface Sum {
  a: number
  b: number
}

const libraries: [string, { sum: StandardSchemaV1<Sum>; number: StandardSchemaV1<number> }][] = [
  ["zod", { sum: z.object({ a: z.number(), b: z.number() }), number: z.number() }],
  ["valibot", { sum: v.object({ a: v.number(), b: v.number() }), number: v.number() }],
  ["arktype", { sum: type({ a: "number", b: "number" }), number: type("number") }],
  [
    "zod, async",
    {
      sum: z.object({ a: z.number(), b: z.number() }).refine(async () => true),
      number: z.number().refine(async () => true),
    },
  ],
]

/** A call of what its types forbid. */
type Anything = Record<string, (argument?: unknown) => unknown>

const issues = expect.arrayContaining([{ message: expect.any(String), path: expect.any(Array) }])

describe.each(pairs)("methods with schemas, on a server on %s and clients on %s", (makers, callers) => {
  const { server, client } = stage(makers, callers)

  describe.each(libraries)("of %s", (_, { sum, number }) => {
    it("an argument that does not fit is EINVAL with the issues, and the handler is not called", async () => {
      const seen: unknown[] = []
      const made = await server({
        add: method({ argument: sum, result: number }, ({ a, b }) => {
          seen.push([a, b])
          return a + b
        }),
      })
      const failed: unknown[] = []
      made.on("failed", ({ method }) => failed.push(method))
      const api = client<Anything>(made)
      expect(await api.add!({ a: 1, b: 2 })).toBe(3)
      for (const wrong of [{ a: "1", b: 2 }, { b: 2 }, 5, null, undefined, [1, 2]]) {
        await expect(api.add!(wrong)).rejects.toMatchObject({ code: "EINVAL", data: issues })
      }
      await expect(api.add!({ a: "1", b: 2 })).rejects.toMatchObject({
        message: expect.stringMatching(/^the argument does not fit: a: /),
        data: [{ path: ["a"] }],
      })
      expect(seen).toEqual([[1, 2]])
      expect(failed).toEqual([])
      expect(made.stats()).toMatchObject({ running: 0, methods: { add: { errors: { EINVAL: 7 } } } })
    })

    it("a result that does not fit is the handler's failure", async () => {
      const made = await server({
        bad: method({ result: number }, (() => "three") as never),
        worse: method({ result: number }, (async () => undefined) as never),
        good: method({ result: number }, async () => 3),
      })
      const failed: unknown[] = []
      made.on("failed", ({ method, error }) => failed.push([method, error]))
      const api = client<Anything>(made)
      expect(await api.good!()).toBe(3)
      for (const name of ["bad", "worse"]) {
        await expect(api[name]!()).rejects.toMatchObject({ code: "EINVAL", remoteName: "ServiceError", data: issues })
      }
      const error = expect.objectContaining({ code: "EINVAL" })
      expect(failed).toEqual([
        ["bad", error],
        ["worse", error],
      ])
    })

    it("each item of a stream is checked, there and back, and the first that does not fit ends it", async () => {
      const seen: unknown[] = []
      const made = await server({
        take: method({ items: sum }, async items => {
          for await (const { a, b } of items) seen.push(a + b)
          return seen.length
        }),
        give: method({ argument: number, yields: number }, async function* (to) {
          for (let n = 1; n <= to; n++) yield n
          yield "one more" as unknown as number
        }),
      })
      const api = client<Anything>(made)
      expect(
        await api.take!(
          of([
            { a: 1, b: 1 },
            { a: 2, b: 2 },
          ]),
        ),
      ).toBe(2)
      await expect(api.take!(of([{ a: 3, b: 3 }, { a: "4" }, { a: 5, b: 5 }]))).rejects.toMatchObject({
        code: "EINVAL",
        data: issues,
      })
      expect(seen).toEqual([2, 4, 6])
      const came: unknown[] = []
      await expect(read(api.give!(3), came)).rejects.toMatchObject({ code: "EINVAL", data: issues })
      expect(came).toEqual([1, 2, 3])
      await expect.poll(() => [made.stats().running, api.$.stats().underWay]).toEqual([0, 0])
    })

    it("a client checks what comes, for itself", async () => {
      const made = await server({
        right: () => 1,
        wrong: () => "one",
        async *each() {
          yield* [1, 2, "three", 4]
        },
      })
      const schemas = { right: { result: number }, wrong: { result: number }, each: { yields: number } }
      const api = client<Anything>(made, { schemas })
      expect(await api.right!()).toBe(1)
      await expect(api.wrong!()).rejects.toMatchObject({ code: "EINVAL", data: issues })
      const came: unknown[] = []
      await expect(read(api.each!(), came)).rejects.toMatchObject({ code: "EINVAL", data: issues })
      expect(came).toEqual([1, 2])
      await expect.poll(() => [made.stats().running, api.$.stats().underWay]).toEqual([0, 0])
      expect(api.$.stats().errors).toEqual({ EINVAL: 1 })
    })
  })

  it("a stream does not get by the schema of an argument, nor an array by that of items", async () => {
    const seen: unknown[] = []
    const made = await server({
      one: method({ argument: z.object({}).loose() }, one => seen.push(one)),
      many: method({ items: z.number() }, async items => {
        for await (const item of items) seen.push(item)
      }),
    })
    const api = client<Anything>(made)
    await expect(api.one!(of([1]))).rejects.toMatchObject({ code: "EINVAL" })
    for (const wrong of [["1", "2"], [1, 2], undefined, "12", new Uint8Array(300 * 1024)]) {
      await expect(api.many!(wrong)).rejects.toMatchObject({ code: "EINVAL" })
    }
    expect(seen).toEqual([])
    await api.one!({ x: 1 })
    await api.many!(of([1, 2]))
    expect(seen).toEqual([{ x: 1 }, 1, 2])
    expect(made.stats().running).toBe(0)
  })

  it("nor does a stream get by the schema of a result, or a value by that of items, on either side", async () => {
    async function* stream() {
      yield "secret"
    }
    const made = await server({
      one: method({ result: z.number() }, stream as never),
      many: method({ yields: z.number() }, (() => "secret") as never),
      stream,
      value: () => "a value",
    })
    const schemas = { stream: { result: z.string().optional() }, value: { yields: z.string() } }
    const api = client<Anything>(made, { schemas })
    for (const name of ["one", "stream"]) {
      await expect(api[name]!()).rejects.toMatchObject({ code: "EINVAL" })
      await expect(read(api[name]!())).rejects.toMatchObject({ code: "EINVAL" })
    }
    for (const name of ["many", "value"]) {
      await expect(api[name]!()).rejects.toMatchObject({ code: "EINVAL" })
      await expect(read(api[name]!())).rejects.toMatchObject({ code: "EINVAL" })
    }
    await expect.poll(() => made.stats().running).toBe(0)
  })

  it("what a schema makes of a value is what goes on: defaults, transforms, what is left out", async () => {
    const user = z.object({ name: z.string().trim(), role: z.string().default("guest") })
    const made = await server({
      echo: method({ argument: user, result: z.object({ name: z.string(), role: z.string() }) }, user => ({
        ...user,
        secret: 1,
      })),
      length: method({ argument: v.pipe(v.string(), v.transform(Number)) }, n => [typeof n, n]),
      double: method({ items: z.coerce.number(), yields: z.number().transform(n => `${n}`) }, async function* (items) {
        for await (const n of items) yield 2 * n
      }),
    })
    const api = client<Anything>(made, { schemas: { length: { result: z.array(z.coerce.string()) } } })
    expect(await api.echo!({ name: " Ada ", extra: 1 })).toEqual({ name: "Ada", role: "guest" })
    expect(await api.length!("12")).toEqual(["number", "12"])
    expect(await read(api.double!(of(["1", 2])))).toEqual(["2", "4"])
  })

  it("describe() has JSON Schema where the library has it, else its name", async () => {
    const made = await server({
      zod: method({ argument: z.object({ a: z.number().default(1) }), result: z.string() }, () => ""),
      valibot: method({ argument: v.number() }, () => 1),
      arktype: method({ items: type("number"), yields: type({ x: "string" }) }, async function* () {
        yield { x: "" }
      }),
      transforms: method({ argument: z.string(), result: z.string().transform(Number) }, a => a),
      inner: { none: () => 1 },
    })
    const { $ } = client(made)
    await expect.poll(() => $.stats().servers).toBe(1)
    const [description] = Object.values(await $.describe())
    const methods = description!.methods as Record<string, object>
    expect(methods).toMatchObject({
      zod: { argument: { type: "object", properties: { a: { type: "number" } } }, result: { type: "string" } },
      valibot: { argument: { vendor: "valibot" } },
      arktype: { items: { type: "number" }, yields: { type: "object", required: ["x"] } },
      transforms: { argument: { type: "string" }, result: { vendor: "zod" } },
    })
    // What has a default may be left out by the caller.
    expect(methods.zod).not.toHaveProperty("argument.required")
    expect(methods["inner.none"]).toEqual({ running: 0, limit: 1024 })
  })
})

it("takes schemas only, and says at once which is none", () => {
  for (const wrong of [{}, 5, null, { "~standard": {} }]) {
    expect(() => method({ argument: wrong as never }, () => 1)).toThrow(/argument must have Standard Schema/)
  }
})

it("called directly, a method with schemas is its handler", async () => {
  const add = method({ argument: z.object({ a: z.number() }), result: z.number() }, async ({ a }) => a + 1)
  expect(await add({ a: 1 })).toBe(2)
})

async function* of<T>(items: T[]): AsyncGenerator<T> {
  yield* items
}

async function read(items: unknown, came: unknown[] = []): Promise<unknown[]> {
  for await (const item of items as AsyncIterable<unknown>) came.push(item)
  return came
}
