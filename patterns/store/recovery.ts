/**
 * Opens a log: reads all segments, oldest first, and tells what a crash has done from what no crash can have done.
 *
 * A batch is written behind what is safe, and the next one only when it is safe itself. So a crash leaves at most one batch that is
 * not whole, and it is the last thing in the last segment. Whatever the disk kept of it, any record in it says by `batchStart` that
 * its batch began at or before the first record that is not valid; a record of a batch that began later can only have been written
 * when all before it was safe. Hence, where a record is not valid:
 *
 * - in the last segment, and no valid record behind it has a batch that began later: the tail is cut off there;
 * - anywhere else, or where a segment is not as long as the next one says that it was: the log is damaged, nothing is changed, and `open` is refused.
 *
 * A last segment without a whole header and without records was being made when the crash came: it is removed. A number that
 * is missing between others is damage.
 */
import type { Disk } from "./disk.js"
import { Replay } from "./replay.js"
import { findRecord, scanRecords } from "./scan.js"
import { HEADER, nameOf, numbersOf, readHeader, Segment } from "./segment.js"
import { Segments } from "./segments.js"
import type { Cut } from "./store.js"
import { diskError, StoreError } from "./store-error.js"

export interface Recovered {
  readonly segments: Segments
  readonly replay: Replay
  readonly cut: Cut | null
}

/** Reads the log, and repairs what a crash left. EDAMAGED and ENOTSUP: nothing was changed. */
export async function recover(directory: string, disk: Disk): Promise<Recovered> {
  let found: Segment[] = []
  try {
    found = await openSegments(directory, disk)
    const { replay, cut } = await read(found, directory)
    const kept = await repair(found, cut, directory, disk)
    return { segments: new Segments(directory, disk, kept), replay, cut }
  } catch (error) {
    for (const segment of found) await segment.close()
    throw diskError(error, directory)
  }
}

/** All segments that are there, oldest first. */
export async function openSegments(directory: string, disk: Disk): Promise<Segment[]> {
  const segments: Segment[] = []
  try {
    for (const number of numbersOf(await disk.list(directory))) {
      const path = `${directory}/${nameOf(number)}`
      segments.push(new Segment(number, path, await disk.open(path, false)))
    }
  } catch (error) {
    for (const segment of segments) await segment.close()
    throw error
  }
  return segments
}

/** Everything that is readable, whatever lies between: for salvage, and to say how much there is to save. */
export async function readLeniently(segments: readonly Segment[]): Promise<Replay> {
  const replay = new Replay()
  for (const segment of segments) {
    await readHeader(segment)
    for (let from = HEADER; from >= 0 && from < segment.size; ) {
      const end = await scanRecords(segment, from, record => replay.apply(segment.number, record))
      from = end < segment.size ? await findRecord(segment, end + 1, 0) : -1
    }
  }
  return replay
}

async function read(segments: readonly Segment[], directory: string): Promise<{ replay: Replay; cut: Cut | null }> {
  const replay = new Replay()
  let cut: Cut | null = null
  for (const [at, segment] of segments.entries()) {
    const { number, path, size } = segment
    const isLast = at === segments.length - 1
    const expected = segments[0]!.number + at
    if (number !== expected) {
      throw await damaged(segments, `${directory}/${nameOf(expected)}`, 0, "this segment is missing")
    }
    const sizeBefore = await readHeader(segment)
    if (sizeBefore < 0) {
      if (!isLast || size > HEADER) throw await damaged(segments, path, 0, "the header is not as it was written")
      cut = { file: path, at: 0, bytes: size }
      break
    }
    const before = segments[at - 1]
    if (before !== undefined && before.size !== sizeBefore) {
      throw await damaged(
        segments,
        before.path,
        Math.min(before.size, sizeBefore),
        `it was ended at ${sizeBefore} bytes`,
      )
    }
    const end = await scanRecords(segment, HEADER, record => replay.apply(number, record))
    if (end === size) continue
    if (!isLast || (await findRecord(segment, end + 1, end + 1)) >= 0) {
      throw await damaged(segments, path, end, "what stands here is not as it was written, and was safe")
    }
    cut = { file: path, at: end, bytes: size - end }
  }
  return { replay, cut }
}

/** Cuts, and makes safe what was found: a process that died before its sync may have left it with the system alone. */
async function repair(found: Segment[], cut: Cut | null, directory: string, disk: Disk): Promise<Segment[]> {
  const kept = [...found]
  if (cut?.at === 0) {
    const half = kept.pop()!
    await half.close()
    await disk.remove(half.path)
  }
  const tail = kept.at(-1)
  if (tail !== undefined) {
    if (cut !== null && cut.at > 0) {
      await tail.file.truncate(cut.at)
      tail.size = cut.at
    }
    await tail.file.sync()
  }
  await disk.syncDirectory(directory)
  if (tail === undefined) kept.push(await Segment.create(directory, disk, 1, 0))
  return kept
}

async function damaged(segments: readonly Segment[], file: string, offset: number, text: string): Promise<StoreError> {
  const salvageable = (await readLeniently(segments)).index.size
  const saved = `${salvageable} ${salvageable === 1 ? "entry" : "entries"} can be saved (salvage)`
  return new StoreError("EDAMAGED", `${text}; ${saved}`, { file, offset, salvageable })
}
