/**
 * Room on the disk that is kept for the changes that give room back: a file `reserve` beside the segments, really written, which is
 * removed when such a change finds none. What is in it says nothing, so a crash at any point is harmless: what is found of it is
 * what is there of it.
 *
 * What is given up is made again as long as it was, or not at all. Were it made of what is left, puts would eat the rest, and so on
 * until nothing is left. Only one that this process has not had yet may be shorter, as a disk may be too small for it.
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
  /** One thing at a time: the disk has one such file. */
  #last: Promise<unknown> = Promise.resolve()
  readonly #path: string

  constructor(
    private readonly directory: string,
    private readonly disk: Disk,
    segmentBytes: number,
  ) {
    this.size = Math.min(Math.max(Math.floor(segmentBytes / SHARE), SMALLEST), LONGEST)
    this.#path = `${directory}/reserve`
  }

  /** Nothing is to take its room. Also true where none can be made for another reason than a full disk: then it is not waited for. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Makes it unless it is there. False when there is no room for it; never rejects. */
  make(): Promise<boolean> {
    return this.#next(async () => {
      if (this.#isHeld) return true
      try {
        await this.#fill()
        this.#wasHeld = true
        this.#isHeld = true
      } catch (error) {
        await this.#remove()
        this.#isHeld = diskError(error).code !== "ENOSPC"
      }
      return this.#isHeld
    })
  }

  /** Gives its room back; never rejects. */
  giveUp(): Promise<void> {
    return this.#next(async () => {
      if (!this.#isHeld) return
      this.#isHeld = false
      await this.#remove()
    })
  }

  #next<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#last.then(act)
    this.#last = result
    return result
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
        const kept = Math.max(found, file.size >> 1)
        if (this.#wasHeld || kept < SMALLEST || diskError(error).code !== "ENOSPC") throw error
        await file.truncate(kept)
        this.size = kept
      }
      if (file.size !== found) await file.sync()
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

  /** Some file systems have the room only when they know for good that the file is gone. */
  async #remove(): Promise<void> {
    try {
      await this.disk.remove(this.#path)
      await this.disk.syncDirectory(this.directory)
    } catch {
      // Then it is in the way, or was never there.
    }
  }
}

/** Bytes that a file system cannot make shorter. */
const piece = new Uint8Array(PIECE)
for (let at = 0, state = 1; at < PIECE; at++) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  piece[at] = state >>> 24
}
