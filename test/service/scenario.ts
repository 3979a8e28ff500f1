/**
 * Services in a simulated world: three servers, three clients of all of them, 150 calls, 16 faults, all from one seed. Some calls have
 * streams, as arguments or as results, some go in pieces, and servers drain now and then. What is held to: every call ends, once,
 * by its deadline and a little; what is not marked safe is never begun twice; what is answered was done, and came whole.
 */
import { type ClientMiddleware, connect, type ServerMiddleware, serve } from "../../patterns/service/index.js"
import { createWorld, type Faults, scheduleFaults } from "../../patterns/testing/index.js"
import type { TypedRuntime } from "../../patterns/typed/runtime.js"

const CALLS = 50
const TIMEOUT = 2000
/** What a call may take beyond its time: a stall of its own machine, which its clock does not know of. */
const SLACK = 100
const SPAN = 1500

export interface Outcome {
  readonly violations: readonly string[]
  readonly faults: Faults
  readonly trace: string
  readonly ends: Readonly<Record<string, number>>
  readonly log: readonly string[]
}

/** @param use Stands before the clients' calls: to see what is noticed when something is wrong with them. */
export async function simulate(
  seed: number,
  { log = 0, use = [] }: { log?: number; use?: ClientMiddleware[] } = {},
): Promise<Outcome> {
  const world = createWorld({ seed, log, patience: 1500 })
  const violations: string[] = []
  const ends: Record<string, number> = {}
  /** How often each call was begun, at any server. */
  const begun = new Map<string, number>()
  const unfinished = new Set<string>()

  for (let at = 0; at < 3; at++) {
    world.machine(`server${at}`).start(async ({ sockets, runtime }) => {
      const implementation = {
        work: async (name: string) => {
          await sleep(runtime, runtime.random() < 0.05 ? 3000 : runtime.random() * 30)
          if (runtime.random() < 0.05) throw new Error("it failed")
          return name
        },
        async *count(to: number) {
          for (let n = 0; n < to; n++) {
            await sleep(runtime, runtime.random() * 3)
            yield n
          }
        },
        async sum(numbers: AsyncIterable<number>) {
          let sum = 0
          for await (const n of numbers) sum += n
          return sum
        },
        async turn(bytes: Uint8Array) {
          await sleep(runtime, runtime.random() * 10)
          return Buffer.from(bytes).reverse()
        },
      }
      const counted: ServerMiddleware = (_, { context: { id = "" } }, next) => {
        begun.set(id, (begun.get(id) ?? 0) + 1)
        return next()
      }
      const options = { bind: "tcp://*:6000", heartbeat: 100, concurrency: 8, use: [counted], sockets, runtime }
      const server = await serve(implementation, options)
      // Some of its lives end in an orderly way.
      if (runtime.random() > 0.3) return
      await sleep(runtime, runtime.random() * SPAN)
      await server.drain()
      await server.close()
      await serve(implementation, options)
    })
  }

  for (let at = 0; at < 3; at++) {
    const machine = world.machine(`client${at}`)
    let [life, next] = [0, 0]
    machine.start(async ({ sockets, runtime }) => {
      const name = `client${at}`
      const self = ++life
      unfinished.add(name)
      interface Api {
        work(name: string): Promise<string>
        count(to: number): AsyncGenerator<number>
        sum(numbers: AsyncIterable<number>): Promise<number>
        turn(bytes: Uint8Array): Promise<Uint8Array>
      }
      const to = [0, 1, 2].map(server => `tcp://server${server}:6000`)
      const api = connect<Api>({ to, timeout: TIMEOUT, use, sockets, runtime })
      const one = async () => {
        const id = `${name}-${self}-${next++}`
        const safe = runtime.random() < 0.5
        const started = runtime.clock.now()
        const kind = runtime.random()
        const options = { safe, context: { id } }
        const end =
          kind < 0.6
            ? await endOf(api.work(id, options), result => result === id)
            : kind < 0.8
              ? await read(api.count(20, options))
              : kind < 0.9
                ? await endOf(api.sum(numbers(100), options), result => result === 4950)
                : await endOf(api.turn(bytes, options), result => Buffer.compare(result, turned) === 0)
        const took = runtime.clock.now() - started
        ends[end] = (ends[end] ?? 0) + 1
        const isKnown = ["done", "ETIMEDOUT", "ELOST", "EBUSY", "EREMOTE"].includes(end)
        if (!isKnown) violations.push(`${id} ended by ${end}`)
        if (took > TIMEOUT + SLACK) violations.push(`${id} took ${Math.round(took)} ms`)
        const times = begun.get(id) ?? 0
        if (times > 1 && !safe) violations.push(`${id} was begun ${times} times`)
        if (end === "done" && times === 0) violations.push(`${id} was answered and never begun`)
      }
      const worker = async () => {
        while (next < CALLS) await one()
      }
      await Promise.all([worker(), worker(), worker(), worker()])
      unfinished.delete(name)
    })
  }

  scheduleFaults(world, { count: 16, span: SPAN })
  const end = await world.run({ until: () => unfinished.size === 0 && world.now > SPAN, limit: 300_000 })
  if (end !== "until") for (const name of unfinished) violations.push(`${name} does not come to its end (${end})`)
  return { violations, faults: world.faults, trace: world.trace, ends, log: world.log }
}

/** More than goes in one message. */
const bytes = Buffer.alloc(600 * 1024, "0123456789")
const turned = Buffer.from(bytes).reverse()

async function* numbers(count: number): AsyncGenerator<number> {
  for (let n = 0; n < count; n++) yield n
}

/** How it ended; a result that is another call's, or not whole, is none of the ends that are allowed. */
function endOf<T>(call: PromiseLike<T>, isRight: (result: T) => boolean): PromiseLike<string> {
  return call.then(
    result => (isRight(result) ? "done" : "a result that is wrong"),
    (error: { code: string }) => error.code,
  )
}

/** Reads it to its end, and says how that was. */
async function read(items: AsyncIterable<number>): Promise<string> {
  let expected = 0
  try {
    for await (const item of items) if (item !== expected++) return `item ${item} in place of ${expected - 1}`
    return expected === 20 ? "done" : `a stream that ends after ${expected} of 20`
  } catch (error) {
    return (error as { code: string }).code
  }
}

function sleep({ clock }: TypedRuntime, ms: number): Promise<void> {
  return new Promise(resolve => void clock.after(ms, resolve))
}
