/**
 * The engine of a STREAM, and of a ROUTER with `raw`, whose peers do not speak ZMTP: what a peer sends comes as messages
 * of one frame, cut anywhere, and the frames of a message go to it as they are. There is no handshake to wait for, and
 * nothing to say on its own.
 */
import type { Bytes, Encoded, Message } from "../message.js"
import type { OutBatch } from "./batch.js"
import { SHORT } from "./decoder.js"
import type { EngineSink, PeerInfo } from "./engine.js"
import type { PeerEngine } from "./peer-engine.js"

/** Bytes of one message at most, as in libzmq (its `in_batch_size`). */
const MOST = 8192

/** Nothing is known of such a peer. */
const STRANGER: PeerInfo = {
  type: "",
  identity: new Uint8Array(0),
  mechanism: "NULL",
  major: 0,
  minor: 0,
  properties: new Map(),
  userId: new Uint8Array(0),
  vouched: null,
}

export class RawEngine implements PeerEngine {
  /** For ever, as there is no handshake to be done: libzmq reports the end of such a connection as that of a handshake. */
  readonly handshaking = true
  /** Whatever has come is a message. */
  readonly pendingBytes = 0

  constructor(
    private readonly bytes: Bytes,
    private readonly batch: OutBatch,
    private readonly sink: EngineSink,
  ) {}

  start(): void {
    this.sink.onReady(STRANGER)
  }

  receive(chunk: Uint8Array, from: number): number {
    let at = from
    while (at < chunk.length) {
      const end = Math.min(at + MOST, chunk.length)
      const frame =
        end - at <= SHORT
          ? this.bytes.copy(chunk, at, end)
          : this.bytes.view(chunk.buffer, chunk.byteOffset + at, end - at)
      at = end
      if (!this.sink.onMessage([frame])) break
    }
    return at
  }

  encode(message: Message, _encoded: Encoded | null): void {
    for (const frame of message) this.batch.raw(frame)
  }

  nextTimeout(): number {
    return Number.POSITIVE_INFINITY
  }

  heard(): void {
    // It does not expect to hear anything.
  }

  handleTimeout(): void {
    // It never asked to be called.
  }

  written(): void {
    // It holds nothing back.
  }

  end(): void {
    // It has no keys.
  }
}
