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
  type OptionName,
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
import { type Permit, type TopicPermit, topicPermit } from "../permissions.js"
import { type ContextOption, type Peer, Writable } from "../socket.js"
import { excess } from "../subscription-limits.js"
import { CANCEL, type SubscriptionKind, subscription, subscriptionKind, takeLeading } from "./subscription.js"

export abstract class Publishing extends Writable {
  protected readonly subscriptions = new Subscriptions()
  protected readonly pipes = new Set<Pipe>()
  private readonly targets: Pipe[] = []
  private readonly pace = new Pace()
  private readonly line = new WaitLine<SubscribersWaiter>()
  private given: Permit | null = null
  private permits: TopicPermit | null = null

  protected constructor(type: SocketTypeName, options: ContextOption | undefined) {
    super(type, options)
  }

  /** Whether it can take in more of what peers say. */
  protected get hears(): boolean {
    return true
  }

  /** A peer subscribed or cancelled, or sent something else. */
  protected abstract onUpstream(pipe: Pipe, message: Message, kind: SubscriptionKind | "message"): void

  /** What each peer asked for. */
  protected get asked(): Subscriptions {
    return this.subscriptions
  }

  /**
   * Which topics a peer may subscribe to: prefixes by user id (`{ alice: ["news."], "*": ["public."] }`, where `"*"` is for everybody who
   * is not named, and for peers without a user id), or a function. A subscription to anything else, shorter prefixes included, is left
   * out, and counted at the peer as `forbidden`; a function that fails says no. Null (the default): any. Takes effect at once, also on
   * subscriptions that are there. Not together with `invertMatching` (EINVAL). 29/PUBSUB knows nothing of it.
   */
  get permit(): Permit | null {
    return this.given
  }

  set permit(value: Permit | null) {
    const permits = value === null ? null : topicPermit(value)
    if (permits !== null && this.store.values.invertMatching) throw invertedError()
    this.given = value
    this.permits = permits
    if (permits === null) return
    for (const pipe of this.pipes) {
      for (const topic of this.asked.of(pipe)) if (!this.isPermitted(pipe, topic)) this.cancel(pipe, topic)
    }
  }

  /** Whoever subscribes to nothing gets everything then, whatever he may subscribe to. */
  override setOption(name: OptionName, value: unknown): void {
    if (name === "invertMatching" && value === true && this.permits !== null) throw invertedError()
    super.setOption(name, value)
  }

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

  /** Who comes back may be another user, who gets neither the topics nor the messages of this one. */
  override pipeInterrupted({ pipe }: Link): void {
    if (this.permits === null) return
    for (const topic of this.asked.of(pipe)) this.cancel(pipe, topic)
    this.subscriptions.removeAll(pipe)
    pipe.dropOutbound("disconnected")
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
        ? takeLeading(message, (kind, subscription) => this.heard(pipe, subscription, kind))
        : message
    if (rest !== null) this.heard(pipe, rest, subscriptionKind(rest) ?? "message")
  }

  /**
   * What is not permitted is left out, and the peer stays: ended, it would come again with the same subscriptions, again and again, and
   * would not even hear what it may. Nobody hears of a cancellation of what was never asked for.
   */
  private heard(pipe: Pipe, message: Message, kind: SubscriptionKind | "message"): void {
    if (kind !== "message" && this.permits !== null) {
      const topic = message[0]!.subarray(1)
      const had = kind === "cancel" && this.asked.has(pipe, topic)
      if (!had && !this.isPermitted(pipe, topic)) {
        if (kind === "subscribe") pipe.counters.drop("forbidden")
        return
      }
    }
    this.onUpstream(pipe, message, kind)
  }

  private isPermitted(pipe: Pipe, topic: Uint8Array): boolean {
    const peer = this.connections.peerOf(pipe) as Peer
    try {
      if ((this.permits as TopicPermit)(peer, topic)) return true
    } catch (error) {
      this.core.runtime.debug("permit failed: %o", error)
    }
    this.core.runtime.debug(
      "%s (user %s) may not subscribe to %d bytes of topic",
      peer.address,
      peer.userId,
      topic.length,
    )
    return false
  }

  private cancel(pipe: Pipe, topic: Uint8Array): void {
    this.onUpstream(pipe, [subscription(CANCEL, topic)], "cancel")
  }

  /** Appends the pipes that want what begins with this frame. */
  protected match(frame: Uint8Array, into: Pipe[]): void {
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

function invertedError(): ZmqError {
  return new ZmqError("EINVAL", { detail: "permit and invertMatching do not go together" })
}

function allAdmit(pipes: Pipe[], size: number): boolean {
  for (let i = 0; i < pipes.length; i++) if (!pipes[i]!.admits(size)) return false
  return true
}

class SubscribersWaiter extends Waiter<void> {
  topic: Uint8Array = new Uint8Array(0)
  count = 0
}
