/**
 * The ids that users gave to their jobs, so that one which is sent twice is accepted once: those of jobs that are here, and
 * those of jobs that are gone, for the window (a time, and a number of them, whichever ends first). They outlive a restart,
 * as the store keeps an entry without a body for each that is gone.
 */
import { Deque } from "../typed/deque.js"

interface Gone {
  readonly id: string
  readonly key: number
  readonly until: number
}

export class RememberedIds {
  /** The entry of the store by id, and until when it counts. */
  private readonly byId = new Map<string, { readonly key: number; readonly until: number }>()
  private readonly gone = new Deque<Gone>()

  constructor(private readonly most: number) {}

  get size(): number {
    return this.byId.size
  }

  has(id: string, date: number): boolean {
    const known = this.byId.get(id)
    return known !== undefined && known.until > date
  }

  /** The entry of the store that has it. */
  keyOf(id: string): number | undefined {
    return this.byId.get(id)?.key
  }

  /** Its job is here. */
  add(id: string, key: number): void {
    this.byId.set(id, { key, until: Number.POSITIVE_INFINITY })
  }

  /** Its job is gone. They come in the order of their ends, or nearly. */
  bury(id: string, key: number, until: number): void {
    this.byId.set(id, { key, until })
    this.gone.push({ id, key, until })
  }

  /** It was never accepted, or is forgotten. */
  forget(id: string): void {
    this.byId.delete(id)
  }

  /** The entries that need not be kept any more. */
  *outdated(date: number): Generator<number> {
    for (let first = this.gone.peek(); first !== undefined; first = this.gone.peek()) {
      if (first.until > date && this.gone.size <= this.most) return
      this.gone.shift()
      // It may have come again meanwhile.
      if (this.byId.get(first.id)?.key === first.key) this.byId.delete(first.id)
      yield first.key
    }
  }
}
