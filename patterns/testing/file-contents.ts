/**
 * The bytes of a simulated file: those that are safe, and those that a reader sees, with the changes that lie between. A crash lets
 * some of those changes survive: none, all, the first of them up to any byte, or sectors here and there.
 */
import type { Random } from "./random.js"

/** What a disk writes whole or not at all, in bytes. */
const SECTOR = 512

/** A write of bytes at a position; without bytes, the file has ended there. */
interface Change {
  readonly position: number
  readonly bytes: Uint8Array | null
  /** Its promise has resolved: a sync that begins now covers it. */
  finished: boolean
}

/** What became of the changes that were not synced. */
export type Fate = "kept" | "lost" | "torn"

export class FileContents {
  private readonly safe = new Bytes()
  private seen = new Bytes()
  private changes: Change[] = []

  get size(): number {
    return this.seen.size
  }

  /** Is seen at once; what it returns is to be called when it is finished. */
  write(position: number, bytes: Uint8Array): () => void {
    return this.change({ position, bytes, finished: false })
  }

  truncate(size: number): () => void {
    return this.change({ position: size, bytes: null, finished: false })
  }

  read(position: number, length: number): Uint8Array {
    return this.seen.read(position, length)
  }

  /** What it returns makes safe what is finished now. */
  sync(): () => void {
    const covered = this.changes.filter(({ finished }) => finished)
    return () => {
      const set = new Set(covered)
      for (const change of this.changes) if (set.has(change)) this.safe.apply(change)
      this.changes = this.changes.filter(change => !set.has(change))
    }
  }

  crash(random: Random): Fate {
    const { changes } = this
    const survivors = surviving(changes, random)
    for (const change of survivors) this.safe.apply(change)
    this.seen = this.safe.copy()
    this.changes = []
    const before = amount(changes)
    const after = amount(survivors)
    return after === before ? "kept" : after === 0 ? "lost" : "torn"
  }

  private change(change: Change): () => void {
    this.changes.push(change)
    this.seen.apply(change)
    return () => {
      change.finished = true
    }
  }
}

function surviving(changes: readonly Change[], random: Random): readonly Change[] {
  switch (random.below(4)) {
    case 0:
      return []
    case 1:
      return changes
    case 2:
      return firstOf(changes, random.below(amount(changes) + 1))
    default:
      return changes.flatMap(sectorsOf).filter(() => random.chance(0.5))
  }
}

/** Truncating counts as a byte. */
function amount(changes: readonly Change[]): number {
  return changes.reduce((sum, { bytes }) => sum + (bytes?.length ?? 1), 0)
}

function firstOf(changes: readonly Change[], count: number): Change[] {
  const first: Change[] = []
  let left = count
  for (const change of changes) {
    if (left === 0) break
    const { bytes } = change
    const whole = bytes === null || bytes.length <= left
    first.push(whole ? change : { ...change, bytes: bytes.subarray(0, left) })
    left -= whole ? (bytes?.length ?? 1) : left
  }
  return first
}

function sectorsOf(change: Change): Change[] {
  const { bytes, position } = change
  if (bytes === null) return [change]
  const sectors: Change[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = SECTOR - ((position + at) % SECTOR)
    sectors.push({ ...change, position: position + at, bytes: bytes.subarray(at, at + length) })
    at += length
  }
  return sectors
}

/** Bytes that grow; what was left out is zero. */
class Bytes {
  size = 0
  private bytes = new Uint8Array(256)

  apply({ position, bytes }: Change): void {
    if (bytes === null) this.resize(position)
    else if (bytes.length > 0) {
      if (position + bytes.length > this.size) this.resize(position + bytes.length)
      this.bytes.set(bytes, position)
    }
  }

  read(position: number, length: number): Uint8Array {
    return this.bytes.slice(position, Math.min(this.size, position + length))
  }

  copy(): Bytes {
    const copy = new Bytes()
    copy.size = this.size
    copy.bytes = this.bytes.slice()
    return copy
  }

  private resize(size: number): void {
    if (size > this.bytes.length) {
      const larger = new Uint8Array(Math.max(size, 2 * this.bytes.length))
      larger.set(this.bytes)
      this.bytes = larger
    }
    if (size < this.size) this.bytes.fill(0, size, this.size)
    this.size = size
  }
}
