/**
 * A disk in memory that loses what was not synced: at a crash each write since the last sync is there, or not, or in parts,
 * whatever was written behind it; and each name that was made or removed since its directory was synced is there or not. It can
 * run full and fail. After a crash it answers nothing any more; `survivor` is the disk that the next process finds.
 */
import type { Disk, DiskFile, DiskLock } from "../../patterns/store/disk.js"

/** What a file is, whatever it is called. */
interface Inode {
  bytes: Uint8Array
  safe: Uint8Array
  /** Since the last sync. */
  readonly unsafe: ({ position: number; bytes: Uint8Array } | { size: number })[]
}

export type Operation = "write" | "sync" | "truncate" | "read" | "remove" | "create" | "syncDirectory"

const NEVER = new Promise<never>(() => {})

export class TornDisk implements Disk {
  readonly names = new Map<string, Inode>()
  readonly #safeNames = new Map<string, Inode>()
  readonly #locked = new Set<string>()
  #operations = 0
  #isDead = false
  #crashed!: () => void
  readonly crashed = new Promise<void>(resolve => {
    this.#crashed = resolve
  })
  /** All files, in bytes. */
  capacity = Number.POSITIVE_INFINITY
  /** The operation that crashes, counted from 1. */
  crashAt = Number.POSITIVE_INFINITY
  /** Asked before each operation: the code to fail with. */
  fault: (operation: Operation, path: string) => string | null = () => null

  /** The paths of the segments, oldest first. */
  get segments(): string[] {
    return [...this.names.keys()].filter(name => name.endsWith(".log")).sort()
  }

  get operations(): number {
    return this.#operations
  }

  async makeDirectory(): Promise<void> {}

  async list(directory: string): Promise<string[]> {
    await this.#turn()
    return [...this.names.keys()].map(path => path.slice(directory.length + 1))
  }

  async open(path: string, create: boolean): Promise<DiskFile> {
    await this.#turn(create ? "create" : undefined, path)
    const found = this.names.get(path)
    if (create === (found !== undefined)) throw failure(create ? "EEXIST" : "ENOENT")
    const inode = found ?? { bytes: new Uint8Array(0), safe: new Uint8Array(0), unsafe: [] }
    this.names.set(path, inode)
    return this.#file(path, inode)
  }

  async remove(path: string): Promise<void> {
    await this.#turn("remove", path)
    if (!this.names.delete(path)) throw failure("ENOENT")
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#turn("syncDirectory", path)
    this.#safeNames.clear()
    for (const [name, inode] of this.names) this.#safeNames.set(name, inode)
  }

  async lock(directory: string): Promise<DiskLock> {
    if (this.#locked.has(directory)) throw failure("EBUSY")
    this.#locked.add(directory)
    return {
      unlock: async () => {
        this.#locked.delete(directory)
      },
    }
  }

  /** What is on the disk after the power was cut, by the numbers that `random` draws (0 <= x < 1). */
  survivor(random: () => number): TornDisk {
    this.crash()
    const next = new TornDisk()
    for (const name of new Set([...this.names.keys(), ...this.#safeNames.keys()])) {
      const [safe, now] = [this.#safeNames.get(name), this.names.get(name)]
      const inode = safe === now || random() < 0.5 ? now : safe
      if (inode === undefined) continue
      next.set(name, survive(inode, random))
    }
    return next
  }

  /** A copy on which everything is safe. */
  copy(): TornDisk {
    const next = new TornDisk()
    for (const [name, { bytes }] of this.names) next.set(name, bytes.slice())
    return next
  }

  set(name: string, bytes: Uint8Array): void {
    const inode = { bytes, safe: bytes.slice(), unsafe: [] }
    this.names.set(name, inode)
    this.#safeNames.set(name, inode)
  }

  crash(): void {
    this.#isDead = true
    this.#crashed()
  }

  async #turn(operation?: Operation, path = ""): Promise<void> {
    if (this.#isDead) await NEVER
    await Promise.resolve()
    if (operation === undefined) return
    const code = this.fault(operation, path)
    if (code !== null) throw failure(code)
  }

  /** Behind what an operation has done to files. */
  async #done(): Promise<void> {
    if (++this.#operations >= this.crashAt) this.crash()
    if (this.#isDead) await NEVER
  }

  #file(path: string, inode: Inode): DiskFile {
    const disk = this
    return {
      get size() {
        return inode.bytes.length
      },
      async write(chunks, position) {
        await disk.#turn()
        const code = disk.fault("write", path)
        const whole = Uint8Array.from(Buffer.concat(chunks))
        const used = [...disk.names.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
        const room = Math.max(0, disk.capacity - used + inode.bytes.length - position)
        const written = whole.subarray(0, code === null ? room : whole.length >> 1)
        inode.bytes = overwritten(inode.bytes, position, written)
        inode.unsafe.push({ position, bytes: written })
        await disk.#done()
        if (code !== null || written.length < whole.length) throw failure(code ?? "ENOSPC")
      },
      async read(position, length) {
        await disk.#turn("read", path)
        return inode.bytes.slice(position, position + length)
      },
      async sync() {
        await disk.#turn("sync", path)
        // The crash may come before it has done anything.
        await disk.#done()
        inode.safe = inode.bytes.slice()
        inode.unsafe.length = 0
        await disk.#done()
      },
      async truncate(size) {
        await disk.#turn("truncate", path)
        inode.bytes = sized(inode.bytes, size)
        inode.unsafe.push({ size })
        await disk.#done()
      },
      async close() {},
    }
  }
}

function survive({ safe, unsafe }: Inode, random: () => number): Uint8Array {
  let bytes: Uint8Array = safe.slice()
  for (const change of unsafe) {
    if (random() < 0.25) continue
    if ("size" in change) bytes = sized(bytes, change.size)
    else if (random() < 0.3) bytes = overwritten(bytes, change.position, change.bytes)
    else {
      // In parts, each there or not, or there as zeros where the file was made longer first.
      for (let from = 0; from < change.bytes.length; ) {
        const to = from + 1 + Math.floor(random() * 64)
        const part = change.bytes.subarray(from, to)
        if (random() < 0.6) bytes = overwritten(bytes, change.position + from, part)
        from = to
      }
    }
  }
  return bytes
}

function overwritten(bytes: Uint8Array, position: number, part: Uint8Array): Uint8Array {
  if (part.length === 0) return bytes
  const longer = sized(bytes, Math.max(bytes.length, position + part.length))
  longer.set(part, position)
  return longer
}

function sized(bytes: Uint8Array, size: number): Uint8Array {
  const next = new Uint8Array(size)
  next.set(bytes.subarray(0, size))
  return next
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}
