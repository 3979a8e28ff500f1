/**
 * The events of a socket, as `zeromq` gives them: read one by one, iterated, or listened to. Nothing is recorded before
 * somebody asks for the observer, and what nobody reads is bounded: the oldest stay, and the newest are left out.
 */
import { type AuthError, type LimitName, type ProtocolErrorCode, ZmqError } from "../errors.js"
import { Ring } from "../pipe/ring.js"
import type { ContextBase } from "./context.js"
import { Waiter, WaitLine, type WaitOptions } from "./waiter.js"

/** Events that may wait to be read. */
const MOST = 1000

interface EventFields {
  accept: { address: string }
  "accept:error": { address: string; error: ZmqError }
  bind: { address: string }
  "bind:error": { address: string; error: ZmqError }
  connect: { address: string }
  "connect:delay": { address: string }
  "connect:retry": { address: string; interval: number }
  close: { address: string }
  "close:error": { address: string; error: ZmqError }
  disconnect: { address: string; error?: Error & { limit?: LimitName } }
  end: object
  handshake: { address: string }
  "handshake:error:protocol": { address: string; error: Error & { code: ProtocolErrorCode } }
  "handshake:error:auth": { address: string; error: AuthError }
  "handshake:error:other": { address: string; error: ZmqError }
  unknown: object
}

/** The type of an event. See {@link Event}. */
export type EventType = keyof EventFields

/** The event of one type. */
export type EventOfType<T extends EventType = EventType> = { [K in T]: { type: K } & EventFields[K] }[T]

/**
 * What happens to the connections of a socket. `accept`, `bind`, `connect`, `connect:delay` (an attempt began),
 * `connect:retry` (the next one comes in `interval` milliseconds), `handshake` (messages can flow; not told of peers of ZMTP
 * 1.0 and 2.0), `disconnect`, `close` (a listener, or an attempt that failed), `end` (no more events). The `:error` ones
 * carry an `error` that says why, and so does the `disconnect` of a peer that was ended for going beyond a limit (`error.limit`).
 */
export type Event = EventOfType

type Listener = (event: Event) => void

/** A socket, which has one observer at a time. */
export interface Observed {
  /** Events go to this observer from here on; one that was there before ends. */
  observedBy(observer: Observer): ContextBase
}

/** Whoever takes listeners for events: {@link Observer}. */
export interface EventSubscriber {
  on<T extends EventType>(type: T, listener: (event: EventOfType<T>) => void): EventSubscriber
  off<T extends EventType>(type: T, listener: (event: EventOfType<T>) => void): EventSubscriber
}

/** The events of a socket: read one by one, iterated, or listened to. */
export class Observer implements EventSubscriber {
  private readonly queue = new Ring<Event>()
  private readonly line = new WaitLine<Waiter<Event>>()
  private readonly listeners = new Map<EventType, Listener[]>()
  private emitting = false
  private scheduled = false
  private ended = false
  private readonly context: ContextBase

  /** {@link Socket.events} makes the one that is usually wanted; a second one ends it. */
  constructor(socket: Observed) {
    if (typeof socket?.observedBy !== "function") throw new TypeError("Socket must be a socket object")
    this.context = socket.observedBy(this)
  }

  /** Whether the observer was closed, by {@link close} or after the `end` event of its socket. */
  get closed(): boolean {
    return this.ended
  }

  /** Stops recording; what was not read is gone. */
  close(): void {
    this.ended = true
    this.queue.clear()
    for (const waiter of this.line) waiter.reject(new ZmqError("EAGAIN", { detail: "the observer was closed" }))
  }

  /** The next event; waits for it. EBADF when closed. Not together with {@link on}. */
  receive(options: WaitOptions = {}): Promise<Event> {
    if (this.emitting) {
      throw new Error(
        "Observer is in event emitter mode. After a call to events.on() it is not possible to read events with events.receive().",
      )
    }
    if (this.ended) throw new ZmqError("EBADF")
    const event = this.line.length === 0 ? this.next() : undefined
    if (event !== undefined) return Promise.resolve(event)
    return new Waiter(this.context, this.line, options, () => new ZmqError("EAGAIN")).promise
  }

  /** Calls `listener` for each event of a type from now on. Not together with {@link receive}. */
  on<T extends EventType>(type: T, listener: (event: EventOfType<T>) => void): this {
    this.emitting = true
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener as Listener])
    this.deliverSoon()
    return this
  }

  /** Takes a listener away again. */
  off<T extends EventType>(type: T, listener: (event: EventOfType<T>) => void): this {
    const left = [...(this.listeners.get(type) ?? [])]
    const at = left.lastIndexOf(listener as Listener)
    if (at >= 0) left.splice(at, 1)
    this.listeners.set(type, left)
    return this
  }

  /** Iterates over the events; ends after the `end` event. */
  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    return {
      next: async () => {
        if (this.ended) return { value: undefined, done: true }
        try {
          return { value: await this.receive(), done: false }
        } catch (error) {
          if (this.ended && error instanceof ZmqError && error.code === "EAGAIN")
            return { value: undefined, done: true }
          throw error
        }
      },
    }
  }

  /** @internal Records an event; the socket calls this. */
  record(event: Event): void {
    if (this.ended || (this.queue.length >= MOST && event.type !== "end")) return
    this.queue.push(event)
    if (this.emitting) this.deliverSoon()
    const { first } = this.line
    if (first === null) return
    first.resolve(this.queue.shift() as Event)
    if (event.type === "end") this.close()
  }

  private next(): Event | undefined {
    const event = this.queue.shift()
    if (event?.type === "end") this.close()
    return event
  }

  private deliverSoon(): void {
    if (this.scheduled || this.queue.length === 0) return
    this.scheduled = true
    this.context.runtime.soon(() => this.deliver())
  }

  private deliver(): void {
    this.scheduled = false
    const event = this.next()
    if (event === undefined) return
    // The next one is arranged for first: a listener that throws must not keep it from the others.
    this.deliverSoon()
    for (const listener of this.listeners.get(event.type) ?? []) listener(event)
  }
}
