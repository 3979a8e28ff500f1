/** Producers, consumers, bare sockets and folders for a test, on the engines that it names; all gone behind it. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach } from "vitest"
import { Consumer, type ConsumerOptions, type HoldingOptions, Producer } from "../../patterns/pipeline/index.js"
import type { TypedDealer, TypedRouter } from "../../patterns/typed/sockets.js"
import { type Engine, engines } from "../support/engine-pairs.js"

/** A consumer by its bare messages. */
export interface BareConsumer {
  readonly dealer: TypedDealer
  say(...message: (string | Buffer)[]): Promise<void>
  /** The next message, as texts. */
  hear(): Promise<string[]>
  /** Says HELLO with these terms besides its name; what WELCOME says. */
  hello(terms?: object): Promise<{ session: string; kept: string[] }>
  /** The head of the next JOB. */
  job(): Promise<{ tag: string; id: string; attempt: number; want?: boolean }>
}

export function stage(makers: Engine, workers: Engine) {
  const closes: (() => unknown)[] = []
  const folders: string[] = []

  afterEach(async () => {
    for (const close of closes.splice(0).reverse()) await close()
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })

  /** One whose store may still be opening, or refuse to. */
  function newProducer<T = unknown>(options: Partial<HoldingOptions> = {}): Producer<T> {
    const sockets = engines[makers]
    const made = new Producer<T>({ bind: "tcp://127.0.0.1:*", sockets, ...options })
    closes.push(() => made.close())
    return made
  }

  async function producer<T = unknown>(options: Partial<HoldingOptions> = {}): Promise<Producer<T>> {
    const made = newProducer<T>(options)
    await made.ready()
    return made
  }

  /** A producer that hands its jobs to the one at this address. */
  function sender<T = unknown>(address: string): Producer<T> {
    const made = new Producer<T>({ connect: address, sockets: engines[workers] })
    closes.push(() => made.close())
    return made
  }

  function consumer<T = unknown>(
    of: Producer<T> | Pick<Producer, "lastEndpoint">,
    options: Partial<ConsumerOptions> = {},
  ): Consumer<T> {
    const made = new Consumer<T>({ connect: of.lastEndpoint!, sockets: engines[workers], ...options })
    closes.push(() => made.close({ grace: 100 }))
    return made
  }

  function bareConsumer(of: Pick<Producer, "lastEndpoint">, name: string): BareConsumer {
    const dealer = new engines[workers].Dealer({ linger: 0 })
    closes.push(() => dealer.close())
    dealer.connect(of.lastEndpoint!)
    const heard = dealer[Symbol.asyncIterator]()
    const say = (...message: (string | Buffer)[]) => dealer.send(message)
    const hear = async () => ((await heard.next()).value as Buffer[]).map(String)
    const expected = async (command: string) => {
      const [first, what] = await hear()
      if (first !== command) throw new Error(`heard ${first} ${what}, not ${command}`)
      return JSON.parse(what!)
    }
    return {
      dealer,
      say,
      hear,
      hello: async (terms = {}) => {
        await say("PL1 HELLO", JSON.stringify({ consumer: name, n: 1, prefetch: 1, ...terms }))
        return expected("PL1 WELCOME")
      },
      job: async () => (await expected("PL1 JOB"))[0],
    }
  }

  async function router(): Promise<TypedRouter> {
    const made = new engines[makers].Router({ linger: 0 })
    closes.push(() => made.close())
    await made.bind("tcp://127.0.0.1:*")
    return made
  }

  /** The path of a queue that is not there yet. */
  function folder(): string {
    const made = mkdtempSync(join(tmpdir(), "pipeline-"))
    folders.push(made)
    return join(made, "queue")
  }

  return { newProducer, producer, sender, consumer, bareConsumer, router, folder }
}
