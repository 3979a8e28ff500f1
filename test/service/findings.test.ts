/** What a review has found: each of these failed once. */
import { describe, expect, it } from "vitest"
import { json } from "../../patterns/codec/index.js"
import type { ServiceError } from "../../patterns/service/index.js"
import { gate } from "../support/gate.js"
import { type Bare, stage } from "./stage.js"

const { client, bareServer } = stage("peerlane", "peerlane")

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
})
