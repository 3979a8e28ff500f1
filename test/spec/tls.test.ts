/**
 * `tls+tcp://` as sockets have it: who is let in and who is not, what is told of it, how certificates are changed, and that
 * every pattern works over it. libzmq has no such transport: both sides are Peerlane.
 */
import { inspect } from "node:util"
import { describe, expect, it } from "vitest"
import * as zmq from "../../patterns/index.js"
import { type Authority, authority, type Certificate } from "../support/certificates.js"
import { EventLog } from "../support/events.js"
import { eventually } from "../support/eventually.js"
import { bound, failsWith, failure, ownSockets, text } from "../support/sockets.js"

const ANY = "tls+tcp://127.0.0.1:*"
const home = authority("home")
const hosts = ["127.0.0.1", "localhost"]
const server = home.issue({ name: "server", hosts })
const client = home.issue({ name: "client" })

const shows = ({ cert, key }: Certificate) => ({ tlsCertPem: cert, tlsKeyPem: key })
const trusts = ({ cert }: Authority) => ({ tlsTrustPem: cert })
const fast = { reconnectInterval: 20 }

const own = ownSockets()

/** A Push that cannot come to a Pull: what each side is told first. */
async function refused(pullOptions: object, pushOptions: object) {
  const pull = own(new zmq.Pull({ ...shows(server), ...pullOptions }))
  const push = own(new zmq.Push({ ...trusts(home), ...fast, ...pushOptions }))
  const [there, here] = [new EventLog(pull), new EventLog(push)]
  push.connect(await bound(pull, ANY))
  const told = await there.seen("handshake:error:other")
  await here.seen("connect:retry", 2)
  expect(there.count("handshake")).toBe(0)
  expect(there.count("disconnect")).toBe(0)
  return { there: told as { error: Error & { code: string } }, here }
}

describe("a server's certificate", () => {
  it("is checked, and told of the peer; messages of all sizes arrive", async () => {
    const pull = own(new zmq.Pull(shows(server)))
    const push = own(new zmq.Push(trusts(home)))
    push.connect(await bound(pull, ANY))
    for (const size of [0, 1, 255, 256, 16_384, 100_000, 20_000_000]) {
      const message = Buffer.alloc(size, size)
      await push.send(message)
      expect((await pull.receive())[0]!.equals(message)).toBe(true)
    }
    const [peer] = push.peers()
    expect(peer!.certificate).toMatchObject({ subject: "CN=server", names: expect.stringContaining("127.0.0.1") })
    expect(peer!.address).toBe(pull.lastEndpoint)
    expect(pull.peers()[0]!.certificate).toBeNull()
  })

  it.each<[string, object, object, string]>([
    ["of an authority that nobody knows", shows(authority("strange").issue({ hosts })), {}, "SIGNATURE"],
    ["for another name", shows(home.issue({ hosts: ["example.org"] })), {}, "ALTNAME"],
    ["for another name than the one that is asked for", {}, { tlsHostname: "example.org" }, "ALTNAME"],
    ["that is over", shows(home.issue({ hosts, from: -20, to: -10 })), {}, "EXPIRED"],
    ["that is not valid yet", shows(home.issue({ hosts, from: 10, to: 20 })), {}, "NOT_YET_VALID"],
    ["that nobody was told to trust", {}, { tlsTrustPem: null }, "UNABLE_TO_VERIFY"],
  ])("%s is refused, told on both sides, and tried again", async (_, pullOptions, pushOptions, reason) => {
    const { here } = await refused(pullOptions, pushOptions)
    const { error } = here.all.find(({ type }) => type === "handshake:error:other") as {
      error: Error & { code: string }
    }
    expect(error.code).toBe("EACCES")
    expect(error.message).toContain(reason)
    expect(here.count("connect")).toBe(0)
  })

  it("may stand for a name that is given in place of the address", async () => {
    const pull = own(new zmq.Pull(shows(home.issue({ hosts: ["example.org"] }))))
    const push = own(new zmq.Push({ ...trusts(home), tlsHostname: "example.org" }))
    push.connect(await bound(pull, ANY))
    await push.send("hello")
    expect(await text(pull)).toEqual(["hello"])
  })

  it("is checked whatever the environment says", async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"
    try {
      await refused({}, { tlsTrustPem: authority("strange").cert })
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
    }
  })

  it("is taken over IPv6, whoever the accept filter lets in", async () => {
    const pull = own(new zmq.Pull({ ...shows(server), ipv6: true, tcpAcceptFilter: "::1" }))
    const log = new EventLog(pull)
    const address = await bound(pull, "tls+tcp://*:*")
    const push = own(new zmq.Push({ ...trusts(home), ipv6: true, tlsHostname: "localhost" }))
    push.connect(address.replace("[::]", "[::1]"))
    await push.send("hello")
    expect(await text(pull)).toEqual(["hello"])
    expect(pull.peers()[0]!.address).toMatch(/^tls\+tcp:\/\/\[::1\]:\d+$/)
    own(new zmq.Push(trusts(home))).connect(address.replace("[::]", "127.0.0.1"))
    expect(await log.seen("accept:error")).toMatchObject({ error: { code: "EAGAIN" } })
  })

  it("is taken by each of many at once", async () => {
    const pull = own(new zmq.Pull(shows(server)))
    const address = await bound(pull, ANY)
    const pushes = Array.from({ length: 200 }, () => own(new zmq.Push(trusts(home))))
    for (const push of pushes) push.connect(address)
    await pull.ready({ peers: 200, timeout: 20_000 })
    await Promise.all(pushes.map((push, index) => push.send(String(index))))
    const got = new Set<string>()
    while (got.size < 200) got.add((await text(pull))[0]!)
  })

  it("old versions are not spoken where a newer one is the least", async () => {
    const pull = own(new zmq.Pull({ ...shows(server), tlsMinVersion: "TLSv1.3" }))
    const push = own(new zmq.Push({ ...trusts(home), tlsMinVersion: "TLSv1.3" }))
    push.connect(await bound(pull, ANY))
    await push.send("hello")
    expect(await text(pull)).toEqual(["hello"])
    await failsWith("EINVAL", () => new zmq.Push({ tlsMinVersion: "TLSv1" } as object))
  })
})

describe("certificates on both sides", () => {
  const asks = { tlsRequireClientCert: true, ...trusts(home) }

  it("let in who shows one, and it is known", async () => {
    const pull = own(new zmq.Pull({ ...shows(server), ...asks }))
    const push = own(new zmq.Push({ ...trusts(home), ...shows(client) }))
    push.connect(await bound(pull, ANY))
    await push.send("hello")
    expect(await text(pull)).toEqual(["hello"])
    expect(pull.peers()[0]!.certificate).toMatchObject({ subject: "CN=client", names: null })
  })

  it.each<[string, object]>([
    ["nobody who shows none", {}],
    ["nobody who shows one of another authority", shows(authority("strange").issue())],
    ["nobody whose own is over", shows(home.issue({ from: -20, to: -10 }))],
  ])("let in %s", async (_, pushOptions) => {
    const { there } = await refused(asks, pushOptions)
    expect(there.error).toMatchObject({ code: "EACCES", message: expect.stringContaining("certificate was refused") })
  })

  it("decide by authenticate, with and without PLAIN inside", async () => {
    for (const plain of [false, true]) {
      const reply = own(new zmq.Reply({ ...shows(server), ...asks, plainServer: plain }))
      const seen: zmq.AuthenticationRequest[] = []
      reply.authenticate = request => {
        seen.push(request)
        return request.certificate?.subject === "CN=client" && { userId: request.username ?? "by certificate" }
      }
      const address = await bound(reply, ANY)
      const good = own(new zmq.Request({ ...trusts(home), ...shows(client) }))
      const bad = own(new zmq.Request({ ...trusts(home), ...shows(home.issue({ name: "other" })) }))
      if (plain) for (const request of [good, bad]) Object.assign(request, { plainUsername: "ann", plainPassword: "p" })
      const log = new EventLog(bad)
      bad.connect(address)
      good.connect(address)
      const [, question] = await Promise.all([good.send("?"), reply.receiveFrom()])
      expect(question.peer.userId).toBe(plain ? "ann" : "by certificate")
      expect(question.peer.mechanism).toBe(plain ? "PLAIN" : "NULL")
      await eventually(() => seen.some(({ certificate }) => certificate?.subject === "CN=other"))
      await (plain
        ? log.seen("handshake:error:auth")
        : eventually(() => log.count("disconnect") > 0 || log.count("handshake:error:auth") > 0))
      expect(log.count("handshake")).toBe(0)
      expect(reply.peers()).toHaveLength(1)
    }
  })
})

describe("changing certificates", () => {
  it("of a bound socket is for new connections; those that are there stay", async () => {
    const next = authority("next")
    const pull = own(new zmq.Pull(shows(server)))
    const address = await bound(pull, ANY)
    const old = own(new zmq.Push(trusts(home)))
    old.connect(address)
    await old.send("1")
    expect(await text(pull)).toEqual(["1"])

    const { cert, key } = next.issue({ name: "new", hosts })
    pull.tlsKeyPem = key
    // Between the two they do not fit: the old pair still serves.
    const between = own(new zmq.Push(trusts(home)))
    between.connect(address)
    await between.send("2")
    expect(await text(pull)).toEqual(["2"])
    pull.tlsCertPem = cert

    const fresh = own(new zmq.Push(trusts(next)))
    fresh.connect(address)
    await fresh.send("3")
    expect(await text(pull)).toEqual(["3"])
    expect(fresh.peers()[0]!.certificate?.subject).toBe("CN=new")
    await old.send("4")
    expect(await text(pull)).toEqual(["4"])
    expect(pull.peers()).toHaveLength(3)
  })

  it("of a connecting socket is for its next connection", async () => {
    const pull = own(new zmq.Pull({ ...shows(server), tlsRequireClientCert: true, ...trusts(home) }))
    const push = own(new zmq.Push({ ...trusts(authority("wrong")), ...shows(client), ...fast }))
    const log = new EventLog(push)
    push.connect(await bound(pull, ANY))
    await log.seen("handshake:error:other")
    push.tlsTrustPem = home.cert
    await push.send("hello")
    expect(await text(pull)).toEqual(["hello"])
  })

  it("to what does not do is told, and the old ones serve on", async () => {
    const pull = own(new zmq.Pull(shows(server)))
    const log = new EventLog(pull)
    const address = await bound(pull, ANY)
    pull.tlsCertPem = "no certificate"
    const push = own(new zmq.Push(trusts(home)))
    push.connect(address)
    await push.send("hello")
    expect(await text(pull)).toEqual(["hello"])
    expect(await log.seen("accept:error")).toMatchObject({ error: { code: "EINVAL" } })
  })
})

describe("a connection that is lost", () => {
  it("is made again when the server is back, and what was queued arrives", async () => {
    const first = own(new zmq.Pull(shows(server)))
    const address = await bound(first, ANY)
    const push = own(new zmq.Push({ ...trusts(home), ...fast }))
    const log = new EventLog(push)
    push.connect(address)
    await push.send("1")
    expect(await text(first)).toEqual(["1"])
    await first.close({ linger: 0 })
    await log.seen("disconnect")
    await push.send("2")
    const second = own(new zmq.Pull(shows(server)))
    await second.bind(address)
    expect(await text(second)).toEqual(["2"])
  })

  it("is left alone after a failed handshake where reconnectStop says so", async () => {
    const pull = own(new zmq.Pull(shows(server)))
    const push = own(new zmq.Push({ ...fast, reconnectStop: 2 }))
    const log = new EventLog(push)
    push.connect(await bound(pull, ANY))
    await log.seen("handshake:error:other")
    await log.staysQuiet()
    expect(log.count("connect:retry")).toBe(0)
  })
})

describe("every pattern", () => {
  const both = { ...shows(server), ...trusts(home) }

  it("asks and answers: Request and Reply, Dealer and Router, Pair", async () => {
    const reply = own(new zmq.Reply(both))
    const request = own(new zmq.Request(both))
    request.connect(await bound(reply, ANY))
    await request.send("?")
    expect(await text(reply)).toEqual(["?"])
    await reply.send("!")
    expect(await text(request)).toEqual(["!"])

    const router = own(new zmq.Router(both))
    const dealer = own(new zmq.Dealer({ ...both, routingId: "me" }))
    dealer.connect(await bound(router, ANY))
    await dealer.send(["a", "b"])
    expect(await text(router)).toEqual(["me", "a", "b"])
    await router.send(["me", "c"])
    expect(await text(dealer)).toEqual(["c"])

    const [one, other] = [own(new zmq.Pair(both)), own(new zmq.Pair(both))]
    other.connect(await bound(one, ANY))
    await one.send("1")
    await other.send("2")
    expect([await text(one), await text(other)]).toEqual([["2"], ["1"]])
  })

  it("tells everybody: Publisher and Subscriber, XPublisher and XSubscriber", async () => {
    const xpub = own(new zmq.XPublisher(both))
    const sub = own(new zmq.Subscriber(both))
    sub.subscribe("a")
    sub.connect(await bound(xpub, ANY))
    expect(await text(xpub)).toEqual(["\x01a"])
    await xpub.send("abc")
    expect(await text(sub)).toEqual(["abc"])

    const publisher = own(new zmq.Publisher(both))
    const xsub = own(new zmq.XSubscriber(both))
    xsub.connect(await bound(publisher, ANY))
    await xsub.send("\x01b")
    const heard = text(xsub)
    let done = false
    void heard.finally(() => {
      done = true
    })
    await eventually(async () => {
      await publisher.send("bcd")
      return done
    })
    expect(await heard).toEqual(["bcd"])
  })

  it("carries bytes: Stream", async () => {
    const stream = own(new zmq.Stream({ ...both, notify: false }))
    const other = own(new zmq.Stream({ ...both, notify: false }))
    other.connect(await bound(stream, ANY), { routingId: "it" })
    await other.ready()
    await other.send(["it", "hello"])
    expect((await text(stream))[1]).toBe("hello")
  })

  it("encrypts twice with CURVE", async () => {
    const keys = zmq.curveKeyPair()
    const mine = zmq.curveKeyPair()
    const pull = own(new zmq.Pull({ ...both, curveServer: true, curveSecretKey: keys.secretKey }))
    const push = own(
      new zmq.Push({
        ...both,
        curveServerKey: keys.publicKey,
        curvePublicKey: mine.publicKey,
        curveSecretKey: mine.secretKey,
      }),
    )
    push.connect(await bound(pull, ANY))
    await push.send("hello")
    expect(await text(pull)).toEqual(["hello"])
    expect(push.peers()[0]).toMatchObject({ mechanism: "CURVE", certificate: { subject: "CN=server" } })
  })
})

describe("what is wrong is EINVAL, at bind and at connect", () => {
  const other = home.issue({ hosts })

  it.each<[string, object, RegExp]>([
    ["no certificate", {}, /tlsCertPem is not set/],
    ["a key only", { tlsKeyPem: server.key }, /tlsCertPem/],
    ["a certificate only", { tlsCertPem: server.cert }, /tlsKeyPem/],
    ["a path", { tlsCertPem: "/etc/ssl/server.pem", tlsKeyPem: server.key }, /tlsCertPem is no certificate/],
    [
      "a broken certificate",
      { ...shows(server), tlsCertPem: server.cert.replace(/\n.{20}/, "\nAAAA") },
      /tlsCertPem holds/,
    ],
    ["a broken key", { ...shows(server), tlsKeyPem: "secret" }, /tlsKeyPem is no private key/],
    ["a key of another certificate", { ...shows(server), tlsKeyPem: other.key }, /does not fit/],
    ["broken trust", { ...shows(server), tlsTrustPem: "somebody" }, /tlsTrustPem is no certificate/],
    ["to ask for certificates of nobody", { ...shows(server), tlsRequireClientCert: true }, /tlsTrustPem is not set/],
  ])("%s", async (name, options, reason) => {
    for (const bind of ["bind", "bindSync"] as const) {
      const error = await failure(async () => own(new zmq.Pull(options))[bind](ANY))
      expect(error).toMatchObject({ code: "EINVAL", address: ANY, message: expect.stringMatching(reason) })
      expect(inspect(error, { depth: 9 })).not.toContain(server.key.slice(60, 100))
    }
    if (["no certificate", "to ask for certificates of nobody"].includes(name)) return
    await failsWith("EINVAL", () => own(new zmq.Push(options)).connect("tls+tcp://127.0.0.1:1"))
  })

  it("and an address that is none; a SOCKS proxy is ENOTSUP", async () => {
    const push = own(new zmq.Push())
    const error = await failure(() => push.connect("tls+tcp://127.0.0.1"))
    expect(error).toMatchObject({ code: "EINVAL", address: "tls+tcp://127.0.0.1" })
    push.socksProxy = "127.0.0.1:1080"
    await failsWith("ENOTSUP", () => push.connect("tls+tcp://127.0.0.1:1"))
  })
})

it("binds at once", async () => {
  const pull = own(new zmq.Pull(shows(server)))
  pull.bindSync(ANY)
  const push = own(new zmq.Push(trusts(home)))
  push.connect(pull.lastEndpoint ?? "")
  await push.send("hello")
  expect(await text(pull)).toEqual(["hello"])
})

it("shows the private key to nobody who looks at a socket", async () => {
  const pull = own(new zmq.Pull({ ...shows(server), ...trusts(home) }))
  await pull.bind(ANY)
  const push = own(new zmq.Push({ ...shows(client), ...trusts(home) }))
  push.connect(pull.lastEndpoint ?? "")
  await push.ready()
  for (const socket of [pull, push]) {
    expect(socket.tlsKeyPem).toBeUndefined()
    const shown = inspect(socket, { depth: 6 })
    for (const { key } of [server, client])
      for (const line of key.split("\n").slice(1, 3)) expect(shown).not.toContain(line)
  }
})
