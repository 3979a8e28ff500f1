/**
 * Socket types that may not talk to each other: a handshake between the engine under test and libzmq ends without
 * success, the connecting side gives up, and the bound socket goes on serving peers of a fitting type. libzmq
 * closes its side without a word, so what either side hears of it is a matter of who was first.
 */

import { describe, expect, it } from "vitest"
import { eventually, pause } from "../support/eventually.js"
import { type Peer, reportsOf, usePeer } from "../support/peer.js"
import { Watch } from "../support/watch.js"
import { here, type SocketType, there } from "./ends.js"
import { libzmqPeers } from "./meeting.js"

/** Who accepts whom (37/ZMTP, "The Socket-Type Property"). */
const accepts: Record<SocketType, SocketType[]> = {
  REQ: ["REP", "ROUTER"],
  REP: ["REQ", "DEALER"],
  DEALER: ["REP", "DEALER", "ROUTER"],
  ROUTER: ["REQ", "DEALER", "ROUTER"],
  PUB: ["SUB", "XSUB"],
  XPUB: ["SUB", "XSUB"],
  SUB: ["PUB", "XPUB"],
  XSUB: ["PUB", "XPUB"],
  PUSH: ["PULL"],
  PULL: ["PUSH"],
  PAIR: ["PAIR"],
}
const types = Object.keys(accepts) as SocketType[]
const misfits = types.flatMap(ours =>
  types.filter(theirs => !accepts[ours].includes(theirs)).map(theirs => ({ ours, theirs })),
)

async function refuseBound(peer: Peer, ours: SocketType, theirs: SocketType): Promise<void> {
  const local = here(ours)
  const watch = new Watch(local.socket)
  const remote = await there(peer, theirs)
  await remote.connect(await local.bind("tcp://127.0.0.1:*"))
  await watch.next("disconnect")
  expect(watch.count("handshake")).toBe(0)
  await remote.close()
}

async function refuseConnecting(peer: Peer, ours: SocketType, theirs: SocketType): Promise<Watch> {
  const remote = await there(peer, theirs)
  const local = here(ours, { reconnectInterval: 10 })
  const watch = new Watch(local.socket)
  await local.connect(await remote.bind("tcp://127.0.0.1:*"))
  await watch.next("disconnect")
  expect(watch.count("handshake")).toBe(0)
  return watch
}

for (const { kind, missing } of libzmqPeers) {
  describe.skipIf(missing !== null)(`with ${kind}`, () => {
    const peer = usePeer(kind)

    for (const { ours, theirs } of misfits) {
      it(`a ${ours} bound here refuses a ${theirs} there`, () => refuseBound(peer(), ours, theirs))
    }

    it("a connecting socket here is refused by each bound misfit there, and soon stops trying", async () => {
      const watches: Watch[] = []
      for (const { ours, theirs } of misfits) watches.push(await refuseConnecting(peer(), ours, theirs))
      const attempts = () => watches.reduce((sum, watch) => sum + watch.count("connect"), 0)
      // One attempt is enough, unless libzmq hung up before its READY was out: then it looks like a lost connection.
      await eventually(async () => {
        const before = attempts()
        await pause(150) // fifteen reconnect intervals
        return attempts() === before
      }, 10_000)
      expect(watches.filter(watch => watch.count("handshake") > 0)).toEqual([])
    })

    it("a bound socket here goes on with fitting peers after a misfit", async () => {
      const router = here("ROUTER")
      const watch = new Watch(router.socket)
      const endpoint = await router.bind("tcp://127.0.0.1:*")
      const before = await there(peer(), "DEALER", { routingId: "before" })
      await before.connect(endpoint)
      await watch.next("handshake")
      const misfit = await there(peer(), "SUB")
      await misfit.connect(endpoint)
      await watch.next("disconnect")
      const after = await there(peer(), "DEALER", { routingId: "after" })
      await after.connect(endpoint)
      for (const [name, dealer] of Object.entries({ before, after })) {
        await dealer.send(["hello"])
        expect(await router.receive()).toEqual([reportsOf([name, "hello"])])
        await router.send([name, "welcome"])
        expect(await dealer.receive()).toEqual([reportsOf(["welcome"])])
      }
    })
  })
}
