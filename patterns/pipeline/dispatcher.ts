/**
 * Who of the consumers gets what, and for how long: credit, leases, and what becomes of a job when its consumer is silent,
 * leaves, or comes back over another connection. The ready jobs of a lane go to the one of its consumers that has the
 * fewest in hand; among equals, to the one that was served longest ago.
 */
import { SILENT_BEATS } from "../typed/contact.js"
import { Heap, type Placed } from "../typed/heap.js"
import type { Clock } from "../typed/runtime.js"
import type { Job, Ticket } from "./job.js"
import { State } from "./job.js"
import type { Lane } from "./lane.js"
import type { Queue } from "./queue.js"

/** Jobs that one consumer may hold; below the mark of the producer's socket, so that no hand-out waits there. */
export const MAX_PREFETCH = 8192
/** A consumer, as the producer knows it. Its place is that in the line of those that can take a job. */
export interface Consumer extends Placed {
  readonly name: string
  readonly lane: Lane
  /** Of the connection that it last said HELLO over. */
  routing: Buffer
  /** The number of that HELLO. */
  n: number
  session: string
  prefetch: number
  bytes: number
  concurrency: number
  /** By tag, in the order of handing out. */
  readonly held: Map<string, Handout>
  heldBytes: number
  heard: number
  /** When it was last given something: a counter. */
  served: number
  /** Its connection is gone, or takes nothing; it may come back. */
  gone: boolean
}

/** One job in the hands of one consumer. Its place is that in the line of leases. */
export interface Handout extends Placed {
  readonly tag: string
  readonly ticket: Ticket
  readonly consumer: Consumer
  /** When the lease ends, by `clock.now()`. */
  ends: number
}

export interface DispatcherSink {
  /** One is in its consumer's hands from here on. */
  onHandOut(handout: Handout, body: Uint8Array): void
  /** Those were all, for now. */
  onHandedOut(): void
  /** It is silent, or it left. */
  onConsumerLost(consumer: Consumer, why: string): void
  /** Something is due then, by `clock.now()`. */
  onDue(at: number): void
}

export class Dispatcher {
  readonly consumers = new Map<string, Consumer>()
  paused = false
  private readonly able = new Map<Lane, Heap<Consumer>>()
  private readonly leases = new Heap<Handout>((a, b) => a.ends < b.ends)
  /** Those that have something to hand out at the end of this turn. */
  private readonly waiting = new Set<Lane>()
  private handouts = 0
  private turns = 0

  constructor(
    private readonly queue: Queue,
    private readonly clock: Clock,
    private readonly settings: { readonly lease: number; readonly heartbeat: number },
    private readonly sink: DispatcherSink,
  ) {
    const order = (a: Consumer, b: Consumer) =>
      a.held.size !== b.held.size ? a.held.size < b.held.size : a.served < b.served
    for (const lane of queue.lanes) this.able.set(lane, new Heap(order))
  }

  get inHand(): number {
    return this.leases.size
  }

  add(consumer: Consumer): void {
    this.consumers.set(consumer.name, consumer)
    this.changed(consumer)
  }

  /** It says HELLO again: what it does not name was lost on the way, and goes to others. Returns what is still its own. */
  reconcile(consumer: Consumer, holding: ReadonlySet<string>): string[] {
    this.giveBack([...consumer.held.values()].filter(({ tag }) => !holding.has(tag)))
    this.changed(consumer)
    return [...consumer.held.keys()]
  }

  /** Its credit has changed, or it is there (again), or gone. */
  changed(consumer: Consumer): void {
    const able = this.able.get(consumer.lane)!
    const { held, heldBytes, prefetch, bytes, gone } = consumer
    const canTake = !gone && held.size < prefetch && heldBytes < bytes && this.consumers.get(consumer.name) === consumer
    if (!canTake) able.remove(consumer)
    else if (consumer.place < 0) able.add(consumer)
    else able.moved(consumer)
    if (canTake) this.dispatch(consumer.lane)
  }

  /** Hands out what is ready, as far as somebody can take it; at the end of this turn, so that what comes together goes together. */
  dispatch(lane: Lane): void {
    if (this.paused || lane.counts[State.Ready] === 0 || this.able.get(lane)!.size === 0) return
    if (this.waiting.size === 0) void Promise.resolve().then(this.run)
    this.waiting.add(lane)
  }

  private readonly run = (): void => {
    const lanes = [...this.waiting]
    this.waiting.clear()
    for (const lane of lanes) this.handOutAll(lane)
    this.sink.onHandedOut()
  }

  private handOutAll(lane: Lane): void {
    if (this.paused) return
    const able = this.able.get(lane)!
    let absent: Handout[] | null = null
    for (let consumer = able.top; consumer !== undefined; consumer = able.top) {
      const ticket = lane.take()
      if (ticket === null) break
      const handout = this.handOut(ticket, consumer, able)
      const { body } = ticket.job
      if (body !== null) this.sink.onHandOut(handout, body)
      else {
        absent ??= []
        absent.push(handout)
      }
    }
    if (absent !== null) void this.fetch(absent)
  }

  private handOut(ticket: Ticket, consumer: Consumer, able: Heap<Consumer>): Handout {
    const { job } = ticket
    const handout: Handout = {
      tag: `${consumer.session}-${(++this.handouts).toString(36)}`,
      ticket,
      consumer,
      ends: this.clock.now() + (job.lease || this.settings.lease),
      place: -1,
    }
    consumer.held.set(handout.tag, handout)
    consumer.heldBytes += job.size
    consumer.served = ++this.turns
    if (consumer.held.size < consumer.prefetch && consumer.heldBytes < consumer.bytes) able.moved(consumer)
    else able.remove(consumer)
    this.leases.add(handout)
    if (handout.place === 0) this.sink.onDue(handout.ends)
    return handout
  }

  /** Bodies that are not in memory come from the store. One that cannot be read makes its job a dead letter. */
  private async fetch(handouts: Handout[]): Promise<void> {
    let bodies: Uint8Array[]
    try {
      bodies = await this.queue.bodies(handouts.map(({ ticket }) => ticket.job))
    } catch (error) {
      if (handouts.length > 1) {
        for (const handout of handouts) await this.fetch([handout])
        return
      }
      const [handout] = handouts as [Handout]
      if (this.end(handout)) void this.queue.reject(handout.ticket, `its body cannot be read: ${error}`, "")
      return
    }
    for (let at = 0; at < handouts.length; at++) {
      if (this.isLive(handouts[at]!)) this.sink.onHandOut(handouts[at]!, bodies[at]!)
    }
    this.sink.onHandedOut()
  }

  isLive(handout: Handout): boolean {
    return handout.consumer.held.get(handout.tag) === handout
  }

  /** Takes it out of the consumer's hands; null: it is not in them. What becomes of the job is the caller's to say. */
  take(consumer: Consumer, tag: string): Handout | null {
    const handout = consumer.held.get(tag)
    if (handout === undefined) return null
    this.end(handout)
    return handout
  }

  private end(handout: Handout): boolean {
    if (!this.release(handout)) return false
    this.changed(handout.consumer)
    return true
  }

  private release(handout: Handout): boolean {
    const { consumer, ticket } = handout
    if (!consumer.held.delete(handout.tag)) return false
    consumer.heldBytes -= ticket.job.size
    this.leases.remove(handout)
    return true
  }

  /** Some of one consumer's, in the order of handing out, were not begun: they are the next again, in that order. */
  giveBack(handouts: readonly Handout[]): void {
    for (let at = handouts.length - 1; at >= 0; at--) {
      const handout = handouts[at]!
      if (!this.release(handout)) continue
      const { ticket } = handout
      // Its time was over while somebody held it: nobody counts it any more.
      if (ticket.job.expiresAt <= this.clock.date()) void this.queue.expire(ticket)
      else ticket.lane.giveBack(ticket)
    }
    const [first] = handouts
    if (first === undefined) return
    this.changed(first.consumer)
    this.dispatch(first.consumer.lane)
  }

  /** @param ms From now on. */
  extend(handout: Handout, ms: number): void {
    handout.ends = this.clock.now() + ms
    this.leases.moved(handout)
    if (handout.place === 0) this.sink.onDue(handout.ends)
  }

  /** It is not there any more. The oldest that it had, as many as it works on at a time, were begun. */
  lose(consumer: Consumer, why: string): void {
    this.consumers.delete(consumer.name)
    consumer.gone = true
    this.changed(consumer)
    const handouts = [...consumer.held.values()]
    this.giveBack(handouts.slice(consumer.concurrency))
    for (const handout of handouts.slice(0, consumer.concurrency)) {
      if (this.end(handout)) void this.queue.failed(handout.ticket, why, "", 0)
    }
    this.sink.onConsumerLost(consumer, why)
  }

  /** This process was stalled for so long: that is nobody's silence, and nobody could be heard. */
  forgive(ms: number): void {
    for (const consumer of this.consumers.values()) consumer.heard += ms
    for (const handout of this.leases.values()) handout.ends += ms
  }

  /** What time brings: leases that end, and consumers that are silent. */
  tick(): void {
    const now = this.clock.now()
    for (const consumer of [...this.consumers.values()]) {
      if (now - consumer.heard >= SILENT_BEATS * this.settings.heartbeat) this.lose(consumer, "its consumer is silent")
    }
    for (let first = this.leases.top; first !== undefined && first.ends <= now; first = this.leases.top) {
      this.end(first)
      void this.queue.failed(first.ticket, "its lease ended", "", 0)
    }
  }

  get nextDue(): number {
    return this.leases.top?.ends ?? Number.POSITIVE_INFINITY
  }
}

/** Nobody is to get it soon: its body need not be in memory. */
export function isHandedToAll(job: Job): boolean {
  return job.tickets.every(({ state }) => state >= State.InFlight)
}
