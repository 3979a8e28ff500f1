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

class MemoryStore implements Store {
  readonly #entries = new Map<number, Entry>()
  #isOpen = false

  async open(visit: (key: number, meta: Uint8Array) => void): Promise<Opened> {
    if (this.#isOpen) throw new StoreError("EBUSY", "the store is open")
    this.#isOpen = true
    for (const key of [...this.#entries.keys()].sort((a, b) => a - b)) visit(key, this.#entry(key).meta.slice())
    return { entries: this.#entries.size, cut: null }
  }

  async put(key: number, meta: Uint8Array, body: Uint8Array): Promise<void> {
    this.#check(key)
    this.#entries.set(key, { meta: Uint8Array.from(meta), body: Uint8Array.from(body) })
  }

  async setMeta(key: number, meta: Uint8Array): Promise<void> {
    this.#check(key)
    this.#entry(key).meta = Uint8Array.from(meta)
  }

  async remove(key: number): Promise<void> {
    this.#check(key)
    if (!this.#entries.delete(key)) throw noSuchEntry(key)
  }

  async bodies(keys: readonly number[]): Promise<Uint8Array[]> {
    if (!this.#isOpen) throw notOpen()
    return keys.map(key => Uint8Array.from(this.#entry(key).body))
  }

  async close(): Promise<void> {
    this.#isOpen = false
  }

  #check(key: number): void {
    if (!this.#isOpen) throw notOpen()
    checkKey(key)
  }

  #entry(key: number): Entry {
    const entry = this.#entries.get(key)
    if (entry === undefined) throw noSuchEntry(key)
    return entry
  }
}
