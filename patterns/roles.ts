/**
 * What sockets can do, as types for a variable or a parameter that takes any of them: `(to: Writable)` is whatever sends. They
 * have the names and the type parameters of `zeromq`; the classes that sockets are built on are in socket.ts.
 */
import type { OptionsOf, WaitOptions } from "../src/index.js"
import type { MessageLike } from "./frames.js"
import type { FlushMethods, Message, ReceiveMethods } from "./socket.js"

/** Options of what sends. */
type SendOption =
  | "maxPendingSends"
  | "multicastHops"
  | "sendBufferSize"
  | "sendHighWaterMark"
  | "sendHighWaterMarkBytes"
  | "sendTimeout"

/** Options of what receives. */
type ReceiveOption =
  | "maxFrames"
  | "receiveBufferSize"
  | "receiveHighWaterMark"
  | "receiveHighWaterMarkBytes"
  | "receiveTimeout"

/**
 * A socket that sends. `M` is what it takes, `O` what has to be said beside it: nothing, but for draft types, such as the
 * group of a Radio.
 */
export interface Writable<
  M extends MessageLike | MessageLike[] = MessageLike | MessageLike[],
  O extends [...object[]] = [],
> extends Pick<OptionsOf<"PUSH">, SendOption>,
    FlushMethods {
  /** Sends a message; resolves when it is queued, and waits while that is not possible. See the socket's own. */
  send(message: M, ...options: O extends [] ? [options?: WaitOptions] : O): Promise<void>

  /** Sends a message if that is possible now. False: it would have to wait. */
  trySend(message: M, ...options: O): boolean
}

/** A socket that receives. `M` is what it receives: the frames of a message, or one frame and what is known of it. */
export interface Readable<M extends object[] = Message[]>
  extends Pick<OptionsOf<"PULL">, ReceiveOption>,
    ReceiveMethods<M> {}
