/**
 * A segment: one file of the log, `00000001.log` and on. It begins with a header that keeps its form in every version:
 *
 *      0  magic, "PEERLOG\n"
 *      8  u32  version of the format
 *     12  u32  number of the segment
 *     16  u32  size of the segment before it, which was ended when this one was made; 0 for the first one
 *     20  u32  CRC-32 of the 20 bytes before
 *     24       records
 *
 * Only the last one, the tail, is written to. A segment is removed when nothing in it is needed; who still reads from it keeps
 * its handle open until he is done.
 */
import { crc32 } from "node:zlib"
import type { Disk, DiskFile } from "./disk.js"
import { putU32, u32 } from "./record.js"
import { diskError, StoreError } from "./store-error.js"

/** The version that this code writes and reads. */
const VERSION = 1
/** Bytes before the first record. */
export const HEADER = 24
const SUMMED = 20
const MAGIC = new TextEncoder().encode("PEERLOG\n")
const NAME = /^(\d{8,10})\.log$/

export const nameOf = (number: number) => `${String(number).padStart(8, "0")}.log`

/** The numbers of the segments among the names of files, in order. */
export function numbersOf(names: readonly string[]): number[] {
  const numbers = names.map(name => (NAME.test(name) ? Number.parseInt(name, 10) : Number.NaN))
  return numbers.filter((number, at) => nameOf(number) === names[at]).sort((a, b) => a - b)
}

/** A segment that could neither be made nor be removed again: no other may be written to before the log is recovered. */
export class HalfMade extends StoreError {}

export class Segment {
  /** The end of its records, in bytes. */
  size: number
  #readers = 0
  #isGone = false

  constructor(
    readonly number: number,
    readonly path: string,
    readonly file: DiskFile,
  ) {
    this.size = file.size
  }

  /** A new one with its header, safe with its name on the disk. When that fails nothing of it is left, or it is `HalfMade`. */
  static async create(directory: string, disk: Disk, number: number, sizeBefore: number): Promise<Segment> {
    const path = `${directory}/${nameOf(number)}`
    let file: DiskFile | null = null
    try {
      file = await disk.open(path, true)
      await file.write([header(number, sizeBefore)], 0)
      await file.sync()
      await disk.syncDirectory(directory)
      return new Segment(number, path, file)
    } catch (cause) {
      const error = diskError(cause, path)
      if (file === null) throw error
      try {
        await file.close()
        await disk.remove(path)
        await disk.syncDirectory(directory)
      } catch (left) {
        throw new HalfMade("EIO", "a half-made segment could not be removed", { file: path, cause: left })
      }
      throw error
    }
  }

  /** Keeps the handle open until `release`. */
  retain(): void {
    this.#readers++
  }

  async release(): Promise<void> {
    if (--this.#readers === 0 && this.#isGone) await this.file.close()
  }

  /** Closes the handle as soon as nobody reads. */
  async close(): Promise<void> {
    if (this.#isGone) return
    this.#isGone = true
    if (this.#readers === 0) await this.file.close()
  }
}

function header(number: number, sizeBefore: number): Uint8Array {
  const bytes = new Uint8Array(HEADER)
  bytes.set(MAGIC)
  putU32(bytes, 8, VERSION)
  putU32(bytes, 12, number)
  putU32(bytes, 16, sizeBefore)
  putU32(bytes, SUMMED, crc32(bytes.subarray(0, SUMMED)))
  return bytes
}

/** The size of the segment before, from the header; -1 when that is not as it was made. ENOTSUP when another version made it. */
export async function readHeader({ number, path, file }: Segment): Promise<number> {
  const bytes = await file.read(0, HEADER)
  if (bytes.length < HEADER || MAGIC.some((byte, at) => bytes[at] !== byte)) return -1
  if (u32(bytes, SUMMED) !== crc32(bytes.subarray(0, SUMMED))) return -1
  const version = u32(bytes, 8)
  if (version !== VERSION) {
    const text = `a log of format ${version}; this version of Peerlane reads and writes format ${VERSION}`
    throw new StoreError("ENOTSUP", text, { file: path })
  }
  return u32(bytes, 12) === number ? u32(bytes, 16) : -1
}
