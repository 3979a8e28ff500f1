/** CURVE for engines without sockets: boxes of the real libraries, loaders that a test steers, keys, and chance that repeats itself. */
import { curveKeyPair } from "../../patterns/curve/key-pair.js"
import { LIBRARIES } from "../../patterns/curve/sodium.js"
import type { KeyPair } from "../../src/wire/curve.js"
import type { Boxes, BoxLoader } from "../../src/wire/curve-boxes.js"
import { decodeZ85 } from "../../src/wire/z85.js"

export type Library = keyof typeof LIBRARIES

/** The boxes of both libraries. */
export const libraries: Readonly<Record<Library, Boxes>> = {
  "sodium-native": await LIBRARIES["sodium-native"](),
  "libsodium-wrappers": await LIBRARIES["libsodium-wrappers"](),
}

export const libraryNames = Object.keys(libraries) as Library[]

/** Boxes that are there. */
export function loaded(boxes: Boxes): BoxLoader {
  return { boxes, check() {}, load: done => done(null) }
}

/** Boxes that come when the test says so, or never. */
export class LateLoader implements BoxLoader {
  boxes: Boxes | null = null
  private readonly waiting: ((error: Error | null) => void)[] = []

  check(): void {}

  load(done: (error: Error | null) => void): void {
    this.waiting.push(done)
  }

  arrive(boxes: Boxes): void {
    this.boxes = boxes
    this.tell(null)
  }

  fail(error: Error): void {
    this.tell(error)
  }

  private tell(error: Error | null): void {
    for (const done of this.waiting.splice(0)) done(error)
  }
}

export function newKeys(): KeyPair {
  const { publicKey, secretKey } = curveKeyPair()
  return { publicKey: decodeZ85(publicKey), secretKey: decodeZ85(secretKey) }
}

/** The same boxes, with nothing left to chance: keys and nonces are the bytes of a counter, and all keys that were made are kept. */
export class Fixed implements Boxes {
  readonly library: string
  readonly made: Uint8Array[] = []
  private count = 0

  constructor(
    private readonly boxes: Boxes,
    private readonly pairs: readonly KeyPair[] = [],
  ) {
    this.library = boxes.library
  }

  keyPair(): KeyPair {
    const { publicKey, secretKey } = this.pairs[this.count++ % this.pairs.length]!
    const pair = { publicKey: new Uint8Array(publicKey), secretKey: new Uint8Array(secretKey) }
    this.made.push(pair.secretKey)
    return pair
  }

  sharedKey(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array | null {
    const key = this.boxes.sharedKey(publicKey, secretKey)
    if (key !== null) this.made.push(key)
    return key
  }

  seal(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): void {
    this.boxes.seal(box, nonce, key)
  }

  open(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | null {
    return this.boxes.open(box, nonce, key)
  }

  random(size: number): Uint8Array {
    const bytes = new Uint8Array(size).fill(++this.count)
    if (size === 32) this.made.push(bytes)
    return bytes
  }
}
