/** The log while it runs: batches, a disk that fails, and compaction. */
import { describe, expect, it } from "vitest"
import { type LogOptions, logStore } from "../../patterns/store/log.js"
import { bytes, print, read, type State, textOf } from "./history.js"
import { type Operation, TornDisk } from "./torn-disk.js"

async function opened(disk: TornDisk, options: LogOptions = {}) {
  const store = logStore("log", disk, options)
  await store.open(() => {})
  return store
}

/** Counts the operations of a kind, and lets none fail. */
function counted(disk: TornDisk, kind: Operation): { count: number } {
  const counter = { count: 0 }
  disk.fault = operation => {
    if (operation === kind) counter.count++
    return null
  }
  return counter
}

/** Fails the next operation of a kind. */
function failNext(disk: TornDisk, kind: Operation, code: string): void {
  disk.fault = operation => {
    if (operation !== kind) return null
    disk.fault = () => null
    return code
  }
}

const ENTRY = bytes("b".repeat(50))
const again = (disk: TornDisk) => read(logStore("log", disk.copy()))

describe("group commit", () => {
  it("makes one write and one sync of what is called in one turn", async () => {
    const disk = new TornDisk()
    const store = await opened(disk)
    const [writes, before] = [counted(disk, "write"), disk.operations]
    await Promise.all(Array.from({ length: 1000 }, (_, key) => store.put(key, bytes("m"), ENTRY)))
    expect(writes.count).toBe(1)
    expect(disk.operations - before).toBe(3)
  })

  it("gathers the next changes of those who waited for the last batch", async () => {
    const disk = new TornDisk()
    const store = await opened(disk)
    const writes = counted(disk, "write")
    let key = 0
    const work = async () => {
      for (let turn = 0; turn < 10; turn++) await store.put(key++, bytes("m"), ENTRY)
    }
    await Promise.all(Array.from({ length: 50 }, work))
    expect(writes.count).toBe(10)
  })

  it("ends a batch at its limit, and a segment between batches", async () => {
    const disk = new TornDisk()
    const store = await opened(disk, { segmentBytes: 1000, maxBatchBytes: 400 })
    const writes = counted(disk, "write")
    await Promise.all(Array.from({ length: 20 }, (_, key) => store.put(key, bytes("m"), ENTRY)))
    // Five of 74 bytes in a batch, two batches in a segment.
    expect([writes.count, disk.segments.length]).toEqual([5, 2])
  })

  it("a segment that cannot be made rejects its batch alone", async () => {
    const disk = new TornDisk()
    const store = await opened(disk, { segmentBytes: 100 })
    await store.put(1, bytes("m"), ENTRY)
    failNext(disk, "create", "EMFILE")
    await expect(store.put(2, bytes("m"), ENTRY)).rejects.toMatchObject({ code: "EIO" })
    await store.put(3, bytes("m"), ENTRY)
    expect([...(await again(disk)).keys()]).toEqual([1, 3])
  })
})

describe("a disk that fails", () => {
  it("in a write: that batch has not happened, and the store goes on", async () => {
    const disk = new TornDisk()
    const store = await opened(disk)
    await store.put(1, bytes("m"), ENTRY)
    failNext(disk, "write", "EIO")
    const batch = [store.put(2, bytes("m"), ENTRY), store.remove(1)]
    for (const change of batch) await expect(change).rejects.toMatchObject({ code: "EIO" })
    await store.put(3, bytes("m"), ENTRY)
    expect((await store.bodies([1, 3])).map(textOf)).toEqual([textOf(ENTRY), textOf(ENTRY)])
    await expect(store.bodies([2])).rejects.toMatchObject({ code: "ENOENT" })
    expect([...(await again(disk)).keys()]).toEqual([1, 3])
  })

  it("in a sync: the batch is rejected, and the store takes nothing more until it is opened again", async () => {
    const disk = new TornDisk()
    const store = await opened(disk)
    await store.put(1, bytes("m"), ENTRY)
    failNext(disk, "sync", "EIO")
    await expect(store.put(2, bytes("m"), ENTRY)).rejects.toMatchObject({ code: "EIO" })
    await expect(store.put(3, bytes("m"), ENTRY)).rejects.toMatchObject({ code: "EIO", cause: { code: "EIO" } })
    expect((await store.bodies([1])).map(textOf)).toEqual([textOf(ENTRY)])
    await store.close()
    expect([...(await again(disk)).keys()]).toEqual([1])
  })

  it("in a write and in what takes it back: the same", async () => {
    const disk = new TornDisk()
    const store = await opened(disk)
    disk.fault = operation => (operation === "write" || operation === "truncate" ? "EIO" : null)
    await expect(store.put(2, bytes("m"), ENTRY)).rejects.toMatchObject({ code: "EIO" })
    disk.fault = () => null
    await expect(store.put(3, bytes("m"), ENTRY)).rejects.toMatchObject({ code: "EIO" })
    await store.close()
    expect((await again(disk)).size).toBe(0)
  })

  it("in open: nothing is held, and it may be tried again", async () => {
    const disk = new TornDisk()
    await (await opened(disk)).close()
    const store = logStore("log", disk)
    failNext(disk, "read", "EIO")
    await expect(store.open(() => {})).rejects.toMatchObject({ code: "EIO" })
    await store.open(() => {})
  })

  it("a visitor that throws is heard", async () => {
    const disk = new TornDisk()
    const store = await opened(disk)
    await store.put(1, bytes("m"), ENTRY)
    await store.close()
    const visitor = () => {
      throw new RangeError("no")
    }
    await expect(store.open(visitor)).rejects.toThrow(RangeError)
    await store.open(() => {})
  })
})

describe("compaction", () => {
  it("keeps the log within twice what lives and two segments, and loses nothing", async () => {
    const disk = new TornDisk()
    const store = await opened(disk, { segmentBytes: 2000 })
    const state: State = new Map()
    for (let turn = 0; turn < 2000; turn++) {
      const key = (turn * 7) % 40
      if (turn % 3 === 0 && state.has(key)) {
        await store.setMeta(key, bytes(`meta ${turn}`))
        state.set(key, { meta: `meta ${turn}`, body: state.get(key)!.body })
      } else if (turn % 5 === 0 && state.has(key)) {
        await store.remove(key)
        state.delete(key)
      } else {
        await store.put(key, bytes(`m${turn}`), bytes(`body ${turn}`))
        state.set(key, { meta: `m${turn}`, body: `body ${turn}` })
      }
    }
    await store.close()
    expect(disk.segments.length).toBeLessThan(8)
    const reopened = logStore("log", disk.copy())
    expect(print(await read(reopened))).toBe(print(state))
    expect(reopened.stats).toMatchObject({ entries: state.size, compactionFault: null })
  })

  it("moves an entry with the meta that it has now, however often", async () => {
    const disk = new TornDisk()
    const store = await opened(disk, { segmentBytes: 400 })
    await store.put(0, bytes("first"), bytes("old body"))
    await store.put(1, bytes("m"), ENTRY)
    await store.setMeta(0, bytes("second, longer"))
    for (let turn = 0; turn < 200; turn++) await store.put(1, bytes("m"), ENTRY)
    expect(disk.names.has("log/00000001.log")).toBe(false)
    expect((await store.bodies([0])).map(textOf)).toEqual(["old body"])
    expect((await again(disk)).get(0)).toEqual({ meta: "second, longer", body: "old body" })
  })

  it("removes an oldest segment in which nothing lives at once, also on a full disk", async () => {
    const disk = new TornDisk()
    const store = await opened(disk, { segmentBytes: 200 })
    for (let key = 0; key < 10; key++) await store.put(key, bytes("m"), ENTRY)
    const full = disk.segments.length
    for (const key of [0, 1, 2, 3]) await store.remove(key)
    await store.close()
    expect(disk.names.has("log/00000001.log")).toBe(false)
    expect(disk.segments.length).toBeLessThanOrEqual(full)
  })

  it("leaves a segment readable to who reads from it while it goes", async () => {
    const disk = new TornDisk()
    const store = await opened(disk, { segmentBytes: 200 })
    for (let key = 0; key < 4; key++) await store.put(key, bytes("m"), ENTRY)
    const read = store.bodies([0, 1])
    await Promise.all([store.remove(0), store.remove(1)])
    expect((await read).map(textOf)).toEqual([textOf(ENTRY), textOf(ENTRY)])
  })

  it("does not copy what is damaged", async () => {
    const disk = new TornDisk()
    const store = await opened(disk, { segmentBytes: 400 })
    await store.put(0, bytes("m"), bytes("precious"))
    const file = disk.names.get("log/00000001.log")!.bytes
    file[file.length - 1]! ^= 1
    for (let turn = 0; turn < 100; turn++) await store.put(1, bytes("m"), ENTRY)
    expect(store.stats.compactionFault).toMatchObject({ code: "EDAMAGED", file: "log/00000001.log", offset: 24 })
    expect(disk.names.has("log/00000001.log")).toBe(true)
  })
})
