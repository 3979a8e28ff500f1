/** The simulated Router and Dealer: what typed patterns rely on, and what the `zeromq` package forbids. */
import { createWorld } from "peerlane/testing"
import { describe, expect, it } from "vitest"
import type { TypedDealer } from "../../patterns/typed/sockets.js"
import { codeOf, collect, pair, SERVER, texts } from "./echo.js"

describe("a router", () => {
  it("puts a routing id of five bytes in front, and sends where the first frame says", async () => {
    const world = createWorld({ seed: 1 })
    const { dealer, id, router } = await pair(world)
    expect([id.length, id[0]]).toEqual([5, 0])
    const answers = collect(dealer)
    await router.send([id, "answer", new Uint8Array([1, 2])])
    await world.run()
    expect(answers).toEqual([[Buffer.from("answer"), Buffer.from([1, 2])]])
  })

  it("with mandatory: EHOSTUNREACH for an id that is not there, or not any more", async () => {
    const world = createWorld({ seed: 1 })
    const { dealer, id, router } = await pair(world)
    expect(await codeOf(router.send(["nobody", "x"]))).toBe("EHOSTUNREACH")
    expect(await codeOf(router.send([Buffer.from([0, 1, 2, 3, 4]), "x"]))).toBe("EHOSTUNREACH")
    dealer.close()
    expect(await codeOf(router.send([id, "before it is known"]))).toBe("none")
    await world.run()
    expect(await codeOf(router.send([id, "x"]))).toBe("EHOSTUNREACH")
  })

  it("without mandatory: drops such messages", async () => {
    const world = createWorld({ seed: 1 })
    const { router } = await pair(world, { mandatory: false })
    expect(await codeOf(router.send(["nobody", "x"]))).toBe("none")
  })

  it("with mandatory and a full queue: EAGAIN after sendTimeout, at once for 0; else waits", async () => {
    for (const [sendTimeout, waited] of [
      [0, 0],
      [50, 50],
    ]) {
      const world = createWorld({ seed: 1 })
      const { id, router } = await pair(world, { sendTimeout, sendHighWaterMark: 3 }, { receiveHighWaterMark: 2 })
      for (let number = 0; number < 5; number++) await router.send([id, String(number)])
      const [before, sixth] = [world.now, codeOf(router.send([id, "5"]))]
      let code = ""
      void sixth.then(got => {
        code = got
      })
      await world.run({ until: () => code !== "" })
      expect([code, world.now - before]).toEqual(["EAGAIN", waited])
    }
    const world = createWorld({ seed: 1 })
    const options = [{ sendHighWaterMark: 3 }, { receiveHighWaterMark: 2 }] as const
    const { dealer, id, router } = await pair(world, ...options)
    for (let number = 0; number < 5; number++) await router.send([id, String(number)])
    let sent = false
    void router.send([id, "5"]).then(() => {
      sent = true
    })
    await world.run()
    expect(sent).toBe(false)
    const got = collect(dealer)
    await world.run()
    expect(sent).toBe(true)
    expect(texts(got)).toEqual(["0", "1", "2", "3", "4", "5"])
  })

  it("a send that waits for a peer that leaves is EHOSTUNREACH", async () => {
    const world = createWorld({ seed: 1 })
    const { client, id, router } = await pair(world, { sendHighWaterMark: 1 }, { receiveHighWaterMark: 1 })
    await router.send([id, "0"])
    await router.send([id, "1"])
    const waiting = codeOf(router.send([id, "2"]))
    client.crash()
    await world.run()
    expect(await waiting).toBe("EHOSTUNREACH")
  })

  it("binds a port once: EADDRINUSE; other machines' names: EADDRNOTAVAIL; nonsense: EINVAL", async () => {
    const { Router } = createWorld({ seed: 1 }).machine("server").sockets
    const [router, other] = [new Router(), new Router()]
    await router.bind("tcp://*:5555")
    expect(router.lastEndpoint).toBe("tcp://server:5555")
    expect(await codeOf(other.bind("tcp://127.0.0.1:5555"))).toBe("EADDRINUSE")
    expect(await codeOf(other.bind("tcp://elsewhere:1"))).toBe("EADDRNOTAVAIL")
    for (const address of ["server:5555", "udp://*:1", "tcp://", "tcp://*:x"]) {
      expect(await codeOf(other.bind(address)), address).toBe("EINVAL")
    }
    await other.bind("tcp://127.0.0.1:*")
    expect(other.lastEndpoint).toMatch(/^tcp:\/\/server:\d{5}$/)
    router.close()
    await other.bind("tcp://*:5555")
  })
})

describe("a dealer", () => {
  it("connects before somebody binds, and keeps the order of what it had queued", async () => {
    const world = createWorld({ seed: 1 })
    const dealer = new (world.machine("client").sockets.Dealer)()
    dealer.connect(SERVER)
    for (let number = 0; number < 10; number++) await dealer.send([String(number)])
    await world.run({ limit: 1000 })
    const router = new (world.machine("server").sockets.Router)()
    await router.bind(SERVER)
    const got = collect(router)
    await world.run()
    expect(texts(got, 1)).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
  })

  it("queues up to its high-water mark, and then waits", async () => {
    const world = createWorld({ seed: 1 })
    const dealer = new (world.machine("client").sockets.Dealer)({ sendHighWaterMark: 2, sendTimeout: 0 })
    expect(await codeOf(dealer.send(["nowhere to queue"]))).toBe("EAGAIN")
    dealer.connect(SERVER)
    await dealer.send(["0"])
    await dealer.send(["1"])
    expect(await codeOf(dealer.send(["2"]))).toBe("EAGAIN")
  })

  it("has room for 1,000 here and 1,000 there by default", async () => {
    const world = createWorld({ seed: 1 })
    const { client, router } = await pair(world, {}, { sendTimeout: 0 })
    const slow = new (world.machine("slow").sockets.Router)()
    await slow.bind("tcp://*:1")
    const dealer = new client.sockets.Dealer({ sendTimeout: 0 })
    dealer.connect("tcp://slow:1")
    await world.run({ limit: 100 })
    let sent = 0
    while ((await codeOf(dealer.send(["x"]))) === "none") sent++
    expect(sent).toBe(2000)
    expect(router.closed).toBe(false)
  })

  it("with immediate: waits while there is no connection", async () => {
    const world = createWorld({ seed: 1 })
    const dealer = new (world.machine("client").sockets.Dealer)({ immediate: true })
    dealer.connect(SERVER)
    let sent = false
    void dealer.send(["x"]).then(() => {
      sent = true
    })
    await world.run({ limit: 1000 })
    expect(sent).toBe(false)
    const router = new (world.machine("server").sockets.Router)()
    await router.bind(SERVER)
    const got = collect(router)
    await world.run()
    expect([sent, texts(got, 1)]).toEqual([true, ["x"]])
  })

  it("sends to its peers in turn", async () => {
    const world = createWorld({ seed: 1 })
    const dealer = new (world.machine("client").sockets.Dealer)()
    const all: Buffer[][][] = []
    for (const name of ["a", "b"]) {
      const router = new (world.machine(name).sockets.Router)()
      await router.bind("tcp://*:1")
      dealer.connect(`tcp://${name}:1`)
      all.push(collect(router))
    }
    for (let number = 0; number < 6; number++) await dealer.send([String(number)])
    await world.run()
    expect(all.map(got => texts(got, 1))).toEqual([
      ["1", "3", "5"],
      ["0", "2", "4"],
    ])
  })

  it("what it sent before close() arrives, also when nobody had bound yet; with linger 0 it may not", async () => {
    for (const [linger, arrives] of [
      [-1, true],
      [5000, true],
      [100, false],
      [0, false],
    ] as const) {
      const world = createWorld({ seed: 1 })
      const dealer = new (world.machine("client").sockets.Dealer)({ linger })
      dealer.connect(SERVER)
      await dealer.send(["x"])
      dealer.close()
      await world.run({ limit: 1000 })
      const router = new (world.machine("server").sockets.Router)()
      await router.bind(SERVER)
      const got = collect(router)
      await world.run()
      expect(texts(got, 1), `linger ${linger}`).toEqual(arrives ? ["x"] : [])
    }
  })
})

describe("either", () => {
  it("allows one send at a time: EBUSY, each time when the world is strict, else while one waits", async () => {
    const world = createWorld({ seed: 1 })
    const { dealer } = await pair(world)
    const [first, second] = [codeOf(dealer.send(["1"])), codeOf(() => dealer.send(["2"]))]
    expect([await first, await second]).toEqual(["none", "EBUSY"])
    expect(await codeOf(dealer.send(["3"]))).toBe("none")

    const lax = createWorld({ seed: 1, strict: false })
    const other = new (lax.machine("client").sockets.Dealer)({ sendHighWaterMark: 2 })
    other.connect(SERVER)
    const sends = ["1", "2", "3", "4"].map(text => codeOf(() => other.send([text])))
    await Promise.all(sends.slice(0, 2))
    expect(await sends[3]).toBe("EBUSY")
    other.close()
    expect(await Promise.all(sends)).toEqual(["none", "none", "EAGAIN", "EBUSY"])
  })

  it("allows one receive at a time: EBUSY", async () => {
    const world = createWorld({ seed: 1 })
    const { dealer, id, router } = await pair(world)
    const messages = dealer[Symbol.asyncIterator]()
    const first = messages.next()
    expect(await codeOf(messages.next())).toBe("EBUSY")
    await router.send([id, "x"])
    await world.run()
    expect(String((await first).value[0])).toBe("x")
  })

  it("copies what it sends", async () => {
    const world = createWorld({ seed: 1 })
    const { dealer, got } = await pair(world)
    const bytes = Buffer.from("before")
    const sent = dealer.send([bytes])
    bytes.fill("x")
    await sent
    await world.run()
    expect(texts(got, 1)).toEqual(["before"])
  })

  it("ends its loop at close; later calls are EBADF", async () => {
    const world = createWorld({ seed: 1 })
    const { dealer, router } = await pair(world)
    let ended = false
    void (async () => {
      for await (const _ of dealer);
      ended = true
    })()
    dealer.close()
    dealer.close()
    await world.run()
    expect([ended, dealer.closed]).toEqual([true, true])
    expect(await codeOf(() => dealer.send(["x"]))).toBe("EBADF")
    expect(() => dealer.connect(SERVER)).toThrow(expect.objectContaining({ code: "EBADF" }))
    router.close()
    expect(await codeOf(router.bind(SERVER))).toBe("EBADF")
  })

  it("EINVAL for what is no message, and no address", async () => {
    const { dealer, id, router } = await pair(createWorld({ seed: 1 }))
    for (const message of [[], [5], [null], null, undefined, [["x"]]] as unknown as string[][]) {
      expect(await codeOf(() => dealer.send(message)), JSON.stringify(message)).toBe("EINVAL")
    }
    expect(await codeOf(() => router.send([id]))).toBe("EINVAL")
    expect(await codeOf(dealer.send(["still good"]))).toBe("none")
    for (const address of ["nowhere", "tcp://server:*", "ipc://x"]) {
      expect(() => dealer.connect(address), address).toThrow(expect.objectContaining({ code: "EINVAL" }))
    }
  })

  it("one connection keeps order; different ones overtake each other", async () => {
    let overtaken = 0
    for (let seed = 0; seed < 20; seed++) {
      const world = createWorld({ seed })
      const router = new (world.machine("server").sockets.Router)()
      await router.bind(SERVER)
      const got = collect(router)
      const dealers: TypedDealer[] = []
      for (const name of ["a", "b"]) {
        const dealer = new (world.machine(name).sockets.Dealer)()
        dealer.connect(SERVER)
        dealers.push(dealer)
      }
      await world.run({ limit: 100 })
      for (let number = 0; number < 20; number++) await dealers[number % 2]!.send([String(number)])
      await world.run()
      const numbers = texts(got, 1).map(Number)
      for (const parity of [0, 1]) {
        const own = numbers.filter(number => number % 2 === parity)
        expect(own).toEqual([...own].sort((a, b) => a - b))
      }
      expect(numbers).toHaveLength(20)
      if (numbers.some((number, at) => at > 0 && number < numbers[at - 1]!)) overtaken++
    }
    expect(overtaken).toBeGreaterThan(10)
  })
})
