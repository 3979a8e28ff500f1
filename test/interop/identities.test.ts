/**
 * Routing ids between the engine under test and libzmq: set by the peer or made by the ROUTER, named by the one that
 * connects, announced by a probe, and taken over by a second peer of the same name.
 */

import { describe, expect, it } from "vitest"
import { reportsOf, usePeer } from "../support/peer.js"
import { type End, here, type SocketType, there } from "./ends.js"
import { libzmqPeers } from "./meeting.js"

const long = Buffer.alloc(255, "i")
const binary = Buffer.of(0xff, 0xfe, 0x00, 0x01)
const names = { "one byte": "A", "text beyond ASCII": "Zoë ☂", "255 bytes": long.toString() }

function firstFrame(messages: unknown[][]): Buffer {
  return Buffer.from(messages[0]![0] as string, "base64")
}

/** Messages from each of two unnamed DEALERs, and answers that find their way back. */
async function autoIds(router: End, dealers: [End, End]): Promise<void> {
  const endpoint = await router.bind("tcp://127.0.0.1:*")
  const ids: Buffer[] = []
  for (const [index, dealer] of dealers.entries()) {
    await dealer.connect(endpoint)
    await dealer.send([`from ${index}`])
    const messages = await router.receive()
    const id = firstFrame(messages)
    expect(messages[0]).toEqual(reportsOf([id, `from ${index}`]))
    expect(id).toHaveLength(5)
    expect(id[0]).toBe(0)
    ids.push(id)
  }
  expect(ids[0]).not.toEqual(ids[1])
  await router.send([ids[1]!, "to 1"], [ids[0]!, "to 0"])
  expect(await dealers[0].receive()).toEqual([reportsOf(["to 0"])])
  expect(await dealers[1].receive()).toEqual([reportsOf(["to 1"])])
}

/** A named peer says hello to a ROUTER and is answered by its name. */
async function namedPeer(router: End, peer: End, name: string | Buffer): Promise<void> {
  await peer.connect(await router.bind("tcp://127.0.0.1:*"))
  const envelope = peer.type === "REQ" ? [name, ""] : [name]
  await peer.send(["hello"])
  expect(await router.receive()).toEqual([reportsOf([...envelope, "hello"])])
  await router.send([...envelope, "welcome"])
  expect(await peer.receive()).toEqual([reportsOf(["welcome"])])
}

/** The connecting ROUTER chose the name, so it can send before anything has arrived; the answer bears that name. */
async function chosenName(connecting: End, bound: End): Promise<void> {
  await connecting.send(["chosen", "hello"])
  const messages = await bound.receive()
  const id = firstFrame(messages)
  expect(messages).toEqual([reportsOf([id, "hello"])])
  await bound.send([id, "welcome"])
  expect(await connecting.receive()).toEqual([reportsOf(["chosen", "welcome"])])
}

async function probe(router: End, dealer: End): Promise<void> {
  await dealer.connect(await router.bind("tcp://127.0.0.1:*"))
  expect(await router.receive()).toEqual([reportsOf(["prober", ""])])
  await router.send(["prober", "seen"])
  expect(await dealer.receive()).toEqual([reportsOf(["seen"])])
}

async function takeOver(router: End, first: End, second: End): Promise<void> {
  const endpoint = await router.bind("tcp://127.0.0.1:*")
  for (const dealer of [first, second]) {
    await dealer.connect(endpoint)
    await dealer.send(["hello"])
    expect(await router.receive()).toEqual([reportsOf(["same", "hello"])])
  }
  await router.send(["same", "for the second"])
  expect(await second.receive()).toEqual([reportsOf(["for the second"])])
}

/** What the second says is not heard, and what is sent to the name goes to the first. */
async function refuseSecond(router: End, first: End, second: End): Promise<void> {
  const endpoint = await router.bind("tcp://127.0.0.1:*")
  await first.connect(endpoint)
  await first.send(["hello"])
  expect(await router.receive()).toEqual([reportsOf(["same", "hello"])])
  await second.connect(endpoint)
  await second.send(["from the second"])
  await expect(router.receive(1, 200)).rejects.toMatchObject({ code: "EAGAIN" })
  await router.send(["same", "for the first"])
  expect(await first.receive()).toEqual([reportsOf(["for the first"])])
  await expect(second.receive(1, 50)).rejects.toMatchObject({ code: "EAGAIN" })
}

for (const { kind, missing } of libzmqPeers) {
  describe.skipIf(missing !== null)(`with ${kind}`, () => {
    const peer = usePeer(kind)
    const remote = (type: SocketType, options?: Record<string, unknown>) => there(peer(), type, options)

    it("a ROUTER here makes ids for unnamed DEALERs there", async () => {
      await autoIds(here("ROUTER"), [await remote("DEALER"), await remote("DEALER")])
    })

    it("a ROUTER there makes ids for unnamed DEALERs here", async () => {
      await autoIds(await remote("ROUTER"), [here("DEALER"), here("DEALER")])
    })

    for (const type of ["DEALER", "REQ"] as const) {
      for (const [what, name] of Object.entries(names)) {
        it(`a ROUTER there knows a ${type} here by its name of ${what}`, async () => {
          await namedPeer(await remote("ROUTER"), here(type, { routingId: name }), name)
        })

        it(`a ROUTER here knows a ${type} there by its name of ${what}`, async () => {
          await namedPeer(here("ROUTER"), await remote(type, { routingId: name }), name)
        })
      }

      it(`a ROUTER here knows a ${type} there by a name that is not text`, async () => {
        await namedPeer(here("ROUTER"), await remote(type, { routingId: binary }), binary)
      })
    }

    it("a ROUTER here finds each of twenty DEALERs there", async () => {
      const router = here("ROUTER")
      const endpoint = await router.bind("tcp://127.0.0.1:*")
      const dealers: End[] = []
      for (let index = 0; index < 20; index++) {
        const dealer = await remote("DEALER", { routingId: `dealer ${index}` })
        await dealer.connect(endpoint)
        await dealer.send(["ready"])
        expect(await router.receive()).toEqual([reportsOf([`dealer ${index}`, "ready"])])
        dealers.push(dealer)
      }
      await router.send(...dealers.map((_, index) => [`dealer ${index}`, `for ${index}`]).reverse())
      for (const [index, dealer] of dealers.entries()) {
        expect(await dealer.receive()).toEqual([reportsOf([`for ${index}`])])
      }
    })

    it("a ROUTER here names the ROUTER there that it connects to", async () => {
      const bound = await remote("ROUTER")
      const connecting = here("ROUTER")
      connecting.socket.connect(await bound.bind("tcp://127.0.0.1:*"), { routingId: "chosen" })
      await chosenName(connecting, bound)
    })

    it("a ROUTER there names the ROUTER here that it connects to", async () => {
      const bound = here("ROUTER")
      const connecting = await remote("ROUTER")
      await connecting.socket.connect(await bound.bind("tcp://127.0.0.1:*"), { routingId: "chosen" })
      await chosenName(connecting, bound)
    })

    it("a ROUTER there is probed by a DEALER here", async () => {
      await probe(await remote("ROUTER"), here("DEALER", { routingId: "prober", probeRouter: true }))
    })

    it("a ROUTER here is probed by a DEALER there", async () => {
      await probe(here("ROUTER"), await remote("DEALER", { routingId: "prober", probeRouter: true }))
    })

    it("with handover, the second DEALER of a name takes it: ROUTER here", async () => {
      const dealers = [await remote("DEALER", { routingId: "same" }), await remote("DEALER", { routingId: "same" })]
      await takeOver(here("ROUTER", { handover: true }), dealers[0]!, dealers[1]!)
    })

    it("with handover, the second DEALER of a name takes it: ROUTER there", async () => {
      const dealers = [here("DEALER", { routingId: "same" }), here("DEALER", { routingId: "same" })]
      await takeOver(await remote("ROUTER", { handover: true }), dealers[0]!, dealers[1]!)
    })

    it("without handover, the second DEALER of a name is not heard: ROUTER here", async () => {
      const dealers = [await remote("DEALER", { routingId: "same" }), await remote("DEALER", { routingId: "same" })]
      await refuseSecond(here("ROUTER"), dealers[0]!, dealers[1]!)
    })

    it("without handover, the second DEALER of a name is not heard: ROUTER there", async () => {
      const dealers = [here("DEALER", { routingId: "same" }), here("DEALER", { routingId: "same" })]
      await refuseSecond(await remote("ROUTER"), dealers[0]!, dealers[1]!)
    })
  })
}
