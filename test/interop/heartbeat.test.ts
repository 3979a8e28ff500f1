/**
 * Heartbeats between the engine under test and libzmq, both ways: pings that are answered keep a connection through
 * idle time, a process that is stopped where it stands is noticed, and the connection comes back when it goes on.
 */

import { describe, expect, it, onTestFinished } from "vitest"
import * as libzmq from "zeromq"
import { engine } from "../support/engine.js"
import { pause } from "../support/eventually.js"
import { Peer, type PeerKind, reportsOf, usePeer } from "../support/peer.js"
import { Watch } from "../support/watch.js"
import { here, there } from "./ends.js"
import { libzmqPeers } from "./meeting.js"

/** Pings every 50 ms; a longer silence after one of them ends the connection. */
const pinging = (silence: number) => ({ heartbeatInterval: 50, heartbeatTimeout: silence })

/** Pings and tells the peer to hang up after such a silence. */
const announcing = (silence: number) => ({
  heartbeatInterval: 50,
  heartbeatTimeout: 60_000,
  heartbeatTimeToLive: silence,
})

/** Time for a first ping: the time to live comes with it. */
const fewPings = 200

async function ownPeer(kind: PeerKind): Promise<Peer> {
  const peer = await Peer.spawn(kind)
  onTestFinished(() => peer.kill())
  return peer
}

/** A libzmq DEALER in this process that is bound, and what it hears of its connections. */
async function libzmqHere(options: object): Promise<{ dealer: libzmq.Dealer; watch: Watch; endpoint: string }> {
  const dealer = new libzmq.Dealer({ linger: 0, receiveTimeout: 10_000, ...options })
  onTestFinished(() => dealer.close())
  const watch = new Watch(dealer)
  await dealer.bind("tcp://127.0.0.1:*")
  return { dealer, watch, endpoint: dealer.lastEndpoint! }
}

for (const { kind, missing } of libzmqPeers) {
  describe.skipIf(missing !== null)(`with ${kind}`, () => {
    const peer = usePeer(kind)

    it("keep idle connections, whoever pings and whether or not it announces a time to live", async () => {
      const cases = [
        [pinging(1000), {}],
        [{}, pinging(1000)],
        [pinging(1000), pinging(1000)],
        [announcing(1000), {}],
        [{}, announcing(1000)],
      ]
      const connections = []
      for (const [ours, theirs] of cases) {
        const dealer = here("DEALER", ours)
        const watch = new Watch(dealer.socket)
        const remote = await there(peer(), "DEALER", theirs)
        await remote.connect(await dealer.bind("tcp://127.0.0.1:*"))
        await watch.next("handshake")
        connections.push({ dealer, remote, watch })
      }
      await pause(1500)
      for (const [index, { dealer, remote, watch }] of connections.entries()) {
        await remote.send(["still"])
        expect(await dealer.receive()).toEqual([reportsOf(["still"])])
        await dealer.send(["here"])
        expect(await remote.receive()).toEqual([reportsOf(["here"])])
        expect([index, watch.count("handshake"), watch.count("disconnect")]).toEqual([index, 1, 0])
      }
    })

    for (const [what, ours, theirs] of [
      ["by the pings of the one here", pinging(300), {}],
      ["by the time to live that it announced", {}, announcing(300)],
    ] as const) {
      it(`a peer there that is stopped is noticed ${what}, and met again when it goes on`, async () => {
        const frozen = await ownPeer(kind)
        const remote = await there(frozen, "DEALER", theirs)
        const dealer = here("DEALER", { ...ours, reconnectInterval: 20 })
        const watch = new Watch(dealer.socket)
        await dealer.connect(await remote.bind("tcp://127.0.0.1:*"))
        await watch.next("handshake")
        await pause(fewPings)
        frozen.freeze()
        await watch.next("disconnect")
        frozen.thaw()
        await watch.next("handshake")
        await dealer.send(["again"])
        expect(await remote.receive()).toEqual([reportsOf(["again"])])
        await remote.send(["and back"])
        expect(await dealer.receive()).toEqual([reportsOf(["and back"])])
      })
    }
  })
}

describe("stopped here, noticed by libzmq", () => {
  for (const [what, ours, theirs] of [
    ["by its pings", {}, pinging(300)],
    ["by the time to live that we announced", announcing(300), {}],
  ] as const) {
    it(`${what}, and met again when we go on`, async () => {
      const frozen = await ownPeer(engine)
      const { dealer, watch, endpoint } = await libzmqHere(theirs)
      const remote = await there(frozen, "DEALER", { ...ours, reconnectInterval: 20 })
      await remote.connect(endpoint)
      await watch.next("handshake")
      await remote.send(["first"])
      expect((await dealer.receive()).map(String)).toEqual(["first"])
      await pause(fewPings)
      frozen.freeze()
      await watch.next("disconnect")
      frozen.thaw()
      await watch.next("handshake")
      await remote.send(["again"])
      expect((await dealer.receive()).map(String)).toEqual(["again"])
    })
  }
})
