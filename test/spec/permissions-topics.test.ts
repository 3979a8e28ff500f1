/**
 * `permit`: a publisher gives a peer no topic that its user may not have, whatever the peer asks for, and all that it may have.
 * The peers are Peerlane's and libzmq's, which know nothing of it.
 */
import { describe, expect, it } from "vitest"
import * as libzmq from "zeromq"
import * as peerlane from "../../patterns/index.js"
import { freshEndpoint, wired } from "../support/endpoints.js"
import { eventually } from "../support/eventually.js"
import { command, frame, greeting, property, RawPeer } from "../support/raw-zmtp.js"
import { bound, failsWith, nothingArrives, ownSockets, text } from "../support/sockets.js"
import { off, on } from "../support/subscriptions.js"
import { knowsUsers, type Mechanism } from "../support/users.js"

const own = ownSockets()

const clients = { peerlane: peerlane.Subscriber, libzmq: libzmq.Subscriber as unknown as typeof peerlane.Subscriber }
const table = { alice: ["news.", "sport."], bob: [""], carol: [], "*": ["public."] }

const forbidden = (pub: peerlane.Socket) => pub.stats().dropped.forbidden ?? 0

/** Sends one message of each topic, and "end" under one that the subscriber has. */
async function publish(pub: peerlane.Publisher | peerlane.XPublisher, last: string): Promise<void> {
  for (const topic of ["", "n", "news.", "news.oslo", "sport.chess", "public.", "secret", last]) await pub.send(topic)
}

async function heardUntil(sub: peerlane.Subscriber, last: string): Promise<string[]> {
  const heard: string[] = []
  while (heard.at(-1) !== last) heard.push((await text(sub))[0]!)
  return heard
}

describe.each(wired)("over %s", transport => {
  describe.each<Mechanism>(["PLAIN", "CURVE"])("with %s", mechanism => {
    describe.each(Object.keys(clients) as (keyof typeof clients)[])("a subscriber of %s", library => {
      const Subscriber = clients[library]

      async function meet(user: string | null, topics: string[], permit: peerlane.Permit = table) {
        const pub = own(new peerlane.Publisher({ permit }))
        const be = knowsUsers(pub, mechanism)
        const address = await bound(pub, freshEndpoint(transport))
        const sub = own(new Subscriber(be(user)))
        sub.subscribe(...topics)
        sub.connect(address)
        await pub.ready()
        return { pub, sub }
      }

      it("gets what its user may have, and no more", async () => {
        const { pub, sub } = await meet("alice", ["news.", "sport.chess", "", "n", "secret", "public."])
        await pub.waitForSubscribers("sport.chess")
        await eventually(() => forbidden(pub) === 4)
        await publish(pub, "news.end")
        expect(await heardUntil(sub, "news.end")).toEqual(["news.", "news.oslo", "sport.chess", "news.end"])
        expect(pub.peers()[0]!.stats().dropped).toEqual({ total: 4, forbidden: 4 })
        expect(pub.topicsCount).toBe(2)
      })

      it("is everybody else when its user has no entry, or no name", async () => {
        for (const user of ["mallory", "constructor", "*", null]) {
          const { pub, sub } = await meet(user, ["public.", "news.", ""])
          await pub.waitForSubscribers("public.")
          await eventually(() => forbidden(pub) === 2)
          await publish(pub, "public.end")
          expect(await heardUntil(sub, "public.end")).toEqual(["public.", "public.end"])
        }
      })

      it("gets nothing where nothing is permitted, and all where the empty prefix is", async () => {
        const nobody = await meet("carol", ["public.", "x"])
        await eventually(() => forbidden(nobody.pub) === 2)
        await nobody.pub.send("public.")
        await nothingArrives(nobody.sub)

        const { pub, sub } = await meet("bob", [""])
        await pub.waitForSubscribers("")
        await publish(pub, "end")
        expect(await heardUntil(sub, "end")).toHaveLength(8)
        expect(forbidden(pub)).toBe(0)
      })

      it("cancels, and asks again", async () => {
        const { pub, sub } = await meet("alice", ["news.", "secret"])
        await pub.waitForSubscribers("news.")
        sub.unsubscribe("secret")
        sub.unsubscribe("news.")
        await eventually(() => pub.topicsCount === 0)
        sub.subscribe("news.oslo")
        await pub.waitForSubscribers("news.oslo")
        await publish(pub, "news.oslo!")
        expect(await heardUntil(sub, "news.oslo!")).toEqual(["news.oslo", "news.oslo!"])
        expect(forbidden(pub)).toBe(1)
      })

      it("is let have what a function says, which sees user and topic", async () => {
        const seen: string[] = []
        const { pub, sub } = await meet("alice", ["a", "b", "c", "alice"], (peer, topic) => {
          seen.push(`${peer.userId} ${topic} ${peer.mechanism}`)
          if (String(topic) === "b") throw new Error("out of order")
          if (String(topic) === "c") return "yes" as unknown as boolean
          return String(topic) === peer.userId
        })
        await pub.waitForSubscribers("alice")
        await eventually(() => forbidden(pub) === 3)
        expect(seen.sort()).toEqual(["a", "alice", "b", "c"].map(topic => `alice ${topic} ${mechanism}`))
        await pub.send("a")
        await pub.send("b")
        await pub.send("c")
        await pub.send("alice!")
        expect(await text(sub)).toEqual(["alice!"])
      })
    })
  })

  it("an XPUB hears neither of what is forbidden, nor of its cancellation", async () => {
    const pub = own(new peerlane.XPublisher({ permit: table, verbosity: "allSubsUnsubs" }))
    const be = knowsUsers(pub, "PLAIN")
    const address = await bound(pub, freshEndpoint(transport))
    const sub = own(new libzmq.XSubscriber(be("alice")) as unknown as peerlane.XSubscriber)
    sub.connect(address)
    for (const message of [on("secret"), on("news."), off("secret"), off("news."), "hello"]) {
      await sub.send(message)
    }
    const heard = []
    while (heard.at(-1) !== "hello") heard.push((await text(pub))[0])
    expect(heard).toEqual([on("news."), off("news."), "hello"])
    expect(forbidden(pub)).toBe(1)
  })

  it("in manual mode the application is asked only for what is permitted", async () => {
    const pub = own(new peerlane.XPublisher({ permit: table, manual: true }))
    const be = knowsUsers(pub, "PLAIN")
    const address = await bound(pub, freshEndpoint(transport))
    const sub = own(new peerlane.Subscriber(be("alice")))
    sub.subscribe("secret", "news.")
    sub.connect(address)
    expect(await text(pub)).toEqual([on("news.")])
    pub.subscribe("extra")
    await pub.send("news.")
    await pub.send("secret")
    sub.subscribe("extra")
    await pub.send("extra")
    expect(pub.peers()[0]!.stats().dropped.forbidden).toBeGreaterThan(0)
  })

  it("taken away, a topic is cancelled at once; given, it must be asked for again", async () => {
    const pub = own(new peerlane.XPublisher({ permit: table }))
    const be = knowsUsers(pub, "PLAIN")
    const address = await bound(pub, freshEndpoint(transport))
    const sub = own(new peerlane.Subscriber(be("alice")))
    sub.subscribe("news.", "sport.")
    sub.connect(address)
    expect([await text(pub), await text(pub)].flat().sort()).toEqual([on("news."), on("sport.")])
    pub.permit = { alice: ["sport."] }
    expect(await text(pub)).toEqual([off("news.")])
    await pub.send("news.")
    await pub.send("sport.")
    expect(await text(sub)).toEqual(["sport."])
    pub.permit = null
    sub.subscribe("anything")
    expect(await text(pub)).toEqual([on("anything")])
  })

  it("who comes after another at a publisher that connects gets none of his topics and messages", async () => {
    const pub = own(new peerlane.Publisher({ permit: { alice: ["a"], bob: ["b"] }, reconnectInterval: 10 }))
    let user = "alice"
    pub.authenticate = () => ({ userId: user })
    const place = own(new peerlane.Subscriber())
    place.authenticate = () => true
    place.subscribe("a", "b")
    const at = await bound(place, freshEndpoint(transport))
    pub.connect(at)
    await pub.waitForSubscribers("a")
    user = "bob"
    await place.close()
    await eventually(() => pub.topicsCount === 0)
    await pub.send("a kept for later?")
    const next = own(new peerlane.Subscriber())
    next.authenticate = () => true
    next.subscribe("a", "b")
    await next.bind(at)
    await pub.waitForSubscribers("b")
    await pub.send("a")
    await pub.send("b")
    expect(await text(next)).toEqual(["b"])
  })
})

it("what a peer says of its own user id does not count", async () => {
  const pub = own(new peerlane.XPublisher({ permit: table }))
  const raw = await RawPeer.connect(await bound(pub, freshEndpoint("tcp")))
  raw.send(greeting(), command("READY", Buffer.concat([property("Socket-Type", "SUB"), property("User-Id", "alice")])))
  raw.send(frame(on("news.")), frame(on("public.")))
  expect(await text(pub)).toEqual([on("public.")])
  expect(pub.peers()[0]!.userId).toBe(null)
  expect(forbidden(pub)).toBe(1)
})

it("over inproc, where nobody has a user id, everybody is everybody else", async () => {
  const pub = own(new peerlane.Publisher({ permit: table }))
  const address = await bound(pub, freshEndpoint("inproc"))
  const sub = own(new peerlane.Subscriber())
  sub.subscribe("", "public.")
  sub.connect(address)
  await pub.waitForSubscribers("public.")
  await pub.send("news.")
  await pub.send("public.")
  expect(await text(sub)).toEqual(["public."])
  expect(forbidden(pub)).toBe(1)
})

it("a cancellation for which nothing was asked counts nothing", async () => {
  const pub = own(new peerlane.XPublisher({ permit: () => false }))
  const address = await bound(pub, freshEndpoint("tcp"))
  const sub = own(new peerlane.XSubscriber())
  sub.connect(address)
  await sub.send(off("x"))
  await sub.send(on("x"))
  await sub.send("hello")
  expect(await text(pub)).toEqual(["hello"])
  expect(forbidden(pub)).toBe(1)
})

it("several subscriptions in one message are asked about one by one", async () => {
  const pub = own(new peerlane.XPublisher({ permit: { "*": ["a"] }, onlyFirstSubscribe: true }))
  const address = await bound(pub, freshEndpoint("tcp"))
  const sub = own(new peerlane.XSubscriber())
  sub.connect(address)
  await sub.send([on("b"), on("a"), on("c"), "rest"])
  expect(await text(pub)).toEqual([on("a")])
  expect(await text(pub)).toEqual(["rest"])
  expect(forbidden(pub)).toBe(2)
})

it("takes tables, functions and null, and nothing else", async () => {
  const pub = own(new peerlane.Publisher())
  expect(pub.permit).toBe(null)
  for (const wrong of [1, "x", { alice: "news." }, { alice: [1] }]) {
    expect(() => Object.assign(pub, { permit: wrong })).toThrow(TypeError)
  }
  expect(pub.permit).toBe(null)
  pub.permit = table
  expect(pub.permit).toBe(table)
  pub.permit = { "*": [Buffer.from("x")] }
})

it("does not go together with invertMatching, by which whoever asks for nothing gets all", async () => {
  const pub = own(new peerlane.Publisher({ permit: table }))
  await failsWith("EINVAL", () => {
    pub.invertMatching = true
  })
  pub.invertMatching = false
  const inverted = own(new peerlane.Publisher({ invertMatching: true }))
  await failsWith("EINVAL", () => {
    inverted.permit = table
  })
  expect(inverted.permit).toBe(null)
})
