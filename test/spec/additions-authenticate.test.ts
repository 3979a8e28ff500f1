/**
 * `authenticate` and `allow`, the easy way to decide about peers: whom they let in, what they are told, and that a fault in them lets
 * nobody in and shows no secret.
 */
import { inspect } from "node:util"
import { describe, expect, it } from "vitest"
import { Context, curveKeyPair, Dealer } from "../../patterns/index.js"
import { EventLog } from "../support/events.js"
import { eventually, pause } from "../support/eventually.js"
import { ownSockets } from "../support/sockets.js"
import { failuresOf } from "../support/zap.js"

const own = ownSockets()
const serverKeys = curveKeyPair()
const clientKeys = curveKeyPair()
const SERVER = { curveServer: true, curveSecretKey: serverKeys.secretKey }
const CLIENT = {
  curveServerKey: serverKeys.publicKey,
  curvePublicKey: clientKeys.publicKey,
  curveSecretKey: clientKeys.secretKey,
}
const PLAIN = { plainUsername: "alice", plainPassword: "a-secret-word" }

type Options = ConstructorParameters<typeof Dealer>[0]
type Authenticate = NonNullable<Dealer["authenticate"]>

async function pair(serverOptions: Options, clientOptions: Options) {
  const server = own(new Dealer({ ...serverOptions, linger: 0 }))
  const client = own(new Dealer({ ...clientOptions, linger: 0, reconnectInterval: 50 }))
  const serverLog = new EventLog(server)
  const clientLog = new EventLog(client)
  await server.bind("tcp://127.0.0.1:*")
  client.connect(server.lastEndpoint!)
  return { server, client, serverLog, clientLog }
}

const plain = (authenticate: unknown) =>
  pair({ plainServer: true, authenticate: authenticate as Authenticate, zapDomain: "lab" }, PLAIN)

async function comesIn({ server, client }: { server: Dealer; client: Dealer }) {
  await client.send("hello")
  return (await server.receiveFrom()).peer
}

async function isRefused({ serverLog, clientLog }: Awaited<ReturnType<typeof pair>>, status: number) {
  await serverLog.seen("handshake:error:auth")
  await clientLog.seen("handshake:error:auth")
  expect([failuresOf(serverLog), failuresOf(clientLog)]).toEqual([[`auth ${status}`], [`auth ${status}`]])
}

describe("authenticate", () => {
  it("is told what PLAIN shows, and says who it is", async () => {
    const asked: unknown[] = []
    const peers = await plain((request: unknown) => {
      asked.push(request)
      return { userId: "alice@lab", metadata: { Role: "reader", Raw: Uint8Array.of(1, 2) } }
    })
    const peer = await comesIn(peers)
    expect(asked).toEqual([
      { mechanism: "PLAIN", address: "127.0.0.1", domain: "lab", username: "alice", password: "a-secret-word" },
    ])
    expect(peer.userId).toBe("alice@lab")
    expect(String(peer.metadata.get("Role"))).toBe("reader")
    expect([...peer.metadata.get("Raw")!]).toEqual([1, 2])
  })

  it("is told the proven key of a CURVE client", async () => {
    const asked: unknown[] = []
    const peers = await pair(
      {
        ...SERVER,
        authenticate: request => {
          asked.push(request)
          return true
        },
      },
      CLIENT,
    )
    const peer = await comesIn(peers)
    expect(asked).toEqual([{ mechanism: "CURVE", address: "127.0.0.1", domain: "", publicKey: clientKeys.publicKey }])
    expect([peer.mechanism, peer.userId]).toEqual(["CURVE", null])
  })

  it("is asked with NULL, too, without a domain", async () => {
    const asked: string[] = []
    const peers = await pair({ authenticate: ({ mechanism }) => asked.push(mechanism) > 0 }, {})
    await comesIn(peers)
    expect(asked).toEqual(["NULL"])
  })

  it("may take its time", async () => {
    let decide = (_: boolean) => {}
    const peers = await plain(
      () =>
        new Promise<boolean>(resolve => {
          decide = resolve
        }),
    )
    await peers.serverLog.seen("accept")
    await pause(50)
    expect(peers.serverLog.count("handshake")).toBe(0)
    await eventually(() => {
      decide(true)
      return peers.serverLog.count("handshake") > 0
    })
    await comesIn(peers)
  })

  it("that says no refuses with 400", async () => {
    await isRefused(await plain(() => false), 400)
    await isRefused(await plain(async () => false), 400)
  })

  for (const [what, authenticate] of [
    [
      "throws",
      ({ password }: { password: string }) => {
        throw new Error(`could not look up ${password}`)
      },
    ],
    ["rejects", async ({ password }: { password: string }) => Promise.reject(new Error(password))],
    ["throws what is no error", () => Promise.reject("a-secret-word")],
    ["gives undefined", () => undefined],
    ["gives null", () => null],
    ["gives a number", () => 1],
    ["gives text", () => "yes"],
    ["gives metadata that is none", () => ({ metadata: { Role: 7 } })],
    ["gives a user id that is no text", () => ({ userId: 7 })],
    ["gives a name of 256 characters", () => ({ metadata: { ["n".repeat(256)]: "x" } })],
    ["gives an empty name", () => ({ metadata: { "": "x" } })],
  ] as const) {
    it(`that ${what} refuses with 500, and no event shows the password`, async () => {
      const peers = await plain(authenticate)
      await isRefused(peers, 500)
      expect(inspect([peers.serverLog.all, peers.clientLog.all], { depth: 9 })).not.toContain("a-secret-word")
    })
  }

  it("that answers when the socket is closed changes nothing", async () => {
    let decide = (_: boolean) => {}
    let isAsked = false
    const peers = await plain(() => {
      isAsked = true
      return new Promise<boolean>(resolve => {
        decide = resolve
      })
    })
    await eventually(() => isAsked)
    await peers.server.close()
    decide(true)
    await pause(20)
    expect(peers.serverLog.count("handshake")).toBe(0)
  })

  it("is a function or null", () => {
    const server = own(new Dealer())
    expect(server.authenticate).toBeNull()
    expect(() => Object.assign(server, { authenticate: 1 })).toThrow(TypeError)
    expect(() => Object.assign(server, { authenticate: undefined })).toThrow(TypeError)
    const decides = () => true
    server.authenticate = decides
    expect(server.authenticate).toBe(decides)
  })

  it("stands in place of a ZAP handler", async () => {
    const context = new Context()
    const peers = await pair({ plainServer: true, authenticate: () => true, context }, PLAIN)
    await comesIn(peers)
  })
})

describe("allow", () => {
  it("lets in who is on the list, by text or bytes, and nobody else", async () => {
    const stranger = curveKeyPair()
    await comesIn(await pair({ ...SERVER, allow: [stranger.publicKey, clientKeys.publicKey] }, CLIENT))
    await isRefused(await pair({ ...SERVER, allow: [stranger.publicKey] }, CLIENT), 400)
    await isRefused(await pair({ ...SERVER, allow: [] }, CLIENT), 400)
  })

  it("comes before authenticate, which decides about those on the list", async () => {
    let asked = 0
    const authenticate = () => ++asked > 0 && { userId: "listed" }
    expect((await comesIn(await pair({ ...SERVER, allow: [clientKeys.publicKey], authenticate }, CLIENT))).userId).toBe(
      "listed",
    )
    await isRefused(await pair({ ...SERVER, allow: [], authenticate }, CLIENT), 400)
    expect(asked).toBe(1)
  })

  it("lets in nobody who shows no key", async () => {
    await isRefused(await pair({ plainServer: true, allow: [clientKeys.publicKey] }, PLAIN), 400)
  })

  it("takes keys, and reads as text; what is no key changes nothing", () => {
    const server = own(new Dealer())
    server.allow = [clientKeys.publicKey, Buffer.alloc(32)]
    const list = [clientKeys.publicKey, "0".repeat(40)]
    expect(server.allow).toEqual(list)
    for (const bad of [["x"], [Buffer.alloc(31)], [""], ["~".repeat(40)]]) {
      expect(() => Object.assign(server, { allow: bad })).toThrow(expect.objectContaining({ code: "EINVAL" }))
    }
    for (const bad of [[7], 7, "text", undefined])
      expect(() => Object.assign(server, { allow: bad })).toThrow(TypeError)
    expect(server.allow).toEqual(list)
    server.allow = null
    expect(server.allow).toBeNull()
  })
})
