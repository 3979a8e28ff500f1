/**
 * What a durable pattern asks of its store: entries with a number for a key, each with a small `meta` that its owner keeps
 * in memory, too, and a body that he does not. The store knows nothing of jobs. One conformance suite holds every store
 * to this (`storeConformance` of `peerlane/testing`).
 */

export interface Store {
  /**
   * Takes the store for this process alone (EBUSY), and shows every entry that is in it, in the order of keys. `meta` is
   * the visitor's. Rejects with a StoreError when the store is another version's or damaged where no crash can have done
   * it; nothing is changed then.
   */
  open(visit: (key: number, meta: Uint8Array) => void): Promise<Opened>
  /**
   * Adds an entry, or replaces it with its body. Keys are whole numbers from 0 to 2^48 - 1. This and the next two resolve
   * once the change is safe; what one process calls takes effect in the order of the calls. The bytes must not change until then.
   * Rejects with ENOSPC when the disk is full: that change has not happened, others may be tried. Changes that share a fate
   * may share a promise: who makes many has less to wait for.
   */
  put(key: number, meta: Uint8Array, body: Uint8Array): Promise<void>
  /** Replaces the meta of an entry that is there; its body stays. */
  setMeta(key: number, meta: Uint8Array): Promise<void>
  remove(key: number): Promise<void>
  /** The bodies of entries that are there, in the order asked for. They are the caller's. */
  bodies(keys: readonly number[]): Promise<Uint8Array[]>
  /** Waits for the changes that were begun, and gives the store up. */
  close(): Promise<void>
}

export interface Opened {
  readonly entries: number
  /** What a crash left behind half written and was cut off; null: nothing. */
  readonly cut: Cut | null
}

export interface Cut {
  readonly file: string
  /** Where it was cut, in bytes. */
  readonly at: number
  /** How many bytes were cut off. */
  readonly bytes: number
}
