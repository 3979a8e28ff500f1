/** What kind of disk the queues are on, and what a sync costs there: most of what durable figures are made of. */

import { closeSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from "node:fs"
import { join } from "node:path"
import { percentile } from "../percentile.js"

const kinds: Record<number, string> = {
  61267: "ext4",
  16914836: "tmpfs (no disk)",
  1481003842: "xfs",
  2435016766: "btrfs",
  2035054128: "overlayfs",
  801189825: "zfs",
}
const SYNCS = 100
const BYTES = 300

export function diskText(folder: string): string {
  const { type } = statfsSync(folder)
  const file = join(folder, "probe")
  const descriptor = openSync(file, "w")
  const micros: number[] = []
  for (let i = 0; i < SYNCS; i++) {
    const begun = performance.now()
    writeSync(descriptor, Buffer.alloc(BYTES))
    fdatasyncSync(descriptor)
    micros.push((performance.now() - begun) * 1000)
  }
  closeSync(descriptor)
  rmSync(file)
  const kind = kinds[type] ?? `0x${type.toString(16)}`
  return `${kind}; ${BYTES} bytes and fdatasync: p50 ${percentile(micros, 0.5).toFixed(0)} µs, p99 ${percentile(micros, 0.99).toFixed(0)} µs`
}
