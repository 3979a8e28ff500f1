/** Endpoints of the raw peers: the same spelling as the sockets', turned into what `node:net` takes. */

import type { NetConnectOpts, Server } from "node:net"

export function netAddress(endpoint: string): NetConnectOpts {
  if (endpoint.startsWith("ipc://")) return { path: endpoint.slice("ipc://".length) }
  const { hostname, port } = new URL(endpoint)
  return { host: hostname, port: Number(port), noDelay: true }
}

/** Listens and returns the endpoint to connect to. */
export async function listen(server: Server, endpoint: string): Promise<string> {
  const address = netAddress(endpoint)
  await new Promise<void>((resolve, reject) =>
    server.once("error", reject).listen({ ...address, backlog: 4096 }, resolve),
  )
  const bound = server.address()
  return typeof bound === "object" && bound ? `tcp://${bound.address}:${bound.port}` : endpoint
}
