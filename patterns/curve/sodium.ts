/**
 * The boxes of CURVE, from libsodium: `sodium-native` where it is installed, which is the fastest, else `libsodium-wrappers`,
 * which is WebAssembly and runs everywhere. Neither is loaded before a socket has CURVE keys. PEERLANE_CURVE names the one to take.
 */
import { createRequire } from "node:module"
import { type Boxes, type BoxLoader, ZmqError } from "../../src/index.js"
import { type Wasm, wasmBoxes } from "./wasm-boxes.js"

/** What is used of libsodium-wrappers: functions that return new arrays, and throw. */
interface Wrappers {
  readonly ready: Promise<void>
  crypto_box_keypair(): { publicKey: Uint8Array; privateKey: Uint8Array }
  crypto_box_beforenm(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array
  crypto_secretbox_easy(plain: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array
  crypto_secretbox_open_easy(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array
  randombytes_buf(size: number): Uint8Array
  /** The module below, which is not documented. */
  readonly libsodium?: Partial<Wasm>
}

/** What is used of sodium-native: functions that fill arrays. */
interface Native {
  crypto_box_keypair(publicKey: Uint8Array, secretKey: Uint8Array): void
  crypto_scalarmult(shared: Uint8Array, secretKey: Uint8Array, publicKey: Uint8Array): void
  crypto_stream_salsa20(stream: Uint8Array, nonce: Uint8Array, key: Uint8Array): void
  crypto_secretbox_easy(box: Uint8Array, plain: Uint8Array, nonce: Uint8Array, key: Uint8Array): void
  crypto_secretbox_open_easy(plain: Uint8Array, box: Uint8Array, nonce: Uint8Array, key: Uint8Array): boolean
  randombytes_buf(bytes: Uint8Array): void
}

const KEY_SIZE = 32
const OVERHEAD = 16

function fromWrappers(sodium: Wrappers): Boxes {
  const boxes = boxesOf(sodium)
  return {
    library: "libsodium-wrappers",
    keyPair() {
      const { publicKey, privateKey } = sodium.crypto_box_keypair()
      return { publicKey, secretKey: privateKey }
    },
    sharedKey: (publicKey, secretKey) => unless(() => sodium.crypto_box_beforenm(publicKey, secretKey)),
    seal: (box, nonce, key) => boxes.seal(box, nonce, key),
    open: (box, nonce, key) => boxes.open(box, nonce, key),
    random: size => sodium.randombytes_buf(size),
  }
}

function boxesOf(sodium: Wrappers): Pick<Boxes, "seal" | "open"> {
  const [plain, nonce, key] = [sodium.randombytes_buf(100), sodium.randombytes_buf(24), sodium.randombytes_buf(32)]
  const expected = sodium.crypto_secretbox_easy(plain, nonce, key)
  return wasmBoxes(sodium.libsodium, plain, nonce, key, expected) ?? documentedBoxes(sodium)
}

/** For a version of the wrappers whose module is another one. */
export function documentedBoxes(sodium: Wrappers): Pick<Boxes, "seal" | "open"> {
  return {
    seal: (box, nonce, key) => box.set(sodium.crypto_secretbox_easy(box.subarray(OVERHEAD), nonce, key)),
    // A box that is too short is a TypeError there, as if it were of another type.
    open: (box, nonce, key) =>
      box.length < OVERHEAD ? null : unless(() => sodium.crypto_secretbox_open_easy(box, nonce, key)),
  }
}

/** libsodium-wrappers throws a plain Error where the functions of libsodium return -1. */
function unless(make: () => Uint8Array): Uint8Array | null {
  try {
    return make()
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw error
    return null
  }
}

function fromNative(sodium: Native): Boxes {
  return {
    library: "sodium-native",
    keyPair() {
      const pair = { publicKey: new Uint8Array(KEY_SIZE), secretKey: new Uint8Array(KEY_SIZE) }
      sodium.crypto_box_keypair(pair.publicKey, pair.secretKey)
      return pair
    },
    sharedKey(publicKey, secretKey) {
      const shared = new Uint8Array(KEY_SIZE)
      try {
        sodium.crypto_scalarmult(shared, secretKey, publicKey)
      } catch {
        // A point of small order, with which nothing would be secret.
        return null
      }
      return hsalsa20(sodium, shared)
    },
    seal: (box, nonce, key) => sodium.crypto_secretbox_easy(box, box.subarray(OVERHEAD), nonce, key),
    open(box, nonce, key) {
      if (box.length < OVERHEAD) return null
      // libsodium opens a box in its own memory.
      const plain = box.subarray(OVERHEAD)
      return sodium.crypto_secretbox_open_easy(plain, box, nonce, key) ? plain : null
    },
    random(size) {
      const bytes = new Uint8Array(size)
      sodium.randombytes_buf(bytes)
      return bytes
    },
  }
}

/** "expand 32-byte k", as Salsa20 reads it. */
const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]

/**
 * The key of a box from a shared secret: HSalsa20 with an input of zeros, which sodium-native does not have. It is what Salsa20's
 * first block is before its input is added to it, so that the constants are taken off again (the rest of the input is zero there).
 */
function hsalsa20(sodium: Native, secret: Uint8Array): Uint8Array {
  const block = new Uint8Array(64)
  sodium.crypto_stream_salsa20(block, new Uint8Array(8), secret)
  const words = new DataView(block.buffer)
  const key = new Uint8Array(KEY_SIZE)
  const out = new DataView(key.buffer)
  for (let i = 0; i < 4; i++) {
    out.setUint32(i * 4, words.getUint32(i * 20, true) - SIGMA[i]!, true)
    out.setUint32(16 + i * 4, words.getUint32(24 + i * 4, true), true)
  }
  secret.fill(0)
  block.fill(0)
  return key
}

/** How to have the boxes of each library, the fastest first. Rejects when it is not installed. */
export const LIBRARIES: Readonly<Record<"sodium-native" | "libsodium-wrappers", () => Promise<Boxes>>> = {
  "sodium-native": async () => fromNative((await load("sodium-native")) as Native),
  "libsodium-wrappers": async () => {
    const sodium = (await load("libsodium-wrappers")) as Wrappers
    await sodium.ready
    return fromWrappers(sodium)
  },
}

/** A package that may not be installed; the compiler is not to look for it. */
async function load(name: string): Promise<unknown> {
  const module = (await import(name)) as { default: unknown }
  return module.default
}

const { resolve } = createRequire(import.meta.url)

function isInstalled(name: string): boolean {
  try {
    resolve(name)
    return true
  } catch (error) {
    if ((error as { code?: string }).code === "MODULE_NOT_FOUND") return false
    throw error
  }
}

async function findBoxes(): Promise<Boxes> {
  const wanted = process.env.PEERLANE_CURVE
  const causes: unknown[] = []
  for (const [name, make] of Object.entries(LIBRARIES)) {
    if (wanted !== undefined && wanted !== "" && wanted !== name) continue
    try {
      return await make()
    } catch (cause) {
      causes.push(cause)
    }
  }
  throw new ZmqError("ENOTSUP", {
    detail: WHAT_TO_INSTALL,
    cause: new AggregateError(causes),
  })
}

const WHAT_TO_INSTALL = "CURVE takes a library: npm install libsodium-wrappers (or sodium-native, which is faster)"

class SodiumLoader implements BoxLoader {
  boxes: Boxes | null = null
  private loading: Promise<void> | null = null
  private found = false

  check(): void {
    this.found ||= Object.keys(LIBRARIES).some(isInstalled)
    if (!this.found) throw new ZmqError("ENOTSUP", { detail: WHAT_TO_INSTALL })
  }

  load(done: (error: Error | null) => void): void {
    this.loading ??= findBoxes().then(boxes => {
      this.boxes = boxes
    })
    this.loading.then(
      () => done(null),
      error => done(error),
    )
  }
}

export const sodium: BoxLoader = new SodiumLoader()
