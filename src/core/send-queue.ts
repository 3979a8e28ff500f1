/**
 * Sends that wait for room, in the order of their calls. A send enters when the pattern would not take its message; each
 * time something changed, the pattern is asked again for the first one.
 */
import { ZmqError } from "../errors.js"
import { keep, type Message, sizeOf } from "../message.js"
import type { ContextBase } from "./context.js"
import { Waiter, WaitLine, type WaitOptions } from "./waiter.js"

/** The pattern's side of sending. */
export interface Sender {
  /** Takes a message (or drops it, where the pattern says so). False: it would have to wait. Throws when it never can. */
  sendNow(message: Message): boolean
  /** Taking one more at once may make a peer miss something, which a moment for it to read may prevent. */
  readonly congested: boolean
  /** Whether the next message would be taken, as far as that can be told without it. */
  readonly writable: boolean
  /** Why a message cannot be sent after all the waiting: EFSM in a wrong state, else EAGAIN. */
  sendError(): ZmqError
}

export interface SendLimits {
  readonly sendTimeout: number
  readonly maxPendingSends: number
}

/** A large message counts as one more operation for each 16 KiB. */
const COST_SHIFT = 14

class PendingSend extends Waiter<void> {
  /** Null stands for {@link SendQueue.settle} and {@link SendQueue.room}: nothing is sent, it only keeps its place. */
  message: Message | null = null
  /** It is done only when there is room. */
  forRoom = false
}

export class SendQueue {
  private readonly line = new WaitLine<PendingSend>()
  private serving = false

  constructor(
    private readonly context: ContextBase,
    private readonly sender: Sender,
    private readonly limits: SendLimits,
  ) {}

  /** Sends that wait. */
  get length(): number {
    return this.line.length
  }

  /** Sends a message whose array is ours. Rejects when it cannot be sent. */
  send(message: Message, options: WaitOptions | undefined): Promise<void> {
    if (this.line.length === 0 && !options?.signal?.aborted) {
      try {
        const { turn } = this.context
        const size = sizeOf(message)
        if (this.sender.sendNow(message)) {
          turn.spend(size >> COST_SHIFT)
          return this.sender.congested ? turn.pause() : turn.settled()
        }
      } catch (error) {
        return Promise.reject(error)
      }
    }
    return this.wait(message, options ?? {})
  }

  /** Sends now or not at all. */
  trySend(message: Message): boolean {
    if (this.line.length === 0 && this.sender.sendNow(message)) return true
    const error = this.sender.sendError()
    if (error.code === "EAGAIN") return false
    throw error
  }

  /** Resolves when every send that waits now was taken, or has failed. */
  settle(options: WaitOptions): Promise<void> {
    if (this.line.length === 0) return Promise.resolve()
    return new PendingSend(this.context, this.line, options, () => new ZmqError("EAGAIN")).promise
  }

  /** Resolves when a message could be taken, or when the socket is closed. */
  room(options: WaitOptions): Promise<void> {
    const pending = new PendingSend(this.context, this.line, options, () => new ZmqError("EAGAIN"))
    pending.forRoom = true
    return pending.promise
  }

  /** Something changed: takes as many as can go now. */
  serve(): void {
    if (this.serving) return
    this.serving = true
    for (let { first } = this.line; first !== null && this.take(first); first = this.line.first);
    this.serving = false
  }

  /** The socket is closed. */
  close(): void {
    for (const pending of this.line) {
      if (pending.forRoom) pending.resolve()
      else pending.reject(new ZmqError("EAGAIN", { detail: "the socket was closed" }))
    }
  }

  private take(pending: PendingSend): boolean {
    try {
      if (pending.forRoom && !this.sender.writable) return false
      if (pending.message !== null && !this.sender.sendNow(pending.message)) return false
      pending.resolve()
    } catch (error) {
      pending.reject(error)
    }
    return true
  }

  private wait(message: Message, options: WaitOptions): Promise<void> {
    const timeout = options.timeout ?? this.limits.sendTimeout
    if (timeout === 0) return Promise.reject(this.sender.sendError())
    if (this.line.length >= this.limits.maxPendingSends) {
      return Promise.reject(
        new ZmqError("EBUSY", { detail: `${this.line.length} sends wait already (maxPendingSends)` }),
      )
    }
    keep(message, this.context.bytes)
    const wait = { signal: options.signal, timeout }
    const pending = new PendingSend(this.context, this.line, wait, () => this.sender.sendError())
    pending.message = message
    return pending.promise
  }
}
