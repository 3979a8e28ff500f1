/**
 * What a store does on this machine's disk: puts with so many in flight, and a log of a million entries opened again, with the
 * memory that it then takes. Run by itself: `npm run build && node --expose-gc dist/bench/store.js [directory]`; a directory
 * in memory (tmpfs) would measure no disk.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { lmdbStore } from "../patterns/store/lmdb/index.js"
import { logStore } from "../patterns/store/log.js"
import { nodeDisk } from "../patterns/store/node-disk.js"
import type { Store } from "../patterns/store/store.js"

const META = new Uint8Array(40).fill(1)
const BODY = new Uint8Array(200).fill(2)
const MILLION = 1_000_000
const root = process.argv[2] ?? tmpdir()

async function fill(store: Store, count: number, inFlight: number): Promise<number> {
  let key = 0
  const work = async () => {
    while (key < count) await store.put(key++, META, BODY)
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: inFlight }, work))
  return count / ((performance.now() - start) / 1000)
}

/** Bytes on the heap and beside it, behind a collection of garbage. */
function memory(): { heap: number; buffers: number } {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { heap: heapUsed, buffers: arrayBuffers }
}

const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`

async function puts(name: string, make: (path: string) => Store, inFlight: number, count: number): Promise<void> {
  const path = mkdtempSync(join(root, "peerlane-bench-"))
  const store = make(path)
  await store.open(() => {})
  const rate = await fill(store, count, inFlight)
  await store.close()
  rmSync(path, { recursive: true })
  console.log(`${name}: ${Math.round(rate)} puts/s of ${BODY.length} bytes, ${inFlight} in flight`)
}

async function reopen(): Promise<void> {
  const path = mkdtempSync(join(root, "peerlane-bench-"))
  const first = logStore(path, nodeDisk)
  await first.open(() => {})
  await fill(first, MILLION, 4096)
  await first.close()
  const before = memory()
  const second = logStore(path, nodeDisk)
  const start = performance.now()
  let bytes = 0
  await second.open((_, meta) => {
    bytes += meta.length
  })
  const seconds = (performance.now() - start) / 1000
  const after = memory()
  console.log(
    `log: ${MILLION} entries opened again in ${seconds.toFixed(2)} s (${megabytes(second.stats.diskBytes)} on disk, ` +
      `${megabytes(bytes)} of metas shown); heap ${megabytes(after.heap - before.heap)} more, ` +
      `buffers ${megabytes(after.buffers - before.buffers)} more`,
  )
  await second.close()
  rmSync(path, { recursive: true })
}

const log = (path: string) => logStore(path, nodeDisk)
await puts("log", log, 1, 2_000)
await puts("log", log, 256, 200_000)
await puts("lmdb", path => lmdbStore(path), 1, 2_000)
await puts("lmdb", path => lmdbStore(path), 256, 100_000)
await reopen()
