/**
 * The cut and flip drill: files of a log that was closed in peace, cut short or with a bit turned over. What opens is what was put, or
 * lacks the end, and says so; what does not open says where it is damaged. Never a wrong body, never another kind of error.
 */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { logStore } from "../../patterns/store/log.js"
import { salvage } from "../../patterns/store/salvage.js"
import { StoreError } from "../../patterns/store/store-error.js"
import { bytes, history, type Outcome, read, type State, type Step, take, textOf } from "./history.js"
import { TornDisk } from "./torn-disk.js"

const SMALL = { segmentBytes: 300, maxBatchBytes: 200 }

async function written(steps: readonly Step[], options = SMALL): Promise<TornDisk> {
  const disk = new TornDisk()
  const store = logStore("log", disk, options)
  const outcomes: Outcome[] = []
  await store.open(() => {})
  await take(store, steps, outcomes)
  await store.close()
  return disk
}

/** What opens, with what was cut; or the error that `open` rejected with. */
async function reopen(disk: TornDisk): Promise<{ state: State; cutFile: string | null } | StoreError> {
  const store = logStore("log", disk, SMALL)
  let cutFile: string | null = null
  try {
    cutFile = (await store.open(() => {})).cut?.file ?? null
    await store.close()
    return { state: await read(logStore("log", disk, SMALL)), cutFile }
  } catch (error) {
    if (error instanceof StoreError) return error
    throw error
  }
}

const lastOf = (disk: TornDisk) => disk.segments.at(-1)!

/** Each entry was once put, by these steps, with this body. */
function expectNoneMadeUp(state: State, steps: readonly Step[]): void {
  for (const [key, { meta, body }] of state) {
    expect(steps.some(step => step.kind === "put" && step.key === key && step.body === body)).toBe(true)
    expect(steps.some(step => step.kind !== "remove" && step.key === key && step.meta === meta)).toBe(true)
  }
}

describe("a log with a bit turned over", () => {
  it("opens without its end, or is damaged there; nothing is changed then", async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), fc.nat(), async (steps, which, bit) => {
        const disk = await written(steps)
        const names = disk.segments
        const name = names[which % names.length]!
        const file = disk.names.get(name)!.bytes
        const at = bit % (file.length * 8)
        file[at >> 3]! ^= 1 << (at & 7)
        const before = [...disk.names].map(([path, { bytes }]) => `${path} ${Buffer.from(bytes).toString("hex")}`)
        const found = await reopen(disk)
        if (found instanceof StoreError) {
          expect(found.code).toBe("EDAMAGED")
          expect(found.file).toBe(name)
          expect(found.offset).toBeLessThanOrEqual(at >> 3)
          expect(found.salvageable).toBeGreaterThanOrEqual(0)
          expect([...disk.names].map(([path, { bytes }]) => `${path} ${Buffer.from(bytes).toString("hex")}`)).toEqual(
            before,
          )
          const saved: State = new Map()
          const count = await salvage("log", disk, (key, meta, body) => {
            saved.set(key, { meta: textOf(meta), body: textOf(body) })
          })
          expect([count, saved.size]).toEqual([found.salvageable, found.salvageable])
          expectNoneMadeUp(saved, steps)
        } else {
          expect(found.cutFile).toBe(name)
          expect(name).toBe(lastOf(await written(steps)))
          expectNoneMadeUp(found.state, steps)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it("of the batch before the last is damaged there, with the others to be saved", async () => {
    const disk = new TornDisk()
    const store = logStore("log", disk)
    await store.open(() => {})
    for (const key of [1, 2, 3]) await store.put(key, bytes("meta"), bytes(`body ${key}`))
    const body = Buffer.from(disk.names.get("log/00000001.log")!.bytes).indexOf("body 2")
    disk.names.get("log/00000001.log")!.bytes[body]! ^= 1
    await expect(store.bodies([2])).rejects.toMatchObject({ code: "EDAMAGED", file: "log/00000001.log" })
    expect((await store.bodies([1, 3])).map(textOf)).toEqual(["body 1", "body 3"])
    await store.close()
    const offset = 24 + 23 + 4 + 6
    const error = { code: "EDAMAGED", file: "log/00000001.log", offset, salvageable: 2 }
    await expect(logStore("log", disk).open(() => {})).rejects.toMatchObject(error)
    const saved: string[] = []
    expect(
      await salvage("log", disk, (key, meta, body) => void saved.push(`${key} ${textOf(meta)} ${textOf(body)}`)),
    ).toBe(2)
    expect(saved).toEqual(["1 meta body 1", "3 meta body 3"])
  })
})

describe("a log that was cut short", () => {
  it("opens without its end where that was the last segment, and is damaged elsewhere", async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), fc.nat(), async (steps, which, size) => {
        const disk = await written(steps)
        const names = disk.segments
        const name = names[which % names.length]!
        const file = disk.names.get(name)!.bytes
        disk.set(name, file.slice(0, size % file.length))
        const found = await reopen(disk)
        if (name === names.at(-1)) {
          expect(found).not.toBeInstanceOf(StoreError)
          expectNoneMadeUp((found as { state: State }).state, steps)
        } else expect(found).toMatchObject({ code: "EDAMAGED", file: name })
      }),
      { numRuns: 500 },
    )
  })

  it("where a record ends is noticed, too, as the next segment knows", async () => {
    const disk = new TornDisk()
    const store = logStore("log", disk, SMALL)
    await store.open(() => {})
    for (let key = 0; key < 9; key++) await store.put(key, bytes("m"), bytes("b".repeat(40)))
    await store.close()
    const name = "log/00000001.log"
    disk.set(name, disk.names.get(name)!.bytes.slice(0, 24 + 64))
    expect(await reopen(disk)).toMatchObject({ code: "EDAMAGED", file: name, offset: 24 + 64 })
  })

  it("by a whole segment in the middle is damaged", async () => {
    const disk = new TornDisk()
    const store = logStore("log", disk, SMALL)
    await store.open(() => {})
    for (let key = 0; key < 20; key++) await store.put(key, bytes("m"), bytes("b".repeat(80)))
    await store.close()
    disk.names.delete("log/00000002.log")
    expect(await reopen(disk)).toMatchObject({ code: "EDAMAGED", file: "log/00000002.log", offset: 0 })
  })
})

it("a body that holds a log is no part of one, wherever the crash tears it", async () => {
  const steps: Step[] = [1, 2, 3].map(key => ({ kind: "put", key, meta: "m", body: "b".repeat(40), pause: -1 }))
  const inner = [...(await written(steps, { segmentBytes: 4096, maxBatchBytes: 4096 })).names.values()][0]!.bytes
  const disk = new TornDisk()
  const store = logStore("log", disk)
  await store.open(() => {})
  await store.put(9, bytes("m"), inner)
  await store.close()
  const name = lastOf(disk)
  disk.set(name, disk.names.get(name)!.bytes.slice(0, -3))
  expect(await reopen(disk)).toMatchObject({ cutFile: name, state: new Map() })
})

it("a log of another version is ENOTSUP, and names both", async () => {
  const { crc32 } = await import("node:zlib")
  const disk = await written([])
  const header = Buffer.from(disk.names.get("log/00000001.log")!.bytes)
  header.writeUInt32LE(7, 8)
  header.writeUInt32LE(crc32(header.subarray(0, 20)), 20)
  disk.set("log/00000001.log", header)
  const found = await reopen(disk)
  expect(found).toMatchObject({ code: "ENOTSUP", file: "log/00000001.log" })
  expect((found as StoreError).message).toMatch(/format 7.*format 1/)
})
