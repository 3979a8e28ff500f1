/** HTTP/1.1 with connections that are kept: a server of `node:http`, and undici. */

import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { Pool } from "undici"
import type { Caller, HttpSetup, Pair } from "../driver.js"

const TYPE = "application/json"

export async function openServer(): Promise<string> {
  const server = createServer(async (request, response) => {
    const { a, b } = JSON.parse(await textOf(request)) as Pair
    const body = JSON.stringify(a + b)
    response.writeHead(200, { "content-type": TYPE, "content-length": body.length }).end(body)
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** By events: an async loop over the request was slower. */
function textOf(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ""
    request.setEncoding("utf8")
    request.on("data", (part: string) => {
      text += part
    })
    request.on("end", () => resolve(text))
    request.on("error", reject)
  })
}

export function openCaller({ connections, pipelining }: HttpSetup, address: string): Caller {
  const pool = new Pool(address, { connections, pipelining })
  const request = {
    path: "/add",
    method: "POST",
    headers: { "content-type": TYPE },
    // Only what does no harm twice is sent behind others that have no answer yet.
    ...(pipelining > 1 ? { idempotent: true, blocking: false } : {}),
  } as const
  return {
    async add(pair) {
      const { body } = await pool.request({ ...request, body: JSON.stringify(pair) })
      return (await body.json()) as number
    },
  }
}
