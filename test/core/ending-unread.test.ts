/**
 * A peer that has gone while not all of what it sent was read, and a socket that then ends while it has something to send:
 * nothing will ever be written to that peer, so nothing waits for it.
 */
import { describe, expect, it } from "vitest"
import { Dealer } from "../../patterns/index.js"
import { Simulation } from "../support/simulation.js"

describe("a peer that left, with more unread than is received", () => {
  it.each(["before", "after"] as const)("is not waited for by close(), if it leaves %s that", async when => {
    const sim = new Simulation()
    const dealer = sim.open(Dealer, { receiveHighWaterMark: 1 })
    const peer = sim.open(Dealer, { receiveHighWaterMark: 1 })
    peer.connect(await sim.bind(dealer))
    await sim.until(peer.ready())
    for (let count = 0; count < 500; count++) await sim.until(peer.send(Buffer.alloc(1000)))
    // More than the network and the peer, which does not read, take.
    while (dealer.stats().queuedOut < 10) {
      await sim.until(dealer.send(Buffer.alloc(20_000)))
      await sim.turn()
    }
    const leave = () => peer.close({ linger: 0 })
    if (when === "before") await sim.until(leave())
    await sim.advance(10)
    const closed = dealer.close()
    if (when === "after") await sim.until(leave())
    await sim.until(closed)
    expect(dealer.stats().dropped).toMatchObject({ disconnected: expect.any(Number) })
  })
})
