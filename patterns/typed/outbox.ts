/**
 * The messages on their way to a socket, in order, one `send` at a time: the zeromq package allows no more, and a Dealer
 * without a connection lets a send wait. Bounded: what does not fit is refused, and what a socket will not take comes back.
 */

import { Deque } from "./deque.js"
import type { Frame } from "./protocol.js"
import type { TypedSocket } from "./sockets.js"

export class Outbox {
  private readonly waiting = new Deque<Frame[]>()
  private running = false
  private idle: (() => void)[] = []
  private ended = false

  /** @param onRefused The socket would not take it: nobody is there (EHOSTUNREACH), or he cannot keep up (EAGAIN). */
  constructor(
    private readonly socket: TypedSocket,
    private readonly limit: number,
    private readonly onRefused: (message: Frame[], error: unknown) => void,
  ) {}

  get size(): number {
    return this.waiting.size
  }

  /** false: it is full, or the socket is closed; nothing was taken. */
  push(message: Frame[]): boolean {
    if (this.ended || this.waiting.size >= this.limit) return false
    this.waiting.push(message)
    if (!this.running) void this.run()
    return true
  }

  /** Resolves when everything was given to the socket, or that will not happen any more. */
  async empty(): Promise<void> {
    if (this.running) await new Promise<void>(resolve => this.idle.push(resolve))
  }

  /** Nothing more goes out. */
  end(): void {
    this.ended = true
    while (this.waiting.shift() !== undefined);
    if (!this.running) this.rest()
  }

  private async run(): Promise<void> {
    this.running = true
    for (let message = this.waiting.shift(); message !== undefined; message = this.waiting.shift()) {
      try {
        await this.socket.send(message)
      } catch (error) {
        if (this.socket.closed) this.end()
        else this.onRefused(message, error)
      }
    }
    this.running = false
    this.rest()
  }

  private rest(): void {
    for (const resolve of this.idle.splice(0)) resolve()
  }
}
