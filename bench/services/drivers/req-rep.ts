/** REQ and REP of the `zeromq` package, with JSON: one call at a time, as these sockets have it. */

import { Reply, Request } from "zeromq"
import type { Caller, Pair } from "../driver.js"

export async function openServer(): Promise<string> {
  const socket = new Reply()
  await socket.bind("tcp://127.0.0.1:*")
  void answer(socket)
  return socket.lastEndpoint!
}

async function answer(socket: Reply): Promise<void> {
  for await (const [body] of socket) {
    const { a, b } = JSON.parse(body!.toString()) as Pair
    await socket.send(JSON.stringify(a + b))
  }
}

export function openCaller(address: string): Caller {
  const socket = new Request()
  socket.connect(address)
  return {
    async add(pair) {
      await socket.send(JSON.stringify(pair))
      const [body] = await socket.receive()
      return JSON.parse(body!.toString()) as number
    },
  }
}
