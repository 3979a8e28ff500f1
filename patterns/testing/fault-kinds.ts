/** The kinds of faults, each of which is counted when it takes place. */

export const FAULT_KINDS = [
  "cut",
  "partition",
  "slow",
  "reorder",
  "duplicate",
  "diskFull",
  "diskSlow",
  "crash",
  "tornWrite",
  "lostWrite",
  "lostName",
  "stall",
  "clockJump",
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]
export type Faults = Record<FaultKind, number>

export function noFaults(): Faults {
  return Object.fromEntries(FAULT_KINDS.map(kind => [kind, 0])) as Faults
}
