/** Trouble for a pipeline: stores and sockets that refuse, a queue by its bare messages, rubbish; and how a test waits. */
import { afterEach, beforeEach, expect } from "vitest"
import { memoryStore, type Store } from "../../patterns/pipeline/index.js"
import type { Sockets, TypedRouter } from "../../patterns/typed/sockets.js"

/** What the promise says; if it says nothing for long, an error that names it. */
export async function within<T>(what: string, promise: Promise<T>, ms = 8000): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Each test of a file fails that leaves a rejection to nobody. To be called before `stage`, so that it looks when all is closed. */
export function noRejectionIsLeft(): void {
  let left: unknown[] = []
  const listener = (error: unknown) => left.push(error)
  beforeEach(() => {
    left = []
    process.off("unhandledRejection", listener)
    process.on("unhandledRejection", listener)
  })
  afterEach(() => {
    process.off("unhandledRejection", listener)
    expect(left).toEqual([])
  })
}

type Act = "put" | "setMeta" | "remove" | "close"

/** A store in memory, of which some acts are done as the test says: it calls `go`, or does not. */
export function troubledStore(acts: Partial<Record<Act, (go: () => Promise<void>) => Promise<void>>>): Store {
  const store = memoryStore()
  const act = (name: Act, go: () => Promise<void>) => acts[name]?.(go) ?? go()
  return {
    open: visit => store.open(visit),
    bodies: keys => store.bodies(keys),
    put: (key, meta, body) => act("put", () => store.put(key, meta, body)),
    setMeta: (key, meta) => act("setMeta", () => store.setMeta(key, meta)),
    remove: key => act("remove", () => store.remove(key)),
    close: () => act("close", () => store.close()),
  }
}

export function fullError(): Error {
  return Object.assign(new Error("no space left"), { code: "ENOSPC" })
}

/** Routers of an engine that refuse a command once if they are told to, and tell which commands they heard. */
export function tapped({ Router, Dealer }: Sockets) {
  const tap = { refuse: "", heard: [] as string[] }
  class TappedRouter extends Router {
    override async send(message: (Uint8Array | string)[]): Promise<void> {
      if (tap.refuse !== "" && String(message[1]) === `PL1 ${tap.refuse}`) {
        tap.refuse = ""
        throw Object.assign(new Error("above the high-water mark"), { code: "EAGAIN" })
      }
      await super.send(message)
    }

    override async *[Symbol.asyncIterator](): AsyncGenerator<Buffer[]> {
      const messages = super[Symbol.asyncIterator]()
      for (let next = await messages.next(); !next.done; next = await messages.next()) {
        tap.heard.push(String(next.value[1]))
        yield next.value
      }
    }
  }
  return { tap, sockets: { Router: TappedRouter, Dealer } satisfies Sockets }
}

/** A queue by its bare messages, for one peer. */
export function bareQueue(router: TypedRouter) {
  const heard = router[Symbol.asyncIterator]()
  let routing: Buffer
  const say = (command: string, ...frames: string[]) => router.send([routing, `PL1 ${command}`, ...frames])
  /** The next message of this command, as texts; others are passed over. */
  const hear = async (command: string): Promise<string[]> => {
    for (;;) {
      const [from, first, ...frames] = (await heard.next()).value as Buffer[]
      routing = from!
      if (String(first) === "PL1 PING") await say("PONG")
      if (String(first) === `PL1 ${command}`) return frames.map(String)
    }
  }
  const nOf = ([said]: string[]) => (JSON.parse(said!) as { n: number }).n
  const welcome = (n: number, terms: object = {}) => {
    const usual = { queue: "q", session: "s", lease: 60_000, heartbeat: 60_000, kept: [], window: 256 }
    return say("WELCOME", JSON.stringify({ ...usual, windowBytes: 1_000_000, n, ...terms }))
  }
  return {
    say,
    hear,
    welcome,
    hello: async () => nOf(await hear("HELLO")),
    /** Welcomes whoever says HELLO, and hears nothing else. Until the router is closed. */
    async welcomeAll(terms: object = {}): Promise<void> {
      for (;;) {
        const { value, done } = await heard.next()
        if (done) return
        const [from, first, said] = value as Buffer[]
        routing = from!
        if (String(first) === "PL1 HELLO") await welcome(nOf([String(said)]), terms)
        else if (String(first) === "PL1 PING") await say("PONG")
      }
    },
  }
}

/** JSON of what is no text, and cannot be made one. */
export const rubbish = {
  "what has no text": '{"toString":1,"valueOf":1}',
  "what is nested deep": `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
}
