/** Calls that a handler makes for its caller: what travels on, and that they end with the outer one. */
import { describe, expect, it } from "vitest"
import type { CallContext, ServiceError } from "../../patterns/service/index.js"
import { pairs } from "../support/engine-pairs.js"
import { gate } from "../support/gate.js"
import { stage } from "./stage.js"

const served = {
  who: (_: undefined, { context, timeLeft }: CallContext) => ({ context, timeLeft }),
}

describe.each(pairs)("calls within calls, to a server on %s from clients on %s", (makers, callers) => {
  const { server, client } = stage(makers, callers)

  it("take the context along, and what it says itself goes before", async () => {
    const inner = client<typeof served>(await server(served))
    const outer = {
      ask: (_: undefined, call: CallContext) =>
        inner.who(undefined, { within: call, context: { own: "2" } }).finally(() => {}),
    }
    const api = client<typeof outer>(await server(outer))
    const { context, timeLeft } = await api.ask(undefined, {
      context: { traceparent: "00-1", own: "1" },
      timeout: 5000,
    })
    expect(context).toEqual({ traceparent: "00-1", own: "2" })
    expect(timeLeft).toBeLessThanOrEqual(5000)
  })

  it.each(["cancel", "timeout", "close"])("end with the outer one, by %s", async how => {
    const [begun, ended] = [gate(), gate<string>()]
    const implementation = {
      wait: (_: undefined, { signal }: CallContext) => {
        begun.open()
        return new Promise(() => signal.addEventListener("abort", () => ended.open(signal.reason.code)))
      },
    }
    const inner = client<typeof implementation>(await server(implementation))
    const codes: string[] = []
    const outer = {
      ask: (_: undefined, call: CallContext) =>
        inner.wait(undefined, { within: call }).catch(error => codes.push((error as ServiceError).code)),
    }
    const api = client<typeof outer>(await server(outer))
    const controller = new AbortController()
    const call = api.ask(undefined, { signal: controller.signal, timeout: how === "timeout" ? 200 : 10_000 })
    const failed = expect(call).rejects.toMatchObject({ code: expect.stringMatching(/ECANCELED|ETIMEDOUT|ECLOSED/) })
    await begun.opened
    if (how === "cancel") controller.abort()
    if (how === "close") await api.$.close()
    await failed
    expect(["ECANCELED", "ETIMEDOUT"]).toContain(await ended.opened)
    await expect.poll(() => codes).toEqual([expect.stringMatching(/ECANCELED|ETIMEDOUT/)])
    expect(inner.$.stats().underWay).toBe(0)
  })

  it("of a call that is over are not made", async () => {
    let begun = 0
    const inner = client<{ count(): number }>(await server({ count: () => ++begun }))
    const outcome = gate<string>()
    const outer = {
      ask: async (_: undefined, call: CallContext) => {
        await new Promise(resolve => call.signal.addEventListener("abort", resolve))
        outcome.open(
          (await inner.count(undefined, { within: call }).catch(error => (error as ServiceError).code)) as string,
        )
      },
    }
    const api = client<typeof outer>(await server(outer))
    await expect(api.ask(undefined, { timeout: 100 })).rejects.toMatchObject({ code: "ETIMEDOUT" })
    expect(["ECANCELED", "ETIMEDOUT"]).toContain(await outcome.opened)
    expect(begun).toBe(0)
  })
})
