/** What `send` takes, and how it becomes frames: as the `zeromq` package has it. */
import type { Message } from "../src/index.js"

/** Bytes in any form, text (UTF-8), a number (as text), or null (an empty frame). */
export type MessageLike = ArrayBufferView | ArrayBuffer | SharedArrayBuffer | string | number | null

const EMPTY = Buffer.alloc(0)

/** An array of our own; its frames above 128 bytes still share the caller's memory. */
export function toMessage(message: MessageLike | MessageLike[] | undefined): Message {
  if (message === undefined) throw new TypeError("Message must be present")
  if (!Array.isArray(message)) return [toFrame(message)]
  const frames: Message = new Array(message.length)
  for (let i = 0; i < message.length; i++) frames[i] = toFrame(message[i])
  return frames
}

/** A Buffer over the bytes of a frame. What is of no known type is sent as its text, as zeromq does; a symbol has none (TypeError). */
function toFrame(frame: MessageLike | undefined): Buffer {
  if (frame instanceof Buffer) return frame
  if (typeof frame === "string") return Buffer.from(frame)
  if (frame === null) return EMPTY
  if (ArrayBuffer.isView(frame)) return Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  if (frame instanceof ArrayBuffer || frame instanceof SharedArrayBuffer) return Buffer.from(frame)
  return Buffer.from(`${frame}`)
}

/** A topic: text or bytes; null is the empty one. */
export function toTopic(topic: unknown): Uint8Array {
  if (topic === null) return EMPTY
  if (typeof topic === "string") return Buffer.from(topic)
  if (topic instanceof Uint8Array) return topic
  throw new TypeError("Option value must be a string or buffer")
}
