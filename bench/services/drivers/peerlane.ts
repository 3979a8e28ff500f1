/** Peerlane's service, as a user of the package has it, on either engine's sockets. */

import { connect, serve } from "peerlane/service"
import type { Caller, Reader, ServiceEngine } from "../driver.js"
import { math } from "../math.js"

/** Above what is in flight; the server refuses one more. */
const CONCURRENCY = 4096

/** undefined: Peerlane's own. */
async function socketsOf(engine: ServiceEngine) {
  return engine === "peerlane-zeromq" ? await import("zeromq") : undefined
}

export async function openServer(engine: ServiceEngine): Promise<string> {
  const sockets = await socketsOf(engine)
  const server = await serve(math, { bind: "tcp://127.0.0.1:*", concurrency: CONCURRENCY, sockets })
  return server.lastEndpoint!
}

export async function openClient(engine: ServiceEngine, address: string): Promise<Caller & Reader> {
  const api = connect<typeof math>({ to: address, sockets: await socketsOf(engine) })
  return {
    add: pair => api.add(pair),
    async count(items, each) {
      for await (const item of api.count(items)) each(item)
    },
  }
}
