/**
 * Real boxes whose key pairs and random bytes are always the same, in their order: a handshake that was captured opens again
 * at the next run, and what was changed in it is all that differs. Each connection takes a loader of its own.
 */
import { curvePublicKey } from "../../patterns/curve/key-pair.js"
import { sodium } from "../../patterns/curve/sodium.js"
import type { KeyPair } from "../../src/wire/curve.js"
import type { BoxLoader } from "../../src/wire/curve-boxes.js"
import { decodeZ85 } from "../../src/wire/z85.js"

/** A pair of keys that is the same in each run. Its secret key is a copy, which may be wiped. */
function pair(number: number): KeyPair {
  let known = pairs.get(number)
  if (known === undefined) {
    const secretKey = Uint8Array.from({ length: 32 }, (_, i) => (number * 37 + i * 11 + 1) & 0xff)
    known = { publicKey: decodeZ85(curvePublicKey(secretKey)), secretKey }
    pairs.set(number, known)
  }
  return { publicKey: known.publicKey.slice(), secretKey: known.secretKey.slice() }
}
const pairs = new Map<number, KeyPair>()

export const serverKeys = pair(0)
export const clientKeys = pair(1)

/** Resolves when there are boxes. Before it {@link fixedBoxes} has none. */
export function loadBoxes(): Promise<void> {
  return new Promise((resolve, reject) => sodium.load(error => (error === null ? resolve() : reject(error))))
}

/** A loader for one connection; `first` is the number of its first key pair, from 2 on. */
export function fixedBoxes(first: number): BoxLoader {
  const { boxes } = sodium
  if (boxes === null) throw new Error("the boxes are not loaded")
  let next = first
  return {
    boxes: {
      library: boxes.library,
      keyPair: () => ({ ...pair(next++) }),
      sharedKey: (publicKey, secretKey) => boxes.sharedKey(publicKey, secretKey),
      seal: (box, nonce, key) => boxes.seal(box, nonce, key),
      open: (box, nonce, key) => boxes.open(box, nonce, key),
      random: size => new Uint8Array(size).fill(next++ & 0xff),
    },
    check() {},
    load(done) {
      done(null)
    },
  }
}
