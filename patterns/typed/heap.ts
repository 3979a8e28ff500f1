/** A binary heap of things that know their place in it, so that any of them can leave or move. The first by `before` is on top. */

export interface Placed {
  /** Where it stands in its heap; -1: nowhere. The heap's own. */
  place: number
}

export class Heap<T extends Placed> {
  private readonly items: T[] = []

  /** @param before Whether `a` goes before `b`. */
  constructor(private readonly before: (a: T, b: T) => boolean) {}

  get size(): number {
    return this.items.length
  }

  get top(): T | undefined {
    return this.items[0]
  }

  add(item: T): void {
    item.place = this.items.length
    this.items.push(item)
    this.rise(item)
  }

  /** Nothing happens if it is in no heap. */
  remove(item: T): void {
    const { place } = item
    if (place < 0) return
    item.place = -1
    const last = this.items.pop()!
    if (last === item) return
    this.items[place] = last
    last.place = place
    this.moved(last)
  }

  /** To be called when what the order is made of has changed. */
  moved(item: T): void {
    this.rise(item)
    this.sink(item)
  }

  values(): Iterable<T> {
    return this.items.values()
  }

  private rise(item: T): void {
    let at = item.place
    while (at > 0) {
      const above = (at - 1) >> 1
      const other = this.items[above]!
      if (!this.before(item, other)) break
      this.items[at] = other
      other.place = at
      at = above
    }
    this.items[at] = item
    item.place = at
  }

  private sink(item: T): void {
    const { items } = this
    let at = item.place
    for (;;) {
      let below = 2 * at + 1
      if (below >= items.length) break
      if (below + 1 < items.length && this.before(items[below + 1]!, items[below]!)) below++
      const other = items[below]!
      if (!this.before(other, item)) break
      items[at] = other
      other.place = at
      at = below
    }
    items[at] = item
    item.place = at
  }
}
