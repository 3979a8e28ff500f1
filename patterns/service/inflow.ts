/** One direction of a call, from the side that receives: pieces are put together, items wait to be read, and what is read is credit again. */
import { Deque } from "../typed/deque.js"
import { ServiceError } from "./errors.js"
import { costOf, PIECE } from "./frames.js"

/** What may be on its way, or wait to be read, of one call in one direction: 64 small items, or 1 MiB. */
export const WINDOW = 64

export interface InflowSink {
  /** So much may have been sent in all. */
  onCredit(total: number): void
  /** Who read it has left before its end. */
  onLeft(): void
}

interface Item {
  readonly body: Uint8Array
  readonly cost: number
}

export class Inflow implements AsyncIterableIterator<unknown> {
  /** Items that came. */
  items = 0
  /** Bytes of pieces that are not put together yet. */
  bytes = 0
  private pieces = 0
  private parts: Uint8Array[] = []
  private granted = WINDOW
  private came = 0
  /** Read, and not told yet. */
  private back = 0
  /** Of pieces that came while items waited: they are credit again when nothing waits. */
  private owed = 0
  private readonly waiting = new Deque<Item>()
  private wanting: (() => void)[] = []
  private isOver = false
  private failure: unknown = null

  /**
   * @param open What an item's bytes are. It may reject: that is the end of the stream.
   * @param largest Of a body, in bytes.
   */
  constructor(
    private readonly open: (body: Uint8Array) => unknown,
    private readonly largest: number,
    private readonly sink: InflowSink,
  ) {}

  /** ELOST: one is missing. EMSGSIZE: the body is too large. EPROTO: there was no credit for it, or it has not the size of one. */
  piece(n: number, bytes: Uint8Array): void {
    if (n < this.pieces || this.isOver) return // It has come before, or nobody wants it.
    if (n > this.pieces) throw lost()
    // Small ones would be many: a frame that is kept takes more than its bytes.
    if (bytes.length !== PIECE)
      throw new ServiceError("EPROTO", `a piece of ${bytes.length} bytes, and not of ${PIECE}`)
    const cost = this.take(bytes.length)
    this.pieces++
    this.parts.push(bytes)
    this.bytes += bytes.length
    if (this.bytes > this.largest) throw tooLarge(this.largest)
    if (this.waiting.size > 0) this.owed += cost
    else this.giveBack(cost)
  }

  /** The whole body of which this is the end. */
  body(pieces: number, rest: Uint8Array): Uint8Array {
    if (pieces !== this.pieces) throw lost()
    if (this.bytes + rest.length > this.largest) throw tooLarge(this.largest)
    if (this.parts.length === 0) return rest
    const whole = Buffer.concat([...this.parts, rest])
    this.parts = []
    this.bytes = 0
    return whole
  }

  item(n: number, pieces: number, bytes: Uint8Array): void {
    if (n < this.items || this.isOver) return
    if (n > this.items) throw lost()
    const cost = this.take(bytes.length)
    this.items++
    this.waiting.push({ body: this.body(pieces, bytes), cost })
    this.wake()
  }

  /** There were so many items. */
  end(count: number): void {
    if (this.isOver) return
    if (count !== this.items) throw lost()
    this.isOver = true
    this.wake()
  }

  /** Who reads on is told, behind what has come. */
  fail(error: unknown): void {
    if (this.isOver) return
    this.failure = error
    this.isOver = true
    this.wake()
  }

  /** Nothing has been read of it, and all of it comes again from elsewhere. */
  restart(): void {
    this.pieces = this.items = this.bytes = this.came = this.back = this.owed = 0
    this.granted = WINDOW
    this.parts = []
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<unknown>> {
    while (this.waiting.size === 0 && !this.isOver) {
      await new Promise<void>(resolve => {
        this.wanting.push(resolve)
      })
    }
    const item = this.waiting.shift()
    if (item !== undefined) {
      this.giveBack(item.cost)
      if (this.waiting.size === 0) this.giveBack(this.owed)
      if (this.waiting.size === 0) this.owed = 0
      try {
        return { value: await this.open(item.body), done: false }
      } catch (error) {
        this.leave()
        throw error
      }
    }
    if (this.failure !== null) throw this.failure
    return { value: undefined, done: true }
  }

  async return(): Promise<IteratorResult<unknown>> {
    this.leave()
    return { value: undefined, done: true }
  }

  private leave(): void {
    while (this.waiting.shift() !== undefined);
    this.parts = []
    this.bytes = 0
    if (this.isOver) return
    this.isOver = true
    this.wake()
    this.sink.onLeft()
  }

  private take(bytes: number): number {
    if (this.came >= this.granted) throw new ServiceError("EPROTO", "more of a stream comes than there was credit for")
    const cost = costOf(bytes)
    this.came += cost
    return cost
  }

  private giveBack(cost: number): void {
    this.back += cost
    if (this.back < WINDOW / 2 || this.isOver) return
    this.granted += this.back
    this.back = 0
    this.sink.onCredit(this.granted)
  }

  private wake(): void {
    for (const resolve of this.wanting.splice(0)) resolve()
  }
}

function lost(): ServiceError {
  return new ServiceError("ELOST", "a part of it was lost on its way")
}

export function tooLarge(largest: number): ServiceError {
  return new ServiceError("EMSGSIZE", `it is larger than ${largest} bytes`)
}
