/**
 * Encodes a message once for many connections (37/ZMTP, framing). What is written here is never overwritten: when a slab
 * is full the next one is new, and the old one goes when the last connection has written its ranges of it.
 */
import { type Encoded, type Message, sizeOf } from "../message.js"

const MORE = 0x01
const LONG = 0x02
const SLAB = 64 * 1024
/** Larger messages are better encoded by each connection, which refers to the frames. */
const LARGEST = 8 * 1024
const MOST_HEADER = 9

export class SharedEncoder implements Encoded {
  slab: Uint8Array = new Uint8Array(0)
  from = 0
  to = 0

  constructor(private readonly alloc: (size: number) => Uint8Array) {}

  /** The encoded message, valid until the next call; null: this one is not for sharing. */
  encode(message: Message): Encoded | null {
    const most = sizeOf(message) + message.length * MOST_HEADER
    if (most > LARGEST) return null
    if (this.slab.length - this.to < most) {
      this.slab = this.alloc(SLAB)
      this.to = 0
    }
    this.from = this.to
    const last = message.length - 1
    for (let i = 0; i <= last; i++) this.frame(i < last ? MORE : 0, message[i]!)
    return this
  }

  private frame(flags: number, body: Uint8Array): void {
    const { slab } = this
    const size = body.length
    let at = this.to
    if (size > 255) {
      slab[at++] = flags | LONG
      slab.fill(0, at, at + 4)
      new DataView(slab.buffer, slab.byteOffset).setUint32(at + 4, size)
      at += 8
    } else {
      slab[at++] = flags
      slab[at++] = size
    }
    slab.set(body, at)
    this.to = at + size
  }
}
