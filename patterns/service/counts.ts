/** Counts by name, of so many names at most: codes of errors may be any. */
const MOST = 1000

export class Counts {
  private readonly counts = new Map<string, number>()

  add(name: string): void {
    const known = this.counts.get(name)
    if (known !== undefined || this.counts.size < MOST) this.counts.set(name, (known ?? 0) + 1)
  }

  all(): Record<string, number> {
    return Object.fromEntries(this.counts)
  }
}
