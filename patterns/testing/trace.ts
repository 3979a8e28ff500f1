/**
 * What happened, as a number: every event is mixed into a hash of 64 bits, so that two runs were the same when their hashes
 * are. Lines of text are kept as well, the last ones only, and only where somebody wants to read them.
 */

export class Trace {
  /** Lines are wanted: to be asked before one is made. */
  readonly keeps: boolean
  private readonly ring: string[] = []
  private readonly words = new Int32Array(2)
  private readonly time = new Float64Array(1)
  private readonly timeWords = new Int32Array(this.time.buffer)
  private written = 0

  constructor(private readonly limit: number) {
    this.keeps = limit > 0
  }

  mix(value: number): void {
    const { words } = this
    const mixed = Math.imul(words[0]! ^ value, 0x85ebca6b)
    words[0] = mixed ^ (mixed >>> 13)
    words[1] = Math.imul((words[1]! << 7) ^ (words[1]! >>> 25) ^ mixed, 0xc2b2ae35)
  }

  mixTime(time: number): void {
    this.time[0] = time
    this.mix(this.timeWords[0]!)
    this.mix(this.timeWords[1]!)
  }

  mixText(text: string): void {
    for (let at = 0; at < text.length; at++) this.mix(text.charCodeAt(at))
  }

  line(now: number, text: string): void {
    if (this.keeps) this.ring[this.written++ % this.limit] = `${now.toFixed(3)} ${text}`
  }

  /** The lines that were kept, the oldest first. */
  get lines(): string[] {
    const oldest = this.written > this.limit ? this.written % this.limit : 0
    return [...this.ring.slice(oldest), ...this.ring.slice(0, oldest)]
  }

  get hash(): string {
    return [...this.words].map(word => (word >>> 0).toString(16).padStart(8, "0")).join("")
  }
}
