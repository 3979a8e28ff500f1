/** One direction of a call, from the side that sends: a body in pieces, or the items of a stream, as far as there is credit. */
import { costOf, PIECE } from "./frames.js"

/** What is sent without a pause, however much is granted: a generator that never waits would let nobody else run. */
const BREATH = 1024

export interface OutflowSink {
  onPiece(n: number, bytes: Uint8Array): void
  /** @param pieces How many pieces came before of all bodies. */
  onItem(n: number, pieces: number, body: Uint8Array): void
  /** Resolves when others have had their turn. */
  pause(): Promise<void>
}

export class Outflow {
  /** Items that were sent. */
  items = 0
  /** Pieces that were sent. */
  pieces = 0
  /** Nobody wants more of it. */
  isOver = false
  /** What is read, and can be told that nobody wants more. */
  private source: AsyncIterator<unknown> | null = null
  private leaving: Promise<unknown> = Promise.resolve()
  private used = 0
  /** Where there is a pause next. */
  private breath = BREATH
  private more: (() => void)[] = []

  /** @param granted How much may be sent: a sum that only grows. */
  constructor(
    private granted: number,
    private readonly sink: OutflowSink,
  ) {}

  grant(total: number): void {
    if (total <= this.granted) return
    this.granted = total
    this.wake()
  }

  stop(): void {
    if (this.isOver) return
    this.isOver = true
    this.leave()
    this.wake()
  }

  /**
   * Sends all that it yields. When nobody wants more, it is told at once, even if it waits for something itself.
   *
   * @param encode The bytes of an item.
   * @returns false: nobody wants more of it.
   */
  async stream(
    source: AsyncIterable<unknown>,
    encode: (item: unknown) => Uint8Array | Promise<Uint8Array>,
  ): Promise<boolean> {
    const iterator = source[Symbol.asyncIterator]()
    this.source = iterator
    if (this.isOver) this.leave()
    try {
      for (;;) {
        const { value, done } = await iterator.next()
        if (done) {
          this.source = null
          break
        }
        if (!(await this.item(await encode(value)))) break
      }
    } finally {
      // Unless it has come to its end.
      this.leave()
      await this.leaving
    }
    return !this.isOver
  }

  private leave(): void {
    const { source } = this
    this.source = null
    if (source?.return === undefined) return
    this.leaving = (async () => source.return?.())()
    this.leaving.catch(() => {}) // Whoever streams it waits for that.
  }

  /** Sends of a large body what is before its last piece, which comes back; null: nobody wants it. */
  async cut(body: Uint8Array): Promise<Uint8Array | null> {
    let at = 0
    for (; body.length - at > PIECE; at += PIECE) {
      while (!this.isOpen) if (!(await this.room())) return null
      this.used += costOf(PIECE)
      this.sink.onPiece(this.pieces++, body.subarray(at, at + PIECE))
    }
    return this.isOver ? null : body.subarray(at)
  }

  /** false: nobody wants it. */
  async item(body: Uint8Array): Promise<boolean> {
    if (body.length > PIECE) {
      const rest = await this.cut(body)
      if (rest === null) return false
      return this.item(rest)
    }
    while (!this.isOpen) if (!(await this.room())) return false
    this.used += costOf(body.length)
    this.sink.onItem(this.items++, this.pieces, body)
    return true
  }

  /** Something may be sent at once. To be asked again behind each `await`: meanwhile it may be over. */
  get isOpen(): boolean {
    return !this.isOver && this.used < this.granted && this.used < this.breath
  }

  /** false: nobody wants it. */
  async room(): Promise<boolean> {
    if (this.used >= this.breath) await this.sink.pause()
    while (!this.isOver && this.used >= this.granted) {
      await new Promise<void>(resolve => {
        this.more.push(resolve)
      })
    }
    this.breath = this.used + BREATH
    return !this.isOver
  }

  private wake(): void {
    for (const resolve of this.more.splice(0)) resolve()
  }
}

/** What goes item by item. */
export function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value
}
