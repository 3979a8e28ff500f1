/**
 * What PUB and XPUB share (29/PUBSUB): subscriptions come up from the peers, and a message goes to each peer that
 * subscribed to what its first frame begins with. A peer whose queue is full misses it, which is counted; with `noDrop`
 * sending waits for all of them instead.
 */
import {
  type CloseOptions,
  checkWait,
  type Link,
  type Message,
  type Pipe,
  type SocketTypeName,
  Subscriptions,
  sizeOf,
  Waiter,
  WaitLine,
  type WaitOptions,
  ZmqError,
} from "../../src/index.js"
import { toTopic } from "../frames.js"
import { Pace } from "../pace.js"
import { type ContextOption, Writable } from "../socket.js"
import { excess } from "../subscription-limits.js"
import { type SubscriptionKind, subscriptionKind, takeLeading } from "./subscription.js"

export abstract class Publishing extends Writable {
  protected readonly subscriptions = new Subscriptions()
  protected readonly pipes = new Set<Pipe>()
  private readonly targets: Pipe[] = []
  private readonly pace = new Pace()
  private readonly line = new WaitLine<SubscribersWaiter>()

  protected constructor(type: SocketTypeName, options: ContextOption | undefined) {
    super(type, options)
  }

  /** Whether it can take in more of what peers say. */
  protected get hears(): boolean {
    return true
  }

  /** A peer subscribed or cancelled, or sent something else. */
  protected abstract onUpstream(pipe: Pipe, message: Message, kind: SubscriptionKind | "message"): void

  /** Different topics that peers are subscribed to now. ZMQ_TOPICS_COUNT. */
  get topicsCount(): number {
    return this.subscriptions.size
  }

  /**
   * Resolves when `count` (1) peers have a subscription that lets a message pass which begins with `topic` (empty: which
   * lets every message pass). Then nothing is lost on a subscriber that was slow to join. EAGAIN after `timeout`.
   */
  waitForSubscribers(topic: string | Buffer = "", count = 1, options: WaitOptions = {}): Promise<void> {
    this.checkOpen()
    checkWait(options)
    const bytes = toTopic(topic)
    if (this.countSubscribers(bytes) >= count) return Promise.resolve()
    const tooFew = () =>
      new ZmqError("EAGAIN", { detail: `${this.countSubscribers(bytes)} of ${count} subscribers are there` })
    const waiter = new SubscribersWaiter(this.core, this.line, options, tooFew)
    waiter.topic = Uint8Array.from(bytes)
    waiter.count = count
    return waiter.promise
  }

  override close(options?: CloseOptions): Promise<void> {
    for (const waiter of this.line) waiter.reject(new ZmqError("EAGAIN", { detail: "the socket was closed" }))
    return super.close(options)
  }

  override pipeAttached({ pipe }: Link): boolean {
    this.pipes.add(pipe)
    return true
  }

  override pipeEnded({ pipe }: Link): void {
    this.pipes.delete(pipe)
    this.pace.forget(pipe)
    this.subscriptions.forget(pipe)
    this.sends.serve()
  }

  override onReadable(pipe: Pipe): void {
    while (this.hears && !pipe.ended) {
      const message = pipe.read()
      if (message === undefined) break
      this.upstream(pipe, message)
    }
    for (const waiter of this.line) if (this.countSubscribers(waiter.topic) >= waiter.count) waiter.resolve()
  }

  override sendNow(message: Message): boolean {
    const { targets } = this
    targets.length = 0
    this.choose(message[0]!, targets)
    const size = sizeOf(message)
    const { noDrop } = this.store.values
    if (noDrop && !allAdmit(targets, size)) return false
    const encoded = targets.length > 1 ? this.core.encoder.encode(message) : null
    this.congested = false
    for (let i = 0; i < targets.length; i++) {
      const pipe = targets[i]!
      // On inproc the array goes to the receiver, who may change it.
      const own = i === 0 || encoded !== null ? message : message.slice()
      if (!pipe.writeEncoded(own, size, encoded)) pipe.counters.drop("full")
      if (!noDrop && pipe.outbound.halfFull && this.pace.isWorthAPause(pipe)) this.congested = true
    }
    return true
  }

  override receiveNow(): Message | undefined {
    return undefined
  }

  protected override get canSend(): boolean {
    if (!this.store.values.noDrop) return true
    for (const pipe of this.pipes) if (!pipe.admits(0)) return false
    return true
  }

  protected override get canReceive(): boolean {
    return false
  }

  /** Gives a peer a topic that it asks for. Returns whether nobody had it; null: it asks for too much, and is ended. */
  protected subscribeTo(into: Subscriptions, pipe: Pipe, topic: Uint8Array): { first: boolean } | null {
    const { topics, bytes } = into.countOf(pipe)
    const error = excess(this.store.values, topics + 1, bytes + topic.length)
    if (error === null || into.has(pipe, topic)) return into.add(pipe, topic)
    this.connections.cut(pipe, error)
    return null
  }

  /** Appends those to whom a message goes that begins with this frame. */
  protected choose(frame: Uint8Array, into: Pipe[]): void {
    this.match(frame, into)
  }

  private upstream(pipe: Pipe, message: Message): void {
    const rest =
      message.length > 1 && this.store.values.onlyFirstSubscribe
        ? takeLeading(message, (kind, subscription) => this.onUpstream(pipe, subscription, kind))
        : message
    if (rest !== null) this.onUpstream(pipe, rest, subscriptionKind(rest) ?? "message")
  }

  private match(frame: Uint8Array, into: Pipe[]): void {
    if (!this.store.values.invertMatching) {
      this.subscriptions.match(frame, into)
      return
    }
    const matching: Pipe[] = []
    this.subscriptions.match(frame, matching)
    const without = new Set(matching)
    for (const pipe of this.pipes) if (!without.has(pipe)) into.push(pipe)
  }

  private countSubscribers(topic: Uint8Array): number {
    const found: Pipe[] = []
    this.match(topic, found)
    return found.length
  }
}

function allAdmit(pipes: Pipe[], size: number): boolean {
  for (let i = 0; i < pipes.length; i++) if (!pipes[i]!.admits(size)) return false
  return true
}

class SubscribersWaiter extends Waiter<void> {
  topic: Uint8Array = new Uint8Array(0)
  count = 0
}
