/**
 * What a store asks of a disk. The real one is in node-disk.ts; the simulated one (`peerlane/testing`) tears writes, loses
 * what was not synced, runs full and is slow.
 */

export interface Disk {
  /** With its parents; nothing happens if it is there. */
  makeDirectory(path: string): Promise<void>
  /** The names of the files in it, in no order. */
  list(directory: string): Promise<string[]>
  /** Opens for reading and writing; creates the file when `create` is set (EEXIST if it is there), else ENOENT if it is not. */
  open(path: string, create: boolean): Promise<DiskFile>
  /** Handles of it that are open can still read. */
  remove(path: string): Promise<void>
  /** Until it resolves, files created or removed in it may come back or be gone after a crash. */
  syncDirectory(path: string): Promise<void>
  /** Owns a directory alone, until unlock or the end of the process, however that comes. EBUSY when somebody else has it. */
  lock(directory: string): Promise<DiskLock>
}

export interface DiskFile {
  /** In bytes, as far as this handle knows: as it was found, and as writes and truncates have left it. */
  readonly size: number
  /** Writes all of them, one behind the other, or rejects (ENOSPC, EIO); then any part of them may be there. */
  write(chunks: readonly Uint8Array[], position: number): Promise<void>
  /** May be shorter than asked for, at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>
  /** What was written is safe when it resolves (fdatasync). After a rejection nobody knows what is. */
  sync(): Promise<void>
  truncate(size: number): Promise<void>
  close(): Promise<void>
}

export interface DiskLock {
  unlock(): Promise<void>
}
