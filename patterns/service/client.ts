/**
 * CLIENT: calls the methods of servers. A call goes to the server that is there and has the fewest of them under way, waits here
 * while none can take it, and ends once: with what came of it, an error, or because its time is over.
 */
import { type Codec, type CodecLike, codecOf } from "../codec/index.js"
import { Alarm } from "../typed/alarm.js"
import { Deque } from "../typed/deque.js"
import type { TypedError } from "../typed/error.js"
import { Events } from "../typed/events.js"
import { Heap } from "../typed/heap.js"
import { Meter } from "../typed/meter.js"
import { randomName } from "../typed/names.js"
import type { TypedRuntime } from "../typed/runtime.js"
import type { Sockets } from "../typed/sockets.js"
import { peerlaneSockets, realRuntime } from "../typed/surroundings.js"
import { Budget } from "./budget.js"
import { codeOf } from "./desk.js"
import { ServiceError } from "./errors.js"
import { Latency } from "./latency.js"
import { Outgoing } from "./outgoing.js"
import { Peer } from "./peer.js"
import type { CallOptions } from "./types.js"

export interface ClientOptions {
  /** Servers' addresses. More can be added, and removed, later. */
  readonly to: string | readonly string[]
  /** Of each call that says nothing else, in ms (default 30,000). */
  readonly timeout?: number
  /** Calls that wait for a server, at most (default 10,000). One more is EBUSY. */
  readonly maxWaiting?: number
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

export interface ClientStats {
  readonly underWay: number
  readonly waiting: number
  /** That can be called now. */
  readonly servers: number
  readonly calls: number
  readonly callsPerSecond: number
  readonly retries: number
  /** By code. */
  readonly errors: Readonly<Record<string, number>>
  /** By method, in ms, as the caller saw it. */
  readonly methods: Readonly<Record<string, { readonly p50: number; readonly p99: number }>>
}

export class Caller {
  private readonly runtime: TypedRuntime
  private readonly codec: Codec<unknown>
  private readonly events: Events<ClientEvents>
  private readonly name: string
  private readonly peers = new Map<string, Peer>()
  /** Calls that any server may have, in order. */
  private readonly waiting = new Deque<Outgoing>()
  /** Those that not every server may have: each is looked at, so that none holds up others. */
  private particular: Outgoing[] = []
  private readonly deadlines = new Heap<Outgoing>((a, b) => a.at < b.at)
  private readonly alarm: Alarm
  private readonly budget: Budget
  private readonly meter: Meter
  private readonly latencies = new Map<string, Latency>()
  private readonly errors: Record<string, number> = {}
  private readonly withPeer = new Map<Outgoing, Peer>()
  private retries = 0
  private turns = 0
  private closing: Promise<void> | null = null

  constructor(private readonly options: ClientOptions) {
    this.runtime = options.runtime ?? realRuntime
    this.codec = codecOf(options.codec) as Codec<unknown>
    this.events = new Events(this.runtime.clock)
    this.name = randomName(this.runtime, 12)
    this.alarm = new Alarm(this.runtime.clock, () => this.tick())
    this.budget = new Budget(options.retryBudget ?? 20)
    this.meter = new Meter(this.runtime.clock)
    const addresses = typeof options.to === "string" ? [options.to] : options.to
    for (const address of addresses) this.add(address)
  }

  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): this {
    this.events.on(name, listener)
    return this
  }

  /** One server more. Nothing happens if it is there. */
  add(address: string): void {
    if (this.closing !== null) throw new ServiceError("ECLOSED", "the client is closed")
    if (this.peers.has(address)) return
    const { sockets = peerlaneSockets, socket = {} } = this.options
    const peer = new Peer(address, this.name, this.codec.name, sockets, socket, this.runtime.clock, {
      onAble: () => this.pump(),
      onRefused: (peer, call, error) => this.again(peer, call, error),
      onLost: (peer, calls) => this.lost(peer, calls),
      onEnded: call => this.ended(call),
      onTrouble: (address, error) => this.events.emit("refused", { address, error }),
    })
    this.peers.set(address, peer)
    peer.start()
  }

  /** No more calls go there; resolves when those that are under way have ended. */
  async remove(address: string): Promise<void> {
    const peer = this.peers.get(address)
    if (peer === undefined) return
    this.peers.delete(address)
    await Promise.allSettled(peer.calls.values())
    await peer.close()
  }

  call(method: string, argument: unknown, options: CallOptions = {}): Outgoing {
    const now = this.runtime.clock.now()
    const { timeout = this.options.timeout ?? 30_000 } = options
    const { encoded, fault } = this.encode(argument)
    const call = new Outgoing(method, encoded, now, now + timeout, options, this.codec, {
      onCancel: call => this.cancel(call),
      onRead: (call, items) => this.withPeer.get(call)?.addCredit(call, items),
    })
    this.meter.add()
    this.budget.earn()
    this.watch(call)
    const { maxWaiting = 10_000 } = this.options
    if (fault !== null) call.fail(fault)
    else if (this.closing !== null) call.fail(new ServiceError("ECLOSED", "the client is closed"))
    else if (options.signal?.aborted)
      call.fail(new ServiceError("ECANCELED", "cancelled", { cause: options.signal.reason }))
    else if (this.waitingNow >= maxWaiting) call.fail(new ServiceError("EBUSY", `${maxWaiting} calls wait already`))
    else {
      this.deadlines.add(call)
      this.alarm.set(call.at)
      if (options.sticky === undefined) this.waiting.push(call)
      else this.particular.push(call)
      this.pump()
    }
    return call
  }

  private encode(argument: unknown): { encoded: Uint8Array; fault: unknown } {
    try {
      return { encoded: argument === undefined ? NOTHING : this.codec.encode(argument), fault: null }
    } catch (fault) {
      return { encoded: NOTHING, fault }
    }
  }

  private get waitingNow(): number {
    return this.waiting.size + this.particular.length
  }

  /** Counts how it ends. */
  private watch(call: Outgoing): void {
    const done = (code: string | null) => {
      this.deadlines.remove(call)
      this.withPeer.delete(call)
      if (code !== null) this.errors[code] = (this.errors[code] ?? 0) + 1
      let latency = this.latencies.get(call.method)
      if (latency === undefined && this.latencies.size < 1000) {
        latency = new Latency()
        this.latencies.set(call.method, latency)
      }
      latency?.add(this.runtime.clock.now() - call.begun)
    }
    call.then(
      () => done(null),
      error => done(codeOf(error)),
    )
  }

  /** Hands out what waits, as far as somebody can take it. */
  private pump(): void {
    if (this.particular.length > 0) this.particular = this.particular.filter(call => !this.place(call))
    for (let call = this.waiting.peek(); call !== undefined && this.place(call); call = this.waiting.peek()) {
      this.waiting.shift()
    }
  }

  /** false: it has to wait. */
  private place(call: Outgoing): boolean {
    if (call.isOver) return true
    const peer = this.choose(call)
    if (peer === null) return false
    peer.served = ++this.turns
    this.withPeer.set(call, peer)
    peer.send(call)
    return true
  }

  /** The one with the fewest calls under way that has not refused or lost it; among equals, the one that was served longest ago. */
  private choose({ tried, options: { sticky } }: Outgoing): Peer | null {
    if (sticky !== undefined) {
      const there = [...this.peers.values()].filter(peer => peer.isThere && !tried.has(peer.address))
      const [first] = there.sort((a, b) => weight(sticky, b.address) - weight(sticky, a.address))
      return first?.isAble ? first : null
    }
    let best: Peer | null = null
    for (const peer of this.peers.values()) {
      if (!peer.isAble || tried.has(peer.address)) continue
      const isBetter =
        best === null ||
        peer.calls.size < best.calls.size ||
        (peer.calls.size === best.calls.size && peer.served < best.served)
      if (isBetter) best = peer
    }
    return best
  }

  /** It was not begun there: it may go elsewhere, whatever it is. Who drains comes back some time, or another does. */
  private again(peer: Peer, call: Outgoing, error: ServiceError): void {
    if (call.isOver) return
    if (error.code === "EBUSY") {
      call.tried.add(peer.address)
      const isElsewhere = [...this.peers.values()].some(other => other.isThere && !call.tried.has(other.address))
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
      const isRepeatable = call.options.safe === true && call.got === 0 // Nobody has read of it yet.
      if (!isRepeatable || !this.budget.spend() || this.closing !== null) call.fail(error)
      else this.retry(call, error)
    }
  }

  private retry(call: Outgoing, { code }: ServiceError): void {
    this.retries++
    this.withPeer.delete(call)
    this.events.emit("retry", { method: call.method, code })
    this.particular.push(call)
    this.pump()
  }

  private ended(call: Outgoing): void {
    this.withPeer.delete(call)
    if (this.waitingNow > 0) void Promise.resolve().then(() => this.pump())
  }

  private cancel(call: Outgoing): void {
    this.withPeer.get(call)?.cancel(call)
    this.ended(call)
  }

  private tick(): void {
    const now = this.runtime.clock.now()
    for (let first = this.deadlines.top; first !== undefined && first.at <= now; first = this.deadlines.top) {
      this.deadlines.remove(first)
      this.withPeer.get(first)?.cancel(first)
      first.fail(
        new ServiceError("ETIMEDOUT", `${first.method} took longer than ${Math.round(first.at - first.begun)} ms`),
      )
      this.ended(first)
    }
    const next = this.deadlines.top
    if (next !== undefined) this.alarm.set(next.at)
  }

  /** What each server says of itself, by address: its methods, and how busy it is. Those that are away are not there. */
  async describe(): Promise<Record<string, Record<string, unknown>>> {
    const answers = [...this.peers.values()].map(async peer => [peer.address, await peer.describe()] as const)
    const there = (await Promise.all(answers)).filter(([, description]) => description !== null)
    return Object.fromEntries(there) as Record<string, Record<string, unknown>>
  }

  stats(): ClientStats {
    const peers = [...this.peers.values()]
    const methods: Record<string, { p50: number; p99: number }> = {}
    for (const [name, latency] of this.latencies) {
      methods[name] = { p50: latency.percentile(0.5), p99: latency.percentile(0.99) }
    }
    return {
      underWay: peers.reduce((sum, { calls }) => sum + calls.size, 0),
      waiting: this.waitingNow,
      servers: peers.filter(({ isThere }) => isThere).length,
      calls: this.meter.total,
      callsPerSecond: this.meter.perSecond,
      retries: this.retries,
      errors: { ...this.errors },
      methods,
    }
  }

  /** Ends all calls with ECLOSED, and leaves. Never rejects. */
  close(): Promise<void> {
    this.closing ??= this.shut()
    return this.closing
  }

  private async shut(): Promise<void> {
    const closed = () => new ServiceError("ECLOSED", "the client is closed")
    for (let call = this.waiting.shift(); call !== undefined; call = this.waiting.shift()) call.fail(closed())
    for (const call of this.particular.splice(0)) call.fail(closed())
    for (const peer of this.peers.values()) {
      for (const call of [...peer.calls.values()]) {
        peer.cancel(call)
        call.fail(closed())
      }
    }
    this.alarm.stop()
    await Promise.all([...this.peers.values()].map(peer => peer.close()))
  }
}

const NOTHING = new Uint8Array(0)

/** How well a server fits a key: when one goes, only its keys move. */
function weight(key: string, address: string): number {
  let hash = 0x811c9dc5
  for (const letter of `${key}\n${address}`) hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193)
  hash ^= hash >>> 15
  return Math.imul(hash, 0x2c1b3c6d) >>> 0
}
