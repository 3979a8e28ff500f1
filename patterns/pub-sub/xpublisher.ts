/**
 * XPUB (29/PUBSUB): as PUB, and the subscriptions can be received: a message of one frame, 1 or 0 and the topic. By default
 * the first subscriber of a topic and the loss of the last are told. With `manual` a subscription takes effect only by
 * {@link subscribe}; with `manualLastValue` the next message is then for that subscriber alone, who has missed it.
 */
import { type Link, type Message, type OptionsOf, type Pipe, Ring, Subscriptions, sizeOf } from "../../src/index.js"
import { toTopic } from "../frames.js"
import { alsoReceives, type ReceiveMethods, type SocketOptions, withOptions } from "../socket.js"
import { Publishing } from "./publishing.js"
import { CANCEL, type SubscriptionKind, subscription } from "./subscription.js"

type Verbosity = null | "allSubs" | "allSubsUnsubs"

interface Upstream {
  message: Message
  pipe: Pipe
  /** A subscription or a cancellation. */
  notice: boolean
}

/** A peer that left with many topics. */
interface Departure {
  pipe: Pipe
  topics: Iterator<{ topic: Uint8Array; last: boolean }>
  /** Whether all of them are told, or those that nobody else has. */
  all: boolean
}

/** Topics of a peer that leaves that are told at once. */
const TOLD_AT_ONCE = 1000

export class XPublisher extends Publishing {
  /** What peers asked for in manual mode: told when they leave, and never matched against. */
  private readonly requests = new Subscriptions()
  private readonly pending = new Ring<Upstream>()
  private pendingBytes = 0
  /** Somebody receives from this socket: then nothing of what peers say is left out, they wait instead. */
  private listenedTo = false
  private level: Verbosity = null
  private lastPipe: Pipe | null = null
  /** In the order in which they left. */
  private readonly departures: Departure[] = []
  /** What waits to be received is full, and goes first. */
  private departuresWait = false

  constructor(options?: SocketOptions<XPublisher>) {
    super("XPUB", options)
    this.begin(options)
  }

  /** Which subscriptions are told: null, the first and the last of each topic; `allSubs`; `allSubsUnsubs`. */
  set verbosity(value: Verbosity) {
    if (value !== null && value !== "allSubs" && value !== "allSubsUnsubs") return
    this.level = value
  }

  /** Manual mode: gives the peer of the last received subscription these topics. */
  subscribe(...topics: (string | Buffer)[]): void {
    const checked = topics.map(toTopic)
    this.checkOpen()
    if (this.lastPipe !== null) for (const topic of checked) this.subscriptions.add(this.lastPipe, topic)
  }

  /** Manual mode: takes topics from the peer of the last received subscription. */
  unsubscribe(...topics: (string | Buffer)[]): void {
    const checked = topics.map(toTopic)
    this.checkOpen()
    if (this.lastPipe !== null) for (const topic of checked) this.subscriptions.remove(this.lastPipe, topic)
  }

  override pipeAttached(link: Link): boolean {
    super.pipeAttached(link)
    const welcome = this.store.bytesOf("welcomeMessage")
    if (welcome !== null) link.pipe.write([Buffer.from(welcome)])
    return true
  }

  override pipeEnded(link: Link): void {
    const { pipe } = link
    const all = this.level === "allSubsUnsubs" || this.isManual
    if (this.asked.countOf(pipe).topics <= TOLD_AT_ONCE) {
      for (const { topic, last } of this.asked.removeAll(pipe)) this.tellGone(pipe, topic, last || all)
    } else {
      this.departures.push({ pipe, topics: this.asked.depart(pipe), all })
      if (this.departures.length === 1) this.seeOff()
    }
    if (this.lastPipe === pipe) this.lastPipe = null
    super.pipeEnded(link)
    this.receives.serve()
  }

  override onReadable(pipe: Pipe): void {
    super.onReadable(pipe)
    this.receives.serve()
  }

  override receiveNow(): Message | undefined {
    this.listenedTo = true
    const next = this.pending.shift()
    if (next === undefined) return undefined
    this.pendingBytes -= sizeOf(next.message)
    if (this.departuresWait && this.pending.length === 0) {
      this.departuresWait = false
      this.core.runtime.later(this.seeOff)
    }
    if (this.pending.length === 0) for (const pipe of this.pipes) if (pipe.inbound.length > 0) super.onReadable(pipe)
    this.from = next.pipe
    if (next.notice) this.lastPipe = next.pipe.ended ? null : next.pipe
    return next.message
  }

  override sendNow(message: Message): boolean {
    const sent = super.sendNow(message)
    if (sent && this.store.values.manualLastValue) this.lastPipe = null
    return sent
  }

  protected override choose(frame: Uint8Array, into: Pipe[]): void {
    super.choose(frame, into)
    const { lastPipe } = this
    if (lastPipe === null || !this.store.values.manualLastValue) return
    const matches = into.includes(lastPipe)
    into.length = 0
    if (matches) into.push(lastPipe)
  }

  protected override get canReceive(): boolean {
    return this.pending.length > 0
  }

  protected override get asked(): Subscriptions {
    return this.isManual ? this.requests : this.subscriptions
  }

  protected override get hears(): boolean {
    return !this.listenedTo || !this.isFull
  }

  private get isFull(): boolean {
    const { messages, bytes, looseBytes = 0 } = this.marks.wireIn
    const mostBytes = bytes + looseBytes
    return (messages > 0 && this.pending.length >= messages) || (mostBytes > 0 && this.pendingBytes > mostBytes)
  }

  private get isManual(): boolean {
    const { manual, manualLastValue } = this.store.values
    return manual || manualLastValue
  }

  protected override onUpstream(pipe: Pipe, message: Message, kind: SubscriptionKind | "message"): void {
    const manual = this.isManual
    const into = this.asked
    const topic = message[0]!.subarray(1)
    if (kind === "message") {
      this.tell(pipe, message, false)
    } else if (kind === "subscribe") {
      const added = this.subscribeTo(into, pipe, topic)
      if (added === null) return
      if (manual || added.first || this.level !== null) this.tell(pipe, message, true)
    } else {
      const { last, own } = into.remove(pipe, topic)
      if (manual || last || !own || this.level === "allSubsUnsubs") this.tell(pipe, message, true)
    }
  }

  /** Who is still being seen off gets nothing any more. */
  protected override match(frame: Uint8Array, into: Pipe[]): void {
    super.match(frame, into)
    if (this.departures.length === 0) return
    let live = 0
    for (const pipe of into) if (!pipe.ended) into[live++] = pipe
    into.length = live
  }

  /** Tells of some topics of those who left: there may be a million, and others have their turn in between. */
  private readonly seeOff = (): void => {
    // Nobody is left to be told.
    if (this.closed) this.departures.length = 0
    for (let told = 0; told < TOLD_AT_ONCE && this.departures.length > 0; told++) {
      const { pipe, topics, all } = this.departures[0]!
      const { done, value } = topics.next()
      if (done) this.departures.shift()
      else this.tellGone(pipe, value.topic, value.last || all)
    }
    this.receives.serve()
    if (this.departures.length === 0) return
    this.departuresWait = this.listenedTo && this.isFull && this.pending.length > 0
    if (!this.departuresWait) this.core.runtime.later(this.seeOff)
  }

  private tellGone(pipe: Pipe, topic: Uint8Array, wanted: boolean): void {
    if (wanted) this.tell(pipe, [subscription(CANCEL, topic)], true)
  }

  private tell(pipe: Pipe, message: Message, notice: boolean): void {
    if (this.isFull && !this.listenedTo) pipe.counters.drop("full")
    else {
      this.pending.push({ message, pipe, notice })
      this.pendingBytes += sizeOf(message)
    }
  }
}

export interface XPublisher extends OptionsOf<"XPUB">, ReceiveMethods {}

alsoReceives(XPublisher)
withOptions(XPublisher, "XPUB")
