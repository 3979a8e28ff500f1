/**
 * The boxes of CurveZMQ (26/CURVEZMQ): what a library of cryptography has to give, and how nonces are made. A box is made
 * with a key that two sides have in common; it is 16 bytes longer than what is in it.
 */

/** X25519, XSalsa20 and Poly1305, under the names that NaCl made known. */
export interface Boxes {
  /** The library, for people. */
  readonly library: string
  keyPair(): { publicKey: Uint8Array; secretKey: Uint8Array }
  /** The key that the owners of two pairs have in common (crypto_box_beforenm); null for a public key that is none. */
  sharedKey(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array | null
  /** Makes a box of bytes in place: the first 16 are free, and what is to be in the box follows. */
  seal(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): void
  /** What is in a box, perhaps in the memory of the box; null: it was altered, or made with another nonce or key. */
  open(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | null
  random(size: number): Uint8Array
}

/** Where boxes come from: a library that may have to be loaded. */
export interface BoxLoader {
  /** Null: not loaded yet. */
  readonly boxes: Boxes | null
  /** Throws ENOTSUP, with what to install, when there is no library. */
  check(): void
  /** Loads, and calls with null, or with why that failed. */
  load(done: (error: Error | null) => void): void
}

export const KEY_SIZE = 32
export const BOX_OVERHEAD = 16
const NONCE_SIZE = 24
const COUNTER_AT = 16
/** Counters are numbers here: 2^53 messages on one connection are out of reach, and more would not be counted right. */
const LAST_COUNTER = Number.MAX_SAFE_INTEGER

/** A nonce that counts: 16 characters and 64 bits. */
export class CountingNonce {
  readonly bytes = new Uint8Array(NONCE_SIZE)
  private readonly view = new DataView(this.bytes.buffer)

  /** `last`: the counter of the nonce that came before. */
  constructor(
    prefix: string,
    private last: number,
  ) {
    for (let i = 0; i < COUNTER_AT; i++) this.bytes[i] = prefix.charCodeAt(i)
  }

  get counter(): number {
    return this.last
  }

  /** The nonce with the next counter, as the same bytes again. */
  next(): Uint8Array {
    if (this.last >= LAST_COUNTER) throw new RangeError("the nonces of this connection are used up")
    return this.set(this.last + 1)
  }

  /** Writes the counter alone behind a prefix of a command. */
  copyCounter(to: Uint8Array, at: number): void {
    to.set(this.bytes.subarray(COUNTER_AT), at)
  }

  /** The nonce with a counter of the peer, read from 8 bytes; null unless it is larger than the last one. */
  accept(from: Uint8Array, at: number): Uint8Array | null {
    let counter = 0
    for (let i = at; i < at + 8; i++) counter = counter * 256 + from[i]!
    return counter > this.last && counter <= LAST_COUNTER ? this.set(counter) : null
  }

  private set(counter: number): Uint8Array {
    this.last = counter
    this.view.setUint32(COUNTER_AT, Math.floor(counter / 0x100000000))
    this.view.setUint32(COUNTER_AT + 4, counter >>> 0)
    return this.bytes
  }
}

/** A nonce of 8 characters and 16 bytes that were drawn at random. */
export function randomNonce(prefix: string, random: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(NONCE_SIZE)
  for (let i = 0; i < 8; i++) nonce[i] = prefix.charCodeAt(i)
  nonce.set(random, 8)
  return nonce
}

/** A box in new memory. */
export function sealed(boxes: Boxes, plain: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array {
  const box = new Uint8Array(BOX_OVERHEAD + plain.length)
  box.set(plain, BOX_OVERHEAD)
  boxes.seal(box, nonce, key)
  return box
}

/** Compares in a time that tells nothing of the contents. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  let size = 0
  for (const part of parts) size += part.length
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
