/** The disk as a program has it, from the start of its machine to the crash. Everything takes simulated time. */
import type { Disk, DiskFile, DiskLock } from "../store/disk.js"
import type { Directory } from "./directory.js"
import { diskError, type SimulatedDisk } from "./disk.js"
import type { FileContents } from "./file-contents.js"
import { type Life, never } from "./timeline.js"

/** Milliseconds on a good day; half of it to twice that are drawn. */
const QUICK = 0.1
const SYNC = 1

export class LifeDisk implements Disk {
  constructor(
    private readonly disk: SimulatedDisk,
    private readonly life: Life,
  ) {}

  makeDirectory(path: string): Promise<void> {
    return this.later(QUICK, () => this.disk.make(path))
  }

  list(directory: string): Promise<string[]> {
    return this.later(QUICK, () => this.disk.directory(directory).names())
  }

  open(path: string, create: boolean): Promise<DiskFile> {
    return this.later(QUICK, () => {
      const { directory, name } = this.disk.place(path)
      const file = directory.file(name)
      if (create === (file !== undefined)) throw diskError(create ? "EEXIST" : "ENOENT", path)
      if (create && this.disk.isFull) throw diskError("ENOSPC", path)
      return new LifeFile(this, this.disk, path, file ?? directory.create(name))
    })
  }

  remove(path: string): Promise<void> {
    return this.later(QUICK, () => {
      const { directory, name } = this.disk.place(path)
      if (directory.file(name) === undefined) throw diskError("ENOENT", path)
      directory.remove(name)
    })
  }

  syncDirectory(path: string): Promise<void> {
    return this.begin(SYNC, () => this.disk.directory(path).sync())
  }

  lock(path: string): Promise<DiskLock> {
    return this.later(QUICK, () => {
      const directory = this.disk.directory(path)
      if (directory.locked) throw diskError("EBUSY", path)
      return new LifeLock(this, this.life, directory)
    })
  }

  /** Does something after the time that it takes. */
  later<T>(ms: number, act: () => T): Promise<T> {
    return this.begin(ms, () => act)
  }

  /** Begins something now, and ends it after the time that it takes; what fails, fails then. */
  begin<T>(ms: number, act: () => () => T): Promise<T> {
    const { disk, life } = this
    if (!life.alive) return never()
    return new Promise((resolve, reject) => {
      const end = outcomeOf(act)
      disk.timeline.call(life, disk.duration(ms), `${life.name}: disk`, () => {
        try {
          resolve(end())
        } catch (error) {
          reject(error)
        }
      })
    })
  }
}

function outcomeOf<T>(act: () => () => T): () => T {
  try {
    return act()
  } catch (error) {
    return () => {
      throw error
    }
  }
}

class LifeFile implements DiskFile {
  size: number
  private closed = false

  constructor(
    private readonly via: LifeDisk,
    private readonly disk: SimulatedDisk,
    private readonly path: string,
    private readonly contents: FileContents,
  ) {
    this.size = contents.size
  }

  write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    return this.via.begin(QUICK, () => {
      this.check()
      const bytes = Buffer.concat(chunks)
      if (this.disk.isFull) {
        const part = bytes.subarray(0, this.disk.random.below(bytes.length + 1))
        if (part.length > 0) this.contents.write(position, part)()
        throw diskError("ENOSPC", this.path)
      }
      const finish = this.contents.write(position, bytes)
      return () => {
        finish()
        if (bytes.length > 0) this.size = Math.max(this.size, position + bytes.length)
      }
    })
  }

  read(position: number, length: number): Promise<Uint8Array> {
    return this.via.later(QUICK, () => {
      this.check()
      return this.contents.read(position, length)
    })
  }

  sync(): Promise<void> {
    return this.via.begin(SYNC, () => {
      this.check()
      return this.contents.sync()
    })
  }

  truncate(size: number): Promise<void> {
    return this.via.begin(QUICK, () => {
      this.check()
      const finish = this.contents.truncate(size)
      return () => {
        finish()
        this.size = size
      }
    })
  }

  close(): Promise<void> {
    return this.via.later(QUICK, () => {
      this.closed = true
    })
  }

  private check(): void {
    if (this.closed) throw diskError("EBADF", this.path)
  }
}

class LifeLock implements DiskLock {
  constructor(
    private readonly via: LifeDisk,
    private readonly life: Life,
    private readonly directory: Directory,
  ) {
    directory.locked = true
    life.belongings.add(this)
  }

  unlock(): Promise<void> {
    return this.via.later(QUICK, () => {
      this.life.belongings.delete(this)
      this.directory.locked = false
    })
  }

  vanish(): void {
    this.directory.locked = false
  }
}
