/** A small program with everything in it: dealers that ask until they are answered, a router that answers and writes to its disk. */
import { createWorld, type Machine, type World, type WorldOptions } from "peerlane/testing"
import type { TypedDealer, TypedRouter } from "../../patterns/typed/sockets.js"

export const SERVER = "tcp://server:5555"

async function serve({ runtime, sockets }: Machine): Promise<void> {
  const router = new sockets.Router({ mandatory: true })
  await router.bind(SERVER)
  await runtime.disk.makeDirectory("log")
  const file = await runtime.disk.open(`log/${Math.floor(runtime.random() * 2 ** 32)}`, true)
  for await (const [id, number] of router) {
    try {
      await file.write([number!, new Uint8Array(1000)], file.size)
      await router.send([id!, number!])
    } catch (error) {
      if (!["EHOSTUNREACH", "ENOSPC"].includes((error as { code: string }).code)) throw error
    }
  }
}

/** Asks for each number until it is answered. */
async function ask({ runtime, sockets }: Machine, count: number, done: () => void): Promise<void> {
  const dealer = new sockets.Dealer()
  dealer.connect(SERVER)
  const answers = dealer[Symbol.asyncIterator]()
  for (let number = 0; number < count; number++) {
    let answered = false
    let sending = false
    const again = () => {
      if (answered) return
      runtime.clock.after(100, again)
      if (sending) return
      sending = true
      void dealer.send([String(number)]).then(() => {
        sending = false
      })
    }
    again()
    while (!answered) answered = String((await answers.next()).value[0]) === String(number)
    do await new Promise<void>(resolve => runtime.clock.after(30, resolve))
    while (sending)
  }
  done()
}

export function echoWorld(options: WorldOptions, clients = 3, count = 30): { world: World; done: () => boolean } {
  const world = createWorld(options)
  const left = new Set<number>()
  world.machine("server").start(serve)
  for (let client = 0; client < clients; client++) {
    left.add(client)
    world.machine(`client-${client}`).start(machine => ask(machine, count, () => left.delete(client)))
  }
  return { world, done: () => left.size === 0 }
}

/** A router and a dealer that are connected, on machines of their own. */
export async function pair(world: World, routerOptions = {}, dealerOptions = {}) {
  const [server, client] = [world.machine("server"), world.machine("client")]
  const router: TypedRouter = new server.sockets.Router({ mandatory: true, ...routerOptions })
  await router.bind(SERVER)
  const dealer: TypedDealer = new client.sockets.Dealer(dealerOptions)
  dealer.connect(SERVER)
  const hello = dealer.send(["hello"])
  const got = collect(router)
  await world.run({ until: () => got.length === 1 })
  await hello
  const id = got.shift()![0]!
  return { server, client, router, dealer, id, got }
}

/** What a socket receives, as it comes. */
export function collect(socket: AsyncIterable<Buffer[]>): Buffer[][] {
  const got: Buffer[][] = []
  void (async () => {
    for await (const message of socket) got.push(message)
  })()
  return got
}

export const texts = (messages: Buffer[][], frame = 0) => messages.map(message => String(message[frame]))

/** The code with which it rejects, or what it throws. */
export async function codeOf(act: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof act === "function" ? act() : act)
    return "none"
  } catch (error) {
    return (error as { code: string }).code
  }
}
