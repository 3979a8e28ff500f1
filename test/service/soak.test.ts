/** What is left of many calls of every kind: nothing. Full size, and with figures: `npm run soak`. */
import v8 from "node:v8"
import { expect, it } from "vitest"
import { Caller } from "../../patterns/service/client.js"
import { Inflow } from "../../patterns/service/inflow.js"
import { Outflow } from "../../patterns/service/outflow.js"
import { Outgoing } from "../../patterns/service/outgoing.js"
import { Running } from "../../patterns/service/running.js"
import { ServicePeer } from "../../patterns/service/service-peer.js"
import { Session } from "../../patterns/service/session.js"
import { Load } from "./load.js"

const CALLS = 20_000
const patient = { timeout: 20_000 }

/** Objects of these classes that something still holds: V8 collects garbage, and counts. */
function held(...classes: (abstract new (...args: never[]) => unknown)[]): Record<string, unknown> {
  return Object.fromEntries(classes.map(one => [one.name, v8.queryObjects(one)]))
}

it(`of ${CALLS} calls nothing is held when they have ended, nor of clients that have left`, {
  timeout: 60_000,
}, async () => {
  const load = await Load.start(1)
  await load.until(CALLS)
  expect(load.left).toBeGreaterThan(3)
  expect(load.client.stats()).toMatchObject({ underWay: 0, waiting: 0 })
  for (const server of load.servers) {
    await expect.poll(() => server.stats(), patient).toMatchObject({ clients: 1, running: 0, overdue: 0 })
  }
  const ofCalls = () => held(Outgoing, Running, Inflow, Outflow)
  await expect.poll(ofCalls, patient).toEqual({ Outgoing: 0, Running: 0, Inflow: 0, Outflow: 0 })
  // The one client that is there, and what each of the two servers knows of it.
  const ofClients = () => held(Caller, ServicePeer, Session)
  await expect.poll(ofClients, patient).toEqual({ Caller: 1, ServicePeer: 2, Session: 2 })

  const one = load.client.call("wait", undefined)
  expect(ofCalls()).toMatchObject({ Outgoing: 1 })
  await load.stop()
  await expect(one).rejects.toMatchObject({ code: "ECLOSED" })
})
