/**
 * A simulated DEALER: sends to its peers in turn, and reads what comes in the order of arrival. Each connect() is a link, which
 * dials until it is connected, and again when that is lost. What waits at a link waits through reconnects; with `immediate`
 * nothing waits before there is a connection, and what waits is lost with it.
 */
import { ZmqError } from "../../src/index.js"
import type { TypedDealer } from "../typed/sockets.js"
import type { Network } from "./network.js"
import type { Pipe } from "./pipe.js"
import { Queue } from "./queue.js"
import { SimulatedSocket, type SimulatedSocketOptions } from "./socket.js"
import { Event, type Life } from "./timeline.js"

export interface SimulatedDealerOptions extends SimulatedSocketOptions {
  /** Default false. */
  immediate?: boolean
}

/** Milliseconds to the next attempt to connect. */
const SHORTEST_PAUSE = 10
const LONGEST_PAUSE = 200

export class SimulatedDealer extends SimulatedSocket implements TypedDealer {
  readonly immediate: boolean
  protected override readonly fewestFrames = 1
  private readonly links: Link[] = []
  private readonly linkOf = new Map<Pipe, Link>()
  private turn = 0

  constructor(life: Life, network: Network, options: SimulatedDealerOptions = {}) {
    super(life, network, options)
    this.immediate = options.immediate ?? false
  }

  /** Returns at once, and goes on trying. EINVAL for what is no address, EBADF when closed. */
  connect(address: string): void {
    if (!this.life.alive) return
    if (this.closed) throw new ZmqError("EBADF")
    const link = new Link(this, this.network.keyOf(address, this.life), this.network)
    this.links.push(link)
    link.dialSoon(0)
    this.serve()
  }

  connected(pipe: Pipe, link: Link): void {
    this.linkOf.set(pipe, link)
  }

  override pipeOpened(pipe: Pipe): void {
    if (this.closed) {
      pipe.finish()
      return
    }
    pipe.pump()
    this.serve()
  }

  override pipeLost(pipe: Pipe): void {
    const link = this.linkOf.get(pipe)
    this.linkOf.delete(pipe)
    link?.lost()
  }

  override vanish(): void {
    for (const pipe of this.linkOf.keys()) pipe.drop()
  }

  protected override sendNow(message: Buffer[]): boolean {
    const { links } = this
    for (let tried = 0; tried < links.length; tried++) {
      this.turn = (this.turn + 1) % links.length
      if (links[this.turn]!.take(message)) return true
    }
    return false
  }

  protected override leave(): void {
    for (const link of this.links) link.close(this.linger)
  }
}

/** Event: an attempt to connect reaches the other side. */
class Link extends Event {
  pipe: Pipe | null = null
  private waiting = new Queue<Buffer[]>()

  constructor(
    private readonly dealer: SimulatedDealer,
    private readonly key: string,
    private readonly network: Network,
  ) {
    super(dealer.life)
  }

  get label(): string {
    return `${this.dealer.life.name}: connects to ${this.key}`
  }

  /** False: no room. */
  take(message: Buffer[]): boolean {
    const { dealer, pipe, waiting } = this
    if (pipe?.isOpen) {
      if (!pipe.hasRoom) return false
      pipe.send(message)
      return true
    }
    if (dealer.immediate || waiting.length >= dealer.sendLimit) return false
    waiting.push(message)
    return true
  }

  dialSoon(pause: number): void {
    const { network } = this
    network.timeline.arrange(this, network.timeline.now + pause + network.drawDelay())
  }

  fire(): void {
    if (this.dealer.closed && this.waiting.length === 0) return
    const pipe = this.network.dial(this.dealer, this.key, this.waiting, this.previous)
    if (pipe === null) {
      this.dialSoon(this.network.random.between(SHORTEST_PAUSE, LONGEST_PAUSE))
      return
    }
    this.pipe = pipe
    this.previous = pipe
    this.dealer.connected(pipe, this)
  }

  lost(): void {
    this.pipe = null
    if (this.dealer.immediate) this.waiting = new Queue()
    if (this.dealer.closed && this.waiting.length === 0) return
    this.dialSoon(this.network.random.between(SHORTEST_PAUSE, LONGEST_PAUSE))
  }

  close(linger: number): void {
    const { pipe, waiting } = this
    if (linger === 0) {
      waiting.truncate(0)
      pipe?.drop()
      return
    }
    if (pipe?.isOpen) pipe.finish()
    else if (linger > 0) {
      const { timeline } = this.network
      timeline.call(this.dealer.life, linger, `${this.dealer.life.name}: linger`, () => waiting.truncate(0))
    }
  }

  /** The connection before, of which messages may come again. */
  private previous: Pipe | null = null
}
