/**
 * Reads whole records at known places: neighbours in one read, each checked. Segments that are removed meanwhile stay readable
 * until it is done.
 */
import { RecordView } from "./record.js"
import type { Segment } from "./segment.js"
import { diskError, StoreError } from "./store-error.js"

export interface Wanted {
  readonly segment: Segment
  readonly offset: number
  /** Of the whole record. */
  readonly length: number
}

/** What is read at once at most, unless one record is longer. */
const RUN = 256 << 10

/** Neighbours in one read. */
interface Run {
  readonly segment: Segment
  readonly start: number
  end: number
  readonly wanted: Wanted[]
}

/** The records in the order asked for; some may share memory. EDAMAGED for one that is not as it was written. */
export async function readRecords(wanted: readonly Wanted[]): Promise<Uint8Array[]> {
  const runs = runsOf(wanted)
  for (const { segment } of runs) segment.retain()
  const records = await Promise.allSettled(runs.map(readRun))
  for (const { segment } of runs) await segment.release()
  return records.flatMap(result => {
    if (result.status === "rejected") throw result.reason
    return result.value
  })
}

function runsOf(wanted: readonly Wanted[]): Run[] {
  const runs: Run[] = []
  for (const one of wanted) {
    const run = runs.at(-1)
    const end = one.offset + one.length
    if (run !== undefined && run.segment === one.segment && one.offset >= run.start && end <= run.start + RUN) {
      run.wanted.push(one)
      run.end = Math.max(run.end, end)
    } else {
      runs.push({ segment: one.segment, start: one.offset, end, wanted: [one] })
    }
  }
  return runs
}

async function readRun({ segment, start, end, wanted }: Run): Promise<Uint8Array[]> {
  let bytes: Uint8Array
  try {
    bytes = await segment.file.read(start, end - start)
  } catch (error) {
    throw diskError(error, segment.path)
  }
  const record = new RecordView()
  return wanted.map(({ offset, length }) => {
    const at = offset - start
    const isWhole =
      record.readHead(bytes, at, offset, segment.size) &&
      record.length === length &&
      at + length <= bytes.length &&
      record.check(bytes, at, segment.number)
    if (isWhole) return bytes.subarray(at, at + length)
    throw new StoreError("EDAMAGED", "this record is not as it was written", { file: segment.path, offset })
  })
}
