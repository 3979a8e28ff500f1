/** Who stands before handlers and before calls: in which order, what may be changed, and how a stream looks from there. */
import { describe, expect, it } from "vitest"
import {
  type CallContext,
  type ClientMiddleware,
  type Connected,
  type ServerMiddleware,
  ServiceError,
} from "../../patterns/service/index.js"
import { pairs } from "../support/engine-pairs.js"
import { gate } from "../support/gate.js"
import { stage } from "./stage.js"

const served = {
  double: (n: number) => 2 * n,
  who: (_: undefined, { context, timeLeft }: CallContext) => ({ context, timeLeft }),
  async *count(to: number) {
    for (let n = 1; n <= to; n++) yield n
  },
  async *broken() {
    yield 1
    throw new ServiceError("EODD", "in the middle")
  },
  async *endless() {
    for (let n = 0; ; n++) yield n
  },
}
type Api = typeof served

describe.each(pairs)("middleware, of a server on %s and clients on %s", (makers, callers) => {
  const { server, client } = stage(makers, callers)

  describe("of the server", () => {
    const serve = async (...use: ServerMiddleware[]) => client<Api>(await server(served, { use }))

    it("stands in the order that was given, the first outermost, and sees the result on the way back", async () => {
      const log: unknown[] = []
      const note =
        (name: string): ServerMiddleware =>
        async (argument, { method }, next) => {
          log.push([name, method, argument])
          const result = await next()
          log.push([name, result])
          return result
        }
      const api = await serve(note("one"), note("two"))
      expect(await api.double(4)).toBe(8)
      expect(log).toEqual([
        ["one", "double", 4],
        ["two", "double", 4],
        ["two", 8],
        ["one", 8],
      ])
    })

    it("turns calls down, and stands before every method and no other's", async () => {
      const begun: number[] = []
      const made = await server(
        { ...served, double: (n: number) => begun.push(n) },
        {
          use: [
            (_, { context }, next) => {
              if (context.token !== "secret") throw new ServiceError("EACCES", "who are you?")
              return next()
            },
          ],
        },
      )
      const api = client<Api>(made)
      await expect(api.double(1)).rejects.toMatchObject({ code: "EACCES", message: "who are you?" })
      await expect(read(api.count(3))).rejects.toMatchObject({ code: "EACCES" })
      await expect((api as unknown as Connected<{ none(): void }>).none()).rejects.toMatchObject({ code: "ENOENT" })
      expect(begun).toEqual([])
      const context = { token: "secret" }
      expect(await api.double(1, { context })).toBe(1)
      expect(await read(api.count(3, { context }))).toEqual([1, 2, 3])
    })

    it("changes arguments and results, answers itself, and makes an error something else", async () => {
      const api = await serve(
        async (_, { method }, next) => {
          try {
            return await next()
          } catch (error) {
            throw new ServiceError("EOTHER", `${method}: ${(error as Error).message}`)
          }
        },
        async (argument, { method }, next) => {
          if (method !== "double") return next()
          if (argument === 0) return "from memory"
          if (argument === -1) throw new Error("below zero")
          if (argument === undefined) return next(undefined)
          return `<${await next((argument as number) + 1)}>`
        },
      )
      expect(await api.double(4)).toBe("<10>")
      expect(await api.double(0)).toBe("from memory")
      await expect(api.double(-1)).rejects.toMatchObject({ code: "EOTHER", message: "double: below zero" })
      expect(await (api as Connected<{ double(n?: number): number }>).double()).toBeNaN()
    })

    it("has a stream before its first item, and may put another in its place", async () => {
      const log: string[] = []
      const api = await serve(async (_, __, next) => {
        const items = (await next()) as AsyncIterable<number>
        log.push("next")
        return (async function* () {
          for await (const item of items) yield 10 * item
          log.push("end")
        })()
      })
      expect(await read(api.count(3))).toEqual([10, 20, 30])
      expect(log).toEqual(["next", "end"])
    })

    it("leaves in `state` what those behind it are to know, of this call and no other", async () => {
      const key = Symbol("user")
      let calls = 0
      const implementation = { user: (_: undefined, { state }: CallContext) => [state.size, state.get(key)] }
      const use: ServerMiddleware[] = [
        (_, { state }, next) => {
          state.set(key, `user ${++calls}`)
          return next()
        },
      ]
      const api = client<typeof implementation>(await server(implementation, { use }))
      expect(await api.user()).toEqual([1, "user 1"])
      expect(await api.user()).toEqual([1, "user 2"])
    })
  })

  describe("of the client", () => {
    const connected = async (...use: ClientMiddleware[]) => client<Api>(await server(served), { use })

    it("stands in the order that was given, the first outermost, and sees the result", async () => {
      const log: unknown[] = []
      const note =
        (name: string): ClientMiddleware =>
        async ({ method, argument }, next) => {
          log.push([name, method, argument])
          const result = await next()
          log.push([name, result])
          return result
        }
      const api = await connected(note("one"), note("two"))
      expect(await api.double(4)).toBe(8)
      expect(log).toEqual([
        ["one", "double", 4],
        ["two", "double", 4],
        ["two", 8],
        ["one", 8],
      ])
    })

    it("changes argument, options and result, answers itself, turns down", async () => {
      const api = await connected(async (call, next) => {
        if (call.argument === 0) return "from memory"
        if (call.argument === -1) throw new ServiceError("EACCES", "not from here")
        const context = { ...call.options.context, traceparent: "00-1" }
        const result = await next({ ...call, argument: 5, options: { ...call.options, timeout: 2000, context } })
        return call.method === "double" ? `<${result}>` : result
      })
      expect(await api.double(1)).toBe("<10>")
      expect(await api.double(0)).toBe("from memory")
      await expect(api.double(-1)).rejects.toMatchObject({ code: "EACCES" })
      const { context, timeLeft } = await api.who(undefined, { context: { own: "1" } })
      expect(context).toEqual({ own: "1", traceparent: "00-1" })
      expect(timeLeft).toBeLessThanOrEqual(2000)
      expect(api.$.stats().calls).toBe(2)
    })

    it("tries again by calling next again", async () => {
      let tries = 0
      const implementation = {
        flaky: () => {
          if (++tries < 3) throw new ServiceError("EFLAKY", `try ${tries}`)
          return tries
        },
      }
      const use: ClientMiddleware[] = [
        async (_, next) => {
          for (;;) {
            try {
              return await next()
            } catch (error) {
              if ((error as ServiceError).code !== "EFLAKY") throw error
            }
          }
        },
      ]
      const api = client<typeof implementation>(await server(implementation), { use })
      expect(await api.flaky()).toBe(3)
      expect(api.$.stats().calls).toBe(3)
    })

    it("sees a stream's end, and items go by", async () => {
      const log: unknown[] = []
      const go = gate()
      async function* gated() {
        yield* [1, 2]
        await go.opened
      }
      const watch: ClientMiddleware = async (_, next) => {
        try {
          const result = await next()
          log.push(["end", result])
          return result
        } catch (error) {
          log.push((error as ServiceError).code)
          throw error
        }
      }
      const api = client<Api & { gated: typeof gated }>(await server({ ...served, gated }), { use: [watch] })
      for await (const n of api.gated()) {
        expect(log).toEqual([])
        if (n === 2) go.open()
      }
      await expect.poll(() => log).toEqual([["end", undefined]])
      log.length = 0
      await expect(read(api.broken())).rejects.toMatchObject({ code: "EODD" })
      expect(log).toEqual(["EODD"])
      log.length = 0
      for await (const n of api.endless()) if (n === 100) break
      await expect.poll(() => log).toEqual([["end", undefined]])
      await expect.poll(() => api.$.stats().underWay).toBe(0)
    })

    it("that turns a stream down, or fails behind it, is heard by who reads", async () => {
      const api = await connected(async ({ argument }, next) => {
        if (argument === 0) throw new ServiceError("EACCES", "not from here")
        await next()
        throw new ServiceError("ELATER", "at the end")
      })
      await expect(read(api.count(0))).rejects.toMatchObject({ code: "EACCES" })
      const came: number[] = []
      await expect(read(api.count(2), came)).rejects.toMatchObject({ code: "ELATER" })
      expect(came).toEqual([1, 2])
    })

    it("of a call that nobody looks at fails in silence", async () => {
      const api = await connected(() => {
        throw new Error("nobody hears this")
      })
      void api.double(1)
      await expect(api.double(1)).rejects.toThrow("nobody hears this")
    })
  })
})

async function read<T>(items: AsyncIterable<T>, came: T[] = []): Promise<T[]> {
  for await (const item of items) came.push(item)
  return came
}
