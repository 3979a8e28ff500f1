/** The live line: rewritten in place on a terminal; elsewhere, in a log, a new line now and then. */
export class ProgressLine {
  readonly #live = process.stdout.isTTY === true
  readonly #interval = this.#live ? 0 : 2000
  #last = Number.NEGATIVE_INFINITY

  show(text: string): void {
    const now = performance.now()
    if (now - this.#last < this.#interval) return
    this.#last = now
    process.stdout.write(this.#live ? `\r\x1b[2K${text}` : `${text}\n`)
  }

  /** Clears the line, so that what follows begins on a fresh one. */
  end(): void {
    if (this.#live) process.stdout.write("\r\x1b[2K")
  }
}
