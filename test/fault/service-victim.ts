/**
 * The processes that the tests of services kill, by the first argument. `server` kills itself in the midst of what it says: at so many
 * messages of one command, the second and third argument. `clients` are so many clients, the second argument, of the server at the
 * third, with everything under way that a call can have.
 */
import { setTimeout as passed } from "node:timers/promises"
import { Dealer, Router } from "../../patterns/index.js"
import { type CallContext, connect, serve } from "../../patterns/service/index.js"
import type { Message } from "../../src/index.js"

const PAUSE_MS = 20
/** More than there is credit for from the start. */
const LARGE = 2 * 1024 * 1024

/** What both the server that is killed and the one that goes on have. Whatever this one is asked for, it does not come to an end. */
const halfDone = {
  work: (_: string) => new Promise<string>(() => {}),
  /** Some items, and no end. */
  async *count(to: number) {
    for (let n = 1; n <= to / 2; n++) yield n
    await new Promise(() => {})
  },
  async *silent(to: number) {
    await new Promise(() => {})
    yield to
  },
  async total(numbers: AsyncIterable<number>) {
    for await (const n of numbers) if (n === 3) process.send!("took three")
    return new Promise<number>(() => {})
  },
  load: (size: number) => new Uint8Array(size),
  store: (bytes: Uint8Array) => bytes.length,
}

export type Methods = typeof halfDone

/** What a server of many clients has. */
export const crowded = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  wait: (_: undefined, { signal }: CallContext) => new Promise<void>(r => signal.addEventListener("abort", () => r())),
  async *endless() {
    for (let n = 1; ; n++) {
      yield n
      await passed(PAUSE_MS)
    }
  },
  async read(items: AsyncIterable<unknown>) {
    for await (const _ of items) await passed(PAUSE_MS)
  },
  store: (bytes: Uint8Array) => bytes.length,
}

if (process.send !== undefined) {
  const [, , role, first = "", second = ""] = process.argv
  if (role === "server") await server(first, Number(second))
  else if (role === "clients") await clients(Number(first), second)
}

async function server(command: string, times: number): Promise<void> {
  class Doomed extends Router {
    override sendNow(message: Message): boolean {
      if (String(message[1]) === `PS1 ${command}` && --times === 0) process.kill(process.pid, "SIGKILL")
      return super.sendNow(message)
    }
  }
  const made = await serve(halfDone, {
    bind: "tcp://127.0.0.1:*",
    heartbeat: 400,
    sockets: { Router: Doomed, Dealer },
  })
  process.on("disconnect", () => process.exit())
  process.send!(made.lastEndpoint)
}

async function clients(count: number, address: string): Promise<void> {
  process.on("disconnect", () => process.exit())
  await Promise.all(Array.from({ length: count }, () => client(address)))
  process.send!("ready")
}

/** Resolves when the server has the first piece of its argument, of which the rest does not come. */
async function client(address: string): Promise<void> {
  let isHeld = () => {}
  const held = new Promise<void>(resolve => {
    isHeld = resolve
  })
  class Holding extends Dealer {
    override sendNow(message: Message): boolean {
      if (String(message[0]) !== "PS1 PIECE" || String(message[2]).endsWith(" 0")) return super.sendNow(message)
      isHeld()
      return true
    }
  }
  const api = connect<typeof crowded>({ to: address, sockets: { Router, Dealer: Holding }, timeout: 60_000 })
  void again(() => api.wait())
  void again(async () => {
    for await (const _ of api.endless());
  })
  void again(() => api.read(endless()))
  void again(() => api.store(new Uint8Array(LARGE)))
  await held
  await api.add({ a: 1, b: 1 })
}

async function* endless() {
  for (;;) yield "item"
}

/** A server that is slow to hear of us may have given us up. */
async function again(what: () => PromiseLike<unknown>): Promise<void> {
  for (;;) {
    try {
      await what()
    } catch {
      await passed(PAUSE_MS)
    }
  }
}
