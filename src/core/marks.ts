/** The marks of a socket's pipes, as its options have them now. */
import type { Marks as QueueMarks } from "../pipe/queue.js"
import type { SocketMarks } from "./connection-host.js"
import type { OptionStore } from "./option-access.js"

/** Bytes of one peer of another process that wait to be received, where no option says how many. */
const WIRE_BYTES = 64 * 1024 * 1024

export class Marks implements SocketMarks {
  constructor(private readonly values: OptionStore["values"]) {}

  get out() {
    const { sendHighWaterMark: messages, sendHighWaterMarkBytes: bytes, conflate } = this.values
    return { messages, bytes, conflate }
  }

  get in() {
    const { receiveHighWaterMark: messages, receiveHighWaterMarkBytes, conflate } = this.values
    return { messages, bytes: Math.max(0, receiveHighWaterMarkBytes), conflate }
  }

  get wireIn(): QueueMarks {
    return this.values.receiveHighWaterMarkBytes < 0 ? { ...this.in, looseBytes: WIRE_BYTES } : this.in
  }
}
