/** Frames become messages: those that arrive with more to come wait here, and there is a limit to how many. */
import { ProtocolError } from "../errors.js"
import type { Message } from "../message.js"

export class Assembly {
  /** Bytes of the frames that wait. */
  bytes = 0
  private parts: Message | null = null

  constructor(public maxFrames: number) {}

  get empty(): boolean {
    return this.parts === null
  }

  /** The message that is whole with this frame; null: more of it is to come. */
  add(frame: Uint8Array, more: boolean): Message | null {
    let parts = this.parts
    if (parts === null) this.parts = parts = [frame]
    else parts.push(frame)
    if (!more) {
      this.parts = null
      this.bytes = 0
      return parts
    }
    if (parts.length >= this.maxFrames) {
      throw new ProtocolError("ERR_ZMTP_UNSPECIFIED", `a message of more than ${this.maxFrames} frames`, "maxFrames")
    }
    this.bytes += frame.length
    return null
  }
}
