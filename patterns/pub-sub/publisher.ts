/** PUB (29/PUBSUB): fan-out to subscribers. Sending never waits (but with `noDrop`); nothing is received. */
import type { Message, OptionsOf, Pipe } from "../../src/index.js"
import { type SocketOptions, withOptions } from "../socket.js"
import { Publishing } from "./publishing.js"
import type { SubscriptionKind } from "./subscription.js"

export class Publisher extends Publishing {
  constructor(options?: SocketOptions<Publisher>) {
    super("PUB", options)
    this.begin(options)
  }

  protected override onUpstream(pipe: Pipe, message: Message, kind: SubscriptionKind | "message"): void {
    const topic = message[0]!.subarray(1)
    if (kind === "subscribe") this.subscribeTo(this.subscriptions, pipe, topic)
    else if (kind === "cancel") this.subscriptions.remove(pipe, topic)
    else pipe.counters.drop("filtered")
  }
}

export interface Publisher extends OptionsOf<"PUB"> {}

withOptions(Publisher, "PUB")
