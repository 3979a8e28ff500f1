/** The log on a disk that it has filled: what is refused, what still gets in, and how room comes back. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type LogOptions, logStore } from "../../patterns/store/log.js"
import { bytes, history, type Outcome, possible, print, read, take } from "./history.js"
import { TornDisk } from "./torn-disk.js"

const RESERVE = 16 << 10
const NAME = "log/reserve"
const BODY = new Uint8Array(1000)
const SMALL_BODY = new Uint8Array(20)

async function opened(disk: TornDisk, options: LogOptions = {}) {
  const store = logStore("log", disk, { segmentBytes: 4000, ...options })
  await store.open(() => {})
  return store
}

type Opened = Awaited<ReturnType<typeof opened>>

/** Puts until there is no room; how many got in. */
async function fill(store: Opened, first = 0): Promise<number> {
  for (let key = first; ; key++) {
    try {
      await store.put(key, bytes("m"), BODY)
    } catch (error) {
      expect(error).toMatchObject({ code: "ENOSPC" })
      return key - first
    }
  }
}

const reserveOf = (disk: TornDisk) => disk.names.get(NAME)?.bytes.length ?? null
const keysOf = async (disk: TornDisk) => [...(await read(logStore("log", disk.copy()))).keys()]

/** Lets what was begun in the background end. */
async function rest(): Promise<void> {
  await new Promise(resolve => setImmediate(resolve))
}

function small(room: number): TornDisk {
  const disk = new TornDisk()
  disk.capacity = RESERVE + room
  return disk
}

describe("a full disk", () => {
  it("refuses the puts of a batch and takes its other changes", async () => {
    const disk = small(10_000)
    const store = await opened(disk)
    const count = await fill(store)
    const put = store.put(100, bytes("m"), BODY)
    const replaced = store.put(1, bytes("m"), new Uint8Array(2000))
    const changes = [store.remove(0), store.setMeta(1, bytes("new")), store.put(2, bytes("shorter"), new Uint8Array(9))]
    await expect(put).rejects.toMatchObject({ code: "ENOSPC" })
    await expect(replaced).rejects.toMatchObject({ code: "ENOSPC" })
    await Promise.all(changes)
    expect(await keysOf(disk)).toEqual(Array.from({ length: count - 1 }, (_, at) => at + 1))
    const state = await read(logStore("log", disk.copy()))
    expect([state.get(1)?.meta, state.get(2)?.meta]).toEqual(["new", "shorter"])
  })

  it("gives up the reserve for a remove, and has it again when a segment has gone", async () => {
    const disk = small(10_000)
    const store = await opened(disk)
    expect(reserveOf(disk)).toBe(RESERVE)
    await fill(store)
    disk.capacity = [...disk.names.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
    await store.remove(1)
    expect(reserveOf(disk)).toBe(RESERVE / 2) // The other half is for when this one is used up.
    // What it has left is not for puts, however small.
    await expect(store.put(100, bytes(""), bytes(""))).rejects.toMatchObject({ code: "ENOSPC" })
    await Promise.all([store.remove(0), store.remove(2)])
    await rest()
    expect(disk.segments).not.toContain("log/00000001.log")
    await store.put(100, bytes(""), bytes(""))
    expect(reserveOf(disk)).toBe(RESERVE)
  })

  it("takes as many removes as the reserve has room for, and the rest when there is some", async () => {
    const disk = small(130_000)
    const store = await opened(disk, { segmentBytes: 50_000 })
    for (let first = 0; first < 5000; first += 250) {
      await Promise.all(Array.from({ length: 250 }, (_, at) => store.put(first + at, bytes(""), bytes(""))))
    }
    disk.capacity = [...disk.names.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
    let removed = 0
    // From the end, so that no segment goes.
    for (let key = 4999; key >= 0; key--) {
      const isDone = await store.remove(key).then(
        () => true,
        error => error.code,
      )
      if (isDone !== true) {
        expect(isDone).toBe("ENOSPC")
        break
      }
      removed++
    }
    expect(removed).toBe(Math.floor((RESERVE / 2 - 24) / 23))
    // The other half is for the oldest segment.
    for (let key = 0; key < 100; key++) await store.remove(key)
    expect(reserveOf(disk)).toBe(null)
    disk.capacity += 100_000
    for (let key = 100; key < 5000 - removed; key++) await store.remove(key)
    await rest()
    expect(store.stats.entries).toBe(0)
  })

  it("is emptied in the order of the puts, small as they are, and whatever stays of the first", async () => {
    const disk = small(200_000)
    const store = await opened(disk, { segmentBytes: 50_000 })
    await store.put(0, bytes("stays"), bytes("stays"))
    let count = 1
    for (let isFull = false; !isFull; ) {
      const puts = Array.from({ length: 20 }, (_, at) => store.put(count + at, bytes("meta"), SMALL_BODY))
      isFull = (await Promise.allSettled(puts)).some(({ status }) => status === "rejected")
      if (!isFull) count += 20
    }
    expect(count).toBeGreaterThan(4000)
    for (let key = 1; key < count; key++) await store.remove(key)
    await rest()
    expect(store.stats).toMatchObject({ entries: 1, compactionFault: null })
    expect(store.stats.diskBytes).toBeLessThan(10_000)
    await store.put(1, bytes(""), BODY)
    expect(reserveOf(disk)).toBe(RESERVE)
  })

  it("is emptied when all is in one segment, also when the removes need no reserve", async () => {
    const disk = small(20_000)
    const store = await opened(disk, { segmentBytes: 100_000 })
    await store.put(0, bytes("stays"), bytes(""))
    const count = await fill(store, 1)
    disk.capacity += count * 23 - 500
    for (let key = 1; key <= count; key++) await store.remove(key)
    await rest()
    expect(disk.segments).not.toContain("log/00000001.log")
    expect(await fill(store, 1)).toBeGreaterThanOrEqual(count - 1)
    expect(reserveOf(disk)).toBe(RESERVE)
  })
})

describe("the reserve", () => {
  it("is not of the log: it is not counted, and opens as it was left", async () => {
    const disk = new TornDisk()
    const store = await opened(disk)
    await store.put(1, bytes("m"), BODY)
    expect(store.stats.diskBytes).toBeLessThan(2000)
    await store.close()
    const before = disk.names.get(NAME)
    expect(await read(await closedLog(disk))).toHaveProperty("size", 1)
    expect(disk.names.get(NAME)).toBe(before)
  })

  it("that a crash has left half written is made whole, on a full disk as far as it was", async () => {
    for (const [capacity, expected] of [
      [Number.POSITIVE_INFINITY, 100_000],
      [70_024, 70_000],
    ] as const) {
      const disk = new TornDisk()
      disk.set(NAME, new Uint8Array(70_000))
      disk.capacity = capacity
      await opened(disk, { segmentBytes: 800_000 })
      expect(reserveOf(disk)).toBe(expected)
    }
  })

  it("that is longer than it should be is cut", async () => {
    const disk = new TornDisk()
    disk.set(NAME, new Uint8Array(70_000))
    await opened(disk)
    expect(reserveOf(disk)).toBe(RESERVE)
  })

  it("takes half of a small disk at most", async () => {
    const disk = new TornDisk()
    disk.capacity = 60_024
    await opened(disk, { segmentBytes: 1 << 20 })
    expect(reserveOf(disk)).toBe(30_000)
  })

  it("that has no room is no error: puts wait for it, and other changes do not", async () => {
    const disk = small(10_000)
    const store = await opened(disk)
    await fill(store)
    await store.close()
    disk.names.delete(NAME)
    disk.capacity -= RESERVE - 1000
    const again = await opened(disk)
    expect(reserveOf(disk)).toBe(0)
    await expect(again.put(100, bytes(""), bytes(""))).rejects.toMatchObject({ code: "ENOSPC" })
    await again.setMeta(1, bytes("new"))
    disk.capacity += RESERVE
    await again.put(100, bytes(""), bytes(""))
    expect(reserveOf(disk)).toBe(RESERVE)
  })

  it("that cannot be made for another reason is done without", async () => {
    const disk = new TornDisk()
    disk.fault = (operation, path) => (path === NAME && operation !== "remove" ? "EIO" : null)
    const store = await opened(disk)
    await store.put(1, bytes("m"), BODY)
    expect([reserveOf(disk), await keysOf(disk)]).toEqual([null, [1]])
  })
})

async function closedLog(disk: TornDisk) {
  return logStore("log", disk, { segmentBytes: 4000 })
}

it("a crash on a full disk leaves what was answered, and a beginning of the rest", async () => {
  const SMALL = { segmentBytes: 300, maxBatchBytes: 200 }
  const rooms = fc.integer({ min: 100, max: 900 })
  await fc.assert(
    fc.asyncProperty(
      history,
      rooms,
      fc.nat(200),
      fc.infiniteStream(fc.nat(2 ** 31 - 1)),
      async (steps, room, crashAt, numbers) => {
        const disk = small(room)
        const outcomes: Outcome[] = []
        disk.crashAt = crashAt + 1
        const run = async () => {
          const store = logStore("log", disk, SMALL)
          await store.open(() => {})
          await take(store, steps, outcomes)
        }
        await Promise.race([run(), disk.crashed])
        const survivor = disk.survivor(() => numbers.next().value / 2 ** 31)
        const found = print(await read(logStore("log", survivor, SMALL)))
        expect([...possible(steps, outcomes)]).toContain(found)
      },
    ),
    { numRuns: 1000 },
  )
})
