/** The simulated disk: what was synced survives a crash, and of the rest whatever a disk may leave. */
import fc from "fast-check"
import { createWorld, type Machine, type World } from "peerlane/testing"
import { describe, expect, it } from "vitest"
import type { DiskFile } from "../../patterns/store/disk.js"
import { codeOf } from "./echo.js"

/** Runs the world until it is done. */
async function finish<T>(world: World, promise: Promise<T>): Promise<T> {
  let over = false
  const done = () => {
    over = true
  }
  promise.then(done, done)
  await world.run({ until: () => over })
  return promise
}

async function create(machine: Machine, path = "d/f"): Promise<DiskFile> {
  const { disk } = machine.runtime
  await disk.makeDirectory("d")
  const file = await disk.open(path, true)
  await disk.syncDirectory("d")
  return file
}

async function contents(machine: Machine, path = "d/f"): Promise<Uint8Array> {
  const file = await machine.runtime.disk.open(path, false)
  return file.read(0, file.size)
}

/** A byte pattern by which each write can be told. */
const filled = (length: number, value: number) => new Uint8Array(length).fill(value)

describe("as long as nothing crashes", () => {
  it("a file holds what was written, with zeros in between, and what a truncate leaves", async () => {
    const step = fc.oneof(
      fc.record({ position: fc.nat(3000), length: fc.nat(2000), value: fc.integer({ min: 1, max: 255 }) }),
      fc.record({ size: fc.nat(3000) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async steps => {
        const world = createWorld({ seed: 1 })
        const machine = world.machine("a")
        const model: number[] = []
        const file = await finish(world, create(machine))
        for (const step of steps) {
          if ("size" in step) {
            await finish(world, file.truncate(step.size))
            while (model.length < step.size) model.push(0)
            model.length = step.size
          } else {
            const half = step.length >> 1
            const chunks = [filled(half, step.value), filled(step.length - half, step.value)]
            await finish(world, file.write(chunks, step.position))
            while (step.length > 0 && model.length < step.position) model.push(0)
            for (let at = 0; at < step.length; at++) model[step.position + at] = step.value
          }
          expect(file.size).toBe(model.length)
        }
        const read = await finish(world, contents(machine))
        expect([...read]).toEqual(model)
      }),
      { numRuns: 50 },
    )
  })

  it("has the codes of its contract", async () => {
    const world = createWorld({ seed: 1 })
    const { disk } = world.machine("a").runtime
    const code = (promise: Promise<unknown>) => finish(world, codeOf(promise))
    expect(await code(disk.open("d/f", true))).toBe("ENOENT")
    await finish(world, disk.makeDirectory("d/e"))
    await finish(world, disk.makeDirectory("d"))
    expect(await code(disk.open("d/f", false))).toBe("ENOENT")
    const file = await finish(world, disk.open("d/f", true))
    expect(await code(disk.open("d/f", true))).toBe("EEXIST")
    expect(await finish(world, disk.list("/d/"))).toEqual(["f"])
    const missing = [disk.list("x"), disk.remove("d/x"), disk.syncDirectory("x"), disk.lock("x")]
    expect(await finish(world, Promise.all(missing.map(codeOf)))).toEqual(new Array(4).fill("ENOENT"))
    const chunk = Buffer.from("abcdef")
    const write = file.write([chunk], 0)
    chunk.fill("x")
    await finish(world, write)
    await finish(world, disk.remove("d/f"))
    expect(await finish(world, disk.list("d"))).toEqual([])
    expect(String(Buffer.from(await finish(world, file.read(2, 10))))).toBe("cdef")
    await finish(world, file.close())
    const late = [file.read(0, 1), file.write([chunk], 0), file.sync(), file.truncate(0)]
    expect(await finish(world, Promise.all(late.map(codeOf)))).toEqual(new Array(4).fill("EBADF"))
  })

  it("takes time, more when it is slow; a sync takes about a millisecond", async () => {
    const world = createWorld({ seed: 1 })
    const machine = world.machine("a")
    const file = await finish(world, create(machine))
    const time = async (act: () => Promise<unknown>) => {
      const before = world.now
      await finish(world, act())
      return world.now - before
    }
    expect(await time(() => file.write([filled(9, 1)], 0))).toBeLessThanOrEqual(0.2)
    const sync = await time(() => file.sync())
    expect(sync).toBeGreaterThanOrEqual(0.5)
    machine.disk.slow(100, 1000)
    expect(await time(() => file.sync())).toBeGreaterThanOrEqual(50)
    expect(world.faults.diskSlow).toBe(1)
  })

  it("full: ENOSPC for writes and new files, until it ends; part of such a write may be there", async () => {
    const sizes = new Set<number>()
    for (let seed = 0; seed < 30; seed++) {
      const world = createWorld({ seed })
      const machine = world.machine("a")
      const file = await finish(world, create(machine))
      machine.disk.fill(100)
      expect(await finish(world, codeOf(file.write([filled(10, 1)], 0)))).toBe("ENOSPC")
      expect(await finish(world, codeOf(machine.runtime.disk.open("d/g", true)))).toBe("ENOSPC")
      expect(file.size).toBe(0)
      const left = await finish(world, contents(machine))
      expect([...left]).toEqual([...filled(left.length, 1)])
      sizes.add(left.length)
      world.after(100, () => {})
      await world.run()
      await finish(world, file.write([filled(10, 2)], 0))
      expect([...(await finish(world, contents(machine)))]).toEqual([...filled(10, 2)])
    }
    expect(sizes.size).toBeGreaterThan(5)
  })

  it("a directory is one owner's: EBUSY; a crash ends that", async () => {
    const world = createWorld({ seed: 1 })
    const machine = world.machine("a")
    await finish(world, machine.runtime.disk.makeDirectory("d"))
    const lock = await finish(world, machine.runtime.disk.lock("d"))
    expect(await finish(world, codeOf(machine.runtime.disk.lock("d")))).toBe("EBUSY")
    await finish(world, lock.unlock())
    await finish(world, machine.runtime.disk.lock("d"))
    machine.restart()
    await finish(world, machine.runtime.disk.lock("d"))
  })
})

describe("after a crash", () => {
  /** Writes of 100 to 2,000 bytes behind each other, synced after some; then a crash, at once or while the last is under way. */
  async function crashed(seed: number, lengths: number[], syncedAfter: number, wait: boolean) {
    const world = createWorld({ seed })
    const machine = world.machine("a")
    const file = await finish(world, create(machine))
    let position = 0
    const whole: number[] = []
    for (const [index, length] of lengths.entries()) {
      const write = file.write([filled(length, index + 1)], position)
      if (wait || index < syncedAfter) await finish(world, write)
      whole.push(...filled(length, index + 1))
      position += length
      if (index + 1 === syncedAfter) await finish(world, file.sync())
    }
    const safe = lengths.slice(0, syncedAfter).reduce((sum, length) => sum + length, 0)
    machine.restart()
    return { world, safe, whole, left: [...(await finish(world, contents(machine)))] }
  }

  const lengths = fc.array(fc.integer({ min: 100, max: 2000 }), { minLength: 1, maxLength: 5 })

  it("what was synced is there, and each other byte is as it was written, or not there", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), lengths, fc.nat(5), fc.boolean(), async (seed, lengths, synced, wait) => {
        const { left, safe, whole } = await crashed(seed, lengths, Math.min(synced, lengths.length), wait)
        expect(left.length).toBeGreaterThanOrEqual(safe)
        expect(left.length).toBeLessThanOrEqual(whole.length)
        expect(left.slice(0, safe)).toEqual(whole.slice(0, safe))
        for (let at = safe; at < left.length; at++) {
          if (left[at] !== whole[at] && left[at] !== 0) expect.fail(`byte ${at} is ${left[at]}`)
        }
      }),
      { numRuns: 200 },
    )
  })

  it("all ways to tear happen: nothing, all, a prefix that ends anywhere, sectors with holes before them", async () => {
    const ways = { nothing: 0, all: 0, prefix: 0, holes: 0 }
    for (let seed = 0; seed < 200; seed++) {
      const { left, safe, whole, world } = await crashed(seed, [700, 900, 1800], 1, true)
      const { tornWrite, lostWrite } = world.faults
      if (left.length === safe) {
        ways.nothing++
        expect([tornWrite, lostWrite]).toEqual([0, 1])
      } else if (left.every((byte, at) => byte === whole[at])) {
        if (left.length === whole.length) {
          ways.all++
          expect([tornWrite, lostWrite]).toEqual([0, 0])
        } else {
          ways.prefix++
          expect([tornWrite, lostWrite]).toEqual([1, 0])
        }
      } else {
        ways.holes++
        for (let at = Math.ceil(safe / 512) * 512; at + 512 <= left.length; at += 512) {
          const sector = left.slice(at, at + 512)
          const written = whole.slice(at, at + 512)
          // A sector in which two writes meet may have either of them.
          if (new Set(written).size === 1) expect(new Set(sector).size).toBe(1)
        }
      }
    }
    for (const [way, times] of Object.entries(ways)) expect(times, way).toBeGreaterThan(15)
  })

  it("a sync covers what had resolved when it was called, and no more", async () => {
    let lost = 0
    for (let seed = 0; seed < 50; seed++) {
      const world = createWorld({ seed })
      const machine = world.machine("a")
      const file = await finish(world, create(machine))
      await finish(world, file.write([filled(10, 1)], 0))
      const sync = file.sync()
      void file.write([filled(10, 2)], 10)
      await finish(world, sync)
      machine.restart()
      const left = await finish(world, contents(machine))
      expect([...left.slice(0, 10)]).toEqual([...filled(10, 1)])
      if (left.length < 20) lost++
    }
    expect(lost).toBeGreaterThan(10)
  })

  it("truncating may be undone, until it is synced", async () => {
    const sizes = new Set<number>()
    for (let seed = 0; seed < 40; seed++) {
      const world = createWorld({ seed })
      const machine = world.machine("a")
      const file = await finish(world, create(machine))
      await finish(world, file.write([filled(100, 1)], 0))
      await finish(world, file.sync())
      await finish(world, file.truncate(40))
      if (seed % 2 === 0) await finish(world, file.sync())
      machine.restart()
      const { length } = await finish(world, contents(machine))
      if (seed % 2 === 0) expect(length).toBe(40)
      else sizes.add(length)
    }
    expect(sizes).toEqual(new Set([40, 100]))
  })

  it("files that were made or removed may be gone, or there again, until their directory is synced", async () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 60; seed++) {
      const world = createWorld({ seed })
      const machine = world.machine("a")
      const old = await finish(world, create(machine, "d/old"))
      await finish(world, old.write([filled(5, 1)], 0))
      await finish(world, old.sync())
      await finish(world, machine.runtime.disk.remove("d/old"))
      const file = await finish(world, machine.runtime.disk.open("d/new", true))
      await finish(world, file.sync())
      const synced = seed % 3 === 0
      if (synced) await finish(world, machine.runtime.disk.syncDirectory("d"))
      machine.restart()
      const names = (await finish(world, machine.runtime.disk.list("d"))).sort().join()
      if (synced) expect(names).toBe("new")
      else seen.add(names)
      if (names.includes("old")) expect(await finish(world, contents(machine, "d/old"))).toEqual(filled(5, 1))
      expect(world.faults.lostName).toBe(synced ? 0 : Number(!names.includes("new")) + Number(names.includes("old")))
    }
    expect(seen).toEqual(new Set(["", "new", "old", "new,old"]))
  })
})
