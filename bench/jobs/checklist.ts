/** Which of the jobs came: each is to come once, and nobody dies in a bench, so one that comes again is a fault. */
export class Checklist {
  private readonly seen: Uint8Array
  private count = 0
  private wanted = Number.POSITIVE_INFINITY
  private wake: () => void = () => {}

  constructor(total: number) {
    this.seen = new Uint8Array(total)
  }

  check(n: number): void {
    if (!(n < this.seen.length)) throw new Error(`a job has the number ${n}, and there are ${this.seen.length}`)
    this.seen[n]!++
    if (++this.count === this.wanted) this.wake()
  }

  /** Resolves when so many have come in all. */
  async checked(count: number): Promise<void> {
    if (this.count >= count) return
    this.wanted = count
    await new Promise<void>(resolve => (this.wake = resolve))
  }

  /** Throws when one is missing or came again. */
  verify(): void {
    const missing = this.seen.filter(times => times === 0).length
    const again = this.seen.filter(times => times > 1).length
    if (missing + again > 0)
      throw new Error(`of ${this.seen.length} jobs ${missing} are missing and ${again} came again`)
  }
}
