/** A send that waits for a full peer is not given to that peer in the moment in which it leaves: it would be lost, uncounted. */
import { describe, expect, it } from "vitest"
import { Pull, Push, Router } from "../../patterns/index.js"
import { Simulation } from "../support/simulation.js"

describe("sends that wait when their peer leaves", () => {
  it.each([
    ["binds", {}],
    ["connects", { reconnectInterval: -1 }],
    ["connects, and is immediate", { immediate: true }],
  ])("go to the next one: a PUSH that %s", async (how, options) => {
    const sim = new Simulation()
    const push = sim.open(Push, { sendHighWaterMark: 10, ...options })
    const pull = sim.open(Pull, { receiveHighWaterMark: 1 })
    if (how === "binds") pull.connect(await sim.bind(push))
    else push.connect(await sim.bind(pull))
    await sim.until(push.ready())
    const body = Buffer.alloc(20_000)
    while (push.trySend(["early", body])) await sim.turn()
    const sends = ["a", "b", "c"].map(name => push.send(name))
    await sim.until(pull.close({ linger: 0 }))
    await sim.advance(10)
    const { messagesOut, queuedOut } = push.stats()

    const next = sim.open(Pull)
    push.connect(await sim.bind(next))
    expect(await sim.until(receiveAll(next, 3))).toEqual(["a", "b", "c"])
    await sim.until(Promise.all(sends))
    expect(queuedOut).toBe(0)
    expect(push.stats().messagesOut).toBe(messagesOut + 3)
  })

  it("are EHOSTUNREACH: a mandatory ROUTER", async () => {
    const sim = new Simulation()
    const router = sim.open(Router, { sendHighWaterMark: 10, mandatory: true })
    const peer = sim.open(Router, { receiveHighWaterMark: 1, routingId: "peer" })
    peer.connect(await sim.bind(router))
    await sim.until(router.ready())
    while (router.trySend(["peer", Buffer.alloc(20_000)])) await sim.turn()
    const send = sim.failure(router.send(["peer", "late"]))
    await sim.until(peer.close({ linger: 0 }))
    expect((await send).code).toBe("EHOSTUNREACH")
  })
})

async function receiveAll(pull: Pull, count: number): Promise<string[]> {
  const all: string[] = []
  while (all.length < count) all.push(String((await pull.receive())[0]))
  return all
}
