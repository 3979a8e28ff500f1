/** What clients and handlers do to a server that are gone, stand still, or do not listen: the others do not notice. */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { expect, it, onTestFinished } from "vitest"
import { connect, serve } from "../../patterns/service/index.js"
import { gate } from "../support/gate.js"
import { crowded } from "./service-victim.js"

const VICTIM = "dist/test/fault/service-victim.js"
const PROCESSES = 4
const CLIENTS = 25 // in each of them
const CALLS = 4 // of each of them: one that waits, a stream, a stream as an argument, half of an argument
const MiB = 1024 * 1024
const patient = { timeout: 20_000 }

async function started(address: string): Promise<ChildProcess> {
  const child = fork(VICTIM, ["clients", String(CLIENTS), address])
  onTestFinished(() => void child.kill("SIGKILL"))
  const [what] = await Promise.race([once(child, "message"), once(child, "exit")])
  expect(what).toBe("ready")
  return child
}

it("a hundred clients that are killed, or stand still, leave nothing behind, and others are answered all the while", {
  timeout: 60_000,
}, async () => {
  const maxArriving = 32 * MiB
  const server = await serve(crowded, { bind: "tcp://127.0.0.1:*", heartbeat: 500, maxArriving })
  onTestFinished(() => server.close())
  const api = connect<typeof crowded>({ to: server.lastEndpoint! })
  onTestFinished(() => api.$.close())
  let answered = 0
  let isOver = false
  const asking = (async () => {
    for (; !isOver; answered++) expect(await api.add({ a: answered, b: 1 }, { safe: true })).toBe(answered + 1)
  })()
  asking.catch(() => {})

  const children = await Promise.all(Array.from({ length: PROCESSES }, () => started(server.lastEndpoint!)))
  await expect.poll(() => server.stats().clients, patient).toBe(PROCESSES * CLIENTS + 1)
  await expect.poll(() => server.stats().running, patient).toBeGreaterThanOrEqual(PROCESSES * CLIENTS * CALLS)

  const before = answered
  const ends = children.map(child => once(child, "exit"))
  for (const [at, child] of children.entries()) child.kill(at % 2 === 0 ? "SIGKILL" : "SIGSTOP")
  await Promise.all(ends.filter((_, at) => at % 2 === 0))
  await expect.poll(() => server.stats(), patient).toMatchObject({ clients: 1, running: 0, overdue: 0 })
  expect(answered).toBeGreaterThan(before)
  // All the room there is for arguments is free: one more byte would be too many.
  expect(await api.store(new Uint8Array(maxArriving + 1000))).toBe(maxArriving + 1000)
  isOver = true
  await asking
  expect(api.$.stats()).toMatchObject({ underWay: 0, waiting: 0, errors: {} })
})

it("handlers that do not listen to their signals are counted, have their own limit, and keep nobody else waiting", async () => {
  const go = gate()
  const deaf = { stuck: () => go.opened, add: crowded.add }
  const server = await serve(deaf, { bind: "tcp://127.0.0.1:*", limits: { stuck: 5 } })
  onTestFinished(() => server.close())
  const api = connect<typeof deaf>({ to: server.lastEndpoint! })
  onTestFinished(() => api.$.close())

  const stuck = Array.from({ length: 5 }, () => api.stuck(undefined, { timeout: 200 }))
  for (const call of stuck) await expect(call).rejects.toMatchObject({ code: "ETIMEDOUT" })
  await expect.poll(() => server.stats(), patient).toMatchObject({ running: 5, overdue: 5 })
  await expect(api.stuck()).rejects.toMatchObject({ code: "EBUSY" })
  const sums = await Promise.all(Array.from({ length: 1000 }, (_, a) => api.add({ a, b: 1 })))
  expect(sums).toEqual(Array.from({ length: 1000 }, (_, a) => a + 1))
  expect(api.$.stats()).toMatchObject({ underWay: 0, waiting: 0 })

  go.open()
  await expect.poll(() => server.stats(), patient).toMatchObject({ running: 0, overdue: 0 })
  expect(await api.stuck()).toBeUndefined()
})
