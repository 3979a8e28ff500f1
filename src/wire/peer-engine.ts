/** What a connection needs of whoever speaks with its peer: ZMTP (engine.ts), or nothing at all (raw-engine.ts). */
import type { Encoded, Message } from "../message.js"

export interface PeerEngine {
  /** True before the handshake is done: faults then are faults of the handshake. */
  readonly handshaking: boolean
  /** Bytes of a message that has not arrived whole. */
  readonly pendingBytes: number
  /** The connection is there: says the first words. */
  start(now: number): void
  /** Takes bytes of the peer from `from` on. Returns how far it came; less than the end when the sink had enough. */
  receive(chunk: Uint8Array, from: number, now: number): number
  /** The peer is alive, by other signs than what was received here. */
  heard(): void
  /** Appends a message to the batch. `encoded` is there when it goes to several peers: its frames as ZMTP has them. */
  encode(message: Message, encoded: Encoded | null): void
  /** When {@link handleTimeout} wants to be called; Infinity: never. */
  nextTimeout(): number
  handleTimeout(now: number): void
  /** All that was encoded is written: there is room for what was held back. */
  written(): void
  /** The connection is over: forgets its keys. */
  end(): void
}
