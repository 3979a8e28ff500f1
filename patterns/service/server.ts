/**
 * SERVER: makes the methods of an object callable over a socket. Each call is begun at most once, runs with a signal that ends
 * with the caller's interest, and is answered whole, item by item, or with an error.
 */
import { type Codec, type CodecLike, codecOf, json, msgpack, raw } from "../codec/index.js"
import { SILENT_BEATS } from "../typed/contact.js"
import { peerFault } from "../typed/error.js"
import { Events } from "../typed/events.js"
import { randomName } from "../typed/names.js"
import { Outbox } from "../typed/outbox.js"
import { countOf, type Frame, nameOf, objectOf, textOf, wordsOf } from "../typed/protocol.js"
import type { TypedRuntime } from "../typed/runtime.js"
import type { Sockets, TypedRouter } from "../typed/sockets.js"
import { peerlaneSockets, realRuntime } from "../typed/surroundings.js"
import { Desk, type MethodStats } from "./desk.js"
import { ServiceError } from "./errors.js"
import { type Command, frame, protocol } from "./frames.js"
import { methodsOf } from "./methods.js"
import type { Running } from "./running.js"
import { saidOf } from "./said.js"

const OUTBOX = 100_000

export interface ServerOptions {
  /** Where clients connect to. */
  readonly bind: string | readonly string[]
  /** Calls that run at a time (default 1,024). One more is EBUSY, at once. */
  readonly concurrency?: number
  /** The same of single methods, by name. */
  readonly limits?: Readonly<Record<string, number>>
  /** A codec beside msgpack, json and raw, by its name; with a schema, it checks arguments. */
  readonly codec?: CodecLike
  /** Whether callers see where in a handler an error came from (default false). */
  readonly stacks?: boolean
  /** How often clients say that they are there, in ms (default 2,000). After three without a word their calls are aborted. */
  readonly heartbeat?: number
  /** Options of the socket: CURVE, TLS, limits. */
  readonly socket?: object
  /** The engine: Peerlane's sockets (default), or `import * as zeromq from "zeromq"`. */
  readonly sockets?: Sockets
  /** Clock and chance (default: the machine's). */
  readonly runtime?: TypedRuntime
}

export interface ServerEvents {
  /** A peer said what is no message of this protocol in this version. */
  malformed: { readonly message: string }
  /** A handler threw. */
  failed: { readonly method: string; readonly error: unknown }
}

export interface ServerStats {
  readonly running: number
  readonly clients: number
  readonly draining: boolean
  readonly methods: Readonly<Record<string, MethodStats>>
}

/** A client, as the server knows it. */
interface Known {
  readonly name: string
  readonly n: number
  readonly routing: Buffer
  readonly session: string
  heard: number
  /** The number of the last call that it made. */
  last: number
  readonly calls: Map<string, Running>
}

/** Serves it, and resolves when clients can connect. Rejects with what the socket says against it. */
export async function serve(implementation: object, options: ServerOptions): Promise<Server> {
  const server = new Server(implementation, options)
  await server.open()
  return server
}

export class Server {
  private readonly desk: Desk
  private readonly router: TypedRouter
  private readonly outbox: Outbox
  private readonly runtime: TypedRuntime
  private readonly events: Events<ServerEvents>
  private readonly codecs: Map<string, Codec<unknown>>
  private readonly heartbeat: number
  private readonly epoch: string
  private readonly byRouting = new Map<string, Known>()
  private readonly byName = new Map<string, Known>()
  private sessions = 0
  /** Who was silent for too long, if there is nothing of him that we have not read. */
  private suspects = new Set<Known>()
  private timer: { cancel(): void } | null = null
  private reading: Promise<void> = Promise.resolve()
  private closing: Promise<void> | null = null

  constructor(
    implementation: object,
    private readonly options: ServerOptions,
  ) {
    const { concurrency = 1024, limits = {}, heartbeat = 2000, runtime = realRuntime } = options
    const { sockets = peerlaneSockets, socket, codec } = options
    this.runtime = runtime
    this.heartbeat = heartbeat
    this.events = new Events(runtime.clock)
    this.desk = new Desk(methodsOf(implementation), concurrency, limits, runtime.clock)
    const known: Codec<unknown>[] = [msgpack(), json(), raw as Codec<unknown>]
    if (codec !== undefined) known.push(codecOf(codec) as Codec<unknown>)
    this.codecs = new Map(known.map(codec => [codec.name, codec]))
    this.epoch = randomName(runtime, 6)
    this.router = new sockets.Router({
      mandatory: true,
      sendTimeout: 0,
      sendHighWaterMark: 16_384,
      linger: 1000,
      ...socket,
    })
    this.outbox = new Outbox(this.router, OUTBOX, ([routing]) => this.unreachable(routing as Buffer))
  }

  async open(): Promise<void> {
    const { bind } = this.options
    for (const address of typeof bind === "string" ? [bind] : bind) await this.router.bind(address)
    this.reading = this.read()
    this.tick()
  }

  /** The address that was bound last. */
  get lastEndpoint(): string | null {
    return this.router.lastEndpoint
  }

  on<Name extends keyof ServerEvents>(name: Name, listener: (event: ServerEvents[Name]) => void): this {
    this.events.on(name, listener)
    return this
  }

  stats(): ServerStats {
    const { running, draining } = this.desk
    return { running, clients: this.byName.size, draining, methods: this.desk.stats() }
  }

  /** Refuses new calls, which clients take elsewhere, and resolves when those that run have ended. */
  async drain(): Promise<void> {
    this.desk.draining = true
    for (const { routing } of this.byName.values()) this.say(routing, [frame.DRAINING])
    await this.desk.rest()
    await this.outbox.empty()
  }

  /** Aborts what runs, and leaves. Never rejects. */
  close(): Promise<void> {
    this.closing ??= this.shut()
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async shut(): Promise<void> {
    this.desk.draining = true
    this.timer?.cancel()
    for (const client of [...this.byName.values()]) {
      this.drop(client, "the server is closed")
      this.say(client.routing, [frame.BYE])
    }
    await this.outbox.empty()
    this.outbox.end()
    await this.router.close()
    await this.reading
    this.desk.close()
  }

  private say(routing: Buffer, message: Frame[]): void {
    // Who cannot be told is not known any more: he hears WHO, and what he had under way is lost.
    if (!this.outbox.push([routing, ...message]) && this.closing === null) this.unreachable(routing)
  }

  private async read(): Promise<void> {
    for await (const message of this.router) this.receive(message)
  }

  private receive(message: Buffer[]): void {
    const [routing, first] = message as [Buffer, Buffer | undefined]
    if (first !== undefined && first.length === 0) {
      this.plain(routing, message[2])
      return
    }
    const command = protocol.commandOf(first)
    try {
      if (command === null) throw new ServiceError("EPROTO", protocol.refusalOf(first).message)
      if (command === "HELLO") this.hello(routing, objectOf(message[2]))
      else this.fromClient(routing, command, message)
    } catch (error) {
      const fault = peerFault(error)
      const told = command === null ? protocol.refusalOf(first) : { code: fault.code, message: fault.message }
      this.say(routing, [frame.REFUSED, JSON.stringify(told)])
      this.events.emit("malformed", { message: fault.message })
    }
  }

  private hello(routing: Buffer, said: Record<string, unknown>): void {
    const name = nameOf(said.client, "client")
    const n = countOf(said.n, "n", 0)
    const before = this.byName.get(name)
    if (before !== undefined && n <= before.n) return
    for (const known of [before, this.byRouting.get(routing.toString("latin1"))]) {
      if (known !== undefined) this.drop(known, "the caller was lost")
    }
    const session = `${this.epoch}${(++this.sessions).toString(36)}`
    const client: Known = {
      name,
      n,
      routing,
      session,
      heard: this.runtime.clock.now(),
      last: 0,
      calls: new Map(),
    }
    this.byName.set(name, client)
    this.byRouting.set(routing.toString("latin1"), client)
    const { heartbeat } = this
    const { concurrency, draining } = this.desk
    this.say(routing, [frame.WELCOME, JSON.stringify({ session, n, heartbeat, concurrency })])
    if (draining) this.say(routing, [frame.DRAINING])
  }

  /** It is gone, or comes again as another: nobody wants answers any more. */
  private drop(client: Known, why: string): void {
    this.byRouting.delete(client.routing.toString("latin1"))
    this.byName.delete(client.name)
    for (const running of client.calls.values()) running.abort(new ServiceError("ELOST", why))
    client.calls.clear()
  }

  private unreachable(routing: Buffer): void {
    const client = this.byRouting.get(routing.toString("latin1"))
    if (client !== undefined) this.drop(client, "the caller cannot be reached")
  }

  private fromClient(routing: Buffer, command: Command, message: Buffer[]): void {
    const client = this.byRouting.get(routing.toString("latin1"))
    if (client === undefined) {
      if (command !== "BYE") this.say(routing, [frame.WHO])
      return
    }
    client.heard = this.runtime.clock.now()
    const [, , what, more] = message
    switch (command) {
      case "CALL":
        this.call(client, objectOf(what), more)
        break
      case "CANCEL":
        for (const id of wordsOf(what)) {
          client.calls.get(id)?.abort(new ServiceError("ECANCELED", "the caller wants no answer"))
          client.calls.delete(id)
        }
        break
      case "CREDIT":
        client.calls.get(textFrame(what))?.addCredit(countOf(Number(textFrame(more)), "credit", 0))
        break
      case "DESCRIBE":
        this.say(routing, [frame.DESCRIPTION, textFrame(what), JSON.stringify(this.description())])
        break
      case "PING":
        this.say(routing, [frame.PONG])
        break
      case "BYE":
        this.drop(client, "the caller left")
        break
      default:
        throw new ServiceError("EINVAL", `a client does not say ${command}`)
    }
  }

  private description(): object {
    const { names, running, concurrency, draining } = this.desk
    return { methods: names, running, concurrency, draining }
  }

  private call(client: Known, said: Record<string, unknown>, argument: Buffer | undefined): void {
    const id = textOf(said.id, "id", "")
    const number = this.numberOf(client, id)
    if (number === null) return
    client.last = number
    const { routing, calls } = client
    try {
      const codec = this.codecs.get(textOf(said.codec, "codec", "msgpack"))
      if (codec === undefined) throw new ServiceError("EINVAL", "there is no codec of that name here")
      const running = this.desk.begin(
        { ...saidOf(said), argument: argument ?? Buffer.alloc(0), codec },
        {
          onResult: body => this.say(routing, [frame.RESULT, id, body]),
          onItem: (body, n) => this.say(routing, [frame.ITEM, `${id} ${n}`, body]),
          onEnd: count => this.say(routing, [frame.END, `${id} ${count}`]),
          onError: error => {
            this.events.emit("failed", { method: textOf(said.method, "method", ""), error })
            this.fail(routing, id, error)
          },
          onGone: () => calls.delete(id),
        },
      )
      running.addCredit(countOf(said.credit, "credit", 1))
      calls.set(id, running)
    } catch (error) {
      const { code, message } = peerFault(error)
      this.say(routing, [frame.ERROR, JSON.stringify({ id, code, message })])
    }
  }

  /** Of a call that is this client's, and new; null: it is not. */
  private numberOf({ session, last }: Known, id: string): number | null {
    if (!id.startsWith(`${session}-`)) return null
    const number = Number(id.slice(session.length + 1))
    return Number.isSafeInteger(number) && number > last ? number : null
  }

  private fail(routing: Buffer, id: string, error: unknown): void {
    this.say(routing, [frame.ERROR, JSON.stringify({ id, ...failureOf(error, this.options.stacks ?? false) })])
  }

  /** A REQ, which knows nothing of us. */
  private plain(routing: Buffer, question: Buffer | undefined): void {
    const answer = (value: object) => this.say(routing, ["", JSON.stringify(value)])
    const fail = (error: unknown) => answer({ error: failureOf(error, this.options.stacks ?? false) })
    try {
      const said = objectOf(question)
      const argument = said.argument === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(said.argument))
      this.desk.begin(
        { ...saidOf(said), argument, codec: PLAIN },
        {
          onResult: body => answer({ result: body.length === 0 ? null : JSON.parse(Buffer.from(body).toString()) }),
          onItem: () => {},
          onEnd: () => fail(new ServiceError("EINVAL", "a plain question cannot have a stream for an answer")),
          onError: error => fail(error),
          onGone: () => {},
        },
      )
    } catch (error) {
      fail(peerFault(error))
    }
  }

  private tick(): void {
    const now = this.runtime.clock.now()
    const silent = [...this.byName.values()].filter(({ heard }) => now - heard >= SILENT_BEATS * this.heartbeat)
    for (const client of silent) if (this.suspects.has(client)) this.drop(client, "the caller is silent")
    // Perhaps it is we who were stalled: what has come meanwhile is read first.
    this.suspects = new Set(silent.filter(client => !this.suspects.has(client)))
    this.timer = this.runtime.clock.after(this.suspects.size > 0 ? 0 : this.heartbeat, () => this.tick())
  }
}

const PLAIN = json() as Codec<unknown>

function textFrame(bytes: Buffer | undefined): string {
  return bytes?.toString("latin1") ?? ""
}

/** Letters of a message that are passed on. */
const LONGEST = 16_384

/** What a caller is told of what was thrown, whatever that was. */
function failureOf(error: unknown, withStack: boolean): object {
  try {
    if (!(error instanceof Error)) return { code: "EREMOTE", name: typeof error, message: String(error) }
    const { name, message, stack, code, data } = error as Error & { code?: unknown; data?: unknown }
    const told = {
      code: typeof code === "string" ? code : "EREMOTE",
      name: String(name),
      message: String(message).slice(0, LONGEST),
    }
    return {
      ...told,
      ...(data === undefined ? {} : { data: JSON.parse(JSON.stringify(data)) }),
      ...(withStack ? { stack } : {}),
    }
  } catch {
    return { code: "EREMOTE", name: "unknown", message: "what the handler threw cannot be shown" }
  }
}
