/** What a caller's compiler knows of a method, with schemas and without. */
import { type } from "arktype"
import * as v from "valibot"
import { expectTypeOf, it } from "vitest"
import { z } from "zod"
import { type CallContext, type Client, method } from "../../patterns/service/index.js"

it("each side knows the types", () => {
  const implementation = {
    add: method({ argument: z.object({ a: z.number(), b: z.number().default(1) }), result: z.number() }, ({ a, b }) => {
      expectTypeOf([a, b]).toEqualTypeOf<number[]>()
      return a + b
    }),
    users: {
      find: method({ argument: v.string(), result: v.pipe(v.number(), v.transform(String)) }, async (name, call) => {
        expectTypeOf(name).toEqualTypeOf<string>()
        expectTypeOf(call).toEqualTypeOf<CallContext>()
        return name.length
      }),
    },
    sum: method({ items: type("string.numeric.parse"), result: z.number() }, async items => {
      expectTypeOf(items).toEqualTypeOf<AsyncIterable<number>>()
      return 0
    }),
    count: method({ argument: z.number(), yields: z.object({ n: z.number() }) }, async function* (to) {
      yield { n: to }
    }),
    free: method({}, (_, { timeLeft }) => timeLeft),
    async fails(): Promise<never> {
      throw new Error()
    },
    // biome-ignore lint/suspicious/noExplicitAny: it is what this is about
    any: (value: any) => value,
    optional: (n = 1, { timeLeft }: CallContext) => n + timeLeft,
  }
  type Api = Client<typeof implementation>
  expectTypeOf<Awaited<ReturnType<Api["add"]>>>().toEqualTypeOf<number>()
  expectTypeOf<Parameters<Api["add"]>[0]>().toEqualTypeOf<{ a: number; b?: number | undefined }>()
  expectTypeOf<Parameters<Api["users"]["find"]>[0]>().toEqualTypeOf<string>()
  expectTypeOf<Awaited<ReturnType<Api["users"]["find"]>>>().toEqualTypeOf<string>()
  expectTypeOf<Parameters<Api["sum"]>[0]>().toEqualTypeOf<AsyncIterable<string>>()
  expectTypeOf<Awaited<ReturnType<Api["sum"]>>>().toEqualTypeOf<number>()
  expectTypeOf<ReturnType<Api["count"]>>().toEqualTypeOf<AsyncIterable<{ n: number }>>()
  expectTypeOf<Awaited<ReturnType<Api["free"]>>>().toEqualTypeOf<number>()
  expectTypeOf<ReturnType<Api["fails"]>["catch"]>().toBeFunction()
  expectTypeOf<ReturnType<Api["any"]>["catch"]>().toBeFunction()

  expectTypeOf<Api["optional"]>().toBeCallableWith()

  const wrong = (api: Api) => {
    // @ts-expect-error an argument that is missing
    void api.add()
    // @ts-expect-error and one that does not fit
    void api.add({ a: "1" })
    // @ts-expect-error no stream where a value is asked for
    void api.users.find(of(["a"]))
    // @ts-expect-error no array where a stream is
    void api.sum(["1"])
    // @ts-expect-error a stream of something else
    void api.sum(of([1]))
    // @ts-expect-error there is no such method
    void api.users.lose("a")
    // @ts-expect-error a stream cannot be awaited for a result
    void api.count(1).then
  }
  expectTypeOf(wrong).toBeFunction()
  // @ts-expect-error a handler that returns what does not fit
  method({ result: z.number() }, () => "one")
  // @ts-expect-error or yields it
  method({ yields: z.number() }, async function* () {
    yield "one"
  })
})

async function* of<T>(items: T[]): AsyncGenerator<T> {
  yield* items
}
