/**
 * CURVE (25/ZMTP-CURVE, 26/CURVEZMQ), what both sides have: the library of boxes, which a handshake waits for, and
 * commands that come before it is there. The client says HELLO, the server WELCOME, the client INITIATE, the server READY.
 * Who is client has nothing to do with who connects. Each connection has keys of its own, which are forgotten with it.
 */
import { ProtocolError, type ProtocolErrorCode, ZmqError } from "../errors.js"
import type { Properties } from "./command.js"
import { type Boxes, type BoxLoader, sealed } from "./curve-boxes.js"
import type { CurveCipher } from "./curve-cipher.js"
import { outOfTurn } from "./due.js"
import type { Mechanism, MechanismHost, Verdict } from "./mechanism.js"

export interface KeyPair {
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

const NOTHING: Properties = new Map()

export abstract class CurveMechanism implements Mechanism {
  peer: Properties = NOTHING
  cipher: CurveCipher | null = null
  abstract readonly ready: boolean
  private boxes: Boxes | null
  /** Came before the boxes: there cannot be more than one that is due. */
  private early: Uint8Array | null = null
  private failure: ZmqError | null = null
  private ended = false

  constructor(
    protected readonly host: MechanismHost,
    loader: BoxLoader,
  ) {
    this.boxes = loader.boxes
    if (this.boxes !== null) return
    loader.load(error => {
      if (this.ended) return
      this.boxes = loader.boxes
      if (error !== null) this.failure = ZmqError.from(error)
      host.proceed()
    })
  }

  get verdict(): Verdict | null {
    return null
  }

  next(): Uint8Array | null {
    if (this.failure !== null) throw this.failure
    if (this.boxes === null) return null
    const { early } = this
    this.early = null
    if (early !== null) this.take(early, this.boxes)
    return this.say(this.boxes)
  }

  receive(body: Uint8Array): void {
    if (this.boxes !== null) {
      this.take(body, this.boxes)
    } else if (this.early === null) {
      this.early = new Uint8Array(body)
    } else {
      throw outOfTurn(body)
    }
  }

  end(): void {
    this.ended = true
    this.cipher?.end()
    this.forget()
  }

  protected abstract say(boxes: Boxes): Uint8Array | null
  protected abstract take(body: Uint8Array, boxes: Boxes): void
  /** Wipes the keys of the handshake. */
  protected abstract forget(): void
}

/** The key that two pairs have in common. It is the caller's to wipe. */
export function commonKey(boxes: Boxes, publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array {
  const key = boxes.sharedKey(publicKey, secretKey)
  if (key === null) throw broken("a public key that is none")
  return key
}

/** A box by the key that two pairs have in common, which is not kept. */
export function boxFor(
  boxes: Boxes,
  plain: Uint8Array,
  nonce: Uint8Array,
  publicKey: Uint8Array,
  secretKey: Uint8Array,
): Uint8Array {
  const key = commonKey(boxes, publicKey, secretKey)
  const box = sealed(boxes, plain, nonce, key)
  key.fill(0)
  return box
}

/** What is in such a box; null: it does not open. */
export function openFrom(
  boxes: Boxes,
  box: Uint8Array,
  nonce: Uint8Array,
  publicKey: Uint8Array,
  secretKey: Uint8Array,
): Uint8Array | null {
  const key = commonKey(boxes, publicKey, secretKey)
  const plain = boxes.open(box, nonce, key)
  key.fill(0)
  return plain
}

/** A box of the handshake that does not open, or holds what it must not. */
export function broken(what: string): ProtocolError {
  return new ProtocolError("ERR_ZMTP_CRYPTOGRAPHIC", what)
}

export function malformed(command: "HELLO" | "WELCOME" | "INITIATE" | "READY", size: number): ProtocolError {
  const code: ProtocolErrorCode = `ERR_ZMTP_MALFORMED_COMMAND_${command}`
  return new ProtocolError(code, `a ${command} of ${size} bytes`)
}

/** The bytes of a number of characters, after their count: how a command begins. */
export function nameBytes(name: string): Uint8Array {
  const bytes = new Uint8Array(1 + name.length)
  bytes[0] = name.length
  for (let i = 0; i < name.length; i++) bytes[1 + i] = name.charCodeAt(i)
  return bytes
}
