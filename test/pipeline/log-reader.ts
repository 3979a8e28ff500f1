/** The files of a queue in a log, read by what patterns/store/README.md says of them, and by nothing else. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

export const HEADER = 24
const HEAD = 23
const [PUT, SET_META, REMOVE] = [1, 2, 3]

export interface LogRecord {
  readonly offset: number
  readonly end: number
  /** Where the batch begins that it was written in. */
  readonly batch: number
  readonly kind: number
  readonly key: number
  readonly meta: string
}

export interface LogFile {
  readonly name: string
  readonly bytes: Buffer
  readonly records: readonly LogRecord[]
}

export interface QueueState {
  /** The keys of all entries. */
  readonly entries: Set<number>
  /** Of jobs that are to be done. */
  readonly live: number[]
  /** Of dead letters. */
  readonly dead: number[]
}

export function filesOf(folder: string): Map<string, Buffer> {
  const names = readdirSync(folder).filter(name => name.endsWith(".log"))
  return new Map(names.sort().map(name => [name, readFileSync(join(folder, name))]))
}

/** Of a log that is whole. */
export function readLog(folder: string): LogFile[] {
  return [...filesOf(folder)].map(([name, bytes]) => {
    const records: LogRecord[] = []
    for (let offset = HEADER; offset < bytes.length; offset = records.at(-1)!.end) {
      const metaAt = offset + HEAD
      records.push({
        offset,
        end: offset + 8 + bytes.readUInt32LE(offset),
        batch: bytes.readUInt32LE(offset + 8),
        kind: bytes[offset + 12]!,
        key: bytes.readUIntLE(offset + 13, 6),
        meta: bytes.toString("utf8", metaAt, metaAt + bytes.readUInt32LE(offset + 19)),
      })
    }
    return { name, bytes, records }
  })
}

/** What a queue of one group is after these records. */
export function stateOf(records: Iterable<LogRecord>): QueueState {
  const metas = new Map<number, string>()
  for (const { kind, key, meta } of records) {
    if (kind === PUT || (kind === SET_META && metas.has(key))) metas.set(key, meta)
    else if (kind === REMOVE) metas.delete(key)
  }
  const [live, dead]: number[][] = [[], []]
  for (const [key, meta] of metas) {
    const { queue, u, g } = JSON.parse(meta) as { queue?: string; u?: number; g?: Record<string, { x?: number }> }
    if (queue !== undefined || u !== undefined) continue // the queue's name; the id of a job that is gone
    if (g?.["="]?.x === undefined) live!.push(key)
    else dead!.push(key)
  }
  return { entries: new Set(metas.keys()), live: live!, dead: dead! }
}
