/**
 * What is known of a message beside its bytes: the routing id of its sender, its group. A message is handed out as a pair
 * of its frame and that. The queue of receives passes on what a pattern gives it without a look, so the pair is made in
 * the array that the message came in, and no promise or closure is spent on it.
 */
import type { Message } from "../../src/index.js"

/** Puts `frame` and `tag` in place of the frames of a message. */
export function tagged(message: Message, frame: Uint8Array, tag: object): Message {
  const pair = message as unknown[]
  pair[0] = frame
  pair[1] = tag
  return message
}

/** Options that must be there. TypeError when they are not. */
export function checkTag(options: unknown): void {
  if (typeof options !== "object" || options === null) throw new TypeError("Options must be an object")
}
