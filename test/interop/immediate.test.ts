/** docs/interop.md: what a Dealer with `immediate` has received when its connection ends. */
import { expect, it } from "vitest"
import * as zeromq from "zeromq"
import { Dealer, Router } from "../../patterns/index.js"

it.each([
  ["peerlane", () => new Dealer({ immediate: true }), true],
  ["libzmq", () => new zeromq.Dealer({ immediate: true, linger: 0 }), false],
] as const)("%s: whether all of 100 messages that were not handed over yet still are", async (_, make, areLeft) => {
  const router = new Router()
  await router.bind("tcp://127.0.0.1:*")
  const dealer = make()
  dealer.connect(router.lastEndpoint!)
  await dealer.send("hello")
  const [id] = await router.receive()
  const ended = new Promise<void>(resolve => dealer.events.on("disconnect", () => resolve()))
  for (let n = 0; n < 100; n++) await router.send([id!, String(n)])
  await router.flushed()
  await router.close()
  await ended
  let received = 0
  dealer.receiveTimeout = 300
  try {
    for (;;) {
      await dealer.receive()
      received++
    }
  } catch (error) {
    expect((error as { code: string }).code).toBe("EAGAIN")
  }
  expect(received === 100).toBe(areLeft)
  dealer.close()
})
