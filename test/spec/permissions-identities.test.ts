/**
 * `identities`: a peer of a ROUTER has a routing id that its user may have, or its connection ends before it is heard, and before
 * it takes an id over from anybody. The peers are Peerlane's and libzmq's, which know nothing of it.
 */
import { describe, expect, it } from "vitest"
import * as libzmq from "zeromq"
import * as peerlane from "../../patterns/index.js"
import { freshEndpoint, wired } from "../support/endpoints.js"
import { EventLog } from "../support/events.js"
import { eventually } from "../support/eventually.js"
import { bound, nothingArrives, ownSockets, text } from "../support/sockets.js"
import { knowsUsers, type Mechanism } from "../support/users.js"

const own = ownSockets()

const clients = { peerlane: peerlane.Dealer, libzmq: libzmq.Dealer as unknown as typeof peerlane.Dealer }
const table = { alice: "alice-1", bob: ["b1", "b2", ""], "*": ["guest"] }

const refused = (router: peerlane.Router) => router.stats().refused.identities ?? 0

describe.each(wired)("over %s", transport => {
  describe.each<Mechanism>(["PLAIN", "CURVE"])("with %s", mechanism => {
    describe.each(Object.keys(clients) as (keyof typeof clients)[])("a dealer of %s", library => {
      const Dealer = clients[library]

      async function serve(options: ConstructorParameters<typeof peerlane.Router>[0]) {
        const router = own(new peerlane.Router(options))
        const be = knowsUsers(router, mechanism)
        const log = new EventLog(router)
        const address = await bound(router, freshEndpoint(transport))
        const join = (user: string | null, routingId?: string) => {
          // Refused, libzmq would come again at once.
          const dealer = own(new Dealer({ ...be(user), ...(routingId && { routingId }), reconnectInterval: 60_000 }))
          dealer.connect(address)
          return dealer
        }
        return { router, log, join }
      }

      it("is heard by an id that its user may have", async () => {
        const { router, join } = await serve({ identities: table })
        for (const [user, id] of [
          ["alice", "alice-1"],
          ["bob", "b1"],
          ["bob", "b2"],
          ["mallory", "guest"],
        ] as const) {
          const dealer = join(user, id)
          await dealer.send("hello")
          expect(await text(router)).toEqual([id, "hello"])
          await router.send([id, "welcome"])
          expect(await text(dealer)).toEqual(["welcome"])
          await dealer.close()
        }
        const nameless = join("bob")
        await nameless.send("hello")
        const [id, hello] = await router.receive()
        expect([id!.length, String(hello)]).toEqual([5, "hello"])
        expect(refused(router)).toBe(0)
      })

      it.each([
        ["another user's id", "alice", "b1"],
        ["an id of nobody", "bob", "b3"],
        ["no id, where the user has one", "alice", undefined],
        ["an id, being nobody by name", null, "alice-1"],
        ["an id of a user that is called like a property", "constructor", "toString"],
      ])("is ended when it has %s", async (_, user, id) => {
        const { router, log, join } = await serve({ identities: table, mandatory: true })
        const dealer = join(user, id)
        await dealer.send("hello")
        const ended = await log.seen("disconnect")
        expect(ended).toMatchObject({ error: { status: 400, limit: "identities" } })
        expect((ended as { error?: Error }).error).toBeInstanceOf(peerlane.AuthError)
        await nothingArrives(router)
        expect(router.stats()).toMatchObject({ refused: { total: 1, identities: 1 }, peers: 0, messagesIn: 0 })
        if (id !== undefined) await expect(router.send([id, "x"])).rejects.toMatchObject({ code: "EHOSTUNREACH" })
      })

      it("does not take over the id of another user", async () => {
        const { router, join } = await serve({ identities: table, handover: true })
        const alice = join("alice", "alice-1")
        await alice.send("hello")
        expect(await text(router)).toEqual(["alice-1", "hello"])
        const bob = join("bob", "alice-1")
        await bob.send("I am alice")
        await eventually(() => refused(router) === 1)
        await router.send(["alice-1", "still you?"])
        expect(await text(alice)).toEqual(["still you?"])
        await nothingArrives(router)
        // The user himself may come anew.
        const again = join("alice", "alice-1")
        await again.send("moved")
        expect(await text(router)).toEqual(["alice-1", "moved"])
      })

      it("has what a function lets it have, which sees the user and the id", async () => {
        const seen: string[] = []
        const { router, join } = await serve({
          identities: (peer, identity) => {
            seen.push(`${peer.userId} ${identity} ${peer.mechanism}`)
            if (String(identity) === "error") throw new Error("out of order")
            return String(identity) === peer.userId
          },
        })
        join("alice", "error")
        await eventually(() => refused(router) === 1)
        join("alice", "bob")
        await eventually(() => refused(router) === 2)
        await join("alice", "alice").send("hello")
        expect(await text(router)).toEqual(["alice", "hello"])
        expect(seen).toEqual(["error", "bob", "alice"].map(id => `alice ${id} ${mechanism}`))
      })
    })
  })

  it("without a * in the table, who is not in it comes without an id only", async () => {
    const router = own(new peerlane.Router({ identities: { alice: "alice-1" } }))
    const be = knowsUsers(router, "PLAIN")
    const address = await bound(router, freshEndpoint(transport))
    const join = (routingId?: string) => {
      const dealer = own(
        new libzmq.Dealer({ ...be("mallory"), ...(routingId && { routingId }) }) as unknown as peerlane.Dealer,
      )
      dealer.connect(address)
      return dealer
    }
    join("x").linger = 0
    await eventually(() => refused(router) >= 1)
    const dealer = join()
    await dealer.send("hello")
    const { message, peer } = await router.receiveFrom()
    expect([String(message[1]), peer.userId]).toEqual(["hello", "mallory"])
  })

  it("a ROUTER that connects asks for those who name themselves, each time that one comes", async () => {
    const router = own(new peerlane.Router({ identities: table, reconnectInterval: 10 }))
    let user = "alice"
    router.authenticate = () => ({ userId: user })
    const log = new EventLog(router)
    const place = async (at: string) => {
      const dealer = own(new peerlane.Dealer({ routingId: "alice-1" }))
      dealer.authenticate = () => true
      return { dealer, at: await bound(dealer, at) }
    }
    const { dealer, at } = await place(freshEndpoint(transport))
    router.connect(at)
    await dealer.send("hello")
    expect(await text(router)).toEqual(["alice-1", "hello"])
    await dealer.close()
    user = "bob"
    await place(at)
    await eventually(() => refused(router) === 1)
    // That is the peer's fault, and final, as libzmq has it.
    const handshakes = log.count("handshake")
    await log.staysQuiet()
    expect(handshakes).toBe(2)
  })

  it("an id that connect() was given is not asked about", async () => {
    const router = own(new peerlane.Router({ identities: {} }))
    const dealer = own(new peerlane.Dealer({ routingId: "its own" }))
    router.connect(await bound(dealer, freshEndpoint(transport)), { routingId: "mine" })
    await router.send(["mine", "hello"])
    expect(await text(dealer)).toEqual(["hello"])
    expect(refused(router)).toBe(0)
  })
})

it("over inproc, where nobody has a user id, everybody is everybody else", async () => {
  const router = own(new peerlane.Router({ identities: table }))
  const address = await bound(router, freshEndpoint("inproc"))
  const join = (routingId: string) => {
    const dealer = own(new peerlane.Dealer({ routingId }))
    dealer.connect(address)
    return dealer
  }
  const alice = join("alice-1")
  await join("guest").send("hello")
  expect(await text(router)).toEqual(["guest", "hello"])
  expect(router.stats()).toMatchObject({ refused: { total: 1, identities: 1 }, peers: 1 })
  expect(alice.peers()).toEqual([])
})

it("takes tables, functions and null, and nothing else", () => {
  const router = own(new peerlane.Router())
  expect(router.identities).toBe(null)
  for (const wrong of [1, "x", { alice: 1 }, { alice: [1] }]) {
    expect(() => Object.assign(router, { identities: wrong })).toThrow(TypeError)
  }
  router.identities = table
  expect(router.identities).toBe(table)
  router.identities = null
})
