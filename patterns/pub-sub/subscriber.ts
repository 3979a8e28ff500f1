/** SUB (29/PUBSUB): receives what begins with one of its topics. Filters again what comes, as publishers may lag behind. */
import { type Message, type OptionsOf, ZmqError } from "../../src/index.js"
import { toTopic } from "../frames.js"
import { type SocketOptions, withOptions } from "../socket.js"
import { Subscribing } from "./subscribing.js"

export class Subscriber extends Subscribing {
  private passed: Message | undefined = undefined

  constructor(options?: SocketOptions<Subscriber>) {
    super("SUB", options)
    this.begin(options)
  }

  /** Takes messages that begin with any of these; without one, all messages. Topics are counted, each needs its {@link unsubscribe}. */
  subscribe(...topics: (string | Buffer)[]): void {
    for (const topic of this.checkTopics(topics)) this.up.subscribe(topic)
  }

  /** Takes back what {@link subscribe} asked for; without topics, the subscription to all messages. */
  unsubscribe(...topics: (string | Buffer)[]): void {
    for (const topic of this.checkTopics(topics)) this.up.unsubscribe(topic, false)
  }

  override receiveNow(): Message | undefined {
    const passed = this.passed
    if (passed !== undefined) {
      this.passed = undefined
      return passed
    }
    const { invertMatching } = this.store.values
    for (let message = super.receiveNow(); message !== undefined; message = super.receiveNow()) {
      if (this.up.topics.matches(message[0]!) !== invertMatching) return message
      this.from?.counters.drop("filtered")
    }
    return undefined
  }

  override sendNow(): boolean {
    return false
  }

  protected override get canSend(): boolean {
    return false
  }

  /** Looks whether one of those that wait passes the filter, and keeps it. */
  protected override get canReceive(): boolean {
    this.passed ??= this.receiveNow()
    return this.passed !== undefined
  }

  /** Subscriptions are options of libzmq's, so what fails on a closed socket is ENOTSOCK. */
  private checkTopics(topics: (string | Buffer)[]): Uint8Array[] {
    const checked = (topics.length === 0 ? [""] : topics).map(toTopic)
    if (this.closed) throw new ZmqError("ENOTSOCK")
    return checked
  }
}

export interface Subscriber extends OptionsOf<"SUB"> {}

withOptions(Subscriber, "SUB")
