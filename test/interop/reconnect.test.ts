/**
 * Peers that go and come back: a libzmq process killed and started again on the same port, the socket here closed and
 * opened again under a connecting libzmq, and a server that appears after its clients. Traffic resumes by itself, what
 * was queued on a connecting side arrives, subscriptions and names are told again.
 */

import { describe, expect, it, onTestFinished } from "vitest"
import { reservedEndpoint } from "../support/endpoints.js"
import { eventually } from "../support/eventually.js"
import { Peer, type PeerKind, reportsOf, usePeer } from "../support/peer.js"
import { Watch } from "../support/watch.js"
import { type End, here, type LocalEnd, type Message, type SocketType, there } from "./ends.js"
import { libzmqPeers } from "./meeting.js"
import { joined, told } from "./pairs.js"

const quick = { reconnectInterval: 20 }

const numbered = (what: string, count: number): Message[] =>
  Array.from({ length: count }, (_, index) => [`${what} ${index}`, "", "end"])

async function carries(from: End, to: End, messages: Message[]): Promise<void> {
  await from.send(...messages)
  expect(await to.receive(messages.length)).toEqual(messages.map(reportsOf))
}

/** A peer process of the test's own, which it may kill. */
async function ownPeer(kind: PeerKind): Promise<Peer> {
  const peer = await Peer.spawn(kind)
  onTestFinished(() => peer.kill())
  return peer
}

/** Connects `local` to a bound socket in a process, kills the process, and says where to bind its successor. */
async function loseServer(
  local: LocalEnd,
  kind: PeerKind,
  type: SocketType,
  meanwhile: (remote: End) => Promise<void>,
): Promise<string> {
  const watch = new Watch(local.socket)
  const peer = await ownPeer(kind)
  const remote = await there(peer, type)
  const endpoint = await remote.bind("tcp://127.0.0.1:*")
  await local.connect(endpoint)
  await meanwhile(remote)
  await peer.kill()
  await watch.next("disconnect")
  return endpoint
}

for (const { kind, missing } of libzmqPeers) {
  describe.skipIf(missing !== null)(`with ${kind}`, () => {
    const peer = usePeer(kind)

    /** The successor of a killed server: another socket, in a process that lived on, on the same port. */
    async function successor(type: SocketType, endpoint: string): Promise<End> {
      const remote = await there(peer(), type)
      await remote.bind(endpoint)
      return remote
    }

    it("a PUSH here keeps its queue while the PULL there is dead", async () => {
      const push = here("PUSH", quick)
      const endpoint = await loseServer(push, kind, "PULL", pull => carries(push, pull, numbered("before", 3)))
      const queued = numbered("queued", 900)
      await push.send(...queued)
      const pull = await successor("PULL", endpoint)
      expect(await pull.receive(queued.length)).toEqual(queued.map(reportsOf))
      await carries(push, pull, numbered("after", 3))
    })

    it("a PULL here hears the next PUSH there", async () => {
      const pull = here("PULL", quick)
      const endpoint = await loseServer(pull, kind, "PUSH", push => carries(push, pull, numbered("before", 3)))
      await carries(await successor("PUSH", endpoint), pull, numbered("after", 3))
    })

    for (const type of ["SUB", "XSUB"] as const) {
      it(`a ${type} here tells the next XPUB there what it follows`, async () => {
        const subscriber = here(type, quick)
        await subscriber.subscribe("a", "b", "c")
        await subscriber.unsubscribe("b")
        const learns = async (publisher: End) => {
          const topics = await told(publisher, subscriber, 2)
          expect(new Set(topics.flat())).toEqual(new Set(reportsOf(["\x01a", "\x01c"])))
        }
        const endpoint = await loseServer(subscriber, kind, "XPUB", learns)
        const publisher = await successor("XPUB", endpoint)
        await learns(publisher)
        await publisher.send(["a1"], ["b1"], ["c1"])
        expect(await subscriber.receive(2)).toEqual([reportsOf(["a1"]), reportsOf(["c1"])])
      })
    }

    it("a PUB here finds the next SUB there", async () => {
      const publisher = here("PUB", quick)
      const endpoint = await loseServer(publisher, kind, "SUB", async subscriber => {
        await subscriber.subscribe("")
        await joined(publisher, subscriber)
      })
      const subscriber = await there(peer(), "SUB")
      await subscriber.subscribe("")
      await subscriber.bind(endpoint)
      await joined(publisher, subscriber)
      await carries(publisher, subscriber, numbered("after", 3))
    })

    it("a DEALER here keeps its name and its queue from one ROUTER there to the next", async () => {
      const dealer = here("DEALER", { ...quick, routingId: "client" })
      const endpoint = await loseServer(dealer, kind, "ROUTER", async router => {
        await dealer.send(["before"])
        expect(await router.receive()).toEqual([reportsOf(["client", "before"])])
      })
      await dealer.send(["queued"])
      const router = await successor("ROUTER", endpoint)
      expect(await router.receive()).toEqual([reportsOf(["client", "queued"])])
      await router.send(["client", "answer"])
      expect(await dealer.receive()).toEqual([reportsOf(["answer"])])
    })

    it("a relaxed REQ here asks the next REP there", async () => {
      const req = here("REQ", { ...quick, relaxed: true, correlate: true })
      const endpoint = await loseServer(req, kind, "REP", async rep => {
        await req.send(["unanswered"])
        expect(await rep.receive()).toEqual([reportsOf(["unanswered"])])
      })
      await req.send(["again"])
      const rep = await successor("REP", endpoint)
      await rep.echo()
      expect(await req.receive()).toEqual([reportsOf(["again"])])
    })

    it("a PAIR here goes on with the next PAIR there", async () => {
      const pair = here("PAIR", quick)
      const endpoint = await loseServer(pair, kind, "PAIR", other => carries(pair, other, numbered("before", 3)))
      const other = await successor("PAIR", endpoint)
      await carries(pair, other, numbered("there", 3))
      await carries(other, pair, numbered("back", 3))
    })

    it("a bound ROUTER here takes a new DEALER there for the killed one of the same name", async () => {
      const router = here("ROUTER", { mandatory: true })
      const watch = new Watch(router.socket)
      const endpoint = await router.bind("tcp://127.0.0.1:*")
      const doomed = await ownPeer(kind)
      const greet = async (home: Peer) => {
        const dealer = await there(home, "DEALER", { routingId: "same" })
        await dealer.connect(endpoint)
        await dealer.send(["hello"])
        expect(await router.receive()).toEqual([reportsOf(["same", "hello"])])
        await router.send(["same", "welcome"])
        expect(await dealer.receive()).toEqual([reportsOf(["welcome"])])
      }
      await greet(doomed)
      await doomed.kill()
      await watch.next("disconnect")
      await expect(router.send(["same", "gone"])).rejects.toMatchObject({ code: "EHOSTUNREACH" })
      await greet(peer())
    })

    it("a bound PUB here goes on after a SUB there was killed", async () => {
      const publisher = here("PUB")
      const watch = new Watch(publisher.socket)
      const endpoint = await publisher.bind("tcp://127.0.0.1:*")
      const doomed = await ownPeer(kind)
      const subscribers = [await there(doomed, "SUB"), await there(peer(), "SUB")] as const
      for (const subscriber of subscribers) {
        await subscriber.subscribe("")
        await subscriber.connect(endpoint)
        await joined(publisher, subscriber)
      }
      await doomed.kill()
      await watch.next("disconnect")
      await carries(publisher, subscribers[1], numbered("after", 20))
    })

    for (const [left, right] of [
      ["PUSH", "PULL"],
      ["PULL", "PUSH"],
      ["PAIR", "PAIR"],
    ] as const) {
      it(`a ${left} there finds the ${right} here that was closed and opened again`, async () => {
        const first = here(right)
        const watch = new Watch(first.socket)
        const endpoint = await first.bind("tcp://127.0.0.1:*")
        const remote = await there(peer(), left, quick)
        await remote.connect(endpoint)
        await watch.next("handshake")
        await first.close()
        const second = here(right)
        const found = new Watch(second.socket)
        await bindAgain(second, endpoint)
        await found.next("handshake")
        if (left !== "PULL") await carries(remote, second, numbered("to us", 5))
        if (left !== "PUSH") await carries(second, remote, numbered("from us", 5))
      })
    }

    it("a SUB there follows the PUB here that was closed and opened again", async () => {
      const subscriber = await there(peer(), "SUB", quick)
      await subscriber.subscribe("a")
      const first = here("PUB")
      const endpoint = await first.bind("tcp://127.0.0.1:*")
      await subscriber.connect(endpoint)
      await joined(first, subscriber, "a")
      await first.close()
      const second = here("PUB")
      await bindAgain(second, endpoint)
      await joined(second, subscriber, "a")
    })

    it("a socket that unbinds has its peers there again when it binds again", async () => {
      const pull = here("PULL")
      const watch = new Watch(pull.socket)
      const endpoint = await pull.bind("tcp://127.0.0.1:*")
      const push = await there(peer(), "PUSH", quick)
      await push.connect(endpoint)
      await carries(push, pull, numbered("before", 3))
      await pull.socket.unbind(endpoint)
      await watch.next("close")
      await bindAgain(pull, endpoint)
      await joined(push, pull)
      await carries(push, pull, numbered("after", 3))
    })

    it("clients here wait for a server there that starts later", async () => {
      const endpoint = await reservedEndpoint("tcp")
      const [push, req] = [here("DEALER", quick), here("REQ", quick)]
      for (const client of [push, req]) await client.connect(endpoint)
      await Promise.all([push.send(["early"]), req.send(["question"])])
      const router = await successor("ROUTER", endpoint)
      await router.echo()
      expect(await push.receive()).toEqual([reportsOf(["early"])])
      expect(await req.receive()).toEqual([reportsOf(["question"])])
    })

    it("clients there wait for a server here that starts later", async () => {
      const endpoint = await reservedEndpoint("tcp")
      const clients = [await there(peer(), "DEALER", quick), await there(peer(), "REQ", quick)]
      for (const client of clients) await client.connect(endpoint)
      for (const client of clients) await client.send(["early"])
      const router = here("ROUTER")
      await router.bind(endpoint)
      await router.echo()
      for (const client of clients) expect(await client.receive()).toEqual([reportsOf(["early"])])
    })
  })
}

/** Binds a port that was given up a moment ago; libzmq gives it up in the background. */
async function bindAgain(end: End, endpoint: string): Promise<void> {
  await eventually(async () => {
    await end.bind(endpoint)
    return true
  })
}
