/**
 * CLIENT: calls the methods of servers. A call goes to the server that is there and has the fewest of them under way, waits here
 * while none can take it, and ends once: with what came of it, an error, or because its time is over.
 */
import { type Codec, type CodecLike, codecOf, json } from "../codec/index.js"
import { Alarm } from "../typed/alarm.js"
import type { TypedError } from "../typed/error.js"
import { Events } from "../typed/events.js"
import { Heap } from "../typed/heap.js"
import { randomName } from "../typed/names.js"
import type { TypedRuntime } from "../typed/runtime.js"
import type { Sockets } from "../typed/sockets.js"
import { peerlaneSockets, realRuntime } from "../typed/surroundings.js"
import { Attended, type ClientMiddleware } from "./attended.js"
import { Budget } from "./budget.js"
import { ServiceError } from "./errors.js"
import { LARGEST, largestOf } from "./frames.js"
import { Line } from "./line.js"
import { Outgoing } from "./outgoing.js"
import type { Peer, PeerSink } from "./peer.js"
import { PlainPeer } from "./plain-peer.js"
import { type RequestOptions, Requests } from "./request.js"
import { ServicePeer } from "./service-peer.js"
import { Signals } from "./signals.js"
import { Tally, type TallyStats } from "./tally.js"
import type { CallOptions } from "./types.js"

export interface ClientOptions extends RequestOptions {
  /** Servers' addresses. More can be added, and removed, later. */
  readonly to: string | readonly string[]
  /** Calls that wait for a server, at most (default 10,000). One more is EBUSY. */
  readonly maxWaiting?: number
  /** Who stands before every call: the first is the outermost. */
  readonly use?: readonly ClientMiddleware[]
  /** How arguments are encoded, and results are to be (default msgpack). */
  readonly codec?: CodecLike
  /** How many of a hundred calls may be tried again (default 20). */
  readonly retryBudget?: number
  /** Options of the sockets: CURVE, TLS, limits. */
  readonly socket?: object
  /** The engine: Peerlane's sockets (default), or `import * as zeromq from "zeromq"`. */
  readonly sockets?: Sockets
  /** Clock and chance (default: the machine's). */
  readonly runtime?: TypedRuntime
}

export interface ClientEvents {
  /** A server speaks another version, or did not understand. */
  refused: { readonly address: string; readonly error: TypedError }
  /** A call is tried again with another server. */
  retry: { readonly method: string; readonly code: string }
}

export interface ClientStats extends TallyStats {
  /** Calls that are with a server. */
  readonly underWay: number
  /** Calls that wait for one. */
  readonly waiting: number
  /** That can be called now. */
  readonly servers: number
}

export class Caller {
  private readonly runtime: TypedRuntime
  private readonly codec: Codec<unknown>
  private readonly events: Events<ClientEvents>
  private readonly peers = new Map<string, Peer>()
  /** Those that were removed, as long as calls are with them. */
  private readonly leaving = new Set<Peer>()
  /** Calls that have not ended. */
  private readonly calls = new Set<Outgoing>()
  private readonly line = new Line(this.peers)
  /** Calls that have a time, by when it is over. */
  private readonly deadlines = new Heap<Outgoing>((a, b) => a.request.ends < b.request.ends)
  private readonly alarm: Alarm
  private readonly budget: Budget
  private readonly tally: Tally
  private readonly requests: Requests
  private readonly signals = new Signals()
  private pumpIsDue = false
  private closing: Promise<void> | null = null

  constructor(private readonly options: ClientOptions) {
    const { runtime = realRuntime, codec, plain, retryBudget = 20, to } = options
    this.runtime = runtime
    this.codec = plain ? (json() as Codec<unknown>) : (codecOf(codec) as Codec<unknown>)
    this.events = new Events(runtime.clock)
    this.alarm = new Alarm(runtime.clock, () => this.tick())
    this.budget = new Budget(retryBudget)
    this.tally = new Tally(runtime.clock)
    this.requests = new Requests(options, this.codec, runtime.clock)
    try {
      for (const address of typeof to === "string" ? [to] : to) this.add(address)
    } catch (error) {
      void this.close() // Nobody else could.
      throw error
    }
  }

  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): this {
    this.events.on(name, listener)
    return this
  }

  off<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): this {
    this.events.off(name, listener)
    return this
  }

  /** One server more. Nothing happens if it is there. */
  add(address: string): void {
    if (this.closing !== null) throw closed()
    if (this.peers.has(address)) return
    const { sockets = peerlaneSockets, plain = false, maxResult = LARGEST } = this.options
    const socket = { maxMessageSize: largestOf(maxResult), ...this.options.socket }
    const sink: PeerSink = {
      onChange: () => this.pumpSoon(),
      onRefused: (peer, call, error) => this.again(peer, call, error),
      onLost: (peer, calls) => this.lost(peer, calls),
      onTrouble: (address, error) => this.events.emit("refused", { address, error }),
    }
    const { runtime, codec } = this
    // A name for each way: another way to the same server would take the place of this one.
    const name = randomName(runtime, 12)
    const peer = plain
      ? new PlainPeer(address, sockets, socket, sink)
      : new ServicePeer(address, name, codec.name, sockets, socket, runtime.clock, sink)
    peer.start()
    this.peers.set(address, peer)
    this.line.pump()
  }

  /** No more calls go there; resolves when those that are under way have ended. */
  async remove(address: string): Promise<void> {
    const peer = this.peers.get(address)
    if (peer === undefined) return
    this.peers.delete(address)
    this.leaving.add(peer)
    this.pumpSoon()
    await Promise.allSettled([...peer.underWay].map(({ over }) => over))
    this.leaving.delete(peer)
    await (this.closing ?? peer.close())
  }

  /** What `connect()` makes of `api.method(argument, options)`. */
  call(method: string, argument: unknown, options: CallOptions = {}): Outgoing | Attended {
    const { use = [] } = this.options
    if (use.length === 0) return this.send(method, argument, options)
    return new Attended(use, { method, argument, options }, call => this.send(call.method, call.argument, call.options))
  }

  private send(method: string, argument: unknown, options: CallOptions): Outgoing {
    const request = this.requests.make(method, argument, options)
    const call = new Outgoing(request, this)
    this.tally.begun()
    this.budget.earn()
    const { maxWaiting = 10_000 } = this.options
    const cancelled = request.signals.find(({ aborted }) => aborted)
    if (request.fault !== null) call.fail(request.fault)
    else if (this.closing !== null) call.fail(closed())
    else if (cancelled !== undefined) call.fail(new ServiceError("ECANCELED", "cancelled", { cause: cancelled.reason }))
    else if (request.ends <= request.begun) call.fail(new ServiceError("ETIMEDOUT", "there is no time left for it"))
    else if (this.line.size >= maxWaiting) call.fail(new ServiceError("EBUSY", `${maxWaiting} calls wait already`))
    else {
      this.calls.add(call)
      for (const signal of request.signals) this.signals.add(signal, call)
      if (request.ends !== Number.POSITIVE_INFINITY) {
        this.deadlines.add(call)
        this.alarm.set(request.ends)
      }
      this.line.add(call)
    }
    return call
  }

  /** @internal Its caller wants no more of it. */
  onCancel(call: Outgoing): void {
    call.peer?.cancel(call)
  }

  /** @internal It has ended. */
  onOver(call: Outgoing, code: string | null): void {
    const { method, begun, signals } = call.request
    this.calls.delete(call)
    this.deadlines.remove(call)
    for (const signal of signals) this.signals.remove(signal, call)
    this.line.remove(call)
    this.tally.ended(method, this.runtime.clock.now() - begun, code)
    this.pumpSoon()
  }

  /** There may be room, or one that waits for a server that has left may go to another. */
  private pumpSoon(): void {
    if (this.line.size === 0 || this.pumpIsDue) return
    this.pumpIsDue = true
    this.runtime.clock.soon(() => {
      this.pumpIsDue = false
      this.line.pump()
    })
  }

  /** It was not begun there: it may go elsewhere, whatever it is. Who drains comes back some time, or another does. */
  private again(peer: Peer, call: Outgoing, error: ServiceError): void {
    if (call.isOver) return
    if (error.code === "EBUSY") {
      call.refusedBy(peer)
      const isElsewhere = [...this.peers.values()].some(other => other.isThere && !call.hasRefused(other))
      if (!isElsewhere) {
        call.fail(error)
        return
      }
    }
    this.retry(call, error)
  }

  private lost(peer: Peer, calls: readonly Outgoing[]): void {
    for (const call of calls) {
      if (call.isOver) continue
      const error = new ServiceError("ELOST", `${peer.address} was lost while ${call.method} ran`)
      const isRepeatable = call.request.isSafe && !call.hasItems && !call.isSpent
      if (!isRepeatable || this.closing !== null || !this.budget.spend()) call.fail(error)
      else this.retry(call, error)
    }
  }

  private retry(call: Outgoing, { code }: ServiceError): void {
    this.tally.retries++
    call.startAgain()
    this.line.addAgain(call)
    this.pumpSoon()
    // Last, as who hears of it may end the call, or close us.
    this.events.emit("retry", { method: call.method, code })
  }

  private tick(): void {
    const now = this.runtime.clock.now()
    for (let first = this.deadlines.top; first !== undefined && first.request.ends <= now; first = this.deadlines.top) {
      this.deadlines.remove(first)
      this.onCancel(first)
      first.fail(new ServiceError("ETIMEDOUT", this.whyLate(first)))
    }
    const next = this.deadlines.top
    if (next !== undefined) this.alarm.set(next.request.ends)
  }

  private whyLate({ peer, request: { method, ends, begun } }: Outgoing): string {
    const time = `${Math.round(ends - begun)} ms`
    if (peer !== null) return `${method} took longer than ${time}`
    const away = [...this.peers.values()].filter(({ isThere }) => !isThere).map(({ address }) => address)
    const why = away.length === 0 ? "all are busy" : `${away.join(", ")} ${away.length > 1 ? "are" : "is"} not there`
    return `${method} found no server in ${time} that could take it: ${why}`
  }

  /**
   * What each server says of itself, by address: its methods with their schemas, and how busy it is. One that is away has `timeout` ms
   * (default 2,000) to come, and is left out then.
   */
  async describe({ timeout = 2000 }: { timeout?: number } = {}): Promise<Record<string, Record<string, unknown>>> {
    const answers = [...this.peers.values()].map(async peer => [peer.address, await peer.describe(timeout)] as const)
    const there = (await Promise.all(answers)).filter(([, description]) => description !== null)
    return Object.fromEntries(there) as Record<string, Record<string, unknown>>
  }

  stats(): ClientStats {
    const peers = [...this.peers.values()]
    return {
      underWay: [...peers, ...this.leaving].reduce((sum, { busy }) => sum + busy, 0),
      waiting: this.line.size,
      servers: peers.filter(({ isThere }) => isThere).length,
      ...this.tally.stats(),
    }
  }

  /** Ends all calls with ECLOSED, and leaves. Never rejects. */
  close(): Promise<void> {
    this.closing ??= this.shut()
    return this.closing
  }

  private async shut(): Promise<void> {
    const peers = [...this.peers.values(), ...this.leaving]
    for (const call of this.calls) {
      this.onCancel(call)
      call.fail(closed())
    }
    this.alarm.stop()
    await Promise.all(peers.map(peer => peer.close()))
  }
}

function closed(): ServiceError {
  return new ServiceError("ECLOSED", "the client is closed")
}
