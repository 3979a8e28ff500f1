/** Bytes as protocol texts write them: hex digits in any grouping, `'text'` in quotes, `00*7` for a byte that repeats. */
const TOKEN = /'([^']*)'(?:\*(\d+))?|([0-9A-Fa-f]{2})\*(\d+)|((?:[0-9A-Fa-f]{2})+)/y

export function hex(text: string): Uint8Array {
  const bytes: number[] = []
  const compact = text.trim()
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < compact.length) {
    const at = TOKEN.lastIndex
    if (/\s/.test(compact[at]!)) {
      TOKEN.lastIndex = at + 1
      continue
    }
    const match = TOKEN.exec(compact)
    if (match === null) throw new Error(`not hex: ${compact.slice(at)}`)
    const [, quoted, times, repeated, count, digits] = match
    if (quoted !== undefined) bytes.push(...Buffer.from(quoted.repeat(Number(times ?? 1)), "latin1"))
    else if (repeated !== undefined) bytes.push(...new Array(Number(count)).fill(Number.parseInt(repeated, 16)))
    else bytes.push(...Buffer.from(digits!, "hex"))
  }
  return Uint8Array.from(bytes)
}
