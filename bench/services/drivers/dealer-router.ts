/** DEALER and ROUTER of the `zeromq` package, and the program around them that is written by hand: calls have numbers, bodies are JSON. */

import { Dealer, Router } from "zeromq"
import type { Caller, Pair } from "../driver.js"

type Message = (Buffer | string)[]

/** The package allows one send at a time: what comes meanwhile waits in line. */
function lineOf(socket: { send(message: Message): Promise<void> }): (message: Message) => void {
  let waiting: Message[] = []
  let sending = false
  const run = async () => {
    sending = true
    while (waiting.length > 0) {
      const line = waiting
      waiting = []
      for (const message of line) await socket.send(message)
    }
    sending = false
  }
  return message => {
    waiting.push(message)
    if (!sending) void run()
  }
}

export async function openServer(): Promise<string> {
  // Without `mandatory` a ROUTER drops what a client has no room for.
  const socket = new Router({ mandatory: true })
  await socket.bind("tcp://127.0.0.1:*")
  void answer(socket)
  return socket.lastEndpoint!
}

async function answer(socket: Router): Promise<void> {
  const say = lineOf(socket)
  for await (const [client, number, body] of socket) {
    const { a, b } = JSON.parse(body!.toString()) as Pair
    say([client!, number!, JSON.stringify(a + b)])
  }
}

export function openCaller(address: string): Caller {
  const socket = new Dealer()
  socket.connect(address)
  const pending = new Map<number, (sum: number) => void>()
  const say = lineOf(socket)
  void read(socket, pending)
  let last = 0
  return {
    add(pair) {
      const id = ++last
      const number = Buffer.allocUnsafe(4)
      number.writeUInt32BE(id)
      return new Promise(resolve => {
        pending.set(id, resolve)
        say([number, JSON.stringify(pair)])
      })
    },
  }
}

async function read(socket: Dealer, pending: Map<number, (sum: number) => void>): Promise<void> {
  for await (const [number, body] of socket) {
    const id = number!.readUInt32BE()
    const resolve = pending.get(id)
    pending.delete(id)
    resolve?.(JSON.parse(body!.toString()) as number)
  }
}
