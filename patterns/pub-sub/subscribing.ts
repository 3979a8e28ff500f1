/**
 * What SUB and XSUB share (29/PUBSUB): messages come in fairly from all publishers, and every publisher is told all
 * subscriptions, again after each reconnect. Topics are counted: the cancellation goes out when the last one is gone.
 */
import { FairQueue, type Link, type Message, type Pipe, type SocketTypeName, Trie } from "../../src/index.js"
import { type ContextOption, Readable } from "../socket.js"
import { CANCEL, SUBSCRIBE, subscription, subscriptionKind } from "./subscription.js"

/** The topics of one socket, and its pipes to publishers. */
class Upstream {
  readonly topics = new Trie<number>()
  private readonly pipes = new Set<Pipe>()
  /** Those in whose queue, or at whose publisher, all topics are. */
  private readonly told = new Set<Pipe>()

  add(pipe: Pipe): void {
    this.pipes.add(pipe)
    this.connected(pipe)
  }

  remove(pipe: Pipe): void {
    this.pipes.delete(pipe)
    this.told.delete(pipe)
  }

  /** The publisher is there, for the first time or again: it is told everything, unless that is on its way. */
  connected(pipe: Pipe): void {
    if (this.told.has(pipe)) return
    this.told.add(pipe)
    for (const [topic] of this.topics.entries()) pipe.force([subscription(SUBSCRIBE, topic)])
  }

  /** The publisher is gone, and what was on the way to it is of no use: when it is back, it is told everything. */
  interrupted(pipe: Pipe): void {
    this.told.delete(pipe)
    for (let message = pipe.outbound.shift(); message !== undefined; message = pipe.outbound.shift()) {
      if (subscriptionKind(message) === null) pipe.counters.drop("disconnected")
      pipe.onWritten(1)
    }
  }

  /** Every subscription goes up, even a repeated one: an XPUB may want to know. */
  subscribe(topic: Uint8Array): void {
    this.topics.set(topic, (this.topics.get(topic) ?? 0) + 1)
    this.tell(subscription(SUBSCRIBE, topic))
  }

  /** Only the last one of a topic goes up, unless `each` does. */
  unsubscribe(topic: Uint8Array, each: boolean): void {
    const count = this.topics.get(topic) ?? 0
    if (count > 1) this.topics.set(topic, count - 1)
    else if (count === 1) this.topics.delete(topic)
    if (count === 1 || each) this.tell(subscription(CANCEL, topic))
  }

  /** Passes on what is no subscription; a publisher whose queue is full misses it. */
  send(message: Message): void {
    for (const pipe of this.pipes) if (!pipe.write(message.slice())) pipe.counters.drop("full")
  }

  private tell(frame: Buffer): void {
    for (const pipe of this.told) pipe.force([frame])
  }
}

/** The receiving half, which is the same for both. */
export abstract class Subscribing extends Readable {
  protected readonly in = new FairQueue()
  protected readonly up = new Upstream()

  protected constructor(type: SocketTypeName, options: ContextOption | undefined) {
    super(type, options)
  }

  /** Different topics that this socket is subscribed to. ZMQ_TOPICS_COUNT. */
  get topicsCount(): number {
    return this.up.topics.size
  }

  override pipeAttached({ pipe }: Link): boolean {
    this.in.add(pipe)
    this.up.add(pipe)
    return true
  }

  override pipeEnded({ pipe }: Link): void {
    this.in.end(pipe)
    this.up.remove(pipe)
  }

  override pipeReady({ pipe }: Link): void {
    this.up.connected(pipe)
  }

  override pipeInterrupted({ pipe }: Link): void {
    this.up.interrupted(pipe)
  }

  override onReadable(pipe: Pipe): void {
    this.in.activate(pipe)
    this.receives.serve()
  }

  override receiveNow(): Message | undefined {
    const message = this.in.read()
    this.from = this.in.from
    return message
  }

  protected override get canReceive(): boolean {
    return this.in.readable
  }
}
