/**
 * Beyond zeromq.js: endings that can be awaited. close, its linger, await using, and closing a whole context.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, reservedEndpoint, wired } from "../support/endpoints.js"
import { engine, zmq } from "../support/engine.js"
import { eventually, pause } from "../support/eventually.js"
import { bound, failsWith, failure, nothingArrives, ownSockets, text, texts } from "../support/sockets.js"

describe.skipIf(engine === "zeromq").each(wired)("close over %s", transport => {
  const own = ownSockets()

  it("resolves when all is delivered", async () => {
    const address = await reservedEndpoint(transport)
    const push = new zmq.Push({ reconnectInterval: 20 })
    push.connect(address)
    for (let index = 0; index < 100; index++) await push.send(`${index}`)
    let done = false
    const closing = push.close().then(() => {
      done = true
    })
    expect(push.closed).toBe(true)
    await pause(50)
    expect(done).toBe(false)
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    expect(await texts(pull, 100)).toHaveLength(100)
    await closing
  })

  it("resolves after its linger, and drops what is left", async () => {
    const address = await reservedEndpoint(transport)
    const push = new zmq.Push()
    push.connect(address)
    await push.send("dropped")
    const before = performance.now()
    await push.close({ linger: 50 })
    expect(performance.now() - before).toBeGreaterThan(40)
    expect(push.stats()).toMatchObject({ queuedOut: 0, dropped: { total: 1, closed: 1 } })
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    await nothingArrives(pull)
  })

  it("with linger 0 resolves at once, whatever the option says", async () => {
    const push = new zmq.Push({ linger: -1 })
    push.connect(await reservedEndpoint(transport))
    await push.send("dropped")
    await push.close({ linger: 0 })
    expect(push.closed).toBe(true)
  })

  it("a second close gives the same end, and rejects no more than the first", async () => {
    const pull = own(new zmq.Pull())
    await pull.bind(freshEndpoint(transport))
    const closings = [pull.close(), pull.close()]
    await Promise.all(closings)
    await pull.close()
  })

  it("when it has resolved, the address is free", async () => {
    const address = await reservedEndpoint(transport)
    for (let turn = 0; turn < 3; turn++) {
      const pull = new zmq.Pull()
      await pull.bind(address)
      await pull.close()
    }
  })

  it("lets everything that waits end: sends, receives, ready", async () => {
    const pair = own(new zmq.Pair())
    await pair.bind(freshEndpoint(transport))
    const waiting = [
      failure(() => pair.send("a")),
      failure(() => pair.send("b")),
      failure(() => pair.receive()),
      failure(() => pair.receive()),
      failure(() => pair.receiveFrom()),
      failure(() => pair.ready()),
    ]
    await pair.close()
    for (const error of await Promise.all(waiting)) expect(error.code).toBe("EAGAIN")
    await failsWith("EBADF", () => pair.trySend("x"))
    await failsWith("EBADF", () => pair.tryReceive())
  })
})

describe.skipIf(engine === "zeromq")("await using", () => {
  it("closes the socket at the end of the block", async () => {
    const pull = new zmq.Pull()
    const address = freshEndpoint("inproc")
    {
      await using held = pull
      await held.bind(address)
      expect(pull.closed).toBe(false)
    }
    expect(pull.closed).toBe(true)
    await using again = new zmq.Pull()
    await again.bind(address)
  })

  it("closes a context with all its sockets", async () => {
    let pull: InstanceType<typeof zmq.Pull> | undefined
    {
      await using context = new zmq.Context()
      pull = new zmq.Pull({ context })
    }
    expect(pull.closed).toBe(true)
  })
})

describe.skipIf(engine === "zeromq")("closing a context", () => {
  const own = ownSockets()

  it("closes all of its sockets and no other, and wakes what waits in them", async () => {
    const context = new zmq.Context()
    const inside = [new zmq.Pull({ context }), new zmq.Push({ context }), new zmq.Router({ context })]
    const outside = own(new zmq.Pull())
    const waiting = failure(() => (inside[0] as InstanceType<typeof zmq.Pull>).receive())
    await context.close()
    expect(inside.every(socket => socket.closed)).toBe(true)
    expect(outside.closed).toBe(false)
    expect((await waiting).code).toBe("EAGAIN")
    await context.close()
  })

  it("is done at once when it has none (ctx_destroy)", async () => {
    await new zmq.Context().close()
    const context = new zmq.Context()
    await new zmq.Pair({ context }).close()
    await context.close()
  })

  it("does not wait for inproc names that nobody has bound, though something is queued for them", async () => {
    const context = new zmq.Context()
    const address = freshEndpoint("inproc")
    const pushes = Array.from({ length: 3 }, () => new zmq.Push({ context }))
    for (const push of pushes) push.connect(address)
    await pushes[0]!.send("for nobody")
    await pushes[1]!.close()
    await context.close()
    expect(pushes.every(push => push.closed)).toBe(true)
    const elsewhere = own(new zmq.Pull())
    await elsewhere.bind(address)
    await nothingArrives(elsewhere, 30)
  })

  it("ends a bind that waits for others, and those who wait in it (shutdown_during_pend)", async () => {
    const context = new zmq.Context()
    const address = freshEndpoint("inproc")
    const pair = new zmq.Pair({ context })
    pair.connect(address)
    const waiting = failure(() => pair.receive())
    const closing = context.close()
    expect((await failure(() => new zmq.Pair({ context }))).code).toMatch(/^(ETERM|EFAULT)$/)
    expect((await waiting).code).toBe("EAGAIN")
    await closing
  })

  it("makes no further sockets", async () => {
    const context = new zmq.Context()
    await context.close()
    expect((await failure(() => new zmq.Push({ context }))).code).toMatch(/^(ETERM|EFAULT)$/)
  })

  it("waits for what lingers", async () => {
    const context = new zmq.Context()
    const address = await reservedEndpoint("tcp")
    const push = new zmq.Push({ context, reconnectInterval: 20 })
    push.connect(address)
    await push.send("delivered")
    let done = false
    const closing = context.close().then(() => {
      done = true
    })
    await pause(30)
    expect(done).toBe(false)
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    expect(await text(pull)).toEqual(["delivered"])
    await closing
  })

  it("frees what its sockets had bound", async () => {
    const context = new zmq.Context()
    const pull = new zmq.Pull({ context })
    const address = await bound(pull, "tcp://127.0.0.1:*")
    await context.close()
    const next = own(new zmq.Pull())
    await eventually(() => next.bind(address).then(() => true))
  })
})
