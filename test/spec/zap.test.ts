/**
 * 27/ZAP with NULL, PLAIN and CURVE, as libzmq's test_security_* have it: who is asked, what is asked, what comes of each answer and of
 * each wrong one, and the events of both sides. The numbers are those of portable-cases.ts.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint } from "../support/endpoints.js"
import { engine, zmq } from "../support/engine.js"
import { eventually, pause } from "../support/eventually.js"
import { command, greeting, RawPeer } from "../support/raw-zmtp.js"
import { failuresOf, reply, type ZapAnswer, type ZapRequest, ZapScene } from "../support/zap.js"

const serverKeys = zmq.curveKeyPair()
const clientKeys = zmq.curveKeyPair()

const PLAIN_SERVER = { plainServer: true }
const PLAIN_CLIENT = { plainUsername: "admin", plainPassword: "secret" }
const CURVE_SERVER = { curveServer: true, curveSecretKey: serverKeys.secretKey }
const CURVE_CLIENT = {
  curveServerKey: serverKeys.publicKey,
  curvePublicKey: clientKeys.publicKey,
  curveSecretKey: clientKeys.secretKey,
}

/** The mechanisms, each with a server that asks. */
const mechanisms = [
  { name: "NULL", server: { zapDomain: "DOMAIN" }, client: {} },
  { name: "PLAIN", server: { ...PLAIN_SERVER, zapDomain: "DOMAIN" }, client: PLAIN_CLIENT },
  { name: "CURVE", server: { ...CURVE_SERVER, zapDomain: "DOMAIN" }, client: CURVE_CLIENT },
] as const

const always =
  (status: string, more = {}): ZapAnswer =>
  () =>
    reply(status, more)

type Pair = Awaited<ReturnType<ZapScene["pair"]>>

async function bounces({ server, client }: Pair): Promise<void> {
  await client.send("to the server")
  expect((await server.receive()).map(String)).toEqual(["to the server"])
  await server.send("to the client")
  expect((await client.receive()).map(String)).toEqual(["to the client"])
}

async function neverMeets({ serverLog, clientLog }: Pair): Promise<void> {
  await pause(100)
  expect([serverLog.count("handshake"), clientLog.count("handshake")]).toEqual([0, 0])
}

const textOf = (request: ZapRequest) => request.map(String)

describe.each(mechanisms)("$name", ({ name, server, client }) => {
  it("200: the handler is asked in seven frames or more, and the peers talk", async () => {
    const scene = new ZapScene()
    await scene.handle(always("200"))
    await bounces(await scene.pair({ ...server, routingId: "the server" }, { ...client, routingId: "the client" }))
    expect(scene.requests).toHaveLength(1)
    const [request] = scene.requests as [ZapRequest]
    expect(textOf(request.slice(0, 6))).toEqual(["1.0", "1", "DOMAIN", "127.0.0.1", "the server", name])
    if (name === "NULL") expect(request).toHaveLength(6)
    else if (name === "PLAIN") expect(textOf(request.slice(6))).toEqual(["admin", "secret"])
    else expect(zmqKey(request[6]!)).toBe(clientKeys.publicKey)
  })

  it("200 by a ROUTER, which is asked with an empty frame in front", async () => {
    const scene = new ZapScene()
    await scene.route(always("200"))
    await bounces(await scene.pair(server, client))
    expect(scene.requests[0]!.length).toBeGreaterThanOrEqual(6)
  })

  for (const status of ["400", "500"] as const) {
    it(`${status}: both sides hear it, once, and the client does not try again`, async () => {
      const scene = new ZapScene()
      await scene.handle(always(status))
      const pair = await scene.pair(server, client)
      await pair.serverLog.seen("disconnect")
      await pair.clientLog.seen("disconnect")
      await neverMeets(pair)
      expect(failuresOf(pair.serverLog)).toEqual([`auth ${status}`])
      expect(failuresOf(pair.clientLog)).toEqual([`auth ${status}`])
      expect(pair.clientLog.count("connect")).toBe(1)
    })
  }

  it("300: the server hears it, the client nothing", async () => {
    const scene = new ZapScene()
    await scene.handle(always("300"))
    const pair = await scene.pair(server, client)
    await pair.serverLog.seen("handshake:error:auth")
    await neverMeets(pair)
    expect(failuresOf(pair.serverLog)).toEqual(["auth 300"])
    expect(failuresOf(pair.clientLog)).toEqual([])
  })

  for (const [what, answer, code] of [
    ["of another version", ["1.1", "1", "200", "", "", ""], "ERR_ZAP_BAD_VERSION"],
    ["to another request", ["1.0", "2", "200", "", "", ""], "ERR_ZAP_BAD_REQUEST_ID"],
    ["with a status that there is not", ["1.0", "1", "invalid_status", "", "", ""], "ERR_ZAP_INVALID_STATUS_CODE"],
    ["with status 201", ["1.0", "1", "201", "", "", ""], "ERR_ZAP_INVALID_STATUS_CODE"],
    ["with a frame too many", ["1.0", "1", "200", "", "", "", ""], "ERR_ZAP_MALFORMED_REPLY"],
    ["with a frame too few", ["1.0", "1", "200", "", ""], "ERR_ZAP_MALFORMED_REPLY"],
    ["with one frame", [""], "ERR_ZAP_MALFORMED_REPLY"],
    ["with metadata that is cut off", ["1.0", "1", "200", "", "", "\u0005Hel"], "ERR_ZAP_INVALID_METADATA"],
  ] as const) {
    it(`a reply ${what} ends the connection: ${code}`, async () => {
      const scene = new ZapScene()
      await scene.handle(() => [...answer])
      const pair = await scene.pair(server, client)
      await pair.serverLog.seen("handshake:error:protocol")
      await neverMeets(pair)
      expect(failuresOf(pair.serverLog)[0]).toBe(`protocol ${code}`)
    })
  }

  // The REP of the zeromq package stays there for libzmq after its close().
  it.skipIf(engine === "zeromq")("a handler that leaves before it answers: EPIPE", async () => {
    const scene = new ZapScene()
    await scene.handle(() => null)
    const pair = await scene.pair(server, client)
    await eventually(() => scene.requests.length === 1)
    await scene.handler!.close()
    await pair.serverLog.seen("handshake:error:other")
    expect(failuresOf(pair.serverLog)[0]).toBe("other EPIPE")
  })

  it("a handler that never answers is waited for until the handshake's time is up", async () => {
    const scene = new ZapScene()
    await scene.handle(() => null)
    const pair = await scene.pair({ ...server, handshakeInterval: 150 }, client)
    await pair.serverLog.seen("disconnect")
    expect(pair.serverLog.count("handshake")).toBe(0)
  })

  it("zapEnforceDomain and nobody to ask: EFAULT", async () => {
    const pair = await new ZapScene().pair({ ...server, zapEnforceDomain: true }, client)
    await pair.serverLog.seen("handshake:error:other")
    await neverMeets(pair)
    expect(failuresOf(pair.serverLog)[0]).toBe("other EFAULT")
  })

  it("nobody to ask, and nothing enforced: NULL and CURVE let everybody in, PLAIN nobody", async () => {
    const pair = await new ZapScene().pair(server, client)
    if (name !== "PLAIN") {
      await bounces(pair)
      return
    }
    await pair.serverLog.seen("handshake:error:other")
    await neverMeets(pair)
    expect(failuresOf(pair.serverLog)[0]).toBe("other EFAULT")
  })

  it("a domain that the handler does not know: 400", async () => {
    const scene = new ZapScene()
    await scene.handle(([, , domain]) => reply(String(domain) === "DOMAIN" ? "200" : "400"))
    const wrong = await scene.pair({ ...server, zapDomain: "WRONG" }, client)
    await wrong.serverLog.seen("handshake:error:auth")
    await neverMeets(wrong)
    await bounces(await scene.pair(server, client))
  })

  it("over ipc the same", async () => {
    const scene = new ZapScene()
    await scene.handle(always("200"))
    await bounces(await scene.pair(server, client, freshEndpoint("ipc")))
    expect(scene.requests).toHaveLength(1)
  })

  it("asks again for each connection", async () => {
    const scene = new ZapScene()
    await scene.handle(always("200"))
    const pair = await scene.pair(server, client)
    await bounces(pair)
    const other = scene.keep(new zmq.Dealer({ linger: 0, context: scene.context, ...client }))
    other.connect(pair.server.lastEndpoint!)
    await eventually(() => scene.requests.length === 2)
  })
})

describe("NULL", () => {
  it("without a domain nobody is asked", async () => {
    const scene = new ZapScene()
    await scene.handle(always("400"))
    await bounces(await scene.pair({}, {}))
    expect(scene.requests).toEqual([])
  })

  it("a connecting socket with a domain asks, too", async () => {
    const scene = new ZapScene()
    await scene.handle(always("200"))
    await bounces(await scene.pair({}, { zapDomain: "DOMAIN" }))
    expect(scene.requests.map(request => String(request[2]))).toEqual(["DOMAIN"])
  })
})

describe("PLAIN", () => {
  const door: ZapAnswer = request =>
    reply(String(request[6]) === "admin" && String(request[7]) === "secret" ? "200" : "400")

  it("the right password comes in, a wrong one does not", async () => {
    const scene = new ZapScene()
    await scene.handle(door)
    await bounces(await scene.pair(PLAIN_SERVER, PLAIN_CLIENT))
    const wrong = await scene.pair(PLAIN_SERVER, { ...PLAIN_CLIENT, plainPassword: "bogus" })
    await wrong.clientLog.seen("handshake:error:auth")
    expect(failuresOf(wrong.clientLog)).toEqual(["auth 400"])
    expect(failuresOf(wrong.serverLog)).toEqual(["auth 400"])
  })

  it("a client that is a server as well waits with the other one", async () => {
    const scene = new ZapScene()
    await scene.handle(door)
    const pair = await scene.pair(PLAIN_SERVER, PLAIN_SERVER)
    await neverMeets(pair)
    expect(scene.requests).toEqual([])
  })

  it("two clients are unexpected to each other", async () => {
    const pair = await new ZapScene().pair(PLAIN_CLIENT, PLAIN_CLIENT)
    await pair.serverLog.seen("disconnect")
    expect([...failuresOf(pair.serverLog), ...failuresOf(pair.clientLog)]).toContain(
      "protocol ERR_ZMTP_UNEXPECTED_COMMAND",
    )
  })
})

describe("CURVE", () => {
  it("a client whose key the handler does not know: 400 on both sides", async () => {
    const scene = new ZapScene()
    await scene.handle(request => reply(zmqKey(request[6]!) === clientKeys.publicKey ? "200" : "400"))
    await bounces(await scene.pair(CURVE_SERVER, CURVE_CLIENT))
    const stranger = zmq.curveKeyPair()
    const pair = await scene.pair(CURVE_SERVER, {
      ...CURVE_CLIENT,
      curvePublicKey: stranger.publicKey,
      curveSecretKey: stranger.secretKey,
    })
    await pair.serverLog.seen("handshake:error:auth")
    await pair.clientLog.seen("handshake:error:auth")
    expect(failuresOf(pair.serverLog)).toEqual(["auth 400"])
    expect(failuresOf(pair.clientLog)).toEqual(["auth 400"])
  })

  const zero = Buffer.alloc(32)
  for (const [what, keys] of [
    ["another server's key", { curveServerKey: zmq.curveKeyPair().publicKey }],
    ["a client's public key of zeros", { curvePublicKey: zero }],
    ["a client's secret key of zeros", { curveSecretKey: zero }],
  ] as const) {
    it(`${what}: cryptographic, and nobody is asked`, async () => {
      const scene = new ZapScene()
      await scene.handle(always("200"))
      const pair = await scene.pair(CURVE_SERVER, { ...CURVE_CLIENT, ...keys })
      await pair.serverLog.seen("handshake:error:protocol")
      await neverMeets(pair)
      expect(failuresOf(pair.serverLog)[0]).toBe("protocol ERR_ZMTP_CRYPTOGRAPHIC")
      expect(scene.requests).toEqual([])
    })
  }

  it("a client of another mechanism: mechanism mismatch, and nobody is asked", async () => {
    for (const client of [{}, PLAIN_CLIENT]) {
      const scene = new ZapScene()
      await scene.handle(always("200"))
      const pair = await scene.pair(CURVE_SERVER, client)
      await pair.serverLog.seen("disconnect")
      await neverMeets(pair)
      // Whoever reads the other's greeting first says so.
      const heard = [...failuresOf(pair.serverLog), ...failuresOf(pair.clientLog)]
      expect(heard).toContain("protocol ERR_ZMTP_MECHANISM_MISMATCH")
      expect(scene.requests).toEqual([])
    }
  })

  it("with enforcement and no domain nobody is asked, and everybody comes in", async () => {
    const scene = new ZapScene()
    await scene.handle(always("400"))
    await bounces(await scene.pair({ ...CURVE_SERVER, zapEnforceDomain: true }, CURVE_CLIENT))
    expect(scene.requests).toEqual([])
  })
})

describe("a raw peer", () => {
  async function rawAt(options: object, answer: ZapAnswer = always("200")) {
    const scene = new ZapScene()
    await scene.handle(answer)
    const { server, serverLog } = await scene.pair(options, {})
    serverLog.all.length = 0
    const raw = await RawPeer.connect(server.lastEndpoint!)
    return { scene, server, serverLog, raw }
  }

  /** The server alone: what its other peer does is of no interest. */
  async function hears(options: object, mechanism: string, ...sent: Buffer[]): Promise<string[]> {
    const scene = new ZapScene()
    await scene.handle(always("200"))
    const server = scene.keep(new zmq.Dealer({ linger: 0, context: scene.context, ...options }))
    const { EventLog } = await import("../support/events.js")
    const log = new EventLog(server)
    await server.bind("tcp://127.0.0.1:*")
    const raw = await RawPeer.connect(server.lastEndpoint!)
    raw.send(greeting({ mechanism }), ...sent)
    await log.seen("handshake:error:protocol")
    expect(scene.requests).toEqual([])
    return failuresOf(log)
  }

  for (const [what, options] of [
    ["NULL with a domain", { zapDomain: "DOMAIN" }],
    ["PLAIN", PLAIN_SERVER],
    ["CURVE", CURVE_SERVER],
  ] as const) {
    it(`of ZMTP 1.0 is not heard by ${what} (sneaky)`, async () => {
      const { server, raw } = await rawAt(options)
      raw.send(Buffer.from("0100", "hex"), Buffer.from("0800736e65616b7900", "hex"))
      await raw.ended
      server.receiveTimeout = 50
      await expect(server.receive()).rejects.toMatchObject({ code: "EAGAIN" })
    })
  }

  const hello = (change: (body: Buffer) => void = () => {}) => {
    const body = Buffer.alloc(200)
    body.write("\u0005HELLO\u0001", "latin1")
    change(body)
    return Buffer.concat([Buffer.of(4, 200), body])
  }

  for (const [what, sent, code] of [
    ["CURVE HELLO of 6 bytes", command("HELLO"), "MALFORMED_COMMAND_HELLO"],
    ["CURVE HELLO by another name", hello(body => body.write("X", 5)), "UNEXPECTED_COMMAND"],
    ["CURVE HELLO of another version", hello(body => body.writeUInt8(2, 6)), "MALFORMED_COMMAND_HELLO"],
    ["CURVE HELLO that does not open", hello(body => body.fill(7, 80)), "CRYPTOGRAPHIC"],
    ["CURVE INITIATE in place of HELLO", command("INITIATE"), "UNEXPECTED_COMMAND"],
  ] as const) {
    it(`${what}: ${code}`, async () => {
      expect(await hears(CURVE_SERVER, "CURVE", sent)).toEqual([`protocol ERR_ZMTP_${code}`])
    })
  }

  for (const [what, sent, code] of [
    ["without a name", command("HELLO"), "MALFORMED_COMMAND_HELLO"],
    ["with a name that is cut off", command("HELLO", Buffer.from("\u0005abc")), "MALFORMED_COMMAND_HELLO"],
    ["without a password", command("HELLO", Buffer.from("\u0003abc")), "MALFORMED_COMMAND_HELLO"],
    ["with a password that is cut off", command("HELLO", Buffer.from("\u0001a\u0002b")), "MALFORMED_COMMAND_HELLO"],
    ["with more than a password", command("HELLO", Buffer.from("\u0001a\u0001bc")), "MALFORMED_COMMAND_HELLO"],
    ["by another name", command("HELLP", Buffer.from("\u0001a\u0001b")), "UNEXPECTED_COMMAND"],
    ["in place of which INITIATE comes", command("INITIATE"), "UNEXPECTED_COMMAND"],
  ] as const) {
    it(`PLAIN HELLO ${what}: ${code}`, async () => {
      expect(await hears(PLAIN_SERVER, "PLAIN", sent)).toEqual([`protocol ERR_ZMTP_${code}`])
    })
  }

  it("hears a PLAIN server refuse in libzmq's bytes", async () => {
    const { raw } = await rawAt(PLAIN_SERVER, always("400"))
    raw.send(greeting({ mechanism: "PLAIN" }), command("HELLO", Buffer.from("\u0001a\u0001b")))
    await raw.read(64)
    expect((await raw.read(11)).toString("latin1")).toBe("\u0004\u0009^RROR\u0003400")
  })

  it("hears a CURVE and a NULL server refuse by ERROR", async () => {
    const { raw } = await rawAt({ zapDomain: "DOMAIN" }, always("500"))
    raw.send(greeting({ mechanism: "NULL" }))
    await raw.read(64)
    expect((await raw.read(12)).toString("latin1")).toBe("\u0004\u000a\u0005ERROR\u0003500")
  })
})

describe.skipIf(engine === "zeromq")("what the handler said", () => {
  it("goes with the peer: User-Id and metadata, which the peer cannot say of itself", async () => {
    const scene = new ZapScene()
    const hello = Buffer.from("\u0005Hello\u0000\u0000\u0000\u0005World", "latin1")
    await scene.handle(always("200", { userId: "alice", metadata: hello }))
    const { server, client } = await scene.pair(PLAIN_SERVER, { ...PLAIN_CLIENT, metadata: "X-Hello:mine" })
    await client.send("hello")
    const { peer } = await server.receiveFrom()
    expect(peer.userId).toBe("alice")
    expect(peer.mechanism).toBe("PLAIN")
    expect([...peer.metadata].map(([name, value]) => [name, String(value)])).toEqual([
      ["Hello", "World"],
      ["X-Hello", "mine"],
    ])
    expect(server.peers().map(({ userId }) => userId)).toEqual(["alice"])
    await client.ready()
    expect(client.peers().map(({ userId }) => userId)).toEqual([null])
  })
})

/** 32 bytes as Z85, without what is under test. */
function zmqKey(bytes: Buffer): string {
  const alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
  let text = ""
  for (let at = 0; at < bytes.length; at += 4) {
    let value = bytes.readUInt32BE(at)
    let group = ""
    for (let digit = 0; digit < 5; digit++) {
      group = alphabet[value % 85] + group
      value = Math.floor(value / 85)
    }
    text += group
  }
  return text
}
