/**
 * Reads the records of a segment one behind the other, a chunk at a time: never the whole file, and never by a length
 * that only a record claims. A record that is longer than a chunk is checked piece by piece.
 */
import type { DiskFile } from "./disk.js"
import { Checksum, coveredFrom, HEAD, RecordView } from "./record.js"
import type { Segment } from "./segment.js"

const CHUNK = 1 << 20

/**
 * Visits valid records from an offset on. Resolves with where it ended: the size of the file, or where no valid record begins.
 * The record and its meta are good until `visit` returns.
 */
export async function scanRecords(
  { file, number }: Segment,
  from: number,
  visit: (record: RecordView) => void,
): Promise<number> {
  const record = new RecordView()
  let offset = from
  while (offset < file.size) {
    const chunk = await file.read(offset, CHUNK)
    let at = 0
    while (record.readHead(chunk, at, offset + at, file.size) && at + record.length <= chunk.length) {
      if (!record.check(chunk, at, number)) return offset + at
      visit(record)
      at += record.length
    }
    offset += at
    if (at > 0) continue
    // Not even one: it is longer than a chunk, or none.
    if (!record.readHead(chunk, 0, offset, file.size)) return offset
    if (record.length <= chunk.length || !(await checkLong(file, number, record))) return offset
    visit(record)
    offset += record.length
  }
  return offset
}

/** Where the first valid record begins from an offset on whose batch began there or later; -1: nowhere. Tries every byte. */
export async function findRecord({ file, number }: Segment, from: number, batchStart: number): Promise<number> {
  const record = new RecordView()
  for (let start = from; start + HEAD <= file.size; start += CHUNK) {
    // A little more, so that a head that begins in this chunk is in it.
    const chunk = await file.read(start, CHUNK + HEAD - 1)
    for (let at = 0; at + HEAD <= chunk.length; at++) {
      if (!record.readHead(chunk, at, start + at, file.size) || record.batchStart < batchStart) continue
      const isHere = at + record.length <= chunk.length
      if (isHere ? record.check(chunk, at, number) : await checkLong(file, number, record)) return start + at
    }
  }
  return -1
}

async function checkLong(file: DiskFile, segment: number, record: RecordView): Promise<boolean> {
  const sum = new Checksum(segment, record.offset)
  const end = record.offset + record.length
  const metaFrom = record.offset + HEAD
  const meta = new Uint8Array(record.metaLength)
  for (let position = coveredFrom(record.offset); position < end; ) {
    const chunk = await file.read(position, Math.min(CHUNK, end - position))
    if (chunk.length === 0) return false
    sum.add(chunk)
    const first = Math.max(metaFrom - position, 0)
    const last = Math.min(metaFrom + meta.length - position, chunk.length)
    if (first < last) meta.set(chunk.subarray(first, last), position + first - metaFrom)
    position += chunk.length
  }
  record.meta = meta
  return sum.value === record.checksum
}
