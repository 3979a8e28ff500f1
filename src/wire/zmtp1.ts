/**
 * The framing of ZMTP 1.0 (13/ZMTP): a length, which counts the flags behind it, as one byte or as FF and eight; the flags,
 * of which MORE is all there is; the body. How a frame that is cut is put together, and what limits it, is the
 * {@link Decoder}'s. A frame is written in the shortest form, as libzmq does, for the one peer that wants it so.
 */
import { ProtocolError } from "../errors.js"
import type { Frame, Message } from "../message.js"
import type { OutBatch } from "./batch.js"
import { Decoder, longSize, SHORT } from "./decoder.js"

const MORE = 0x01
/** In place of a length: eight bytes of it follow. */
const ESCAPE = 0xff
const SHORT_HEADER = 2
const LONG_HEADER = 10

/** Same contract as {@link Decoder}; there are no commands. */
export class Zmtp1Decoder extends Decoder {
  protected override frames(chunk: Uint8Array, from: number): number {
    const end = chunk.length
    let at = from
    if (this.body !== null || this.headerLength > 0) {
      at = this.continue(chunk, at)
      if (at < 0) return -at - 1
    }
    while (at < end) {
      const start = at + headerSize(chunk, at)
      if (start > end) return this.keepHeader(chunk, at)
      const size = this.bodySize(chunk, at)
      const flags = chunk[start - 1]! & MORE
      at = start + size
      if (at > end) {
        this.begin(flags, size, end - start)
        return this.fill(chunk, start)
      }
      const frame = size <= SHORT ? this.short(chunk, start, size) : this.view(chunk, start, size)
      if (!this.part(flags, frame)) return at
    }
    return at
  }

  protected override continueHeader(chunk: Uint8Array, from: number): number {
    const header = this.header as Uint8Array
    const need = headerSize(header, 0)
    let at = from
    while (at < chunk.length && this.headerLength < need) header[this.headerLength++] = chunk[at++]!
    if (this.headerLength < need) return at
    this.headerLength = 0
    this.begin(header[need - 1]! & MORE, this.bodySize(header, 0), chunk.length - at)
    return at
  }

  /** The size of the body of a frame whose header is at `at`. */
  private bodySize(bytes: Uint8Array, at: number): number {
    const size = (bytes[at] === ESCAPE ? longSize(bytes, at) : bytes[at]!) - 1
    if (size < 0) throw emptyFrame()
    if (size > this.largest) throw this.tooLarge(size)
    return size
  }
}

/** What the first byte of a frame says of how long its header is. */
function headerSize(bytes: Uint8Array, at: number): number {
  if (bytes[at] === 0) throw emptyFrame()
  return bytes[at] === ESCAPE ? LONG_HEADER : SHORT_HEADER
}

function emptyFrame(): ProtocolError {
  return new ProtocolError("ERR_ZMTP_UNSPECIFIED", "a ZMTP 1.0 frame of length 0, which has no room for its flags")
}

/** Appends a message to a batch. */
export function encodeZmtp1(batch: OutBatch, message: Message): void {
  const last = message.length - 1
  for (let i = 0; i <= last; i++) encodeFrame(batch, i < last ? MORE : 0, message[i]!)
}

function encodeFrame(batch: OutBatch, flags: number, body: Frame): void {
  const length = body.length + 1
  if (length < ESCAPE) {
    batch.raw(Uint8Array.of(length, flags))
  } else {
    const header = new Uint8Array(LONG_HEADER)
    header[0] = ESCAPE
    new DataView(header.buffer).setBigUint64(1, BigInt(length))
    header[LONG_HEADER - 1] = flags
    batch.raw(header)
  }
  if (body.length > 0) batch.raw(body)
}
