/**
 * Calls of every kind against two servers, for as long as is wanted: that end well, with an error, because their time is over, because
 * they were cancelled, because their reader left, because their client did. Each has to end as it should.
 */
import { setImmediate as turn } from "node:timers/promises"
import { type CallContext, type Connected, connect, type Server, serve } from "../../patterns/service/index.js"
import { Random } from "../fuzz/random.js"

/** Calls under way at a time. */
const LANES = 100
/** So many calls after it came, a client leaves, and another comes. */
const STAYS = 2500
const LARGE = 300 * 1024
const ITEMS = 40
const HEARTBEAT_MS = 2000

const methods = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  fail: (code: string) => {
    throw Object.assign(new Error("as was wanted"), { code })
  },
  wait: (_: undefined, { signal }: CallContext) => new Promise<void>(r => signal.addEventListener("abort", () => r())),
  size: (bytes: Uint8Array) => bytes.length,
  large: (size: number) => new Uint8Array(size),
  async *count(to: number) {
    for (let n = 1; n <= to; n++) yield n
  },
  async total(numbers: AsyncIterable<number>) {
    let sum = 0
    for await (const n of numbers) sum += n
    return sum
  },
}

type Api = Connected<typeof methods>
/** What a call is, and how often of a hundred thousand. */
type Kind = readonly [often: number, call: (api: Api, chance: Random) => Promise<void>]

const kinds: Record<string, Kind> = {
  add: [
    78_000,
    async (api, chance) => {
      const [a, safe] = [chance.below(1000), chance.once(2)]
      hold((await api.add({ a, b: 1 }, { safe })) === a + 1)
    },
  ],
  fail: [5000, api => ends(api.fail("EWANTED"), "EWANTED")],
  missing: [500, api => ends((api as unknown as Record<string, Api["fail"]>).missing!("x"), "ENOENT")],
  late: [4000, (api, chance) => ends(api.wait(undefined, { timeout: chance.below(20) }), "ETIMEDOUT")],
  cancelled: [
    4000,
    async (api, chance) => {
      const controller = new AbortController()
      const call = api.wait(undefined, { signal: controller.signal })
      if (chance.once(2)) await turn()
      controller.abort()
      await ends(call, "ECANCELED")
    },
  ],
  stream: [
    4000,
    async (api, chance) => {
      const last = chance.once(2) ? ITEMS : chance.below(ITEMS)
      let seen = 0
      for await (const n of api.count(ITEMS)) {
        hold(n === ++seen)
        if (n >= last) break
      }
    },
  ],
  unread: [500, api => ends(readLate(api.count(1000, { timeout: 20 })), "ETIMEDOUT")],
  streamed: [2000, async api => hold((await api.total(upTo(ITEMS, null))) === (ITEMS * (ITEMS + 1)) / 2)],
  broken: [1000, api => ends(api.total(upTo(ITEMS, "EBROKEN")), "EBROKEN")],
  largeArgument: [500, async api => hold((await api.size(new Uint8Array(LARGE))) === LARGE)],
  largeResult: [500, async api => hold((await api.large(LARGE)).length === LARGE)],
}

async function* upTo(last: number, code: string | null) {
  for (let n = 1; n <= last; n++) yield n
  if (code !== null) throw Object.assign(new Error("as was wanted"), { code })
}

/** Reads one item, and the others when the time is over. */
async function readLate(items: AsyncIterable<unknown>): Promise<void> {
  let seen = 0
  for await (const _ of items) if (seen++ === 0) await new Promise(resolve => setTimeout(resolve, 40))
}

function hold(is: boolean): void {
  if (!is) throw new Error("a result is not what it should be")
}

async function ends(call: PromiseLike<unknown>, code: string): Promise<void> {
  try {
    await call
  } catch (error) {
    if ((error as { code?: unknown }).code === code) return
    throw error
  }
  throw new Error(`a call ended well that should have ended with ${code}`)
}

export class Load {
  calls = 0
  /** Clients that have left. */
  left = 0
  /** Calls that were under way then. */
  cut = 0
  private readonly chance: Random
  private api!: Api
  private came = 0
  private leaving: Promise<void> = Promise.resolve()

  private constructor(
    readonly servers: readonly Server[],
    seed: number,
  ) {
    this.chance = new Random(seed)
    this.come()
  }

  static async start(seed: number): Promise<Load> {
    const options = { bind: "tcp://127.0.0.1:*", heartbeat: HEARTBEAT_MS }
    return new Load([await serve(methods, options), await serve(methods, options)], seed)
  }

  get client(): Api["$"] {
    return this.api.$
  }

  private come(): void {
    this.came = this.calls
    this.api = connect<typeof methods>({ to: this.servers.map(({ lastEndpoint }) => lastEndpoint!) })
  }

  /** Resolves when there were so many calls in all. Rejects when one has not ended as it should. */
  async until(calls: number): Promise<void> {
    await Promise.all(Array.from({ length: LANES }, () => this.lane(calls)))
    await this.leaving
  }

  private async lane(calls: number): Promise<void> {
    while (this.calls < calls) {
      this.calls++
      if (this.calls - this.came > STAYS) this.change()
      const { api } = this
      try {
        await this.kind()(api, this.chance)
      } catch (error) {
        if ((error as { code?: unknown }).code !== "ECLOSED" || api === this.api) throw error
        this.cut++
      }
    }
  }

  /** What is under way with the client that leaves ends as well. */
  private change(): void {
    const { client } = this
    this.come()
    this.left++
    this.leaving = Promise.all([this.leaving, client.close()]).then(() => {})
  }

  private kind(): Kind[1] {
    let left = this.chance.below(SUM)
    for (const [often, call] of Object.values(kinds)) {
      left -= often
      if (left < 0) return call
    }
    throw new Error("unreachable")
  }

  async stop(): Promise<void> {
    await this.api.$.close()
    await Promise.all(this.servers.map(server => server.close()))
  }
}

const SUM = Object.values(kinds).reduce((sum, [often]) => sum + often, 0)
