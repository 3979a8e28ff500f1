/**
 * One direction of a connection. It carries messages in order, each with its own delay, and the two notices of a connection:
 * that it is there, and that it has ended. One event of the timeline, arranged for the first parcel on it.
 */
import type { Lane } from "./lane.js"
import type { Pipe } from "./pipe.js"
import { Queue } from "./queue.js"
import type { Random } from "./random.js"
import { Event, type Timeline } from "./timeline.js"

type Parcel = Buffer[]

const OPEN: Parcel = []
const END: Parcel = []
/** Messages of an old connection that may come again. */
const KEPT = 8
/** The part of its delay by which a message may be later than another, at most. */
const JITTER = 1

export class Wire extends Event {
  /** The last messages that were delivered, while the lane repeats. */
  readonly delivered: Buffer[][] = []
  /** Nothing that is put on it from now on arrives. */
  broken = false
  private readonly parcels = new Queue<Parcel>()
  private readonly times = new Queue<number>()
  private arranged = false
  private last = 0
  private heldUntil = 0

  constructor(
    private readonly timeline: Timeline,
    private readonly to: Pipe,
    private readonly lane: Lane,
    private readonly random: Random,
    readonly delay: number,
  ) {
    super(to.owner.life)
  }

  /** Parcels on the way. */
  get length(): number {
    return this.parcels.length
  }

  get label(): string {
    const parcel = this.parcels.peek()
    const what = parcel === OPEN ? "connected" : parcel === END ? "connection lost" : "arrival"
    return `${this.to.owner.life.name}: ${what} (${this.to.number})`
  }

  open(): void {
    this.put(OPEN)
  }

  push(message: Buffer[]): void {
    if (!this.broken) this.put(message)
  }

  /** The connection ends behind what is on the way. */
  end(): void {
    if (this.broken) return
    this.put(END)
    this.broken = true
  }

  /** The connection is cut: what is on the way is lost from a random point on. */
  cut(): void {
    if (this.broken) return
    this.keep(this.random.below(this.parcels.length + 1))
    this.end()
  }

  /** Nobody is there any more whom it could bring something. */
  discard(): void {
    this.keep(0)
    this.broken = true
  }

  /** What is on the way stays there until then, and so does what follows. */
  hold(time: number): void {
    this.heldUntil = Math.max(this.heldUntil, time)
  }

  fire(): void {
    const { lane, timeline } = this
    this.arranged = false
    const free = Math.max(this.heldUntil, lane.closedUntil)
    if (free > timeline.now) {
      this.arrange(free + this.random.between(0, this.delay))
      return
    }
    const parcel = this.parcels.shift()
    if (parcel === undefined) return
    this.times.shift()
    const following = this.times.peek()
    if (following !== undefined) this.arrange(following)
    if (parcel === OPEN) this.to.opened()
    else if (parcel === END) this.to.lost()
    else this.deliver(parcel)
  }

  private deliver(message: Buffer[]): void {
    if (this.lane.repeats) {
      this.delivered.push(message.map(frame => Buffer.from(frame)))
      if (this.delivered.length > KEPT) this.delivered.shift()
    }
    this.to.arrived(message)
  }

  private put(parcel: Parcel): void {
    const { lane, timeline } = this
    const slow = lane.slowUntil > timeline.now ? lane.delay : 0
    const time = timeline.now + this.delay * (1 + JITTER * this.random()) + slow
    if (time > this.last) this.last = time
    this.parcels.push(parcel)
    this.times.push(this.last)
    if (!this.arranged) this.arrange(this.last)
  }

  private keep(count: number): void {
    this.parcels.truncate(count)
    this.times.truncate(count)
  }

  private arrange(time: number): void {
    this.arranged = true
    this.timeline.arrange(this, time)
  }
}
