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
import { countOf, type Frame, nameOf, objectOf, textOf } from "../typed/protocol.js"
import type { TypedRuntime } from "../typed/runtime.js"
import type { Sockets, TypedRouter } from "../typed/sockets.js"
import { peerlaneSockets, realRuntime } from "../typed/surroundings.js"
import { Waiting, type WaitOptions } from "../typed/waiting.js"
import { Desk, type MethodStats } from "./desk.js"
import { ServiceError } from "./errors.js"
import { frame, LARGEST, largestOf, protocol } from "./frames.js"
import { methodsOf } from "./methods.js"
import type { ServerMiddleware } from "./middleware.js"
import { PlainAsker } from "./plain-asker.js"
import { Session } from "./session.js"

const OUTBOX = 100_000
/** In ms. */
const HEARTBEAT = 2000
/** Where Peerlane's socket stops to take what a client does not read; then that client is given up. */
const SEND_BYTES = 64 * 1024 * 1024

export interface ServerOptions {
  /** Where clients connect to. */
  readonly bind: string | readonly string[]
  /** Calls that run at a time (default 1,024). One more is EBUSY, at once. */
  readonly concurrency?: number
  /** The same of single methods, by name. */
  readonly limits?: Readonly<Record<string, number>>
  /** Bytes of an argument, encoded; of one that is a stream, of each item (default 64 MiB). A larger one is EMSGSIZE. */
  readonly maxArgument?: number
  /** Bytes of all arguments that are on their way in pieces (default 256 MiB). Whose would be more is EBUSY. */
  readonly maxArriving?: number
  /** Who stands before every method: the first is the outermost. */
  readonly use?: readonly ServerMiddleware[]
  /** A codec beside msgpack, json and raw, by its name. */
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
  /** Calls, now. */
  readonly running: number
  /** Of these, calls that nobody wants any more: their handlers do not look at their signals. */
  readonly overdue: number
  readonly clients: number
  readonly draining: boolean
  /** By name. */
  readonly methods: Readonly<Record<string, MethodStats>>
}

/** Serves it, and resolves when clients can connect. Rejects with what the socket says against it. */
export async function serve(implementation: object, options: ServerOptions): Promise<Server> {
  const server = new Server(implementation, options)
  try {
    await server.open()
  } catch (error) {
    await server.close()
    throw error
  }
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
  private readonly byRouting = new Map<string, Session>()
  private readonly byName = new Map<string, Session>()
  private endpoint: string | null = null
  private sessions = 0
  /** Who was silent for too long, if there is nothing of him that we have not read. */
  private suspects = new Set<Session>()
  private timer: { cancel(): void } | null = null
  /** When the next tick is to come. */
  private due = 0
  private reading: Promise<void> = Promise.resolve()
  private closing: Promise<void> | null = null
  /** Who waits in `drain`. */
  private readonly drains = new Set<Waiting>()
  /** Who waits for clients to have heard. */
  private listening: (() => void)[] = []

  constructor(
    implementation: object,
    private readonly options: ServerOptions,
  ) {
    const { heartbeat = HEARTBEAT, runtime = realRuntime, sockets = peerlaneSockets, socket, codec } = options
    this.runtime = runtime
    this.heartbeat = heartbeat
    this.events = new Events(runtime.clock)
    this.desk = new Desk(methodsOf(implementation), limitsOf(options), options.use ?? [], runtime.clock)
    const known: Codec<unknown>[] = [msgpack(), json(), raw as Codec<unknown>]
    if (codec !== undefined) known.push(codecOf(codec) as Codec<unknown>)
    this.codecs = new Map(known.map(codec => [codec.name, codec]))
    this.epoch = randomName(runtime, 6)
    this.router = new sockets.Router({
      mandatory: true,
      sendTimeout: 0,
      sendHighWaterMark: 16_384,
      linger: 1000,
      maxMessageSize: largestOf(this.desk.maxArgument),
      ...(sockets === peerlaneSockets ? { sendHighWaterMarkBytes: SEND_BYTES } : {}),
      ...socket,
    })
    this.outbox = new Outbox(this.router, OUTBOX, ([routing]) => this.unreachable(routing as Buffer))
  }

  async open(): Promise<void> {
    const { bind } = this.options
    for (const address of typeof bind === "string" ? [bind] : bind) await this.router.bind(address)
    this.endpoint = this.router.lastEndpoint
    this.reading = this.read()
    this.due = this.runtime.clock.now()
    this.tick()
  }

  /** The address that was bound last, also when it is closed. */
  get lastEndpoint(): string | null {
    return this.endpoint
  }

  on<Name extends keyof ServerEvents>(name: Name, listener: (event: ServerEvents[Name]) => void): this {
    this.events.on(name, listener)
    return this
  }

  off<Name extends keyof ServerEvents>(name: Name, listener: (event: ServerEvents[Name]) => void): this {
    this.events.off(name, listener)
    return this
  }

  stats(): ServerStats {
    const { running, overdue, draining } = this.desk
    return { running, overdue, clients: this.byName.size, draining, methods: this.desk.stats() }
  }

  /**
   * Refuses new calls, which clients take elsewhere, and resolves when those that run have ended and each client has heard of
   * that: a `close` behind it costs nobody a call. ETIMEDOUT after `timeout` ms, and the reason of `signal`; it drains on
   * then. ECLOSED when it is closed meanwhile.
   */
  async drain(options: WaitOptions = {}): Promise<void> {
    this.desk.draining = true
    const { running } = this.desk
    const late = () => new ServiceError("ETIMEDOUT", `of ${running} calls ${this.desk.running} still run`)
    const waiting = new Waiting(this.runtime.clock, options, late)
    this.drains.add(waiting)
    void this.rest().then(() => waiting.end())
    try {
      await waiting.promise
    } finally {
      this.drains.delete(waiting)
    }
  }

  private async rest(): Promise<void> {
    await this.toldAll() // Behind this no call comes.
    await this.desk.rest()
    await this.toldAll() // And before this every result has come, which a socket may lose when its peer goes.
  }

  /** Tells all clients, and resolves when they have heard. */
  private async toldAll(): Promise<void> {
    for (const session of this.byName.values()) session.sayDraining()
    const hasHeard = () => [...this.byName.values()].every(({ hasHeard }) => hasHeard)
    while (!hasHeard()) await new Promise<void>(resolve => this.listening.push(resolve))
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
    for (const session of [...this.byName.values()]) {
      this.drop(session, "the server is closed")
      this.say([session.routing, frame.BYE])
    }
    this.desk.close()
    const closed = new ServiceError("ECLOSED", "the server was closed before it was drained")
    for (const waiting of this.drains) waiting.fail(closed)
    await this.outbox.empty()
    this.outbox.end()
    await this.router.close()
    await this.reading
  }

  private say(message: Frame[]): void {
    // Who cannot be told is not known any more: he hears WHO, and what he had under way is lost.
    if (!this.outbox.push(message) && this.closing === null) this.unreachable(message[0] as Buffer)
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
      else {
        const session = this.byRouting.get(routing.toString("latin1"))
        if (command === "BYE") this.drop(session, "the caller left")
        else if (session === undefined) this.say([routing, frame.WHO])
        else session.receive(command, message, 2)
        if (command === "DRAINING") this.heardMore()
      }
    } catch (error) {
      const fault = peerFault(error)
      const told = command === null ? protocol.refusalOf(first) : { code: fault.code, message: fault.message }
      this.say([routing, frame.REFUSED, JSON.stringify(told)])
      this.events.emit("malformed", { message: fault.message })
    }
  }

  private hello(routing: Buffer, said: Record<string, unknown>): void {
    const name = nameOf(said.client, "client")
    const n = countOf(said.n, "n", 0)
    const codec = this.codecs.get(textOf(said.codec, "codec", "msgpack"))
    if (codec === undefined) throw new ServiceError("EINVAL", "there is no codec of that name here")
    const credit = countOf(said.credit, "credit", 1)
    const before = this.byName.get(name)
    if (before !== undefined && n <= before.n) return
    const key = routing.toString("latin1")
    this.drop(before, "the caller was lost")
    this.drop(this.byRouting.get(key), "the caller was lost")
    const { clock } = this.runtime
    const who = {
      name,
      n,
      routing,
      session: `${this.epoch}${(++this.sessions).toString(36)}`,
      codec,
      credit,
      userId: this.userOf(routing),
    }
    const session = new Session(who, this.desk, this.options.stacks ?? false, clock, {
      say: message => this.say(message),
      onFailed: (method, error) => this.events.emit("failed", { method, error }),
    })
    this.byName.set(name, session)
    this.byRouting.set(key, session)
    const { heartbeat } = this
    const { concurrency, draining } = this.desk
    this.say([routing, frame.WELCOME, JSON.stringify({ session: who.session, n, heartbeat, concurrency, draining })])
  }

  private userOf(routing: Buffer): string | undefined {
    return this.router.peer?.(routing)?.userId ?? undefined
  }

  /** It is gone, or comes again as another: nobody wants answers any more. */
  private drop(session: Session | undefined, why: string): void {
    if (session === undefined) return
    this.byRouting.delete(session.routing.toString("latin1"))
    this.byName.delete(session.name)
    session.lose(why)
    this.heardMore()
  }

  private heardMore(): void {
    for (const resolve of this.listening.splice(0)) resolve()
  }

  private unreachable(routing: Buffer): void {
    this.drop(this.byRouting.get(routing.toString("latin1")), "the caller cannot be reached")
  }

  /** A REQ. */
  private plain(routing: Buffer, question: Buffer | undefined): void {
    const asker = new PlainAsker(this.userOf(routing), this.options.stacks ?? false, {
      answer: text => this.say([routing, "", text]),
      onFailed: (method, error) => this.events.emit("failed", { method, error }),
    })
    asker.ask(question, this.desk)
  }

  private tick(): void {
    const now = this.runtime.clock.now()
    // This process was stalled for so long: that is nobody's silence, and nobody could be heard.
    const late = now - this.due
    if (late > this.heartbeat) for (const session of this.byName.values()) session.forgive(late)
    const silent = [...this.byName.values()].filter(({ heard }) => now - heard >= SILENT_BEATS * this.heartbeat)
    for (const session of silent) if (this.suspects.has(session)) this.drop(session, "the caller is silent")
    // Who lives, and does not answer a DRAINING, is not waited for.
    for (const session of this.byName.values()) if (session.deaf >= SILENT_BEATS * this.heartbeat) session.giveUp()
    this.heardMore()
    // Perhaps it is we who were stalled: what has come meanwhile is read first.
    this.suspects = new Set(silent.filter(session => !this.suspects.has(session)))
    const pause = this.suspects.size > 0 ? 0 : this.heartbeat
    this.due = now + pause
    this.timer = this.runtime.clock.after(pause, () => this.tick())
  }
}

function limitsOf({
  concurrency = 1024,
  limits = {},
  maxArgument = LARGEST,
  maxArriving = 4 * LARGEST,
  heartbeat = HEARTBEAT,
}: ServerOptions) {
  const own = { concurrency, maxArgument, maxArriving, heartbeat }
  for (const [name, value] of [...Object.entries(own), ...Object.entries(limits)]) {
    // Clients are told of some of these, and take whole numbers only.
    if (!(value >= 1 && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY))) {
      throw new ServiceError("EINVAL", `${name} is to be a whole number from 1 on, or Infinity, and not ${value}`)
    }
  }
  // JSON has no Infinity.
  return { concurrency: Math.min(concurrency, Number.MAX_SAFE_INTEGER), methods: limits, maxArgument, maxArriving }
}
