/** What is sent to one peer of a STREAM: it goes in order, and what waits for this peer waits for no other. */
import {
  type ContextBase,
  type Link,
  type Message,
  type Sender,
  type SendLimits,
  SendQueue,
  ZmqError,
} from "../../src/index.js"
import { printable, unreachable } from "../addressed.js"

export class Outlet implements Sender {
  readonly sends: SendQueue
  readonly congested = false
  /** The receiver was told that the peer is there, and not yet that it has gone. */
  told = false

  constructor(
    context: ContextBase,
    limits: SendLimits,
    private readonly link: Link,
    private readonly id: Buffer,
    /** Ends the connection when what was sent is written. */
    private readonly finish: () => void,
  ) {
    this.sends = new SendQueue(context, this, limits)
  }

  sendNow(body: Message): boolean {
    if (!this.link.attached) throw unreachable(this.id)
    if (body[0]!.length > 0) return this.link.pipe.write(body)
    this.finish()
    return true
  }

  get writable(): boolean {
    return this.link.pipe.admits(0)
  }

  sendError(): ZmqError {
    return new ZmqError("EAGAIN", { detail: `the queue of the peer ${printable(this.id)} is full` })
  }
}
