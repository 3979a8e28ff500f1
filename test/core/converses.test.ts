/** A Dealer and a Router keep the loop turning after a message that went alone, and not after several: those are no question. */
import { afterEach, expect, it, vi } from "vitest"
import { Context, Dealer, Router } from "../../patterns/index.js"
import { nodeRuntime } from "../../src/core/node-runtime.js"

afterEach(() => {
  vi.restoreAllMocks()
})

it("keeps the loop after a single message only", async () => {
  const context = new Context()
  await using router = new Router({ context })
  await using dealer = new Dealer({ context })
  await router.bind("tcp://127.0.0.1:*")
  dealer.connect(router.lastEndpoint!)
  await dealer.ready()
  const turns = vi.spyOn(nodeRuntime, "later")

  dealer.trySend("one")
  dealer.trySend("two")
  for (let received = 0; received < 2; received++) await router.receive()
  expect(turns).not.toHaveBeenCalled()

  await dealer.send("a question")
  const [id] = await router.receive()
  expect(turns).toHaveBeenCalled()

  turns.mockClear()
  await router.send([id!, "an answer"])
  await dealer.receive()
  expect(turns).toHaveBeenCalled()
})
