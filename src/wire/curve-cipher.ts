/**
 * Messages under CURVE (26/CURVEZMQ, "Message Command"): each frame is a MESSAGE command, in a frame that has no flags of
 * its own: the name, 8 bytes of nonce, and a box with the flags of the frame and its body. Each side counts its nonces up, so
 * a frame that was left out, repeated or put elsewhere does not open, or comes with a nonce that is not larger.
 */
import { ProtocolError } from "../errors.js"
import { BOX_OVERHEAD, type Boxes, CountingNonce } from "./curve-boxes.js"
import type { Cipher } from "./mechanism.js"

const NAME = [7, 77, 69, 83, 83, 65, 71, 69] // 7 "MESSAGE"
const NONCE_AT = 8
const BOX_AT = 16
const PLAIN_AT = BOX_AT + BOX_OVERHEAD
/** A box holds the flags at least. */
const SHORTEST = PLAIN_AT + 1

const SIDE = { client: "CurveZMQMESSAGEC", server: "CurveZMQMESSAGES" } as const

export type Side = keyof typeof SIDE

export class CurveCipher implements Cipher {
  readonly overhead = SHORTEST
  private readonly sending: CountingNonce
  private readonly receiving: CountingNonce

  /** Counters go on where the handshake left them. */
  constructor(
    private readonly boxes: Boxes,
    private readonly key: Uint8Array,
    side: Side,
    sent: number,
    received: number,
  ) {
    this.sending = new CountingNonce(SIDE[side], sent)
    this.receiving = new CountingNonce(SIDE[side === "client" ? "server" : "client"], received)
  }

  seal(flags: number, body: Uint8Array, into: Uint8Array): void {
    into[PLAIN_AT] = flags
    into.set(body, PLAIN_AT + 1)
    for (let i = 0; i < NONCE_AT; i++) into[i] = NAME[i]!
    const nonce = this.sending.next()
    this.sending.copyCounter(into, NONCE_AT)
    this.boxes.seal(into.subarray(BOX_AT), nonce, this.key)
  }

  open(sealed: Uint8Array): Uint8Array {
    for (let i = 0; i < NONCE_AT; i++) {
      if (sealed[i] !== NAME[i]) throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", "a frame that is no MESSAGE")
    }
    if (sealed.length < SHORTEST) {
      throw new ProtocolError("ERR_ZMTP_MALFORMED_COMMAND_MESSAGE", `a MESSAGE of ${sealed.length} bytes`)
    }
    const nonce = this.receiving.accept(sealed, NONCE_AT)
    if (nonce === null) throw new ProtocolError("ERR_ZMTP_INVALID_SEQUENCE", "a MESSAGE out of order, or again")
    const plain = this.boxes.open(sealed.subarray(BOX_AT), nonce, this.key)
    if (plain === null) throw new ProtocolError("ERR_ZMTP_CRYPTOGRAPHIC", "a MESSAGE that does not open")
    return plain
  }

  end(): void {
    this.key.fill(0)
  }
}
