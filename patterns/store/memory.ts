/**
 * A store in memory: for tests, and for queues that may be lost with their process. What is put is copied, so that an
 * entry here is as independent of the caller's bytes as one on a disk.
 */
import type { Opened, Store } from "./store.js"
import { checkKey, noSuchEntry, notOpen, StoreError } from "./store-error.js"

interface Entry {
  meta: Uint8Array
  readonly body: Uint8Array
}

/** Entries outlive `close` and are there at the next `open`, as long as the object itself is. Nothing is written anywhere. */
export function memoryStore(): Store {
  return new MemoryStore()
}

/** All changes share one promise: each is as safe as it will be at once. */
const SAFE = Promise.resolve()

class MemoryStore implements Store {
  readonly #entries = new Map<number, Entry>()
  #isOpen = false

  async open(visit: (key: number, meta: Uint8Array) => void): Promise<Opened> {
    if (this.#isOpen) throw new StoreError("EBUSY", "the store is open")
    this.#isOpen = true
    for (const key of [...this.#entries.keys()].sort((a, b) => a - b)) visit(key, this.#entry(key).meta.slice())
    return { entries: this.#entries.size, cut: null }
  }

  put(key: number, meta: Uint8Array, body: Uint8Array): Promise<void> {
    return this.#change(key, () => this.#entries.set(key, { meta: Buffer.from(meta), body: Buffer.from(body) }))
  }

  setMeta(key: number, meta: Uint8Array): Promise<void> {
    return this.#change(key, () => {
      this.#entry(key).meta = Buffer.from(meta)
    })
  }

  remove(key: number): Promise<void> {
    return this.#change(key, () => {
      if (!this.#entries.delete(key)) throw noSuchEntry(key)
    })
  }

  async bodies(keys: readonly number[]): Promise<Uint8Array[]> {
    if (!this.#isOpen) throw notOpen()
    return keys.map(key => Buffer.from(this.#entry(key).body))
  }

  async close(): Promise<void> {
    this.#isOpen = false
  }

  #change(key: number, change: () => void): Promise<void> {
    try {
      if (!this.#isOpen) throw notOpen()
      checkKey(key)
      change()
      return SAFE
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #entry(key: number): Entry {
    const entry = this.#entries.get(key)
    if (entry === undefined) throw noSuchEntry(key)
    return entry
  }
}
