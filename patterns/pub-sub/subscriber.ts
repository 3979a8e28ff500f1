/** SUB (29/PUBSUB): receives what begins with one of its topics. Filters again what comes, as publishers may lag behind. */
import type { Message, OptionsOf } from "../../src/index.js"
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
    this.checkOpen()
    for (const topic of topics.length === 0 ? [""] : topics) this.up.subscribe(toTopic(topic))
  }

  /** Takes back what {@link subscribe} asked for; without topics, the subscription to all messages. */
  unsubscribe(...topics: (string | Buffer)[]): void {
    this.checkOpen()
    for (const topic of topics.length === 0 ? [""] : topics) this.up.unsubscribe(toTopic(topic))
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
}

export interface Subscriber extends OptionsOf<"SUB"> {}

withOptions(Subscriber, "SUB")
