/**
 * XSUB (29/PUBSUB): as SUB, but subscriptions are sent as messages: one frame, 1 or 0 and the topic. Other messages go up to
 * the publishers. Nothing is filtered here.
 */
import type { Message, OptionsOf } from "../../src/index.js"
import { alsoSends, type SendMethods, type SocketOptions, withOptions } from "../socket.js"
import { Subscribing } from "./subscribing.js"
import { type SubscriptionKind, subscriptionKind, takeLeading } from "./subscription.js"

export class XSubscriber extends Subscribing {
  constructor(options?: SocketOptions<XSubscriber>) {
    super("XSUB", options)
    this.begin(options)
  }

  override sendNow(message: Message): boolean {
    const rest =
      message.length > 1 && this.store.values.onlyFirstSubscribe
        ? takeLeading(message, (kind, [frame]) => this.change(kind, frame!))
        : message
    if (rest === null) return true
    const kind = subscriptionKind(rest)
    if (kind === null) this.up.send(rest)
    else this.change(kind, rest[0]!)
    return true
  }

  private change(kind: SubscriptionKind, frame: Uint8Array): void {
    const topic = frame.subarray(1)
    if (kind === "subscribe") this.up.subscribe(topic)
    else this.up.unsubscribe(topic, this.store.values.xsubVerboseUnsubscribe)
  }

  protected override get canSend(): boolean {
    return true
  }
}

export interface XSubscriber extends OptionsOf<"XSUB">, SendMethods {}

alsoSends(XSubscriber)
withOptions(XSubscriber, "XSUB")
