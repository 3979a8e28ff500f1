/**
 * The draft types carry messages of one frame, so that a message can be passed between threads in C. More than one is
 * EINVAL to send; more than one that comes is dropped, and counted as `malformed` (libzmq drops it as well).
 */
import { type Message, type Pipe, type WaitOptions, ZmqError } from "../../src/index.js"
import type { MessageLike } from "../frames.js"
import { Writable } from "../socket.js"

/** One frame, which may stand in an array. */
export type Single = MessageLike | [MessageLike]

/** A socket that sends messages of one frame. */
export abstract class SingleWritable extends Writable {
  /**
   * Sends one frame. Resolves when it is queued for a peer; waits while that is not possible, in the order of the calls.
   * A frame above 128 bytes must not change until it is written ({@link flushed}). EINVAL for more than one frame, EAGAIN
   * after `timeout` (option `sendTimeout`) or when the socket is closed, EBUSY when `maxPendingSends` wait.
   */
  override send(message: Single, options?: WaitOptions): Promise<void> {
    if (!isMultipart(message)) return super.send(message, options)
    this.checkOpen()
    return Promise.reject(multipartError())
  }

  /** Sends one frame if that is possible now. False: it would have to wait. Throws what {@link send} would reject with. */
  override trySend(message: Single): boolean {
    if (!isMultipart(message)) return super.trySend(message)
    this.checkOpen()
    throw multipartError()
  }
}

export function isMultipart(message: Single): boolean {
  return Array.isArray(message) && (message as unknown[]).length > 1
}

export function multipartError(): ZmqError {
  return new ZmqError("EINVAL", { detail: "a message of this type of socket has one frame" })
}

/** Takes messages of one frame; drops others. */
export function takeSingle(message: Message, pipe: Pipe): boolean {
  if (message.length === 1) return true
  pipe.counters.drop("malformed")
  return false
}
