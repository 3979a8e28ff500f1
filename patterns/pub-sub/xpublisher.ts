/**
 * XPUB (29/PUBSUB): as PUB, and the subscriptions can be received: a message of one frame, 1 or 0 and the topic. By default
 * the first subscriber of a topic and the loss of the last are told. With `manual` a subscription takes effect only by
 * {@link subscribe}.
 */
import { type Link, type Message, type OptionsOf, type Pipe, Ring, Subscriptions } from "../../src/index.js"
import { toTopic } from "../frames.js"
import { alsoReceives, type ReceiveMethods, type SocketOptions, withOptions } from "../socket.js"
import { Publishing } from "./publishing.js"

type Verbosity = null | "allSubs" | "allSubsUnsubs"

interface Upstream {
  message: Message
  pipe: Pipe
}

export class XPublisher extends Publishing {
  /** What peers asked for in manual mode: told when they leave, and never matched against. */
  private readonly requests = new Subscriptions()
  private readonly pending = new Ring<Upstream>()
  /** Somebody receives from this socket: then nothing of what peers say is left out, they wait instead. */
  private listenedTo = false
  private level: Verbosity = null
  private lastPipe: Pipe | null = null

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
    const all = this.level === "allSubsUnsubs" || this.store.values.manual
    const removed = this.store.values.manual ? this.requests.removeAll(pipe) : this.subscriptions.removeAll(pipe)
    for (const { topic, last } of removed) if (last || all) this.tell(pipe, [notice(0, topic)])
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
    if (this.pending.length === 0) for (const pipe of this.pipes) if (pipe.inbound.length > 0) super.onReadable(pipe)
    this.from = next.pipe
    this.lastPipe = next.pipe.ended ? null : next.pipe
    return next.message
  }

  protected override get canReceive(): boolean {
    return this.pending.length > 0
  }

  protected override get hears(): boolean {
    return !this.listenedTo || !this.isFull
  }

  private get isFull(): boolean {
    const mark = this.store.values.receiveHighWaterMark
    return mark > 0 && this.pending.length >= mark
  }

  protected override onUpstream(pipe: Pipe, message: Message, kind: "subscribe" | "cancel" | "message"): void {
    const { manual } = this.store.values
    const into = manual ? this.requests : this.subscriptions
    const topic = message[0]!.subarray(1)
    if (kind === "message") {
      this.tell(pipe, message)
    } else if (kind === "subscribe") {
      const { first } = into.add(pipe, topic)
      if (manual || first || this.level !== null) this.tell(pipe, message)
    } else {
      const { last, own } = into.remove(pipe, topic)
      if (manual || last || !own || this.level === "allSubsUnsubs") this.tell(pipe, message)
    }
  }

  private tell(pipe: Pipe, message: Message): void {
    if (this.isFull && !this.listenedTo) pipe.counters.drop("full")
    else this.pending.push({ message, pipe })
  }
}

function notice(first: number, topic: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([first]), topic])
}

export interface XPublisher extends OptionsOf<"XPUB">, ReceiveMethods {}

alsoReceives(XPublisher)
withOptions(XPublisher, "XPUB")
