/**
 * A queue whose files were cut short, or have a byte that turned over, while nobody looked. What happens is worked out here from
 * the files as they were, by the rules of patterns/store/README.md: the end of the last batch is cut and reported; anything else
 * is refused, changes nothing, and can be saved but for what is damaged.
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Cut, logStore, nodeDisk, type Producer, type Store, type StoreError, salvage } from "peerlane/pipeline"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Random } from "../fuzz/random.js"
import { filesOf, HEADER, type LogFile, type LogRecord, type QueueState, readLog, stateOf } from "./log-reader.js"
import { stage } from "./stage.js"

const SEEDS = 60
const JOBS = 400
const QUEUE_ENTRY = 0

type Job = { n: number; text: string }
const jobOf = (n: number): Job => ({ n, text: `${n} `.repeat(20) })

const root = mkdtempSync(join(tmpdir(), "damage-"))
const whole = join(root, "whole")
const contentOf = (folder: string) =>
  [...filesOf(folder)].map(([name, bytes]) => name + bytes.toString("latin1")).join()
const storeAt = (folder: string): Store => logStore(folder, nodeDisk, { segmentBytes: 8 << 10 })
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** A way to damage the log, and what is to come of it. */
interface Damage {
  readonly what: string
  readonly file: LogFile
  readonly bytes: Buffer
  /** null: nobody can know that something is missing. */
  readonly cut: Cut | null
  /** Where it is found; null: it opens. */
  readonly damagedAt: number | null
  readonly left: QueueState
}

function* recordsOf(log: readonly LogFile[], without: (file: LogFile, record: LogRecord) => boolean) {
  for (const file of log) yield* file.records.filter(record => !without(file, record))
}

/** The tail of a file is gone. */
function cutShort(log: readonly LogFile[], file: LogFile, to: number): Damage {
  const what = `${file.name} is cut short at ${to} of ${file.bytes.length}`
  const bytes = file.bytes.subarray(0, to)
  const end = to < HEADER ? 0 : (file.records.filter(record => record.end <= to).at(-1)?.end ?? HEADER)
  const left = stateOf(recordsOf(log, (of, record) => of === file && record.end > end))
  if (file !== log.at(-1)) return { what, file, bytes, cut: null, damagedAt: end, left }
  const cut = end === to && to > 0 ? null : { file: file.name, at: end, bytes: to - end }
  return { what, file, bytes, cut, damagedAt: null, left }
}

/** A bit of a file is another one. */
function turnedOver(log: readonly LogFile[], file: LogFile, at: number, bit: number): Damage {
  const what = `${file.name} has a bit turned over at ${at}`
  const bytes = Buffer.from(file.bytes)
  bytes[at]! ^= 1 << bit
  const hit = file.records.find(({ offset, end }) => offset <= at && at < end)
  if (hit === undefined) {
    return { what, file, bytes, cut: null, damagedAt: 0, left: stateOf(recordsOf(log, () => false)) }
  }
  const isLastBatch = file === log.at(-1) && file.records.every(({ batch }) => batch <= hit.offset)
  if (!isLastBatch) {
    const left = stateOf(recordsOf(log, (_, record) => record === hit))
    return { what, file, bytes, cut: null, damagedAt: hit.offset, left }
  }
  const left = stateOf(recordsOf(log, (of, record) => of === file && record.offset >= hit.offset))
  const cut = { file: file.name, at: hit.offset, bytes: bytes.length - hit.offset }
  return { what, file, bytes, cut, damagedAt: null, left }
}

/** Somewhere, but where the queue's own name is not lost by it. */
function someDamage(log: readonly LogFile[], random: Random): Damage {
  const last = log.at(-1)!
  for (;;) {
    const file = random.once(2) ? last : random.pick(log)
    const { length } = file.bytes
    // The last batch is short: it is to be hit now and then.
    const at = random.once(3) ? length - 1 - random.below(Math.min(length, 300)) : random.below(length)
    const damage = random.once(2) ? cutShort(log, file, at) : turnedOver(log, file, at, random.below(8))
    if (damage.left.entries.has(QUEUE_ENTRY)) return damage
  }
}

describe("a queue whose files are damaged", () => {
  const { newProducer, consumer } = stage("peerlane", "peerlane")
  const makeProducer = (folder: string) => newProducer<Job>({ store: storeAt(folder), backoff: { min: 0, max: 0 } })
  let log: LogFile[] = []

  beforeAll(async () => {
    const jobs = makeProducer(whole)
    await jobs.ready()
    const send = (n: number) =>
      jobs.send(jobOf(n), { id: n % 3 === 0 ? `job ${n}` : undefined, maxAttempts: n % 10 === 0 ? 1 : 2 })
    for (let n = 1; n <= JOBS / 2; n++) await send(n)
    const worker = consumer(jobs)
    let handled = 0
    const half = new Promise<void>(resolve => {
      void worker.run(({ n }, { attempt }) => {
        if (++handled === JOBS / 2) resolve()
        if (n % 10 === 0) throw new Error("never")
        if (n % 7 === 0 && attempt === 1) throw new Error("not at once")
      })
    })
    await half
    await worker.close()
    for (let n = JOBS / 2 + 1; n <= JOBS; n += 5) await Promise.all([0, 1, 2, 3, 4].map(more => send(n + more)))
    await jobs.close()
    log = readLog(whole)
  }, 60_000)

  it("there is something to damage", () => {
    const { live, dead } = stateOf(recordsOf(log, () => false))
    expect(log.length).toBeGreaterThan(3)
    expect(live.length).toBeGreaterThan(JOBS / 2)
    expect(dead.length).toBeGreaterThan(5)
  })

  /** A copy with this damage; its folder. */
  function copyWith({ file, bytes }: Damage, name: string): string {
    const folder = join(root, name)
    cpSync(whole, folder, { recursive: true, filter: path => !path.endsWith(".sock") })
    writeFileSync(join(folder, file.name), bytes)
    return folder
  }

  /** Everything that is expected is there, and can be done. */
  async function expectAll(jobs: Producer<Job>, { live, dead }: QueueState): Promise<void> {
    expect(jobs.stats()).toMatchObject({ jobs: live.length + dead.length, dead: dead.length })
    const letters = await Promise.all([...jobs.dead].map(one => one.value()))
    expect(letters).toEqual(dead.sort((a, b) => a - b).map(jobOf))
    const seen: Job[] = []
    void consumer(jobs, { prefetch: 100 }).run(job => void seen.push(job))
    await jobs.drain()
    expect(seen.sort((a, b) => a.n - b.n)).toEqual(live.sort((a, b) => a - b).map(jobOf))
  }

  const ends = { whole: 0, cut: 0, refused: 0 }

  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))("seed %i", async seed => {
    const damage = someDamage(log, new Random(seed))
    const { what, cut, damagedAt, file, left } = damage
    const folder = copyWith(damage, String(seed))
    const cuts: Cut[] = []
    if (damagedAt === null) {
      const jobs = makeProducer(folder)
      jobs.on("cut", event => cuts.push(event))
      await jobs.ready()
      expect(cuts, what).toEqual(cut === null ? [] : [{ ...cut, file: join(folder, cut.file) }])
      await expectAll(jobs, left)
      ends[cut === null ? "whole" : "cut"]++
      return
    }
    const before = contentOf(folder)
    const broken = makeProducer(folder)
    const error: StoreError = await broken.ready().then(
      () => expect.fail(`opened, though ${what}`),
      reason => reason,
    )
    const said = { code: error.code, file: error.file, offset: error.offset, salvageable: error.salvageable }
    const { size } = left.entries
    expect(said, what).toEqual({
      code: "EDAMAGED",
      file: join(folder, file.name),
      offset: damagedAt,
      salvageable: size,
    })
    expect(error.message).toContain(`${size} entries can be saved (salvage)`)
    await expect(broken.send(jobOf(0))).rejects.toBe(error)
    await broken.close()
    expect(contentOf(folder)).toBe(before)

    const saved = storeAt(`${folder}-saved`)
    await saved.open(() => {})
    const puts: Promise<void>[] = []
    expect(await salvage(folder, nodeDisk, (...entry) => void puts.push(saved.put(...entry)))).toBe(size)
    await Promise.all(puts)
    await saved.close()
    expect(contentOf(folder)).toBe(before)
    const jobs = makeProducer(`${folder}-saved`)
    await jobs.ready()
    await expectAll(jobs, left)
    ends.refused++
  })

  it("met all that may happen", () => {
    expect(ends.whole + ends.cut + ends.refused).toBe(SEEDS)
    expect(ends.cut).toBeGreaterThan(10)
    expect(ends.refused).toBeGreaterThan(10)
  })
})
