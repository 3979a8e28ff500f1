/**
 * XSUB (29/PUBSUB): as SUB, but subscriptions are sent as messages: one frame, 1 or 0 and the topic. Other messages go up to
 * the publishers. Nothing is filtered here.
 */
import type { Message, OptionsOf } from "../../src/index.js"
import { alsoSends, type SendMethods, type SocketOptions, withOptions } from "../socket.js"
import { Subscribing, subscriptionKind } from "./subscribing.js"

export class XSubscriber extends Subscribing {
  constructor(options?: SocketOptions<XSubscriber>) {
    super("XSUB", options)
    this.begin(options)
  }

  override sendNow(message: Message): boolean {
    const kind = subscriptionKind(message)
    if (kind === null) this.up.send(message)
    else if (kind === "subscribe") this.up.subscribe(message[0]!.subarray(1))
    else this.up.unsubscribe(message[0]!.subarray(1))
    return true
  }

  protected override get canSend(): boolean {
    return true
  }
}

export interface XSubscriber extends OptionsOf<"XSUB">, SendMethods {}

alsoSends(XSubscriber)
withOptions(XSubscriber, "XSUB")
