/**
 * One direction of a pipe: a bounded queue of messages. It is full at its high-water mark and, as in libzmq, stays so
 * until the reader has taken half of it: credit comes back in portions of (mark + 1) / 2 messages. A mark in bytes works
 * beside it; a message larger than that mark passes only alone. One that is loose is looked at only when as much as it has
 * come, and holds from then on until little is left: where little waits, it costs a message nothing. A portion below the marks lets a writer that can wait
 * hand over a little at a time, as the reader goes on.
 */
import { type Message, overheadOf, sizeOf } from "../message.js"
import { Ring } from "./ring.js"

/** Whoever fills a queue is told, once after each refusal, when there is room again. */
export interface QueueWriter {
  onCredit(): void
}

export interface Marks {
  /** High-water mark in messages; 0: none. */
  messages: number
  /** High-water mark in bytes; 0: none. */
  bytes: number
  /** A mark in bytes that holds when {@link Queue.came} has found it to matter, where there is no other; absent or 0: none. */
  looseBytes?: number
  /** Keep only the newest message, whatever the marks. */
  conflate: boolean
}

/** A number of messages that no queue holds; a small integer, which costs a queue no memory. */
const ANY = 2 ** 31 - 1

export class Queue {
  /** Bytes in the queue, and the cost of many frames; only while there is a mark for them. */
  bytes = 0
  /** Messages that were taken from it so far. */
  taken = 0
  writer: QueueWriter | null = null
  private readonly ring = new Ring<Message>()
  private mark = 0
  private acknowledgement = 0
  private byteMark = 0
  private looseMark = 0
  /** At least as many bytes as are there, while the loose mark does not hold. */
  private most = 0
  private conflate = false
  /** Messages since the last credit of which the reader has told the writer nothing. */
  private unacknowledged = 0
  private read = 0
  private starved = false
  private portion = ANY

  constructor(marks: Marks) {
    this.setMarks(marks)
  }

  get length(): number {
    return this.ring.length
  }

  /** At least half of the mark is used up. */
  get halfFull(): boolean {
    return this.mark > 0 && this.unacknowledged * 2 >= this.mark
  }

  setMarks(marks: Marks): void {
    const { looseBytes = 0 } = marks
    const sameBytes = looseBytes === this.looseMark && (looseBytes > 0 || marks.bytes === this.byteMark)
    if (marks.messages === this.mark && sameBytes && marks.conflate === this.conflate) return
    this.mark = marks.messages
    this.acknowledgement = Math.ceil(marks.messages / 2)
    if (!sameBytes) {
      this.looseMark = looseBytes
      this.countBytes(marks.bytes)
      this.most = this.byteMark > 0 ? 0 : this.bytesNow()
    }
    this.conflate = marks.conflate
    // What was read counts at once, lest a queue that is empty be full by its new mark.
    this.unacknowledged -= this.read
    this.read = 0
    this.offerCredit()
  }

  /** From so many messages on, the writer waits until most of them are read. */
  setPortion(messages: number): void {
    this.portion = messages
  }

  /** Whether a message of `size` bytes may enter. False makes the writer wait for {@link QueueWriter.onCredit}. */
  admits(size: number): boolean {
    if (this.hasRoom(size)) return true
    this.starved = true
    return false
  }

  /** The same question without waiting for the answer to change. `others` counts bytes that belong to the queue elsewhere. */
  hasRoom(size: number, others = 0): boolean {
    if (this.conflate) return true
    if (this.ring.length >= this.portion || (this.mark > 0 && this.unacknowledged >= this.mark)) return false
    return this.byteMark === 0 || this.ring.length === 0 || this.bytes + size + others <= this.byteMark
  }

  /** Returns how many messages the new one replaced (conflate). */
  push(message: Message, size: number): number {
    const replaced = this.conflate && this.ring.length > 0 ? this.clear() : 0
    this.ring.push(message)
    if (this.byteMark > 0) this.bytes += size + overheadOf(message)
    this.unacknowledged++
    return replaced
  }

  shift(): Message | undefined {
    const message = this.ring.shift()
    if (message === undefined) return undefined
    if (this.byteMark > 0) this.takeOff(sizeOf(message) + overheadOf(message))
    this.taken++
    if (++this.read >= this.acknowledgement) {
      this.unacknowledged -= this.read
      this.read = 0
    }
    if (this.starved) this.offerCredit()
    return message
  }

  /** So many bytes more came for the queue, those of an unfinished message included: looks whether the loose mark matters. */
  came(bytes: number, unfinished: number): void {
    if (this.byteMark > 0 || this.looseMark === 0) return
    this.most += bytes
    if (this.most <= this.looseMark) return
    this.most = this.bytesNow() + unfinished
    if (this.most > this.looseMark / 2) this.countBytes(this.looseMark)
  }

  /** Drops all. Returns how many messages there were. */
  clear(): number {
    const dropped = this.ring.length
    this.ring.clear()
    this.bytes = this.most = this.unacknowledged = this.read = 0
    this.offerCredit()
    return dropped
  }

  private countBytes(mark: number): void {
    this.byteMark = mark
    this.bytes = 0
    if (mark > 0) this.bytes = this.bytesNow()
  }

  private bytesNow(): number {
    let bytes = 0
    for (const message of this.ring) bytes += sizeOf(message) + overheadOf(message)
    return bytes
  }

  private takeOff(size: number): void {
    this.bytes -= size
    if (this.looseMark === 0 || this.starved || this.bytes > this.looseMark / 4) return
    this.most = this.bytes
    this.countBytes(0)
  }

  private offerCredit(): void {
    if (!this.starved || this.ring.length > this.portion / 4) return
    if (this.mark > 0 && this.unacknowledged >= this.mark) return
    if (this.byteMark > 0 && this.bytes > this.byteMark / 2) return
    this.starved = false
    this.writer?.onCredit()
  }
}
