/**
 * The log after a crash, by property: a random history on a disk that tears what was not synced, ended at any operation. What was
 * answered is there; what was not is there as far as some step of the history, and nothing of what came behind that.
 */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { logStore } from "../../patterns/store/log.js"
import { churn, history, type Outcome, possible, print, read, type Step, take } from "./history.js"
import { TornDisk } from "./torn-disk.js"

/** Of the log, when its segments are small. */
const RESERVE = 16 << 10
const SMALL = { segmentBytes: 300, maxBatchBytes: 200 }
const TINY = { segmentBytes: 100, maxBatchBytes: 100 }
const randomFrom = (numbers: fc.Stream<number>) => () => numbers.next().value / 2 ** 31

/** The states that a life may leave on the disk, which ends at an operation, or when all is done. */
async function live(disk: TornDisk, steps: readonly Step[], crashAt: number, options = SMALL): Promise<Set<string>> {
  const outcomes: Outcome[] = []
  disk.crashAt = crashAt
  const store = logStore("log", disk, options)
  const run = async () => {
    await store.open(() => {})
    await take(store, steps, outcomes)
  }
  await Promise.race([run(), disk.crashed])
  disk.crash()
  return possible(steps, outcomes)
}

describe("the log after a crash", () => {
  it("is what was answered, and a beginning of the rest", async () => {
    await fc.assert(
      fc.asyncProperty(
        history,
        fc.nat(150),
        fc.infiniteStream(fc.nat(2 ** 31 - 1)),
        async (steps, crashAt, numbers) => {
          const disk = new TornDisk()
          const states = await live(disk, steps, crashAt + 1)
          const found = print(await read(logStore("log", disk.survivor(randomFrom(numbers)), SMALL)))
          expect([...states]).toContain(found)
        },
      ),
      { numRuns: 1500 },
    )
  })

  it("is that in the middle of compaction, too", async () => {
    const crashes = fc.nat(400)
    await fc.assert(
      fc.asyncProperty(churn, crashes, fc.infiniteStream(fc.nat(2 ** 31 - 1)), async (steps, crashAt, numbers) => {
        const disk = new TornDisk()
        const states = await live(disk, steps, crashAt + 1, TINY)
        const found = print(await read(logStore("log", disk.survivor(randomFrom(numbers)), TINY)))
        expect([...states]).toContain(found)
      }),
      { numRuns: 1500 },
    )
  })

  it("is the same when the crash comes again while it is repaired", async () => {
    const crashes = fc.tuple(fc.nat(100), fc.nat(6))
    await fc.assert(
      fc.asyncProperty(
        history,
        crashes,
        fc.infiniteStream(fc.nat(2 ** 31 - 1)),
        async (steps, [first, second], numbers) => {
          const disk = new TornDisk()
          const random = randomFrom(numbers)
          const states = await live(disk, steps, first + 1)
          const torn = disk.survivor(random)
          await live(torn, [], second + 1)
          const found = print(await read(logStore("log", torn.survivor(random), SMALL)))
          expect([...states]).toContain(found)
        },
      ),
      { numRuns: 500 },
    )
  })

  it("is a disk that runs full: what was refused is not there, and what was answered is", async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.integer({ min: 100, max: 900 }), async (steps, capacity) => {
        const disk = new TornDisk()
        disk.capacity = RESERVE + capacity
        const outcomes: Outcome[] = []
        const store = logStore("log", disk, SMALL)
        await store.open(() => {})
        await take(store, steps, outcomes)
        expect(outcomes).not.toContain(null)
        await store.close()
        const found = print(await read(logStore("log", disk.copy(), SMALL)))
        expect([...possible(steps, outcomes)]).toEqual([found])
      }),
      { numRuns: 500 },
    )
  })
})
