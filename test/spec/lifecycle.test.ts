/**
 * Closing, lingering, iterating, running out of sockets, leaving and coming back: cases 89 to 97 of the list of portable cases, said in
 * terms of this API.
 */
import { describe, expect, it } from "vitest"
import { freshEndpoint, reservedEndpoint, transports, wired } from "../support/endpoints.js"
import { zmq } from "../support/engine.js"
import { EventLog } from "../support/events.js"
import { eventually, pause } from "../support/eventually.js"
import { bound, failsWith, failure, nothingArrives, ownSockets, text, texts } from "../support/sockets.js"

describe("closing", () => {
  const own = ownSockets()

  it("wakes a receive that waits (89)", async () => {
    const pull = own(new zmq.Pull({ receiveTimeout: -1 }))
    pull.receiveTimeout = -1
    const waiting = failure(() => pull.receive())
    await pull.close()
    expect((await waiting).code).toBe("EAGAIN")
  })

  it("wakes a send that waits", async () => {
    const push = own(new zmq.Push())
    push.sendTimeout = -1
    const waiting = failure(() => push.send("to nobody"))
    await push.close()
    expect((await waiting).code).toBe("EAGAIN")
  })

  it("is done at once, once, and for good: every call on a closed socket fails (90)", async () => {
    const pair = own(new zmq.Pair())
    expect(pair.closed).toBe(false)
    const closing = pair.close()
    expect(pair.closed).toBe(true)
    await closing
    await pair.close()
    for (const call of [
      () => pair.send("x"),
      () => pair.receive(),
      () => pair.bind(freshEndpoint("inproc")),
      () => pair.connect(freshEndpoint("inproc")),
      () => pair.unbind("inproc://x"),
      () => pair.disconnect("inproc://x"),
    ]) {
      await failsWith("EBADF", call)
    }
    expect(pair.readable).toBe(false)
    expect(pair.writable).toBe(false)
  })

  it("ends an iteration (91)", async () => {
    const pull = own(new zmq.Pull())
    const push = own(new zmq.Push())
    push.connect(await bound(pull, freshEndpoint("tcp")))
    const got: string[] = []
    const iterating = (async () => {
      for await (const [frame] of pull) got.push(String(frame))
      return "ended"
    })()
    for (const body of ["a", "b", "c"]) await push.send(body)
    await eventually(() => got.length === 3)
    await pull.close()
    expect(await iterating).toBe("ended")
    expect(got).toEqual(["a", "b", "c"])
    for await (const message of pull) expect(message).toBe("nothing comes from a closed socket")
  })

  it("leaving an iteration early leaves the socket open, and loses nothing", async () => {
    const pull = own(new zmq.Pull())
    const push = own(new zmq.Push())
    push.connect(await bound(pull, freshEndpoint("tcp")))
    for (let index = 0; index < 10; index++) await push.send(`${index}`)
    const got: string[] = []
    for await (const [frame] of pull) {
      got.push(String(frame))
      if (got.length === 4) break
    }
    for await (const [frame] of pull) {
      got.push(String(frame))
      if (got.length === 10) break
    }
    expect(got).toEqual(Array.from({ length: 10 }, (_, index) => `${index}`))
    expect(pull.closed).toBe(false)
  })

  it("a timeout ends an iteration with EAGAIN", async () => {
    const pull = own(new zmq.Pull({ receiveTimeout: 30 }))
    await failsWith("EAGAIN", async () => {
      for await (const message of pull) expect(message).toBe("nothing is sent")
    })
  })

  it("frees the address that was bound", async () => {
    for (const transport of transports) {
      const first = own(new zmq.Pull())
      const address = await bound(first, freshEndpoint(transport))
      await first.close()
      const second = own(new zmq.Pull())
      await eventually(() => second.bind(address).then(() => true))
    }
  })

  it("while it connects, many at a time, ten times over (93)", async () => {
    for (let round = 0; round < 10; round++) {
      const server = own(new zmq.Publisher({ linger: 0 }))
      const address = await bound(server, freshEndpoint("tcp"))
      const clients = Array.from({ length: 20 }, () => {
        const client = own(new zmq.Subscriber({ linger: 0 }))
        client.subscribe("")
        client.connect(address)
        return client
      })
      await Promise.all([...clients, server].map(socket => socket.close()))
      expect([...clients, server].every(socket => socket.closed)).toBe(true)
    }
  })
})

describe.each(wired)("linger over %s", transport => {
  const own = ownSockets()

  it("-1: what was sent is delivered after close, even to a peer that comes later", async () => {
    const address = await reservedEndpoint(transport)
    const push = new zmq.Push({ reconnectInterval: 20 })
    push.connect(address)
    for (let index = 0; index < 100; index++) await push.send(`${index}`)
    const closing = push.close()
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    expect(await texts(pull, 100)).toHaveLength(100)
    await closing
  })

  it("-1: a large message on its way is delivered whole", async () => {
    const pull = own(new zmq.Pull())
    const push = new zmq.Push()
    push.connect(await bound(pull, freshEndpoint(transport)))
    const body = Buffer.alloc(32 * 1024 * 1024, "z")
    await push.send(body)
    const closing = push.close()
    const [got] = await pull.receive()
    expect(got!.length).toBe(body.length)
    expect(got!.equals(body)).toBe(true)
    await closing
  })

  it("0: what was not sent yet is dropped", async () => {
    const address = await reservedEndpoint(transport)
    const push = own(new zmq.Push({ linger: 0, reconnectInterval: 10 }))
    push.connect(address)
    await push.send("dropped")
    await push.close()
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    await nothingArrives(pull)
  })

  it("50 ms: is dropped after that time", async () => {
    const address = await reservedEndpoint(transport)
    const push = own(new zmq.Push({ linger: 50, reconnectInterval: 10 }))
    push.connect(address)
    await push.send("dropped")
    await push.close()
    await pause(200)
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    await nothingArrives(pull)
  })

  it("10 s: is delivered when the peer comes in time", async () => {
    const address = await reservedEndpoint(transport)
    const push = new zmq.Push({ linger: 10_000, reconnectInterval: 20 })
    push.connect(address)
    await push.send("delivered")
    const closing = push.close()
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    expect(await text(pull)).toEqual(["delivered"])
    await closing
  })
})

describe("contexts", () => {
  const own = ownSockets()

  it("give EMFILE beyond maxSockets, and room again when a socket closes (94)", async () => {
    const context = new zmq.Context({ maxSockets: 5 })
    const sockets: InstanceType<typeof zmq.Push>[] = []
    const error = await failure(() => {
      for (;;) sockets.push(own(new zmq.Push({ context })))
    })
    expect(error.code).toBe("EMFILE")
    expect(sockets.length).toBeGreaterThan(0)
    expect(sockets.length).toBeLessThanOrEqual(5)
    await sockets[0]!.close()
    await eventually(() => own(new zmq.Push({ context })))
  })

  it("are the default one unless another is given", () => {
    const context = new zmq.Context()
    expect(own(new zmq.Push()).context).toBe(zmq.context)
    expect(own(new zmq.Push({ context })).context).toBe(context)
  })
})

describe.each(wired)("reconnecting over %s", transport => {
  const own = ownSockets()

  it("an interval of -1 never does; a connect by hand works (95)", async () => {
    const server = own(new zmq.Pull())
    const address = await bound(server, freshEndpoint(transport))
    const client = own(new zmq.Push({ reconnectInterval: -1 }))
    const log = new EventLog(client)
    client.connect(address)
    await client.send("one")
    expect(await text(server)).toEqual(["one"])
    await server.unbind(address)
    await eventually(() => !server.readable && log.count("disconnect") === 1)
    await server.bind(address)
    await log.staysQuiet()
    expect(log.types).not.toContain("connect:retry")
    await eventually(() => !client.writable)
    client.connect(address)
    await client.send("two")
    expect(await text(server)).toEqual(["two"])
  })

  it("happens by itself, as often as the server comes back", async () => {
    const address = await reservedEndpoint(transport)
    const client = own(new zmq.Dealer({ reconnectInterval: 20 }))
    client.connect(address)
    for (const life of ["first", "second", "third"]) {
      const server = own(new zmq.Dealer())
      await eventually(() => server.bind(address).then(() => true))
      await server.send(`hello from the ${life}`)
      expect(await text(client)).toEqual([`hello from the ${life}`])
      await client.send(`to the ${life}`)
      expect(await text(server)).toEqual([`to the ${life}`])
      const mine = new EventLog(client)
      await server.close()
      await mine.seen("disconnect")
    }
  })

  it("does not happen after disconnect", async () => {
    const server = own(new zmq.Dealer())
    const serverLog = new EventLog(server)
    const address = await bound(server, freshEndpoint(transport))
    const client = own(new zmq.Dealer({ reconnectInterval: 10 }))
    const log = new EventLog(client)
    client.connect(address)
    await log.seen("handshake")
    client.disconnect(address)
    await eventually(() => !client.readable && serverLog.count("disconnect") === 1)
    await log.staysQuiet()
    expect(log.types).not.toContain("connect:retry")
    expect(log.count("connect")).toBe(1)
  })
})
