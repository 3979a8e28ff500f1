/** Subscriptions as messages (29/PUBSUB): one frame, 1 or 0 and the topic. */
import type { Message } from "../../src/index.js"

export const CANCEL = 0
export const SUBSCRIBE = 1

export type SubscriptionKind = "subscribe" | "cancel"

export function subscription(first: number, topic: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(1 + topic.length)
  frame[0] = first
  frame.set(topic, 1)
  return frame
}

/** Reads 1 or 0 of a subscription; null for any other message. */
export function subscriptionKind(message: Message): SubscriptionKind | null {
  return message.length === 1 ? kindOf(message[0]!) : null
}

/** Takes the subscriptions from the front of a message, each by a call of `take`. Returns the rest of it; null: nothing is left. */
export function takeLeading(
  message: Message,
  take: (kind: SubscriptionKind, subscription: Message) => void,
): Message | null {
  let taken = 0
  for (let kind = kindOf(message[0]!); kind !== null; kind = kindOf(message[taken]!)) {
    take(kind, [message[taken]!])
    if (++taken === message.length) return null
  }
  return taken === 0 ? message : message.slice(taken)
}

function kindOf(frame: Uint8Array): SubscriptionKind | null {
  return frame[0] === SUBSCRIBE ? "subscribe" : frame[0] === CANCEL ? "cancel" : null
}
