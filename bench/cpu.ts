/** Processor time, which other work on the machine does not change as it does the time on the clock. In microseconds. */

import { readFileSync } from "node:fs"

/** Of a tick in /proc: Linux shows programs 100 a second on all machines. */
const TICK = 10_000

export function ownCpu(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Of another process with all of its threads; NaN where there is no /proc. */
export function cpuOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // Behind the name, which may have spaces and brackets: state, 10 others, then user and system time.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return (Number(fields[11]) + Number(fields[12])) * TICK
  } catch {
    return Number.NaN
  }
}
