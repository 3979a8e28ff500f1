/** Sorts the values in place. */
export function percentile(values: number[] | Float64Array, part: number): number {
  values.sort((a, b) => a - b)
  return values[Math.min(values.length - 1, Math.floor(values.length * part))]!
}
