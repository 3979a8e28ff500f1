/**
 * A thousand connects at once: all of them are let in and served, also while as many strangers fail, and nothing is left
 * of them when they go. The backlog is set to take them: one thread does not accept while it connects, and a connect
 * that the kernel finds no room for is tried again only after seconds.
 */

import { describe, expect, it, onTestFinished } from "vitest"
import { engine, zmq } from "../support/engine.js"
import { eventually } from "../support/eventually.js"
import { Peer } from "../support/peer.js"
import { message, RawPeer } from "../support/raw-zmtp.js"
import { ownSockets } from "../support/sockets.js"
import { Watch } from "../support/watch.js"
import { servedRouter } from "./served-router.js"

const thousand = 1000

describe("a thousand connects at once", () => {
  const own = ownSockets()

  it("are all let in by a ROUTER, heard and answered", { timeout: 60_000 }, async () => {
    const { router, endpoint, watch, serves } = await servedRouter({ backlog: thousand })
    const names = Array.from({ length: thousand }, (_, index) => `peer ${index}`)
    const meeting = names.map(async name => {
      const raw = await RawPeer.connect(endpoint)
      await raw.handshake("DEALER", name)
      raw.send(message(`hello from ${name}`))
      return raw
    })
    const heard = new Set<string>()
    while (heard.size < thousand) {
      const [id, text] = await router.receive()
      expect(text?.toString()).toBe(`hello from ${id}`)
      heard.add(id!.toString())
    }
    expect(heard).toEqual(new Set(names))
    const peers = await Promise.all(meeting)
    expect(watch.count("handshake")).toBeGreaterThanOrEqual(thousand)

    for (const name of names) await router.send([name, `hello to ${name}`])
    const answers = await Promise.all(peers.map(async raw => (await raw.readMessage()).map(String)))
    expect(answers).toEqual(names.map(name => [`hello to ${name}`]))
    for (const raw of peers) raw.destroy()
    await eventually(() => watch.count("disconnect") >= thousand)
    await serves()
  })

  it("are all let in while a thousand strangers fail", { timeout: 60_000 }, async () => {
    const { router, endpoint, watch, serves } = await servedRouter({ handshakeInterval: 10_000, backlog: 2 * thousand })
    const strangers: RawPeer[] = []
    const meeting = Array.from({ length: thousand }, async (_, index) => {
      const stranger = await RawPeer.connect(endpoint)
      strangers.push(stranger)
      if (index % 2) stranger.send(Buffer.from("surely not ZMTP, nor anything like it"))
      else stranger.destroy()
      const raw = await RawPeer.connect(endpoint)
      await raw.handshake("DEALER", `peer ${index}`)
      raw.send(message("hello"))
    })
    for (let heard = 0; heard < thousand; heard++) expect((await router.receive())[1]?.toString()).toBe("hello")
    await Promise.all(meeting)
    await eventually(() => watch.count("disconnect") >= thousand)
    await Promise.all(strangers.map(stranger => stranger.ended))
    await serves()
  })

  it("from sockets of another process, over tcp and ipc", { timeout: 60_000 }, async () => {
    const peer = await Peer.spawn(engine)
    onTestFinished(() => peer.kill())
    for (const endpoint of ["tcp://127.0.0.1:*", "ipc://*"]) {
      const router = own(new zmq.Router({ linger: 0, backlog: thousand }))
      router.receiveTimeout = -1
      const watch = new Watch(router)
      await router.bind(endpoint)
      const echoing = echoUntilClosed(router)
      expect(await peer.swarm("DEALER", router.lastEndpoint!, thousand)).toBe(thousand)
      await eventually(() => watch.count("disconnect") >= thousand)
      await router.close()
      await echoing
    }
  })

  it("from sockets of this process, of one context", { timeout: 60_000 }, async () => {
    const pull = own(new zmq.Pull({ backlog: thousand }))
    pull.receiveTimeout = 30_000
    await pull.bind("tcp://127.0.0.1:*")
    const pushes = Array.from({ length: 500 }, () => own(new zmq.Push({ linger: 0 })))
    for (const push of pushes) push.connect(pull.lastEndpoint!)
    await Promise.all(pushes.map((push, index) => push.send(String(index))))
    const heard = new Set<string>()
    while (heard.size < pushes.length) heard.add(String((await pull.receive())[0]))
    expect(heard.size).toBe(pushes.length)
  })
})

async function echoUntilClosed(router: InstanceType<typeof zmq.Router>): Promise<void> {
  try {
    for await (const frames of router) await router.send(frames)
  } catch (error) {
    if (!router.closed) throw error
  }
}
