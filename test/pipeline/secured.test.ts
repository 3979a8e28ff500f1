/** `socket: {…}` passes options on: a queue behind CURVE, on both engines and for all who connect to it. */
import { describe, expect, it } from "vitest"
import { curveKeyPair } from "../../patterns/index.js"
import { Consumer, Producer } from "../../patterns/pipeline/index.js"
import { engines } from "../support/engine-pairs.js"
import { stage } from "./stage.js"

describe.each([
  ["peerlane", "peerlane"],
  ["peerlane", "zeromq"],
  ["zeromq", "peerlane"],
] as const)("a queue on %s behind CURVE, with peers on %s", (makers, workers) => {
  const { producer } = stage(makers, makers)

  it("serves those who have its key, and nobody else", async () => {
    const [server, client] = [curveKeyPair(), curveKeyPair()]
    const jobs = await producer<string>({ socket: { curveServer: true, curveSecretKey: server.secretKey } })
    const connect = jobs.lastEndpoint!
    const keys = {
      curveServerKey: server.publicKey,
      curvePublicKey: client.publicKey,
      curveSecretKey: client.secretKey,
    }
    const sockets = engines[workers]
    await using stranger = new Consumer<string>({ connect, sockets })
    const stolen: string[] = []
    void stranger.run(job => void stolen.push(job))
    await using sender = new Producer<string>({ connect, sockets, socket: keys })
    await using worker = new Consumer<string>({ connect, sockets, socket: keys })
    const seen: string[] = []
    void worker.run(job => void seen.push(job))
    await jobs.send("from the queue")
    await sender.send("handed over")
    await jobs.drain()
    expect(seen.sort()).toEqual(["from the queue", "handed over"])
    expect(stolen).toEqual([])
    expect(jobs.stats().consumers).toBe(1)
  })
})
