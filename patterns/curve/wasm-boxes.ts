/**
 * Boxes made and opened in the memory of libsodium's WebAssembly. What libsodium-wrappers does for each of its calls, to allocate for
 * every argument and copy the result to a new array, costs a quarter of the time of a message of 1 KiB; here the place is
 * kept from call to call. Keys and plain text are wiped from it at once.
 */

/** What is used of the module `libsodium` within the wrappers. Lengths are 64 bits, in two halves. */
export interface Wasm {
  /** Another array when the memory has grown. */
  readonly HEAPU8: Uint8Array
  _malloc(size: number): number
  _free(at: number): void
  _crypto_secretbox_easy(box: number, plain: number, low: number, high: number, nonce: number, key: number): number
  _crypto_secretbox_open_easy(plain: number, box: number, low: number, high: number, nonce: number, key: number): number
}

const KEY_SIZE = 32
const NONCE_SIZE = 24
const OVERHEAD = 16
/** Boxes up to this size are made in the place that is kept; for a larger one memory is taken, and given back. */
export const KEPT = 256 * 1024

export class WasmBoxes {
  private readonly key: number
  private readonly nonce: number
  private readonly room: number

  constructor(private readonly wasm: Wasm) {
    this.key = this.take(KEY_SIZE)
    this.nonce = this.take(NONCE_SIZE)
    this.room = this.take(KEPT)
  }

  /** Makes a box of bytes in place, behind 16 that are free. */
  seal(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): void {
    const { wasm } = this
    const at = this.enter(box, nonce, key)
    const failed = wasm._crypto_secretbox_easy(at, at + OVERHEAD, box.length - OVERHEAD, 0, this.nonce, this.key)
    box.set(wasm.HEAPU8.subarray(at, at + box.length))
    this.leave(at, 0)
    if (failed !== 0) throw new Error("libsodium made no box")
  }

  /** What is in a box, in the memory of the box; null: it does not open. */
  open(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | null {
    if (box.length < OVERHEAD) return null
    const { wasm } = this
    const at = this.enter(box, nonce, key)
    const failed = wasm._crypto_secretbox_open_easy(at + OVERHEAD, at, box.length, 0, this.nonce, this.key)
    const plain = box.subarray(OVERHEAD)
    if (failed === 0) plain.set(wasm.HEAPU8.subarray(at + OVERHEAD, at + box.length))
    this.leave(at, box.length)
    return failed === 0 ? plain : null
  }

  private enter(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): number {
    const at = box.length <= KEPT ? this.room : this.take(box.length)
    const memory = this.wasm.HEAPU8
    memory.set(key, this.key)
    memory.set(nonce, this.nonce)
    memory.set(box, at)
    return at
  }

  /** `plain`: bytes at the place that nobody else is to find there. */
  private leave(at: number, plain: number): void {
    const memory = this.wasm.HEAPU8
    memory.fill(0, this.key, this.key + KEY_SIZE)
    memory.fill(0, at, at + plain)
    if (at !== this.room) this.wasm._free(at)
  }

  private take(size: number): number {
    const at = this.wasm._malloc(size)
    if (at === 0) throw new RangeError(`libsodium has no memory for ${size} bytes`)
    return at
  }
}

/**
 * Boxes in the memory of a module, or null where it does not make them in this way: another version may count lengths otherwise.
 * `expected` is the box of `plain` by the documented functions.
 */
export function wasmBoxes(
  wasm: Partial<Wasm> | undefined,
  plain: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array,
  expected: Uint8Array,
): WasmBoxes | null {
  if (!(wasm?.HEAPU8 instanceof Uint8Array)) return null
  const { _malloc, _free, _crypto_secretbox_easy: seal, _crypto_secretbox_open_easy: open } = wasm
  if (![_malloc, _free, seal, open].every(one => typeof one === "function")) return null
  const box = new Uint8Array(OVERHEAD + plain.length)
  box.set(plain, OVERHEAD)
  try {
    const boxes = new WasmBoxes(wasm as Wasm)
    boxes.seal(box, nonce, key)
    return Buffer.compare(box, expected) === 0 ? boxes : null
  } catch {
    // Such as a length that wants to be one bigint: then it is not this way.
    return null
  }
}
