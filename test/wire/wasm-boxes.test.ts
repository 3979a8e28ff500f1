/** The ways to make boxes by libsodium-wrappers, which make the same. */
import sodium from "libsodium-wrappers"
import { beforeAll, describe, expect, it } from "vitest"
import { documentedBoxes } from "../../patterns/curve/sodium.js"
import { KEPT, type Wasm, WasmBoxes, wasmBoxes } from "../../patterns/curve/wasm-boxes.js"

const bytes = (size: number, first: number) => Uint8Array.from({ length: size }, (_, i) => (i * 7 + first) & 0xff)
const key = bytes(32, 1)
const nonce = bytes(24, 2)
const around = [0, 1, 15, 16, 17, 100, KEPT - 17, KEPT - 16, KEPT - 15, 3_000_000]

const wasm = () => (sodium as unknown as { libsodium: Wasm }).libsodium
const ways = { "in the memory of the module": () => new WasmBoxes(wasm()), documented: () => documentedBoxes(sodium) }

beforeAll(() => sodium.ready)

describe.each(Object.entries(ways))("%s", (_name, make) => {
  it.each(around)("a box of %i bytes is that of libsodium, and opens", size => {
    const boxes = make()
    const plain = bytes(size, 3)
    const box = new Uint8Array(16 + size)
    box.set(plain, 16)
    boxes.seal(box, nonce, key)
    expect(Buffer.compare(box, sodium.crypto_secretbox_easy(plain, nonce, key))).toBe(0)
    const opened = boxes.open(box, nonce, key)
    expect(opened).not.toBeNull()
    expect(Buffer.compare(opened!, plain)).toBe(0)
  })

  it("a box that was altered, cut or made with another key or nonce does not open", () => {
    const boxes = make()
    const box = sodium.crypto_secretbox_easy(bytes(50, 3), nonce, key)
    for (let at = 0; at < box.length; at++) {
      const altered = box.slice()
      altered[at]! ^= 1
      expect(boxes.open(altered, nonce, key)).toBeNull()
    }
    for (let length = 0; length < box.length; length++) expect(boxes.open(box.slice(0, length), nonce, key)).toBeNull()
    expect(boxes.open(box.slice(), bytes(24, 9), key)).toBeNull()
    expect(boxes.open(box.slice(), nonce, bytes(32, 9))).toBeNull()
  })
})

describe("the memory of the module", () => {
  it("keeps no key and no plain text", () => {
    const boxes = new WasmBoxes(wasm())
    const secret = bytes(32, 77)
    const plain = bytes(200, 99)
    const box = sodium.crypto_secretbox_easy(plain, nonce, secret)
    expect(boxes.open(box, nonce, secret)).not.toBeNull()
    const sealed = new Uint8Array(216)
    sealed.set(plain, 16)
    boxes.seal(sealed, nonce, secret)
    const memory = Buffer.from(wasm().HEAPU8.buffer)
    // What the wrappers copied is not ours: only where these boxes were made.
    const room = boxes as unknown as { room: number; key: number }
    expect(memory.subarray(room.key, room.key + 32)).toEqual(Buffer.alloc(32))
    expect(memory.subarray(room.room, room.room + 216).includes(Buffer.from(plain))).toBe(false)
  })

  it("is used only where it makes what the documented functions make", () => {
    const plain = bytes(10, 3)
    const expected = sodium.crypto_secretbox_easy(plain, nonce, key)
    expect(wasmBoxes(wasm(), plain, nonce, key, expected)).toBeInstanceOf(WasmBoxes)
    expect(wasmBoxes(undefined, plain, nonce, key, expected)).toBeNull()
    const other = Object.create(wasm()) as Wasm
    other._crypto_secretbox_easy = () => 0
    expect(wasmBoxes(other, plain, nonce, key, expected)).toBeNull()
    other._crypto_secretbox_easy = () => {
      throw new TypeError("Cannot convert 10 to a BigInt")
    }
    expect(wasmBoxes(other, plain, nonce, key, expected)).toBeNull()
  })
})
