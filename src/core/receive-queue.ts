/**
 * Receives that wait for a message, in the order of their calls, in the forms that a caller may want it in. A message
 * is taken from the pattern in the moment in which a receive settles, so one that is cancelled never had one.
 */
import { ZmqError } from "../errors.js"
import type { Message } from "../message.js"
import type { Pipe } from "../pipe/pipe.js"
import type { ContextBase } from "./context.js"
import { Waiter, WaitLine, type WaitOptions } from "./waiter.js"

/** The pattern's side of receiving. */
export interface Receiver {
  /** The next message, or undefined: none is there, or none may be taken in this state. */
  receiveNow(): Message | undefined
  /** Appends messages to `into`, as many as there are, until it has `max`. */
  receiveMany(into: Message[], max: number): void
  /** Whether {@link receiveNow} has a message. */
  readonly readable: boolean
  /** The pipe that the last message came by. */
  readonly from: Pipe | null
  /** Why none comes after all the waiting: EFSM in a wrong state, else EAGAIN. */
  receiveError(): ZmqError
}

/** A message and where it came from. */
export interface Received {
  message: Message
  from: Pipe
}

/** What a receive settles with. */
export enum Form {
  /** The message. */
  Plain,
  /** {@link Received}. */
  From,
  /** An iterator's step with the message. */
  Step,
  /** An iterator's step with a list of messages. */
  Batch,
  /** True, and nothing is taken: a message is there. */
  Ready,
}

/** One list of messages counts as this many operations for each one of them, in {@link Turn}. */
const BATCH_COST = 1 / 8

class PendingReceive extends Waiter<unknown> {
  form: Form = Form.Plain
  max = 0
}

export class ReceiveQueue {
  private readonly line = new WaitLine<PendingReceive>()
  private later = false
  private soon = false
  private closed = false

  constructor(
    private readonly context: ContextBase,
    private readonly receiver: Receiver,
    private readonly limits: { readonly receiveTimeout: number },
  ) {}

  /** Receives in the given form; for {@link Form.Batch} up to `max` messages at a time. */
  receive(form: Form, options: WaitOptions | undefined, max: number): Promise<unknown> {
    const turn = this.context.turn
    if (this.line.length === 0 && turn.open && !options?.signal?.aborted) {
      const value = this.take(form, max)
      if (value !== undefined) return Promise.resolve(value)
    }
    return this.wait(form, options ?? {}, max)
  }

  /** A message if one is there; null if not. */
  tryReceive(): Message | null {
    const message = this.line.length === 0 ? this.receiver.receiveNow() : undefined
    if (message !== undefined) return message
    const error = this.receiver.receiveError()
    if (error.code === "EAGAIN") return null
    throw error
  }

  /**
   * Something came: those who wait get it when the running callback is over. Until then more may come, and is then taken
   * without waiting; on inproc that lets a sender run ahead instead of waking the receiver for each message.
   */
  serve(): void {
    if (this.line.length === 0 || this.soon) return
    this.soon = true
    this.context.serveSoon(this)
  }

  /** Gives those who wait what is there. */
  serveNow(): void {
    this.soon = false
    for (let pending = this.line.first; pending !== null; pending = this.line.first) {
      const value = this.take(pending.form, pending.max)
      if (value === undefined) break
      pending.resolve(value)
    }
  }

  /** The socket is closed: iterations end, receives fail. */
  close(): void {
    this.closed = true
    for (const pending of this.line) {
      if (pending.form >= Form.Step) pending.resolve(END)
      else pending.reject(new ZmqError("EAGAIN", { detail: "the socket was closed" }))
    }
  }

  private take(form: Form, max: number): unknown {
    if (form === Form.Ready) return this.receiver.readable || undefined
    const message = this.receiver.receiveNow()
    if (message === undefined) return undefined
    switch (form) {
      case Form.Plain:
        this.context.turn.spend(1)
        return message
      case Form.Step:
        this.context.turn.spend(1)
        return { value: message, done: false }
      case Form.From:
        this.context.turn.spend(1)
        return { message, from: this.receiver.from as Pipe } satisfies Received
      case Form.Batch:
        return { value: this.takeBatch(message, max), done: false }
    }
  }

  private takeBatch(first: Message, max: number): Message[] {
    const batch = [first]
    this.receiver.receiveMany(batch, max)
    this.context.turn.spend(1 + batch.length * BATCH_COST)
    return batch
  }

  private wait(form: Form, options: WaitOptions, max: number): Promise<unknown> {
    if (this.closed) return Promise.resolve(END)
    const timeout = options.timeout ?? this.limits.receiveTimeout
    if (timeout === 0) return this.takeOrFail(form, max)
    const wait = { signal: options.signal, timeout }
    const pending = new PendingReceive(this.context, this.line, wait, () => this.receiver.receiveError())
    pending.form = form
    pending.max = max
    if (!this.later && !this.context.turn.open) {
      this.later = true
      this.context.turn.call(() => {
        this.later = false
        this.serveNow()
      })
    }
    return pending.promise
  }

  private takeOrFail(form: Form, max: number): Promise<unknown> {
    const value = this.line.length === 0 ? this.take(form, max) : undefined
    return value === undefined ? Promise.reject(this.receiver.receiveError()) : Promise.resolve(value)
  }
}

const END = { value: undefined, done: true } as const
