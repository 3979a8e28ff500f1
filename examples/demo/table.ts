/** Plain text tables and the numbers in them. */

/** Columns as wide as they need to be: the first `left` of them flush left, the others flush right. */
export function table(rows: string[][], left = 1): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows
    .map(row => {
      const cells = row.map((cell, column) =>
        column < left ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      return `  ${cells.join("   ").trimEnd()}`
    })
    .join("\n")
}

export const whole = (value: number): string => Math.round(value).toLocaleString("en-US")

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

export const percent = (part: number, all: number): string => `${((100 * part) / (all || 1)).toFixed(0)} %`
