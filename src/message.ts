/**
 * A message is a plain array of frames, and a frame is bytes. What belongs to the sender of a message (address, routing
 * id, metadata) belongs to its pipe, never to the array.
 */

export type Frame = Uint8Array
export type Message = Frame[]

/**
 * How byte arrays are made. The engine asks for them here and nowhere else, so that a public layer decides their class
 * (Node's Buffer; a browser has plain Uint8Array).
 */
export interface Bytes {
  /** New bytes, contents unspecified. */
  alloc(size: number): Uint8Array
  /** A copy of a short range, which shares memory with nothing. */
  copy(chunk: Uint8Array, from: number, to: number): Uint8Array
  /** A copy of a longer range, of which several frames will be views. */
  piece(chunk: Uint8Array, from: number, to: number): Uint8Array
  /** A range of `memory` without copying: keeps all of it alive. */
  view(memory: ArrayBufferLike, offset: number, size: number): Uint8Array
}

/** Frames up to this many bytes are copied by `send`; a longer one must not change until it is written. */
const COPY_UP_TO = 128

/** Bytes in all frames of a message. */
export function sizeOf(message: Message): number {
  let size = 0
  for (let i = 0; i < message.length; i++) size += message[i]!.length
  return size
}

/** From so many frames on, those count as well as their bytes: 65,536 empty ones are 6 MiB of memory. */
const MANY_FRAMES = 16
const FRAME_COST = 96

/** What a message is taken to cost in memory beside the bytes of its frames: nothing, if it has few of them. */
export function overheadOf(message: Message): number {
  return message.length > MANY_FRAMES ? message.length * FRAME_COST : 0
}

/** Replaces the short frames of a message that is about to be kept by copies, as its sender may use their memory again. */
export function keep(message: Message, bytes: Bytes): void {
  for (let i = 0; i < message.length; i++) {
    const frame = message[i]!
    if (frame.length <= COPY_UP_TO) message[i] = bytes.copy(frame, 0, frame.length)
  }
}

/** A message as the bytes of a connection without encryption: a range of a slab that several connections may write. */
export interface Encoded {
  readonly slab: Uint8Array
  readonly from: number
  readonly to: number
}
