/** The draft types against those of libzmq, by the `zeromq` package in the same process: both ways, over tcp and ipc. */
import { describe, expect, it } from "vitest"
import * as theirs from "zeromq/draft.js"
import * as ours from "../../patterns/draft/index.js"
import { freshEndpoint, wired } from "../support/endpoints.js"
import type { AnySocket } from "../support/engine.js"
import { pause } from "../support/eventually.js"
import { bound, ownSockets } from "../support/sockets.js"

const Theirs = theirs as unknown as typeof ours
const sizes = [0, 1, 255, 256, 70_000, 1_000_000]

const ways = wired.flatMap(transport =>
  (["ours binds", "ours connects"] as const).map(way => [transport, way] as const),
)

describe.each(ways)("the draft types and libzmq over %s, %s", (transport, way) => {
  const own = ownSockets()

  async function join(mine: AnySocket, other: AnySocket): Promise<void> {
    const [binds, connects] = way === "ours binds" ? [mine, other] : [other, mine]
    connects.connect(await bound(binds, freshEndpoint(transport)))
  }

  it.each([
    ["our SERVER", ours, Theirs],
    ["our CLIENT", Theirs, ours],
  ])("%s", async (_, host, guest) => {
    const server = own(new host.Server())
    const client = own(new guest.Client())
    await (host === ours ? join(server, client) : join(client, server))
    for (const size of sizes) {
      await client.send(Buffer.alloc(size, size % 251))
      const [body, options] = await server.receive()
      await server.send(body, options)
      expect((await client.receive())[0].equals(Buffer.alloc(size, size % 251))).toBe(true)
    }
  })

  it.each([
    ["our SCATTER", ours, Theirs],
    ["our GATHER", Theirs, ours],
  ])("%s", async (_, from, to) => {
    const scatter = own(new from.Scatter())
    const gather = own(new to.Gather())
    await (from === ours ? join(scatter, gather) : join(gather, scatter))
    for (const size of sizes) await scatter.send(Buffer.alloc(size, size % 251))
    for (const size of sizes) expect((await gather.receive())[0].equals(Buffer.alloc(size, size % 251))).toBe(true)
  })

  it.each([
    ["our RADIO", ours, Theirs],
    ["our DISH", Theirs, ours],
  ])("%s", async (_, from, to) => {
    const radio = own(new from.Radio())
    const dish = own(new to.Dish())
    const group = "g".repeat(255)
    dish.join("early")
    await (from === ours ? join(radio, dish) : join(dish, radio))
    dish.join(group)
    let first: unknown
    const arrived = dish.receive().then(([, options]) => {
      first = options
    })
    while (first === undefined) {
      await radio.send("?", { group })
      await Promise.race([arrived, pause(5)])
    }
    for (const size of sizes) await radio.send(Buffer.alloc(size, 1), { group: "early" })
    await radio.send("not joined", { group: "other" })
    const got: number[] = []
    while (got.length < sizes.length) {
      const [body, options] = await dish.receive()
      if (String(options.group) === "early") got.push(body.length)
    }
    expect(got).toEqual(sizes)
    dish.leave("early")
    dish.join("end")
    let last = ""
    const ended = (async () => {
      while (last !== "end") last = String((await dish.receive())[1].group)
    })()
    while (last !== "end") {
      await radio.send("", { group: "end" })
      await Promise.race([ended, pause(5)])
    }
  })
})
