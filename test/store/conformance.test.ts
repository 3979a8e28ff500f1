/** Every store is held to the same checks, which a user's own store can be held to as well. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { lmdbStore } from "peerlane/store/lmdb"
import { describe, it } from "vitest"
import { type StoreUnderTest, storeConformance } from "../../patterns/store/conformance.js"
import { logStore } from "../../patterns/store/log.js"
import { memoryStore } from "../../patterns/store/memory.js"
import { nodeDisk } from "../../patterns/store/node-disk.js"
import type { Store } from "../../patterns/store/store.js"
import { TornDisk } from "./torn-disk.js"

const inDirectory = (make: (path: string) => Store) => async (): Promise<StoreUnderTest> => {
  const path = mkdtempSync(join(tmpdir(), "peerlane-store-"))
  return {
    store: make(path),
    again: () => make(path),
    dispose: async () => rmSync(path, { recursive: true, force: true }),
  }
}

const inMemory = (make: () => () => Store) => async (): Promise<StoreUnderTest> => {
  const again = make()
  return { store: again(), again, dispose: async () => {} }
}

const stores: Record<string, () => Promise<StoreUnderTest>> = {
  memory: async () => ({ store: memoryStore(), again: null, dispose: async () => {} }),
  "log on the machine's disk": inDirectory(path => logStore(path, nodeDisk)),
  "log of small segments": inDirectory(path => logStore(path, nodeDisk, { segmentBytes: 100, maxBatchBytes: 50 })),
  "log on a disk in memory": inMemory(() => {
    const disk = new TornDisk()
    return () => logStore("log", disk)
  }),
  lmdb: inDirectory(path => lmdbStore(join(path, "db"))),
}

describe.each(Object.entries(stores))("%s", (_, make) => {
  for (const { name, run } of storeConformance(make)) it(name, run)
})
