/** A line with two ends: a ring that doubles when it is full, and gives its memory back when it is empty. */

const LEAST = 16

export class Deque<T> {
  private slots: (T | undefined)[] = new Array(LEAST)
  private head = 0
  private count = 0

  get size(): number {
    return this.count
  }

  push(item: T): void {
    if (this.count === this.slots.length) this.grow()
    this.slots[(this.head + this.count++) & (this.slots.length - 1)] = item
  }

  /** Puts it in front of all the others. */
  unshift(item: T): void {
    if (this.count === this.slots.length) this.grow()
    this.head = (this.head - 1) & (this.slots.length - 1)
    this.slots[this.head] = item
    this.count++
  }

  peek(): T | undefined {
    return this.slots[this.head]
  }

  shift(): T | undefined {
    if (this.count === 0) return undefined
    const item = this.slots[this.head]
    this.slots[this.head] = undefined
    this.head = (this.head + 1) & (this.slots.length - 1)
    if (--this.count === 0 && this.slots.length > LEAST) this.slots = new Array(LEAST)
    if (this.count === 0) this.head = 0
    return item
  }

  *[Symbol.iterator](): Generator<T> {
    for (let at = 0; at < this.count; at++) yield this.slots[(this.head + at) & (this.slots.length - 1)]!
  }

  private grow(): void {
    this.slots = [...this.slots.slice(this.head), ...this.slots.slice(0, this.head)]
    this.head = 0
    this.slots.length *= 2
  }
}
