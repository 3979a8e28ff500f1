/** What a client must not keep, or lose: calls that have ended while they waited, are with a server that was removed, or whose stream has failed. */
import { expect, it, onTestFinished } from "vitest"
import { type ClientOptions, connect, serve } from "../../patterns/service/index.js"
import { freshEndpoint, reservedEndpoint } from "../support/endpoints.js"
import { gate } from "../support/gate.js"

const patient = { timeout: 20_000 }
const go = gate()
const slow = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  wait: () => go.opened.then(() => "waited"),
  never: () => new Promise<void>(() => {}),
  /** Has nothing to say to what becomes of its argument. */
  async read(items: AsyncIterable<number>) {
    try {
      for await (const _ of items);
    } catch {}
    return new Promise<number>(() => {})
  },
}
const sum = { a: 1, b: 2 }

async function server(...bind: string[]) {
  const made = await serve(slow, { bind: [...bind, "tcp://127.0.0.1:*"] })
  onTestFinished(() => made.close())
  return made
}

function client(to: string | string[], options: Partial<ClientOptions> = {}) {
  const made = connect<typeof slow>({ to, ...options })
  onTestFinished(() => made.$.close())
  return made
}

it("a call whose time is over while it waits makes room for another one", async () => {
  const api = client(await reservedEndpoint("tcp"), { maxWaiting: 20 })
  const patientCall = api.add(sum, { timeout: Number.POSITIVE_INFINITY })
  for (let round = 0; round < 3; round++) {
    const short = Array.from({ length: 19 }, (_, n) =>
      api.add(sum, { timeout: 1, sticky: n % 2 === 0 ? "key" : undefined }),
    )
    await expect(api.add(sum)).rejects.toMatchObject({ code: "EBUSY" })
    for (const call of short) await expect(call).rejects.toMatchObject({ code: "ETIMEDOUT" })
    expect(api.$.stats().waiting).toBe(1)
  }
  await api.$.close()
  await expect(patientCall).rejects.toMatchObject({ code: "ECLOSED" })
  expect(api.$.stats().waiting).toBe(0)
})

it("a call whose stream of an argument fails is with nobody any more", async () => {
  const made = await server()
  const api = client(made.lastEndpoint!)
  const broken = (async function* () {
    yield 1
    throw new Error("broken")
  })()
  await expect(api.read(broken)).rejects.toThrow("broken")
  expect(api.$.stats().underWay).toBe(0)
  await expect.poll(() => made.stats(), patient).toMatchObject({ running: 1, overdue: 1 })
})

it("a client that is closed ends the calls of a server that was removed as well, and leaves it", async () => {
  const made = await server()
  const api = client(made.lastEndpoint!)
  const call = api.never()
  await expect.poll(() => made.stats().running, patient).toBe(1)
  const removed = api.$.remove(made.lastEndpoint!)
  expect(api.$.stats()).toMatchObject({ underWay: 1, servers: 0 })
  await api.$.close()
  await expect(call).rejects.toMatchObject({ code: "ECLOSED" })
  await removed
  await expect.poll(() => made.stats().clients, patient).toBe(0)
})

it("a server can be removed and added again while a call is with it", async () => {
  const made = await server()
  const api = client(made.lastEndpoint!)
  const call = api.wait()
  await expect.poll(() => made.stats().running, patient).toBe(1)
  const removed = api.$.remove(made.lastEndpoint!)
  api.$.add(made.lastEndpoint!)
  expect(await api.add(sum)).toBe(3)
  go.open()
  expect(await call).toBe("waited")
  await removed
})

it("two ways to one server are two clients to it", async () => {
  const other = freshEndpoint("ipc")
  const made = await server(other)
  const api = client([other, made.lastEndpoint!])
  await expect.poll(() => api.$.stats().servers, patient).toBe(2)
  expect(made.stats().clients).toBe(2)
})
