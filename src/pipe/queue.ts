/**
 * One direction of a pipe: a bounded queue of messages. It is full at its high-water mark and, as in libzmq, stays so
 * until the reader has taken half of it: credit comes back in portions of (mark + 1) / 2 messages. A mark in bytes works
 * beside it; a message larger than that mark passes only alone. Bytes are added up as they come, and taken off again only in a
 * queue that was found to hold much: where little waits, that costs a message nothing but an addition. A portion below the marks lets a writer that can wait
 * hand over a little at a time, as the reader goes on.
 */
import { type Message, sizeOf } from "../message.js"
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
  /** Keep only the newest message, whatever the marks. */
  conflate: boolean
}

/** A number of messages that no queue holds; a small integer, which costs a queue no memory. */
const ANY = 2 ** 31 - 1

export class Queue {
  /** Messages that were taken from it so far. */
  taken = 0
  writer: QueueWriter | null = null
  private readonly ring = new Ring<Message>()
  private mark = 0
  private acknowledgement = 0
  private byteMark = 0
  /** At least as many bytes as are in the queue, and just as many while {@link exact}; only while there is a mark for them. */
  private most = 0
  /** What is taken is taken off {@link most}. */
  private exact = false
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

  /** Bytes in the queue. */
  get bytes(): number {
    let bytes = 0
    for (const message of this.ring) bytes += sizeOf(message)
    return bytes
  }

  /** At least half of the mark is used up. */
  get halfFull(): boolean {
    return this.mark > 0 && this.unacknowledged * 2 >= this.mark
  }

  setMarks(marks: Marks): void {
    if (marks.messages === this.mark && marks.bytes === this.byteMark && marks.conflate === this.conflate) return
    this.mark = marks.messages
    this.acknowledgement = Math.ceil(marks.messages / 2)
    this.byteMark = marks.bytes
    this.count()
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
    const { byteMark } = this
    if (byteMark === 0 || this.most + size + others <= byteMark || this.ring.length === 0) return true
    return !this.exact && this.count() + size + others <= byteMark
  }

  /** Returns how many messages the new one replaced (conflate). */
  push(message: Message, size: number): number {
    const replaced = this.conflate && this.ring.length > 0 ? this.clear() : 0
    this.ring.push(message)
    if (this.byteMark > 0) this.most += size
    this.unacknowledged++
    return replaced
  }

  shift(): Message | undefined {
    const message = this.ring.shift()
    if (message === undefined) return undefined
    if (this.exact) this.takeOff(sizeOf(message))
    this.taken++
    if (++this.read >= this.acknowledgement) {
      this.unacknowledged -= this.read
      this.read = 0
    }
    if (this.starved) this.offerCredit()
    return message
  }

  /** Drops all. Returns how many messages there were. */
  clear(): number {
    const dropped = this.ring.length
    this.ring.clear()
    this.most = this.unacknowledged = this.read = 0
    this.exact = false
    this.offerCredit()
    return dropped
  }

  /** Looks how many bytes there are, and keeps to that until they are few. */
  private count(): number {
    this.exact = this.byteMark > 0
    this.most = this.exact ? this.bytes : 0
    return this.most
  }

  private takeOff(size: number): void {
    this.most -= size
    if (this.most <= this.byteMark / 4 && !this.starved) this.exact = false
  }

  private offerCredit(): void {
    if (!this.starved || this.ring.length > this.portion / 4) return
    if (this.mark > 0 && this.unacknowledged >= this.mark) return
    if (this.byteMark > 0 && this.most > this.byteMark / 2 && (this.exact || this.count() > this.byteMark / 2)) return
    this.starved = false
    this.writer?.onCredit()
  }
}
