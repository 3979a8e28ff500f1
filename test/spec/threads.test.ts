/**
 * inproc between the threads of one process: names that all of them share, either side first, marks that hold both ways,
 * and threads that die. The other thread runs the peer program of test/support/peers.
 */
import { once } from "node:events"
import { Worker } from "node:worker_threads"
import { describe, expect, it, onTestFinished } from "vitest"
import { freshEndpoint } from "../support/endpoints.js"
import { engine, zmq } from "../support/engine.js"
import { eventually } from "../support/eventually.js"
import { Peer, reportsOf, useThread } from "../support/peer.js"
import { failsWith, fillUp, ownSockets, text, texts } from "../support/sockets.js"

const own = ownSockets()
const name = () => freshEndpoint("inproc")

async function thread(): Promise<Peer> {
  const peer = await Peer.thread(engine)
  onTestFinished(() => peer.kill())
  return peer
}

describe("names of inproc, among threads", () => {
  const peer = useThread(engine)

  it("may be connected to before another thread binds them; what was sent meanwhile arrives", async () => {
    const address = name()
    const push = own(new zmq.Push())
    push.connect(address)
    for (const message of ["a", "b", "c"]) await push.send(message)
    const pull = await peer().open("PULL")
    await pull.bind(address)
    expect(await pull.receive(3)).toEqual([["a"], ["b"], ["c"]].map(reportsOf))
  })

  it("may be connected to by another thread before they are bound here", async () => {
    const address = name()
    const push = await peer().open("PUSH")
    await push.connect(address)
    await push.send(["a"], ["b"])
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    expect(await texts(pull, 2)).toEqual([["a"], ["b"]])
  })

  it("are EADDRINUSE when another thread has them, whoever asks", async () => {
    const there = name()
    const here = name()
    const theirs = await peer().open("PULL")
    await theirs.bind(there)
    await failsWith("EADDRINUSE", () => own(new zmq.Pull()).bind(there))
    await own(new zmq.Pull()).bind(here)
    await expect((await peer().open("PULL")).bind(here)).rejects.toMatchObject({ code: "EADDRINUSE" })
  })

  it("stay free for a connection after a bind that failed", async () => {
    const address = name()
    const theirs = await peer().open("PULL")
    await theirs.bind(address)
    const push = own(new zmq.Push())
    await failsWith("EADDRINUSE", () => push.bind(address))
    push.connect(address)
    await push.send("after all")
    expect(await theirs.receive()).toEqual([reportsOf(["after all"])])
  })

  it("are free again after unbind()", async () => {
    const address = name()
    const theirs = await peer().open("PULL")
    await theirs.bind(address)
    await theirs.unbind(address)
    const ours = own(new zmq.Pull())
    await ours.bind(address)
    await ours.unbind(address)
    await (await peer().open("PULL")).bind(address)
  })

  it("go to one of two threads that want them at once", async () => {
    const others = await Promise.all([thread(), thread()])
    for (let round = 0; round < 5; round++) {
      const address = name()
      const sockets = [own(new zmq.Pull()), ...(await Promise.all(others.map(other => other.open("PULL"))))]
      const outcomes = await Promise.allSettled(sockets.map(async socket => await socket.bind(address)))
      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1)
      for (const outcome of outcomes)
        if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "EADDRINUSE" })
    }
  })

  it("belong to the context: one of its own is not shared", async () => {
    const address = name()
    const theirs = await peer().open("PULL")
    await theirs.bind(address)
    const context = new zmq.Context()
    await own(new zmq.Pull({ context })).bind(address)
    const push = own(new zmq.Push({ context }))
    push.connect(address)
    await push.send("here")
    await expect(theirs.receive(1, 50)).rejects.toMatchObject({ code: "EAGAIN" })
  })
})

describe("connections between threads", () => {
  it("serve several threads at once, and each message of a thread comes in order", async () => {
    const address = name()
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    const others = await Promise.all([thread(), thread(), thread()])
    const count = 5_000
    for (const [sender, other] of others.entries()) {
      const push = await other.open("PUSH")
      await push.connect(address)
      await push.flood({ sender, count })
    }
    const next = new Map<number, number>()
    for (let got = 0; got < count * others.length; got++) {
      const [frame] = await pull.receive()
      const sender = frame!.readUInt32BE(0)
      const number = frame!.readUInt32BE(4)
      expect(number).toBe(next.get(sender) ?? 0)
      next.set(sender, number + 1)
    }
    expect([...next.values()]).toEqual([count, count, count])
  })

  it("know peers by their routing ids, on either side", async () => {
    const address = name()
    const router = own(new zmq.Router())
    await router.bind(address)
    const other = await thread()
    const dealer = await other.open("DEALER", { routingId: "over there" })
    await dealer.connect(address)
    await dealer.send(["hello"])
    expect(await text(router)).toEqual(["over there", "hello"])
    await router.send(["over there", "and back"])
    expect(await dealer.receive()).toEqual([reportsOf(["and back"])])
  })

  it("hold the sender back when the other thread does not read, and lose nothing", async () => {
    const address = name()
    const other = await thread()
    const pull = await other.open("PULL", { receiveHighWaterMark: 10 })
    await pull.bind(address)
    const push = own(new zmq.Push({ sendHighWaterMark: 10 }))
    push.connect(address)
    const body = Buffer.alloc(10_000, 7)
    const sent = await fillUp(push, () => body)
    // Two marks, what is underway between the threads (512 KiB), and what is encoded or being decoded beside it.
    expect(sent).toBeGreaterThanOrEqual(20)
    expect(sent * body.length).toBeLessThan(3_000_000)
    const all = await pull.receive(sent)
    expect(all).toEqual(Array.from({ length: sent }, () => reportsOf([body])))
    push.sendTimeout = 5_000
    await push.send("goes on")
    expect(await pull.receive()).toEqual([reportsOf(["goes on"])])
  })

  it("are held back by a reader here that pauses, and lose nothing", async () => {
    const address = name()
    const pull = own(new zmq.Pull({ receiveHighWaterMark: 10 }))
    await pull.bind(address)
    const other = await thread()
    const push = await other.open("PUSH", { sendHighWaterMark: 10 })
    await push.connect(address)
    const count = 3_000
    await push.flood({ sender: 1, count, size: 4_000 })
    let sent = -1
    await eventually(async () => {
      const before = sent
      sent = (await push.state()).sent
      return sent > 0 && sent === before
    })
    expect(sent * 4_000).toBeLessThan(3_000_000)
    for (let number = 0; number < count; number++) expect((await pull.receive())[0]!.readUInt32BE(4)).toBe(number)
  })

  it("deliver what was sent before a socket was closed", async () => {
    const address = name()
    const other = await thread()
    const push = await other.open("PUSH", { linger: -1 })
    await push.connect(address)
    await push.send(["parting"], [{ size: 1_000_000, seed: 1 }])
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    await push.close()
    expect(await text(pull)).toEqual(["parting"])
    expect((await pull.receive())[0]).toHaveLength(1_000_000)
  })
})

describe("a thread that has nothing left to do", () => {
  const program = `
    import(process.argv[2]).then(async ({ Push }) => {
      const push = new Push()
      push.connect(process.argv[3])
      for (const message of ["first", "second"]) await push.send(message)
    })`
  const library = engine === "zeromq" ? "zeromq" : new URL("../../dist/patterns/index.js", import.meta.url).href

  it("hands over what it sent, and ends by itself", async () => {
    const address = name()
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    const worker = new Worker(program, { eval: true, argv: [library, address] })
    const ended = once(worker, "exit")
    expect(await texts(pull, 2)).toEqual([["first"], ["second"]])
    expect(await ended).toEqual([0])
  })

  it.skipIf(engine !== "peerlane")("ends though nobody has the name that it sent to", async () => {
    await own(new zmq.Pull()).bind(name())
    const worker = new Worker(program, { eval: true, argv: [library, name()] })
    expect(await once(worker, "exit")).toEqual([0])
  })
})

/** The `zeromq` package ends the whole process when one of its threads is terminated. */
describe.skipIf(engine !== "peerlane")("connections to a thread that is killed", () => {
  it("free the names that it had", async () => {
    const address = name()
    const other = await thread()
    await (await other.open("PULL")).bind(address)
    await other.kill()
    await own(new zmq.Pull()).bind(address)
  })

  it("end, and no others do", async () => {
    const address = name()
    const router = own(new zmq.Router({ mandatory: true }))
    await router.bind(address)
    const [mortal, other] = await Promise.all([thread(), thread()])
    for (const [peer, routingId] of [
      [mortal, "mortal"],
      [other, "other"],
    ] as const) {
      const dealer = await peer.open("DEALER", { routingId })
      await dealer.connect(address)
      await dealer.send(["hello"])
      expect(await text(router)).toEqual([routingId, "hello"])
      if (peer === mortal) await mortal.kill()
      else await dealer.echo()
    }
    const gone = await eventually(() =>
      router.send(["mortal", "still there?"]).then(
        () => null,
        (error: Error & { code?: string }) => error.code,
      ),
    )
    expect(gone).toBe("EHOSTUNREACH")
    await router.send(["other", "and you?"])
    expect(await text(router)).toEqual(["other", "and you?"])
  })

  it("leave no peer, and its whole messages can be read", async () => {
    const address = name()
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    const other = await thread()
    const push = await other.open("PUSH")
    await push.connect(address)
    await push.send(["one"], ["two", "frames"])
    await eventually(() => pull.stats().queuedIn === 2)
    expect(pull.peers()).toMatchObject([{ address, type: "PUSH" }])
    await other.kill()
    await eventually(() => pull.peers().length === 0)
    expect(await texts(pull, 2)).toEqual([["one"], ["two", "frames"]])
    expect(pull.tryReceive()).toBeNull()
  })

  it("drop what is queued, and count it", async () => {
    const address = name()
    const other = await thread()
    const pull = await other.open("PULL", { receiveHighWaterMark: 1 })
    await pull.bind(address)
    const push = own(new zmq.Push({ sendHighWaterMark: 5 }))
    push.connect(address)
    const sent = await fillUp(push, () => Buffer.alloc(50_000))
    await other.kill()
    await eventually(() => push.stats().dropped.total > 0)
    const { messagesOut, dropped } = push.stats()
    expect(messagesOut).toBe(sent)
    expect(dropped.disconnected).toBe(dropped.total)
    expect(dropped.total).toBeLessThanOrEqual(sent)
  })
})
