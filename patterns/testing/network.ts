/**
 * The simulated network: who listens where, how connections are made, and what goes wrong with them. Each connection has a
 * delay of its own, so that connections overtake one another. Faults are between two machines, and count when they take place.
 */
import { ZmqError } from "../../src/index.js"
import type { SimulatedDealer } from "./dealer.js"
import type { Faults } from "./fault-kinds.js"
import { Lane } from "./lane.js"
import { Pipe } from "./pipe.js"
import { Queue } from "./queue.js"
import type { Random } from "./random.js"
import type { SimulatedRouter } from "./router.js"
import type { Life, Timeline } from "./timeline.js"
import { Wire } from "./wire.js"

/** A machine, as the network sees it. */
export interface Host {
  readonly name: string
}

export interface NetworkOptions {
  /** Milliseconds that a connection takes for a message, drawn for each connection; a message may take twice that. */
  readonly shortestDelay: number
  readonly longestDelay: number
  /** Milliseconds of silence after which both ends of a connection give it up. */
  readonly patience: number
  /** A send is under way until its promise was looked at, though it was queued at once. */
  readonly strict: boolean
}

const ADDRESS = /^tcp:\/\/([\w.*-]+):(\d{1,5}|\*)$/
const OWN_HOSTS = new Set(["*", "0.0.0.0", "127.0.0.1", "localhost"])
const FIRST_FREE_PORT = 49152
const LAST_PORT = 65535

export class Network {
  readonly strict: boolean
  readonly patience: number
  private readonly listeners = new Map<string, SimulatedRouter>()
  private readonly lanes = new Map<string, Lane>()
  private connections = 0
  private nextPort = FIRST_FREE_PORT

  constructor(
    readonly timeline: Timeline,
    readonly random: Random,
    private readonly faults: Faults,
    private readonly options: NetworkOptions,
  ) {
    this.strict = options.strict
    this.patience = options.patience
  }

  /** Breaks each connection between the two once. What is on the way is lost from a random point on, both ways. */
  cut(a: Host, b: Host): void {
    this.faults.cut++
    this.note("cut", a, b)
    for (const pipe of this.lane(a, b).pipes) {
      pipe.wire.cut()
      pipe.peer.wire.cut()
    }
  }

  /**
   * Nothing passes for that long, and nobody is told. Then what was sent arrives, unless it took longer than `patience`: by then
   * both ends have given their connections up.
   */
  partition(a: Host, b: Host, ms: number): void {
    const { timeline } = this
    this.faults.partition++
    this.note(`partition for ${ms} ms`, a, b)
    const lane = this.lane(a, b)
    if (lane.closedUntil <= timeline.now) lane.closedSince = timeline.now
    lane.closedUntil = Math.max(lane.closedUntil, timeline.now + ms)
    const { closedSince } = lane
    const given = closedSince + this.patience
    if (lane.closedUntil <= given) return
    timeline.call(null, given - timeline.now, "patience ends", () => {
      if (lane.closedSince === closedSince) this.giveUp(lane)
    })
  }

  /** Each message between the two takes `delay` milliseconds longer, for `ms` milliseconds. */
  slow(a: Host, b: Host, delay: number, ms = Infinity): void {
    this.faults.slow++
    this.note(`slow by ${delay} ms`, a, b)
    const lane = this.lane(a, b)
    lane.delay = delay
    lane.slowUntil = this.timeline.now + ms
  }

  /** Holds each connection between the two back on its own, each way, up to `ms` milliseconds: others overtake it. */
  reorder(a: Host, b: Host, ms: number): void {
    const { random, timeline } = this
    this.faults.reorder++
    this.note("reorder", a, b)
    for (const pipe of this.lane(a, b).pipes) {
      pipe.wire.hold(timeline.now + random.between(0, ms))
      pipe.peer.wire.hold(timeline.now + random.between(0, ms))
    }
  }

  /**
   * Remembers the last messages between the two from now on. When one of their connections is lost and comes again, some of those
   * that it had delivered are delivered again, before anything else, in their order.
   */
  duplicate(a: Host, b: Host): void {
    this.note("remembers", a, b)
    this.lane(a, b).repeats = true
  }

  /** The machine and the port of an address that somebody connects to. */
  keyOf(address: string, { name }: Life): string {
    const [, host, port] = ADDRESS.exec(address) ?? []
    if (host === undefined || port === "*") throw new ZmqError("EINVAL", { address })
    return `${OWN_HOSTS.has(host) ? name : host}:${port}`
  }

  listen(router: SimulatedRouter, address: string): string {
    const { name } = router.life
    const [, host, port] = ADDRESS.exec(address) ?? []
    if (host === undefined) throw new ZmqError("EINVAL", { address })
    if (host !== name && !OWN_HOSTS.has(host)) throw new ZmqError("EADDRNOTAVAIL", { address })
    const key = `${name}:${port === "*" ? this.freePort(name) : port}`
    if (this.listeners.has(key)) throw new ZmqError("EADDRINUSE", { address })
    this.listeners.set(key, router)
    return `tcp://${key}`
  }

  unlisten(router: SimulatedRouter): void {
    for (const [key, listener] of this.listeners) if (listener === router) this.listeners.delete(key)
  }

  drawDelay(): number {
    return this.random.between(this.options.shortestDelay, this.options.longestDelay)
  }

  /** Connects, or not: nobody listens, he does not answer, or nothing passes. */
  dial(dealer: SimulatedDealer, key: string, waiting: Queue<Buffer[]>, previous: Pipe | null): Pipe | null {
    const { timeline } = this
    const router = this.listeners.get(key)
    if (router === undefined || router.life.stalledUntil > timeline.now) return null
    const lane = this.lane(dealer.life, router.life)
    if (lane.closedUntil > timeline.now) return null
    const number = ++this.connections
    const random = this.random.fork(String(number))
    const pipe = new Pipe(dealer, number, lane, waiting, timeline)
    const other = new Pipe(router, number, lane, new Queue(), timeline)
    const delay = this.drawDelay()
    pipe.peer = other
    other.peer = pipe
    pipe.wire = new Wire(timeline, other, lane, random, delay)
    other.wire = new Wire(timeline, pipe, lane, random, delay)
    lane.pipes.add(pipe)
    router.accept(other)
    other.wire.open()
    if (lane.repeats && previous !== null) this.repeat(lane, previous, pipe)
    return pipe
  }

  private repeat(lane: Lane, previous: Pipe, pipe: Pipe): void {
    const sent = previous.wire.delivered
    const received = previous.peer.wire.delivered
    if (sent.length + received.length === 0) return
    lane.repeats = false
    this.faults.duplicate++
    for (const message of this.lastOf(sent)) pipe.wire.push(message)
    for (const message of this.lastOf(received)) pipe.peer.wire.push(message)
  }

  private lastOf(messages: Buffer[][]): Buffer[][] {
    return messages.slice(this.random.below(messages.length))
  }

  private giveUp(lane: Lane): void {
    for (const pipe of lane.pipes) {
      for (const end of [pipe, pipe.peer]) {
        end.wire.discard()
        const pause = this.random.between(0, this.options.longestDelay)
        this.timeline.call(end.owner.life, pause, `${end.owner.life.name}: gives ${end.number} up`, () => end.lost())
      }
    }
  }

  private freePort(name: string): number {
    do {
      this.nextPort = this.nextPort < LAST_PORT ? this.nextPort + 1 : FIRST_FREE_PORT
    } while (this.listeners.has(`${name}:${this.nextPort}`))
    return this.nextPort
  }

  private lane(a: Host, b: Host): Lane {
    const key = a.name < b.name ? `${a.name}|${b.name}` : `${b.name}|${a.name}`
    let lane = this.lanes.get(key)
    if (lane === undefined) {
      lane = new Lane()
      this.lanes.set(key, lane)
    }
    return lane
  }

  private note(what: string, a: Host, b: Host): void {
    const { now, trace } = this.timeline
    trace.mixText(what)
    if (trace.keeps) trace.line(now, `network: ${what} (${a.name}, ${b.name})`)
  }
}
