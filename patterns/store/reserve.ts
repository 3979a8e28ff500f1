/**
 * Room on the disk that is kept for what gives room back: a file `reserve` beside the segments, really written. Half of it is given up
 * for changes that end entries, the other half only for what lets the oldest segment go, ends of its entries and copies: many ends
 * at once must not leave a segment where it is. What is in the file says nothing, so a crash at any point is harmless.
 *
 * What is given up is made again as long as it was, or not at all. Were it made of what is left, puts would eat the rest, and so on
 * until nothing is left. Only one that this process has not had yet may be shorter, as a disk may be too small for it.
 *
 * While it is made the disk may run full for a moment. So nothing is written to the log then: who calls this sees to that.
 */
import type { Disk, DiskFile } from "./disk.js"
import { diskError } from "./store-error.js"

const SMALLEST = 16 << 10
const LONGEST = 4 << 20
const SHARE = 8
const PIECE = 64 << 10

export class Reserve {
  /** In bytes; what it is to have while it is not there. */
  size: number
  #isHeld = false
  #wasHeld = false
  /** What is there of it. */
  #left = 0
  readonly #path: string

  constructor(
    private readonly directory: string,
    private readonly disk: Disk,
    segmentBytes: number,
  ) {
    this.size = Math.min(Math.max(Math.floor(segmentBytes / SHARE), SMALLEST), LONGEST)
    this.#path = `${directory}/reserve`
  }

  /** All of it is there. Also true where none can be made for another reason than a full disk: then it is done without. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** All of it was given up. */
  get isGone(): boolean {
    return !this.#isHeld && this.#left === 0 && this.#wasHeld
  }

  /** Makes what is not there of it. False when there is no room for that; never rejects. */
  async make(): Promise<boolean> {
    if (this.#isHeld) return true
    try {
      await this.#fill()
      this.#isHeld = this.#wasHeld = true
    } catch (error) {
      this.#isHeld = diskError(error).code !== "ENOSPC"
    }
    return this.#isHeld
  }

  /** Gives up the half for ends, or `all`. False when that was done before; never rejects. */
  async giveUp(all: boolean): Promise<boolean> {
    const rest = all ? 0 : this.size >> 1
    if (this.#left <= rest) return false
    this.#isHeld = false
    this.#left = rest
    try {
      if (all) await this.disk.remove(this.#path)
      else await this.#cut(rest)
      // Some file systems have the room only when they know it for good.
      await this.disk.syncDirectory(this.directory)
    } catch {
      // Somebody has removed it, or the disk fails: what is tried next will tell.
    }
    return true
  }

  async #fill(): Promise<void> {
    const file = await this.#open()
    try {
      const found = file.size
      if (found > this.size) await file.truncate(this.size)
      try {
        while (file.size < this.size) {
          await file.write([piece.subarray(0, Math.min(piece.length, this.size - file.size))], file.size)
        }
      } catch (error) {
        // A small disk: half of the room that is there, or as much as there was of it.
        const half = Math.max(found, file.size >> 1)
        const isEnough = !this.#wasHeld && half >= SMALLEST && diskError(error).code === "ENOSPC"
        await file.truncate(isEnough ? half : found)
        if (!isEnough) throw error
        this.size = half
      }
      if (file.size !== found) await file.sync()
      this.#left = file.size
    } finally {
      await file.close()
    }
  }

  async #cut(size: number): Promise<void> {
    const file = await this.#open()
    try {
      await file.truncate(size)
      await file.sync()
    } finally {
      await file.close()
    }
  }

  async #open(): Promise<DiskFile> {
    try {
      return await this.disk.open(this.#path, false)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error
      return this.disk.open(this.#path, true)
    }
  }
}

/** Bytes that a file system cannot make shorter. */
const piece = new Uint8Array(PIECE)
for (let at = 0, state = 1; at < PIECE; at++) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  piece[at] = state >>> 24
}
