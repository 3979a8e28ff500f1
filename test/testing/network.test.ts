/** What goes wrong between machines: cuts, partitions, delays, and messages that come again. */
import { createWorld, type World } from "peerlane/testing"
import { describe, expect, it } from "vitest"
import { codeOf, collect, pair, SERVER, texts } from "./echo.js"

const NUMBERS = Array.from({ length: 30 }, (_, number) => String(number))

/** Sends them one after the other, one every half millisecond. */
async function sendAll(world: World, send: (text: string) => Promise<void>, numbers = NUMBERS): Promise<void> {
  for (const number of numbers) {
    await send(number)
    await world.run({ limit: 0.5 })
  }
}

describe("a cut", () => {
  it("loses what is on the way from a random point on, in both directions: what arrives is a prefix", async () => {
    const lengths = [new Set<number>(), new Set<number>()]
    for (let seed = 0; seed < 100; seed++) {
      const world = createWorld({ seed })
      const { client, dealer, got, id, router, server } = await pair(world, {}, { immediate: true })
      const answers = collect(dealer)
      for (const number of NUMBERS) {
        await dealer.send([number])
        await router.send([id, number])
      }
      world.network.cut(server, client)
      await world.run({ limit: 1000 })
      for (const [index, texted] of [texts(got, 1), texts(answers)].entries()) {
        expect(texted).toEqual(NUMBERS.slice(0, texted.length))
        lengths[index]!.add(texted.length)
      }
      expect(world.faults.cut).toBe(1)
    }
    for (const seen of lengths) expect(seen.size).toBeGreaterThan(20)
  })

  it("is followed by a new connection, with another routing id; the old one is EHOSTUNREACH", async () => {
    const world = createWorld({ seed: 1 })
    const { client, dealer, got, id, router, server } = await pair(world)
    const before = world.now
    world.network.cut(server, client)
    await world.run({ limit: 5 })
    expect(await codeOf(router.send([id, "x"]))).toBe("EHOSTUNREACH")
    await dealer.send(["again"])
    await world.run()
    expect(texts(got, 1)).toEqual(["again"])
    expect(got[0]![0]).not.toEqual(id)
    expect(world.now - before).toBeGreaterThan(10)
    expect(world.now - before).toBeLessThan(300)
    expect(await codeOf(router.send([got[0]![0]!, "x"]))).toBe("none")
  })

  it("spares what waited for room at the dealer, unless immediate", async () => {
    for (const immediate of [false, true]) {
      const world = createWorld({ seed: 1 })
      const { client, dealer, server } = await pair(world, { receiveHighWaterMark: 1 }, { immediate })
      const slow = new server.sockets.Router({ receiveHighWaterMark: 1 })
      await slow.bind("tcp://*:1")
      const other = new client.sockets.Dealer({ immediate })
      other.connect("tcp://server:1")
      await world.run({ limit: 100 })
      for (const number of NUMBERS) await other.send([number])
      await world.run({ limit: 100 })
      world.network.cut(server, client)
      await world.run({ limit: 1000 })
      const got = collect(slow)
      await world.run()
      expect(texts(got, 1)).toEqual(immediate ? ["0"] : NUMBERS)
      expect(dealer.closed).toBe(false)
    }
  })

  it("does not touch other machines", async () => {
    const world = createWorld({ seed: 1 })
    const { client, id, router } = await pair(world)
    world.network.cut(client, world.machine("other"))
    await world.run()
    expect(await codeOf(router.send([id, "x"]))).toBe("none")
  })
})

describe("a partition", () => {
  it("lets nothing pass, and everything when it heals before the patience of connections ends", async () => {
    const world = createWorld({ seed: 1 })
    const { client, dealer, got, id, router, server } = await pair(world)
    const answers = collect(dealer)
    await dealer.send(["on the way"])
    world.network.partition(server, client, 3000)
    await sendAll(world, text => dealer.send([text]))
    await router.send([id, "answer"])
    await world.run({ limit: 2900 })
    expect([got, answers]).toEqual([[], []])
    await world.run()
    expect(texts(got, 1)).toEqual(["on the way", ...NUMBERS])
    expect(texts(answers)).toEqual(["answer"])
    expect(got[0]![0]).toEqual(id)
  })

  it("cuts connections when their patience ends, without telling the other side; they come again after it", async () => {
    const world = createWorld({ seed: 1 })
    const { client, dealer, got, id, router, server } = await pair(world)
    world.network.partition(server, client, 8000)
    await dealer.send(["lost"])
    expect(await codeOf(router.send([id, "lost, too"]))).toBe("none")
    await world.run({ limit: 4990 })
    expect(await codeOf(router.send([id, "still thinks that it is there"]))).toBe("none")
    await world.run({ limit: 20 })
    expect(await codeOf(router.send([id, "x"]))).toBe("EHOSTUNREACH")
    await dealer.send(["waits"])
    await world.run({ limit: 2900 })
    expect(got).toEqual([])
    await world.run()
    expect(texts(got, 1)).toEqual(["waits"])
    expect(got[0]![0]).not.toEqual(id)
    expect(world.now).toBeLessThan(8300)
  })

  it("made longer step by step tries the patience as well", async () => {
    const world = createWorld({ seed: 1 })
    const { client, id, router, server } = await pair(world)
    for (let second = 0; second < 6; second++) {
      world.network.partition(server, client, 1500)
      await world.run({ limit: 1000 })
    }
    expect(await codeOf(router.send([id, "x"]))).toBe("EHOSTUNREACH")
  })

  it("is between two machines, and no others", async () => {
    const world = createWorld({ seed: 1 })
    const { client, got } = await pair(world)
    const other = new (world.machine("other").sockets.Dealer)()
    other.connect(SERVER)
    await other.send(["x"])
    world.network.partition(world.machine("server"), client, 1000)
    await world.run({ limit: 100 })
    expect(texts(got, 1)).toEqual(["x"])
  })
})

describe("delays", () => {
  it("slow: each message takes that much longer, for that long", async () => {
    const world = createWorld({ seed: 1 })
    const { client, dealer, got, server } = await pair(world)
    world.network.slow(server, client, 100, 50)
    const before = world.now
    await dealer.send(["slow"])
    await world.run({ until: () => got.length === 1 })
    expect(world.now - before).toBeGreaterThan(100)
    const after = world.now
    await dealer.send(["fast"])
    await world.run({ until: () => got.length === 2 })
    expect(world.now - after).toBeLessThan(5)
  })

  it("reorder: a connection is held back, and keeps its order", async () => {
    let overtaken = 0
    for (let seed = 0; seed < 20; seed++) {
      const world = createWorld({ seed })
      const { client, dealer, got, server } = await pair(world)
      const second = new client.sockets.Dealer()
      second.connect(SERVER)
      await world.run({ limit: 100 })
      world.network.reorder(server, client, 50)
      await dealer.send(["first 1"])
      await dealer.send(["first 2"])
      await world.run({ limit: 5 })
      await second.send(["second"])
      await world.run()
      const order = texts(got, 1)
      expect(order.indexOf("first 1")).toBeLessThan(order.indexOf("first 2"))
      expect(order).toHaveLength(3)
      if (order[0] === "second") overtaken++
    }
    expect(overtaken).toBeGreaterThan(3)
    expect(overtaken).toBeLessThan(20)
  })
})

describe("duplicates", () => {
  it("are some of the last messages that were delivered, again and in order, over the next connection", async () => {
    const counts = new Set<number>()
    for (let seed = 0; seed < 30; seed++) {
      const world = createWorld({ seed })
      const { client, dealer, got, id, router, server } = await pair(world)
      const answers = collect(dealer)
      world.network.duplicate(server, client)
      await sendAll(world, text => dealer.send([text]))
      await sendAll(world, text => router.send([id, text]))
      await world.run({ limit: 20 })
      expect([texts(got, 1), texts(answers)]).toEqual([NUMBERS, NUMBERS])
      expect(world.faults.duplicate).toBe(0)
      for (const message of got) message[1]!.fill("?")
      world.network.cut(server, client)
      await world.run()
      await dealer.send(["new"])
      await world.run()
      const again = texts(got.slice(NUMBERS.length), 1)
      expect(again.at(-1)).toBe("new")
      expect(again.slice(0, -1)).toEqual(NUMBERS.slice(31 - again.length))
      expect(texts(answers.slice(NUMBERS.length))).toEqual(NUMBERS.slice(2 * NUMBERS.length - answers.length))
      expect(got.at(-2)![0]).toEqual(got.at(-1)![0])
      expect(got.at(-2)![0]).not.toEqual(id)
      expect(world.faults.duplicate).toBe(1)
      counts.add(again.length - 1)

      const before = got.length
      world.network.cut(server, client)
      await world.run()
      expect(got).toHaveLength(before)
    }
    expect([Math.min(...counts), Math.max(...counts)]).toEqual([1, 8])
  })
})
