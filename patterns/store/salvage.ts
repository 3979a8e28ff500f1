/**
 * Saves what can be read of a damaged log. Nothing is changed: what is shown can be put into a new store. An entry whose remove
 * cannot be read comes back, and one whose last meta cannot be read has an earlier one.
 */
import type { Disk } from "./disk.js"
import { readRecords } from "./reads.js"
import { openSegments, readLeniently } from "./recovery.js"
import type { Segment } from "./segment.js"
import { diskError } from "./store-error.js"

/**
 * Visits all readable entries in the order of keys, and waits for the visitor. Resolves with their number. EBUSY while the log is open
 * somewhere, ENOTSUP for one of another version.
 */
export async function salvage(
  directory: string,
  disk: Disk,
  visit: (key: number, meta: Uint8Array, body: Uint8Array) => void | Promise<void>,
): Promise<number> {
  const lock = await disk.lock(directory)
  let segments: Segment[] = []
  try {
    segments = await openSegments(directory, disk)
    const byNumber = new Map(segments.map(segment => [segment.number, segment]))
    const replay = await readLeniently(segments)
    for (const key of replay.index.keys()) {
      const { segment, offset, length, bodyLength } = replay.index.place(key)!
      const [record] = await readRecords([{ segment: byNumber.get(segment)!, offset, length }])
      await visit(key, replay.metaOf(key), record!.slice(length - bodyLength))
    }
    return replay.index.size
  } catch (error) {
    throw diskError(error, directory)
  } finally {
    for (const segment of segments) await segment.close()
    await lock.unlock()
  }
}
