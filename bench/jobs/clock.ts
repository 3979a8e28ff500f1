/** The machine's monotonic clock in microseconds: the same one in all processes, so that they can subtract each other's times. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1000
}
