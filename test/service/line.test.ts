/** The line of a client, with servers that are no more than their numbers. */
import { expect, it } from "vitest"
import { Line } from "../../patterns/service/line.js"
import type { Outgoing } from "../../patterns/service/outgoing.js"
import type { Peer } from "../../patterns/service/peer.js"

function peerNamed(address: string) {
  const sent: Outgoing[] = []
  let asked = 0
  const peer = {
    address,
    served: 0,
    get isThere() {
      asked++
      return true
    },
    get isAble() {
      return sent.length === 0
    },
    get busy() {
      return sent.length
    },
    send: (call: Outgoing) => void sent.push(call),
  } as unknown as Peer
  return { peer, sent, asked: () => asked }
}

it("calls with keys that wait cost no more for each than others, however many wait", () => {
  const all = ["a", "b", "c", "d"].map(peerNamed)
  const line = new Line(new Map(all.map(({ peer }) => [peer.address, peer])))
  const COUNT = 2000
  for (let n = 0; n < COUNT; n++) {
    const call = { request: { sticky: `key ${n}` }, hasRefused: () => false, forgiveAll: () => {} }
    line.add(call as unknown as Outgoing)
  }
  let served = 0
  while (all.some(({ sent }) => sent.length > 0)) {
    for (const { sent } of all) {
      served += sent.splice(0).length
      line.pump()
    }
  }
  expect(served).toBe(COUNT)
  expect(line.size).toBe(0)
  const asked = all.reduce((sum, peer) => sum + peer.asked(), 0)
  expect(asked / COUNT).toBeLessThan(100)
})
