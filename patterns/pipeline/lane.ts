/**
 * The jobs of one group, and which of them is next. Ready ones stand in a line for each priority; lines are served by
 * turns that favour the urgent ones and starve none. A job with a key stands behind the one of that key that was accepted
 * before it, and comes into a line only when that one has ended: one in flight a key, in their order, whatever the
 * priorities and delays. Pure: times are arguments, and who gets a job is decided elsewhere.
 */
import { Deque } from "../typed/deque.js"
import { Heap } from "../typed/heap.js"
import { type Due, priorities, State, type Ticket } from "./job.js"

/** Out of 13 jobs that are handed out while all bands have some: how they go round. Spread, so that none waits for long. */
const TURNS = [0, 1, 0, 0, 1, 0, 2, 0, 1, 0, 0, 1, 0] as const

const earlier = (a: Due, b: Due) => a.at < b.at

export class Lane {
  private readonly bands = priorities.map(() => new Deque<Ticket>())
  private turn = 0
  /** Those that wait behind the one whose turn it is, by key. An empty line: only that one is there. */
  private readonly keys = new Map<string, Deque<Ticket>>()
  /** By the wall clock. */
  private readonly starts = new Heap<Due>(earlier)
  /** By the monotonic clock: a clock on the wall that is set back makes no back-off longer. */
  private readonly rests = new Heap<Due>(earlier)
  private readonly expiries = new Heap<Due>(earlier)

  /** How many there are of each state, by its number. */
  readonly counts: number[] = new Array(State.Done + 1).fill(0)

  /** @param group "" where there is only one. */
  constructor(readonly group: string) {}

  /** One that is new here, with its delay, if it has one. */
  add(ticket: Ticket): void {
    this.counts[ticket.state]!++
    if (ticket.state === State.Done || ticket.state === State.Dead) return
    const { key, expiresAt } = ticket.job
    if (expiresAt !== Number.POSITIVE_INFINITY) {
      ticket.expiry = { at: expiresAt, ticket, rest: 0, place: -1 }
      this.expiries.add(ticket.expiry)
    }
    if (key !== null) {
      const line = this.keys.get(key)
      if (line !== undefined) {
        this.become(ticket, State.Blocked)
        line.push(ticket)
        return
      }
      this.keys.set(key, new Deque())
    }
    this.advance(ticket)
  }

  /** The next one, which is in flight from here on; null: none is ready. */
  take(): Ticket | null {
    for (let tried = 0; tried < TURNS.length; tried++) {
      const band = this.bands[TURNS[this.turn]!]!
      this.turn = (this.turn + 1) % TURNS.length
      for (let ticket = band.shift(); ticket !== undefined; ticket = band.shift()) {
        if (ticket.state !== State.Ready) continue // It expired where it stood.
        this.become(ticket, State.InFlight)
        return ticket
      }
    }
    return null
  }

  /** Makes ready what is due, and returns the ones whose time to live is over. */
  due(date: number, now: number): Ticket[] {
    this.wake(this.starts, date)
    this.wake(this.rests, now)
    const expired: Ticket[] = []
    for (let first = this.expiries.top; first !== undefined && first.at <= date; first = this.expiries.top) {
      this.expiries.remove(first)
      first.ticket.expiry = null
      // One that is in flight may still be done; if it is not, that is its end.
      if (first.ticket.state < State.InFlight) expired.push(first.ticket)
    }
    return expired
  }

  /** When `due` has something to do next, in ms since 1970; Infinity: never, as far as that clock goes. */
  get nextDate(): number {
    return Math.min(this.starts.top?.at ?? Number.POSITIVE_INFINITY, this.expiries.top?.at ?? Number.POSITIVE_INFINITY)
  }

  /** The same by the monotonic clock. */
  get nextRest(): number {
    return this.rests.top?.at ?? Number.POSITIVE_INFINITY
  }

  /** One that was in flight and was not begun: it is the next again. */
  giveBack(ticket: Ticket): void {
    this.become(ticket, State.Ready)
    this.bands[ticket.job.band]!.unshift(ticket)
  }

  /** One that was in flight, or is dead, is to be tried (again). */
  again(ticket: Ticket, delay: Due | null): void {
    ticket.delay = delay
    if (ticket.state === State.Dead) {
      this.counts[State.Dead]!--
      ticket.state = State.Ready
      this.add(ticket)
    } else this.advance(ticket)
  }

  /** Its end is on the way to the disk; nothing else of its key is begun yet. */
  settling(ticket: Ticket): void {
    this.become(ticket, State.Settling)
  }

  /** It has ended: done, or dead. */
  end(ticket: Ticket, state: State.Done | State.Dead): void {
    const wasBlocked = ticket.state === State.Blocked
    if (ticket.delay !== null) this.heapOf(ticket.delay).remove(ticket.delay)
    if (ticket.expiry !== null) this.expiries.remove(ticket.expiry)
    ticket.delay = null
    ticket.expiry = null
    this.become(ticket, state)
    const { key } = ticket.job
    if (key !== null && !wasBlocked) this.nextOf(key)
  }

  /** A dead one is wanted no more. */
  forget(ticket: Ticket): void {
    this.become(ticket, State.Done)
  }

  private nextOf(key: string): void {
    const line = this.keys.get(key)!
    for (let ticket = line.shift(); ticket !== undefined; ticket = line.shift()) {
      if (ticket.state !== State.Blocked) continue // It expired in the line.
      this.advance(ticket)
      return
    }
    this.keys.delete(key)
  }

  /** Nothing but time is before it. */
  private advance(ticket: Ticket): void {
    if (ticket.delay === null) this.stand(ticket)
    else {
      this.become(ticket, State.Delayed)
      this.heapOf(ticket.delay).add(ticket.delay)
    }
  }

  private heapOf({ rest }: Due): Heap<Due> {
    return rest > 0 ? this.rests : this.starts
  }

  private wake(heap: Heap<Due>, time: number): void {
    for (let first = heap.top; first !== undefined && first.at <= time; first = heap.top) {
      heap.remove(first)
      first.ticket.delay = null
      this.stand(first.ticket)
    }
  }

  private stand(ticket: Ticket): void {
    this.become(ticket, State.Ready)
    this.bands[ticket.job.band]!.push(ticket)
  }

  private become(ticket: Ticket, state: State): void {
    this.counts[ticket.state]!--
    ticket.state = state
    this.counts[state]!++
  }
}
