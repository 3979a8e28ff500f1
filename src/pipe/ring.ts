/**
 * A first-in first-out list in one array that doubles when it is full. An empty one that had grown large starts small
 * again. One that runs empty goes on in a new array now and then: what is put into an array that has grown old costs the
 * garbage collector more.
 */

const SMALLEST = 4
/** A ring that became larger than this gives its memory back when it runs empty. */
const KEEP_UP_TO = 2048

export class Ring<T> {
  private slots: (T | undefined)[] | null = null
  private mask = 0
  private head = 0
  length = 0

  push(item: T): void {
    if (this.slots === null) {
      this.slots = new Array(SMALLEST).fill(undefined)
      this.mask = SMALLEST - 1
    } else if (this.length > this.mask) {
      this.grow(this.slots)
    } else if (this.length === 0 && this.head > this.mask >> 1) {
      this.slots = new Array(this.mask + 1).fill(undefined)
      this.head = 0
    }
    this.slots[(this.head + this.length) & this.mask] = item
    this.length++
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined
    const slots = this.slots as (T | undefined)[]
    const item = slots[this.head]
    slots[this.head] = undefined
    this.head = (this.head + 1) & this.mask
    if (--this.length === 0 && this.mask >= KEEP_UP_TO) this.clear()
    return item
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.length; i++) yield (this.slots as T[])[(this.head + i) & this.mask] as T
  }

  first(): T | undefined {
    return this.slots === null ? undefined : this.slots[this.head]
  }

  clear(): void {
    this.slots = null
    this.mask = this.head = this.length = 0
  }

  private grow(slots: (T | undefined)[]): void {
    const larger = new Array(slots.length * 2).fill(undefined)
    for (let i = 0; i < this.length; i++) larger[i] = slots[(this.head + i) & this.mask]
    this.slots = larger
    this.mask = larger.length - 1
    this.head = 0
  }
}
