/** First in, first out, in an array whose taken part is cut off now and then. */

const SLACK = 64

export class Queue<T> {
  private items: (T | undefined)[] = []
  private head = 0

  get length(): number {
    return this.items.length - this.head
  }

  push(item: T): void {
    this.items.push(item)
  }

  peek(): T | undefined {
    return this.items[this.head]
  }

  shift(): T | undefined {
    const { head, items } = this
    if (head === items.length) return undefined
    const item = items[head]
    items[head] = undefined
    this.head++
    if (this.head === items.length) {
      items.length = 0
      this.head = 0
    } else if (this.head > SLACK && this.head * 2 > items.length) {
      this.items = items.slice(this.head)
      this.head = 0
    }
    return item
  }

  /** Keeps the first ones only. */
  truncate(length: number): void {
    this.items.length = Math.min(this.items.length, this.head + length)
  }
}
