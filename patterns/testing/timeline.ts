/**
 * Simulated time: a heap of events in the order of their times, and where those are the same, of their arrangement. An event
 * belongs to a life of a machine, or to the world. It is dropped when that life is over, and waits while it hangs. An object
 * may be arranged again and again; what goes on for long, such as a wire, is one event and not many.
 */
import type { Trace } from "./trace.js"

/** A machine from its start to its crash. */
export class Life {
  alive = true
  /** It hangs until then. */
  stalledUntil = 0
  /** What vanishes with it: sockets, and locks of its disk. */
  readonly belongings = new Set<{ vanish(): void }>()

  constructor(
    readonly name: string,
    readonly born: number,
  ) {}

  end(): void {
    this.alive = false
    for (const thing of this.belongings) thing.vanish()
    this.belongings.clear()
  }
}

/** What a call of a machine that has crashed gives. */
export function never<T>(): Promise<T> {
  return new Promise(() => {})
}

export abstract class Event {
  at = 0
  order = 0
  cancelled = false

  constructor(readonly owner: Life | null) {}

  cancel(): void {
    this.cancelled = true
  }

  abstract fire(): void
  /** For the log. */
  abstract get label(): string
}

class Call extends Event {
  constructor(
    owner: Life | null,
    readonly label: string,
    private readonly callback: () => void,
  ) {
    super(owner)
  }

  fire(): void {
    this.callback()
  }
}

export class Timeline {
  now = 0
  /** Events that have happened. */
  events = 0
  private readonly heap: Event[] = []
  private arranged = 0

  constructor(readonly trace: Trace) {}

  arrange(event: Event, time: number): void {
    event.at = Math.max(time, this.now)
    event.order = this.arranged++
    this.up(this.heap.length, event)
  }

  call(owner: Life | null, ms: number, label: string, callback: () => void): Event {
    const event = new Call(owner, label, callback)
    this.arrange(event, this.now + ms)
    return event
  }

  /** Lets the next event happen, unless it is after `limit`: false, and when there is none. */
  next(limit: number): boolean {
    for (;;) {
      const event = this.heap[0]
      if (event === undefined || event.at > limit) return false
      this.takeFirst()
      const { owner } = event
      if (event.cancelled || (owner !== null && !owner.alive)) continue
      if (owner !== null && owner.stalledUntil > event.at) {
        this.arrange(event, owner.stalledUntil)
        continue
      }
      this.now = event.at
      this.events++
      this.trace.mixTime(event.at)
      this.trace.mix(event.order)
      if (this.trace.keeps) this.trace.line(event.at, event.label)
      event.fire()
      return true
    }
  }

  /** Whether anything is left to happen. */
  get isIdle(): boolean {
    return this.heap.length === 0
  }

  private takeFirst(): void {
    const last = this.heap.pop()!
    if (this.heap.length > 0) this.down(last)
  }

  private up(from: number, event: Event): void {
    const { heap } = this
    let at = from
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]!
      if (!isBefore(event, parent)) break
      heap[at] = parent
      at = above
    }
    heap[at] = event
  }

  private down(event: Event): void {
    const { heap } = this
    const { length } = heap
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= length) break
      if (below + 1 < length && isBefore(heap[below + 1]!, heap[below]!)) below++
      const child = heap[below]!
      if (!isBefore(child, event)) break
      heap[at] = child
      at = below
    }
    heap[at] = event
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
