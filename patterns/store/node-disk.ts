/** The disk of the machine, by node:fs. The only file of the store that touches it, beside the lock (node-lock.ts). */
import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import type { Disk, DiskFile } from "./disk.js"
import { lockDirectory } from "./node-lock.js"

/** Rejects with the errors of node:fs, and EBUSY (a StoreError) for a directory that somebody else has. */
export const nodeDisk: Disk = {
  async makeDirectory(path) {
    const first = await mkdir(path, { recursive: true })
    if (first === undefined) return
    // Each new directory is safe when the one above it has been synced.
    const top = dirname(resolve(first))
    for (let above = dirname(resolve(path)); ; above = dirname(above)) {
      await nodeDisk.syncDirectory(above)
      if (above === top || above === dirname(above)) return
    }
  },

  async list(directory) {
    const entries = await readdir(directory, { withFileTypes: true })
    return entries.filter(entry => entry.isFile()).map(({ name }) => name)
  },

  async open(path, create) {
    const handle = await open(path, create ? "wx+" : "r+")
    try {
      return new NodeFile(handle, (await handle.stat()).size)
    } catch (error) {
      await handle.close()
      throw error
    }
  },

  async remove(path) {
    await rm(path)
  },

  async syncDirectory(path) {
    // Windows has no such thing: there the names are as safe as the system keeps them.
    if (process.platform === "win32") return
    const handle = await open(path, "r")
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },

  lock: lockDirectory,
}

class NodeFile implements DiskFile {
  constructor(
    private readonly handle: FileHandle,
    public size: number,
  ) {}

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    let rest = [...chunks]
    let at = position
    while (rest.length > 0) {
      const { bytesWritten } = await this.handle.writev(rest, at)
      at += bytesWritten
      this.size = Math.max(this.size, at)
      rest = behind(rest, bytesWritten)
    }
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    // Memory of its own, which its reader may give away.
    const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, this.size - position)))
    let read = 0
    while (read < bytes.length) {
      const { bytesRead } = await this.handle.read(bytes, read, bytes.length - read, position + read)
      if (bytesRead === 0) break
      read += bytesRead
    }
    return new Uint8Array(bytes.buffer, 0, read)
  }

  async sync(): Promise<void> {
    await this.handle.datasync()
  }

  async truncate(size: number): Promise<void> {
    await this.handle.truncate(size)
    this.size = size
  }

  async close(): Promise<void> {
    await this.handle.close()
  }
}

/** What is left of chunks behind so many bytes. */
function behind(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes
  return chunks.flatMap(chunk => {
    const taken = Math.min(left, chunk.length)
    left -= taken
    return taken === chunk.length ? [] : [chunk.subarray(taken)]
  })
}
