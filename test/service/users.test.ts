/** Who a caller is: the user id that its socket was let in with, in handlers, and the peer of a routing id, where that comes from. */
import { describe, expect, it } from "vitest"
import { Dealer, Request, Router } from "../../patterns/index.js"
import { type CallContext, type Server, ServiceError } from "../../patterns/service/index.js"
import { type Engine, engines } from "../support/engine-pairs.js"
import { stage } from "./stage.js"

const served = {
  who: (_: unknown, { userId }: CallContext) => userId,
  async *each(items: AsyncIterable<number>, { userId }: CallContext) {
    for await (const item of items) yield `${userId} ${item}`
  },
}

/** PLAIN: whoever knows the word, by his name; "nobody" is let in without one. */
const secured = {
  plainServer: true,
  authenticate: ({ username, password }: { username?: string; password?: string }) =>
    password === "secret" && { userId: username === "nobody" ? "" : username },
}
const as = (plainUsername: string, plainPassword = "secret") => ({ plainUsername, plainPassword })

describe.each<Engine>(["peerlane", "zeromq"])("a server that knows its users, and clients on %s", callers => {
  const { server, client, closes } = stage("peerlane", callers)

  const connected = (made: Server, user: string) => client<typeof served>(made, { socket: as(user) })

  it("tells handlers who calls, each by its own name", async () => {
    const made = await server(served, { socket: secured })
    const [ada, bob] = [connected(made, "ada"), connected(made, "bob")]
    expect(await Promise.all([ada.who(1), bob.who(1), ada.who(2)])).toEqual(["ada", "bob", "ada"])
    const items: string[] = []
    for await (const item of bob.each(of([1, 2]))) items.push(item)
    expect(items).toEqual(["bob 1", "bob 2"])
    expect(await ada.who(new Uint8Array(300_000))).toBe("ada")
  })

  it("tells middleware, which may turn one down", async () => {
    const made = await server(served, {
      socket: secured,
      use: [
        (_, { userId }, next) => {
          if (userId !== "ada") throw new ServiceError("EACCES", `${userId} may not`)
          return next()
        },
      ],
    })
    expect(await connected(made, "ada").who(1)).toBe("ada")
    await expect(connected(made, "bob").who(1)).rejects.toMatchObject({ code: "EACCES", message: "bob may not" })
  })

  it("of one that was let in without a name, or whom nobody asked, there is none", async () => {
    expect(await connected(await server(served, { socket: secured }), "nobody").who(1)).toBeUndefined()
    expect(await client<typeof served>(await server(served)).who(1)).toBeUndefined()
  })

  it("who has not the password calls nothing", async () => {
    const made = await server(served, { socket: secured })
    const api = client<typeof served>(made, { socket: as("ada", "wrong") })
    await expect(api.who(1, { timeout: 200 })).rejects.toMatchObject({ code: "ETIMEDOUT" })
    expect(made.stats()).toMatchObject({ clients: 0, methods: { who: { calls: 0 } } })
  })

  it("knows the user of a plain REQ as well", async () => {
    const made = await server(served, { socket: secured })
    const req = new engines[callers].Dealer({ linger: 0, ...as("eve") })
    closes.push(() => req.close())
    req.connect(made.lastEndpoint!)
    await req.send(["", JSON.stringify({ method: "who", argument: 1 })])
    const { value } = await req[Symbol.asyncIterator]().next()
    expect(JSON.parse(String((value as Buffer[])[1]))).toEqual({ result: "eve" })
  })
})

describe.each<Engine>(["peerlane", "zeromq"])("a server on zeromq, and clients on %s", callers => {
  const { server, client } = stage("zeromq", callers)

  it("cannot tell who calls", async () => {
    expect(await client<typeof served>(await server(served)).who(1)).toBeUndefined()
  })
})

describe("peer() of a Router", () => {
  const { closes } = stage("peerlane", "peerlane")

  async function router() {
    const made = new Router({ ...secured, linger: 0 })
    closes.push(() => made.close())
    await made.bind("tcp://127.0.0.1:*")
    return made
  }

  function request(to: Router, user: string, routingId = "") {
    const made = new Request({ linger: 0, ...(routingId === "" ? {} : { routingId }), ...as(user) })
    closes.push(() => made.close())
    made.connect(to.lastEndpoint!)
    return made
  }

  it("is who has that routing id, whether it named itself or not", async () => {
    const made = await router()
    await request(made, "ada").send("1")
    const [id] = await made.receive()
    expect(made.peer(id!)).toMatchObject({ userId: "ada" })
    await request(made, "bob", "bob-1").send("2")
    const [own] = await made.receive()
    expect(String(own)).toBe("bob-1")
    expect(made.peer("bob-1")).toMatchObject({ userId: "bob" })
    expect(made.peer(id!)).toMatchObject({ userId: "ada" })
  })

  it("is null for an id that nobody has, and after its peer has left", async () => {
    const made = await router()
    for (const id of ["", "nobody", Buffer.alloc(5), Buffer.alloc(300)]) expect(made.peer(id)).toBeNull()
    const one = request(made, "ada", "ada-1")
    await one.send("1")
    await made.receive()
    expect(made.peer("ada-1")).not.toBeNull()
    one.close()
    await expect.poll(() => made.peer("ada-1")).toBeNull()
    const again = request(made, "eve", "ada-1")
    await again.send("2")
    await made.receive()
    expect(made.peer("ada-1")).toMatchObject({ userId: "eve" })
  })

  it("is null for one that was given an id and is not connected yet", async () => {
    const made = new Router({ linger: 0 })
    const dealer = new Dealer({ linger: 0 })
    closes.push(
      () => made.close(),
      () => dealer.close(),
    )
    await dealer.bind("tcp://127.0.0.1:*")
    made.connect(dealer.lastEndpoint!, { routingId: "one" })
    expect(made.peer("one")).toBeNull()
    await expect.poll(() => made.peer("one")).not.toBeNull()
    dealer.close()
    await expect.poll(() => made.peer("one")).toBeNull()
  })
})

async function* of<T>(items: T[]): AsyncGenerator<T> {
  yield* items
}
