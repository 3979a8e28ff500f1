/**
 * PLAIN and CURVE between the engine under test and libzmq: as client and as server, bound on either side, over tcp and ipc, with a ZAP
 * handler on the server's side and without. A handler of libzmq's is pyzmq's `zmq.auth`, or a Reply of the zeromq package. And what a
 * refusal looks like on both sides, compared with two sockets of libzmq.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import * as libzmq from "zeromq"
import { freshEndpoint } from "../support/endpoints.js"
import { type AnySocket, zmq } from "../support/engine.js"
import { EventLog } from "../support/events.js"
import { pause } from "../support/eventually.js"
import { reportsOf, usePeer } from "../support/peer.js"
import { Watch } from "../support/watch.js"
import { failuresOf, reply, ZAP } from "../support/zap.js"
import { here, type Message, there } from "./ends.js"
import { libzmqPeers, meet } from "./meeting.js"
import { type Pair, pairs } from "./pairs.js"

const serverKeys = zmq.curveKeyPair()
const clientKeys = zmq.curveKeyPair()
const stranger = zmq.curveKeyPair()

const securities = {
  PLAIN: { server: { plainServer: true }, client: { plainUsername: "admin", plainPassword: "secret" } },
  CURVE: {
    server: { curveServer: true, curveSecretKey: serverKeys.secretKey },
    client: {
      curveServerKey: serverKeys.publicKey,
      curvePublicKey: clientKeys.publicKey,
      curveSecretKey: clientKeys.secretKey,
    },
  },
} as const

/** The same client with something wrong. */
const wrong = {
  PLAIN: { ...securities.PLAIN.client, plainPassword: "bogus" },
  CURVE: { ...securities.CURVE.client, curvePublicKey: stranger.publicKey, curveSecretKey: stranger.secretKey },
} as const

type Mechanism = keyof typeof securities

const allowed = { users: { admin: "secret" }, keys: [clientKeys.publicKey] }

const messages: Message[] = [
  [""],
  ["x"],
  ["head", "", "tail"],
  [{ size: 222, seed: 1 }],
  [{ size: 223, seed: 2 }],
  [{ size: 255, seed: 3 }, { size: 256, seed: 4 }, ""],
  [{ size: 32_768, seed: 5 }],
  [{ size: 1 << 20, seed: 6 }, "after"],
  Array.from({ length: 100 }, (_, index) => String(index)),
  ["last"],
]

const some = pairs.filter(({ left, right }) =>
  ["PUSH PULL", "PUB SUB", "XPUB XSUB", "REQ REP", "DEALER ROUTER", "PAIR PAIR"].includes(`${left} ${right}`),
)

/** The pair with the options of a mechanism, `server` on this side. */
function secured(pair: Pair, mechanism: Mechanism, server: "left" | "right"): Pair {
  const { server: serving, client } = securities[mechanism]
  return {
    ...pair,
    leftOptions: { ...pair.leftOptions, ...(server === "left" ? serving : client) },
    rightOptions: { ...pair.rightOptions, ...(server === "right" ? serving : client) },
  }
}

/** A ZAP handler in this process that knows the name, the password and the key. */
function useHandler(library: Pick<typeof libzmq, "Reply">): void {
  let handler: libzmq.Reply
  beforeAll(async () => {
    handler = new library.Reply({ linger: 0 })
    await handler.bind(ZAP)
    void judge(handler)
  })
  afterAll(() => handler.close())
}

async function judge(handler: libzmq.Reply): Promise<void> {
  try {
    for await (const [, , domain, , , mechanism, first, second] of handler) {
      const isKnown =
        String(domain) !== "wrong" &&
        (String(mechanism) === "PLAIN"
          ? `${first}:${second}` === "admin:secret"
          : String(mechanism) === "NULL" || first!.equals(rawClientKey))
      await handler.send(reply(isKnown ? "200" : "400"))
    }
  } catch {
    // It was closed.
  }
}

/** The client's public key as ZAP has it. */
const rawClientKey = decode(clientKeys.publicKey)

function decode(text: string): Buffer {
  const alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
  const bytes = Buffer.alloc(32)
  for (let group = 0; group < 8; group++) {
    const value = [...text.slice(group * 5, group * 5 + 5)].reduce((sum, each) => sum * 85 + alphabet.indexOf(each), 0)
    bytes.writeUInt32BE(value, group * 4)
  }
  return bytes
}

for (const { kind, missing } of libzmqPeers) {
  describe.skipIf(missing !== null)(`with ${kind}`, () => {
    const peer = usePeer(kind)

    /** Each of these pairs, over this scheme, with who is bound and who is the server in all four ways. */
    function talkInAllWays(mechanisms: readonly Mechanism[], asked: boolean): void {
      for (const mechanism of mechanisms) {
        for (const scheme of ["tcp", "ipc"] as const) {
          for (const binder of ["ours", "theirs"] as const) {
            for (const server of ["ours", "theirs"] as const) {
              it(`${mechanism} over ${scheme}, bound: ${binder}, server: ${server}`, async () => {
                for (const pair of some) {
                  for (const ours of ["left", "right"] as const) {
                    const theirs = ours === "left" ? "right" : "left"
                    const side = server === "ours" ? ours : theirs
                    // A libzmq REQ that has asked a handler takes no reply, of whomever: it hangs up when one comes.
                    if (asked && server === "theirs" && pair[side] === "REQ") continue
                    await meet(secured(pair, mechanism, side), { peer: peer(), ours, binder, scheme, messages })
                  }
                }
              })
            }
          }
        }
      }
    }

    describe("without a handler", () => talkInAllWays(["CURVE"], false))

    describe("with a handler", () => {
      useHandler(zmq as unknown as Pick<typeof libzmq, "Reply">)
      beforeAll(() => peer().authenticate(allowed))
      talkInAllWays(["PLAIN", "CURVE"], true)

      for (const mechanism of ["PLAIN", "CURVE"] as const) {
        it(`${mechanism}: a stranger there is refused here, and hears it`, async () => {
          const server = here("DEALER", securities[mechanism].server)
          const watch = new Watch(server.socket)
          const remote = await there(peer(), "DEALER", wrong[mechanism])
          await remote.connect(await server.bind("tcp://127.0.0.1:*"))
          await watch.next("handshake:error:auth")
          // It does not come again, as it would if it had not heard why.
          await pause(300)
          expect([watch.count("accept"), watch.count("handshake")]).toEqual([1, 0])
        })

        it(`${mechanism}: a stranger here is refused there, and hears it`, async () => {
          const remote = await there(peer(), "DEALER", securities[mechanism].server)
          const client = here("DEALER", { ...wrong[mechanism], reconnectInterval: 20 })
          const watch = new Watch(client.socket)
          await client.connect(await remote.bind("tcp://127.0.0.1:*"))
          const { error } = await watch.next("handshake:error:auth")
          expect((error as { status?: number } | undefined)?.status).toBe(400)
          await watch.next("disconnect")
          await pause(200)
          expect([watch.count("connect"), watch.count("handshake")]).toEqual([1, 0])
        })
      }
    })

    for (const pinging of ["client", "server"] as const) {
      it(`heartbeats inside CURVE keep an idle connection: the ${pinging} pings, here and there`, async () => {
        const beats = { heartbeatInterval: 50, heartbeatTimeout: 1000 }
        const { server, client } = securities.CURVE
        const left = here("DEALER", { ...server, ...(pinging === "server" ? beats : {}) })
        const right = await there(peer(), "DEALER", { ...client, ...(pinging === "client" ? beats : {}) })
        const watch = new Watch(left.socket)
        await right.connect(await left.bind("tcp://127.0.0.1:*"))
        await watch.next("handshake")
        await pause(400)
        await right.send(["still"])
        expect(await left.receive()).toEqual([reportsOf(["still"])])
        await left.send(["here"])
        expect(await right.receive()).toEqual([reportsOf(["here"])])
        expect([watch.count("handshake"), watch.count("disconnect")]).toEqual([1, 0])
      })
    }

    it("a CURVE server there that comes back is met again, with other keys of the connection", async () => {
      const endpoint = freshEndpoint("ipc")
      const client = here("DEALER", { ...securities.CURVE.client, reconnectInterval: 20 })
      const watch = new Watch(client.socket)
      const first = await there(peer(), "DEALER", securities.CURVE.server)
      await first.bind(endpoint)
      await client.connect(endpoint)
      await watch.next("handshake")
      await first.close()
      await watch.next("disconnect")
      const second = await there(peer(), "DEALER", securities.CURVE.server)
      await second.bind(endpoint)
      await watch.next("handshake")
      await client.send(["again"])
      expect(await second.receive()).toEqual([reportsOf(["again"])])
      await second.send(["and back"])
      expect(await client.receive()).toEqual([reportsOf(["and back"])])
    })

    it("a subscription that is taken back inside CURVE is taken back, both ways", async () => {
      const { server, client } = securities.CURVE
      const publisher = here("XPUB", server)
      const subscriber = await there(peer(), "SUB", client)
      await subscriber.connect(await publisher.bind("tcp://127.0.0.1:*"))
      await subscriber.subscribe("a", "b".repeat(300))
      await subscriber.unsubscribe("a")
      const heard = ["\u0001a", `\u0001${"b".repeat(300)}`, "\u0000a"]
      const nudge = setInterval(() => void subscriber.receive(1, 1).catch(() => {}), 20)
      onTestFinished(() => clearInterval(nudge))
      expect(await publisher.receive(3)).toEqual(heard.map(each => reportsOf([each])))
    })
  })
}

describe("the events of a refusal", () => {
  useHandler(libzmq)
  if ((zmq as unknown) !== libzmq) useHandler(zmq as unknown as Pick<typeof libzmq, "Reply">)

  type Library = typeof libzmq

  /** What both sides tell until both have disconnected, or the client has stopped trying. */
  async function told(at: Library, from: Library, server: object, client: object) {
    const bound = new at.Dealer({ linger: 0, ...server })
    const connecting = new from.Dealer({ linger: 0, reconnectInterval: 5000, ...client })
    onTestFinished(async () => {
      connecting.close()
      bound.close()
    })
    const logs = [bound, connecting].map(socket => new EventLog(socket as unknown as AnySocket))
    const [boundLog, connectingLog] = logs as [EventLog, EventLog]
    await bound.bind("tcp://127.0.0.1:*")
    connecting.connect(bound.lastEndpoint!)
    await boundLog.seen("disconnect")
    await connectingLog.seen("disconnect")
    await pause(50)
    return {
      server: [...boundLog.types, ...failuresOf(boundLog)],
      client: [...connectingLog.types, ...failuresOf(connectingLog)],
    }
  }

  const ours = zmq as unknown as Library
  for (const [what, server, client] of [
    ["a wrong password", securities.PLAIN.server, wrong.PLAIN],
    ["a stranger's key", securities.CURVE.server, wrong.CURVE],
    ["a wrong domain with PLAIN", { ...securities.PLAIN.server, zapDomain: "wrong" }, securities.PLAIN.client],
    ["a wrong domain with CURVE", { ...securities.CURVE.server, zapDomain: "wrong" }, securities.CURVE.client],
    ["a wrong domain with NULL", { zapDomain: "wrong" }, {}],
  ] as const) {
    it(`${what}: those of two sockets of libzmq, whichever side is ours`, async () => {
      const theirs = await told(libzmq, libzmq, server, client)
      expect(theirs.server).toContain("auth 400")
      expect(theirs.client).toContain("auth 400")
      expect(await told(ours, libzmq, server, client), "ours is the server").toEqual(theirs)
      expect(await told(libzmq, ours, server, client), "ours is the client").toEqual(theirs)
      expect(await told(ours, ours, server, client), "both are ours").toEqual(theirs)
    })
  }

  it("another server's key: the server's, whichever side is ours", async () => {
    const { server, client } = securities.CURVE
    const mistaken = { ...client, curveServerKey: stranger.publicKey }
    const theirs = await told(libzmq, libzmq, server, mistaken)
    expect((await told(ours, libzmq, server, mistaken)).server, "ours is the server").toEqual(theirs.server)
    expect((await told(libzmq, ours, server, mistaken)).server, "ours is the client").toEqual(theirs.server)
  })

  it("another mechanism: whoever reads the other's greeting first says so, and hangs up", async () => {
    for (const [at, from] of [
      [libzmq, libzmq],
      [ours, libzmq],
      [libzmq, ours],
      [ours, ours],
    ] as const) {
      const { server, client } = await told(at, from, securities.CURVE.server, securities.PLAIN.client)
      expect([...server, ...client]).toContain("protocol ERR_ZMTP_MECHANISM_MISMATCH")
    }
  })
})
