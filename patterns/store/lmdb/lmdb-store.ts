/**
 * A store on LMDB: two tables, metas and bodies, under the same keys. A change is a call within a write transaction; the package
 * gathers those that come together into one. It says that a transaction is committed before the disk has it, so a change here
 * waits for `flushed` as well. LMDB lets several processes in: the lock of the directory keeps it to one.
 */
import { type Database, open, type RootDatabase } from "lmdb"
import type { DiskLock } from "../disk.js"
import { nodeDisk } from "../node-disk.js"
import type { Opened, Store } from "../store.js"
import { checkKey, diskError, noSuchEntry, notOpen, StoreError } from "../store-error.js"

export interface LmdbOptions {
  /** The largest size that the store may grow to, in bytes. Default: LMDB's, which grows as needed. */
  mapSize?: number
}

/** What it writes of itself, to be known by later versions. */
const FORMAT = 1

/** LMDB in a directory, which is made when it is not there. Nothing is touched before `open`. */
export function lmdbStore(path: string, options: LmdbOptions = {}): Store {
  return new LmdbStore(path, options)
}

interface Tables {
  readonly lock: DiskLock
  readonly root: RootDatabase
  readonly metas: Database<Uint8Array, number>
  readonly bodies: Database<Uint8Array, number>
}

class LmdbStore implements Store {
  #tables: Tables | null = null
  #isBusy = false

  constructor(
    private readonly path: string,
    private readonly options: LmdbOptions,
  ) {}

  async open(visit: (key: number, meta: Uint8Array) => void): Promise<Opened> {
    if (this.#isBusy) throw new StoreError("EBUSY", "the store is open", { file: this.path })
    this.#isBusy = true
    let lock: DiskLock | null = null
    let root: RootDatabase | null = null
    try {
      await nodeDisk.makeDirectory(this.path)
      lock = await nodeDisk.lock(this.path)
      root = open({ path: this.path, noSubdir: false, maxDbs: 3, ...this.options })
      await this.#checkFormat(root)
      const tables = {
        lock,
        root,
        metas: root.openDB<Uint8Array, number>({ name: "metas", encoding: "binary" }),
        bodies: root.openDB<Uint8Array, number>({ name: "bodies", encoding: "binary" }),
      }
      let entries = 0
      for (const { key, value } of tables.metas.getRange()) {
        visit(key, Uint8Array.from(value))
        entries++
      }
      this.#tables = tables
      return { entries, cut: null }
    } catch (error) {
      await root?.close()
      await lock?.unlock()
      this.#isBusy = false
      throw error
    }
  }

  put(key: number, meta: Uint8Array, body: Uint8Array): Promise<void> {
    return this.#change(key, ({ metas, bodies }) => {
      void metas.put(key, meta)
      void bodies.put(key, body)
      return true
    })
  }

  setMeta(key: number, meta: Uint8Array): Promise<void> {
    return this.#change(key, ({ metas }) => {
      if (!metas.doesExist(key)) return false
      void metas.put(key, meta)
      return true
    })
  }

  remove(key: number): Promise<void> {
    return this.#change(key, ({ metas, bodies }) => {
      if (!metas.doesExist(key)) return false
      void metas.remove(key)
      void bodies.remove(key)
      return true
    })
  }

  async bodies(keys: readonly number[]): Promise<Uint8Array[]> {
    const { root, bodies } = this.#opened()
    // What was put before this call is in the database when it is committed.
    await root.committed
    return keys.map(key => {
      const body = bodies.get(key)
      if (body === undefined) throw noSuchEntry(key)
      return Uint8Array.from(body)
    })
  }

  async close(): Promise<void> {
    const tables = this.#tables
    if (tables === null) return
    this.#tables = null
    try {
      await tables.root.committed
      await tables.root.flushed
      await tables.root.close()
    } finally {
      await tables.lock.unlock()
      this.#isBusy = false
    }
  }

  async #checkFormat(root: RootDatabase): Promise<void> {
    const found: unknown = root.get("format")
    if (found === FORMAT) return
    if (found !== undefined) {
      const text = `a store of format ${found}; this version of Peerlane reads and writes format ${FORMAT}`
      throw new StoreError("ENOTSUP", text, { file: this.path })
    }
    await root.put("format", FORMAT)
    await root.flushed
  }

  /** `change` runs within a transaction; false: there is no such entry. */
  async #change(key: number, change: (tables: Tables) => boolean): Promise<void> {
    const tables = this.#opened()
    checkKey(key)
    let isThere: boolean
    try {
      isThere = await tables.root.transaction(() => change(tables))
      if (isThere) await tables.root.flushed
    } catch (error) {
      throw failure(error, this.path)
    }
    if (!isThere) throw noSuchEntry(key)
  }

  #opened(): Tables {
    if (this.#tables === null) throw notOpen()
    return this.#tables
  }
}

/** MDB_MAP_FULL has a number and a text and is a full disk to whoever puts. */
function failure(error: unknown, file: string): StoreError {
  const isFull = /MDB_MAP_FULL|No space left/.test(String((error as Error).message))
  return isFull ? new StoreError("ENOSPC", "the store is full", { file, cause: error }) : diskError(error, file)
}
