/** Frames as Node's Buffers. Nothing below `patterns` says Buffer. */
import { markAsUntransferable } from "node:worker_threads"
import type { Bytes } from "../src/index.js"

interface BufferMaker {
  new (size: number): Buffer
  new (memory: ArrayBufferLike, offset: number, length: number): Buffer
}

/**
 * The class that all Buffers are of. It is not documented that it can be called; where it can, a view costs half of
 * `subarray` (20 against 8 to 12 M/s, Node 20), and up to 64 bytes are made on V8's own heap.
 */
const Fast = findMaker()

function findMaker(): BufferMaker | null {
  const Maker = (Buffer as unknown as Record<symbol, BufferMaker | undefined>)[Symbol.species]
  try {
    if (Maker === undefined) return null
    const view = new Maker(new ArrayBuffer(4), 1, 2)
    return Buffer.isBuffer(view) && view.byteOffset === 1 && view.length === 2 && Buffer.isBuffer(new Maker(3)) ? Maker : null
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}

/** Up to here a loop beats a call. */
const LOOP_UP_TO = 24

function copyFast(Maker: BufferMaker, chunk: Uint8Array, from: number, to: number): Buffer {
  const size = to - from
  const copy = new Maker(size)
  if (size > LOOP_UP_TO) copy.set(chunk.subarray(from, to))
  else for (let i = 0; i < size; i++) copy[i] = chunk[from + i]!
  return copy
}

export const bufferBytes: Bytes =
  Fast === null
    ? {
        alloc: size => Buffer.allocUnsafe(size),
        copy: (chunk, from, to) => Buffer.from(chunk.subarray(from, to)),
        view: (chunk, from, to) => Buffer.from(chunk.buffer, chunk.byteOffset + from, to - from),
      }
    : {
        alloc: size => Buffer.allocUnsafe(size),
        copy: (chunk, from, to) => copyFast(Fast, chunk, from, to),
        view: (chunk, from, to) => new Fast(chunk.buffer, chunk.byteOffset + from, to - from),
      }

export function newSlab(size: number): Buffer {
  const slab = Buffer.allocUnsafeSlow(size)
  markAsUntransferable(slab.buffer)
  return slab
}
