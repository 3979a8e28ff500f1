/**
 * 26/CURVEZMQ, the long-term keys: what curveKeyPair() gives is what libzmq's CURVE takes. Whichever engine makes the keys,
 * it is sockets of the `zeromq` package that use them.
 */
import { afterEach, describe, expect, it } from "vitest"
import * as libzmq from "zeromq"
import { zmq } from "../support/engine.js"

const open: libzmq.Socket[] = []

afterEach(() => {
  for (const socket of open.splice(0)) socket.close()
})

async function server(secretKey: string): Promise<libzmq.Reply> {
  const socket = new libzmq.Reply({ curveServer: true, curveSecretKey: secretKey, receiveTimeout: 5_000, linger: 0 })
  open.push(socket)
  await socket.bind("tcp://127.0.0.1:*")
  return socket
}

function client(to: libzmq.Reply, own: { publicKey: string; secretKey: string }, serverKey: string): libzmq.Request {
  const keys = { curveServerKey: serverKey, curvePublicKey: own.publicKey, curveSecretKey: own.secretKey }
  const socket = new libzmq.Request({ ...keys, receiveTimeout: 5_000, linger: 0 })
  open.push(socket)
  socket.connect(to.lastEndpoint!)
  return socket
}

describe("a pair of keys", () => {
  it("is two texts of 40 characters of Z85, and nothing else", () => {
    const pair = zmq.curveKeyPair()
    expect(pair).toEqual({
      publicKey: expect.stringMatching(/^[0-9a-zA-Z.\-:+=^!/*?&<>()[\]{}@%$#]{40}$/),
      secretKey: expect.stringMatching(/^[0-9a-zA-Z.\-:+=^!/*?&<>()[\]{}@%$#]{40}$/),
    })
  })

  it("is another one each time", () => {
    const keys = Array.from({ length: 50 }, () => zmq.curveKeyPair()).flatMap(pair => [pair.publicKey, pair.secretKey])
    expect(new Set(keys).size).toBe(100)
  })

  it("lets sockets of libzmq do their handshake, and talk", async () => {
    const of = { server: zmq.curveKeyPair(), client: zmq.curveKeyPair() }
    const reply = await server(of.server.secretKey)
    const request = client(reply, of.client, of.server.publicKey)
    expect(reply.securityMechanism).toBe("curve")
    expect(request.securityMechanism).toBe("curve")

    await request.send("a question")
    expect(String(await reply.receive())).toBe("a question")
    await reply.send("an answer")
    expect(String(await request.receive())).toBe("an answer")
  })

  it.each([
    ["of the server", () => [zmq.curveKeyPair(), zmq.curveKeyPair().publicKey] as const],
    [
      "of the client",
      (serverKey: string) => [{ ...zmq.curveKeyPair(), publicKey: zmq.curveKeyPair().publicKey }, serverKey] as const,
    ],
  ])("is needed as a pair: the public key of another one in place of that %s is no handshake", async (_, keys) => {
    const pair = zmq.curveKeyPair()
    const reply = await server(pair.secretKey)
    const refused = new Promise<{ error: { code?: string } }>(resolve => {
      reply.events.on("handshake:error:protocol", resolve)
    })
    client(reply, ...keys(pair.publicKey))
    expect((await refused).error.code).toBe("ERR_ZMTP_CRYPTOGRAPHIC")
  })
})
