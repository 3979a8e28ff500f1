/** Servers, clients and bare sockets for a test, on the engines that it names; all gone behind it. */
import { afterEach } from "vitest"
import {
  type ClientOptions,
  type Connected,
  connect,
  type Server,
  type ServerOptions,
  serve,
} from "../../patterns/service/index.js"
import { type Engine, engines } from "../support/engine-pairs.js"

type Frame = string | Uint8Array

/** A peer by its bare messages. */
export interface Bare {
  /** A command of the protocol, behind which its session goes. */
  say(command: string, ...frames: Frame[]): Promise<void>
  /** The next message from its command on, without the session. */
  hear(): Promise<Buffer[]>
  /** The same, as texts. */
  words(): Promise<string[]>
  close(): unknown
}

export interface BareServer extends Bare {
  readonly address: string
  /** Answers a HELLO, the next thing that is heard. */
  welcome(terms?: object): Promise<void>
}

export interface BareClient extends Bare {
  /** Says HELLO, and hears the WELCOME. */
  hello(terms?: object): Promise<void>
  /** Says a CALL of these. */
  call(calls: object[], ...args: Frame[]): Promise<void>
}

const ADDRESS = "tcp://127.0.0.1:*"

export function stage(makers: Engine, callers: Engine) {
  const closes: (() => unknown)[] = []
  let clients = 0

  afterEach(async () => {
    for (const close of closes.splice(0).reverse()) await close()
  })

  async function server(implementation: object, options: Partial<ServerOptions> = {}): Promise<Server> {
    const made = await serve(implementation, { bind: ADDRESS, sockets: engines[makers], ...options })
    closes.push(() => made.close())
    return made
  }

  function client<T extends object>(
    to: { readonly lastEndpoint: string | null } | string | string[],
    options: Partial<ClientOptions> = {},
  ): Connected<T> {
    const address = typeof to === "string" || Array.isArray(to) ? to : to.lastEndpoint!
    const made = connect<T>({ to: address, sockets: engines[callers], ...options })
    closes.push(() => made.$.close())
    return made
  }

  function bareClient(address: string): BareClient {
    const dealer = new engines[callers].Dealer({ linger: 0 })
    dealer.connect(address)
    closes.push(() => dealer.close())
    const heard = dealer[Symbol.asyncIterator]()
    let session = ""
    const hear = async () => sessionless((await heard.next()).value as Buffer[])
    const bare: BareClient = {
      say: (command, ...frames) => dealer.send([`PS1 ${command}`, session, ...frames]),
      hear,
      words: async () => (await hear()).map(String),
      async hello(terms) {
        const said = { client: `bare${++clients}`, n: 1, ...terms }
        await dealer.send(["PS1 HELLO", JSON.stringify(said)])
        const [, welcome] = (await heard.next()).value as Buffer[]
        session = (JSON.parse(String(welcome)) as { session: string }).session
      },
      call: (calls, ...args) => bare.say("CALL", JSON.stringify({ at: 0, calls }), ...args),
      close: () => dealer.close(),
    }
    return bare
  }

  async function bareServer(): Promise<BareServer> {
    const router = new engines[makers].Router({ linger: 0, mandatory: true })
    await router.bind(ADDRESS)
    closes.push(() => router.close())
    const heard = router[Symbol.asyncIterator]()
    let routing: Frame = ""
    const next = async () => {
      const [from, ...message] = (await heard.next()).value as Buffer[]
      routing = from!
      return message
    }
    const hear = async () => sessionless(await next())
    return {
      address: router.lastEndpoint!,
      say: (command, ...frames) => router.send([routing, `PS1 ${command}`, "s", ...frames]),
      hear,
      words: async () => (await hear()).map(String),
      async welcome(terms) {
        const [command, said] = (await next()).map(String)
        if (command !== "PS1 HELLO") throw new Error(`a HELLO was expected, and not ${command}`)
        const { n } = JSON.parse(said!) as { n: number }
        const welcome = { session: "s", n, heartbeat: 60_000, concurrency: 100, ...terms }
        await router.send([routing, "PS1 WELCOME", JSON.stringify(welcome)])
      },
      close: () => router.close(),
    }
  }

  return { server, client, bareClient, bareServer, closes }
}

function sessionless([command, , ...frames]: Buffer[]): Buffer[] {
  return [command!.subarray("PS1 ".length), ...frames]
}
