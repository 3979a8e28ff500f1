/**
 * REQ (28/REQREP): one request, then its reply, in turn. The request goes to the next peer that has room; only that
 * peer's reply counts. With `relaxed` a new request may follow an unanswered one, with `correlate` each carries a number
 * that its reply must carry too.
 */
import {
  FairQueue,
  type Link,
  LoadBalancer,
  type Message,
  type OptionsOf,
  type Pipe,
  ProtocolError,
  ZmqError,
} from "../../src/index.js"
import { probe } from "../router-dealer/probe.js"
import { Duplex, type SocketOptions, withOptions } from "../socket.js"

const DELIMITER = Buffer.alloc(0)

export class Request extends Duplex {
  private readonly out = new LoadBalancer()
  private readonly in = new FairQueue()
  private readonly links = new Map<Pipe, Link>()
  private awaiting = false
  /** Who the request went to; null when that peer has left, then any reply will do. */
  private asked: Pipe | null = null
  private number: number
  private numberFrame: Buffer | null = null

  constructor(options?: SocketOptions<Request>) {
    super("REQ", options)
    this.number = Math.floor(this.core.runtime.random() * 0x100000000)
    this.begin(options)
  }

  override pipeAttached(link: Link): boolean {
    this.links.set(link.pipe, link)
    this.out.add(link.pipe)
    this.in.add(link.pipe)
    if (this.store.values.probeRouter) probe(link.pipe)
    this.sends.serve()
    return true
  }

  override pipeEnded({ pipe }: Link): void {
    this.links.delete(pipe)
    this.out.remove(pipe)
    this.in.end(pipe)
    if (this.asked === pipe) this.asked = null
  }

  override onReadable(pipe: Pipe): void {
    this.in.activate(pipe)
    this.receives.serve()
  }

  override onWritable(pipe: Pipe): void {
    this.out.activate(pipe)
    this.sends.serve()
  }

  override sendNow(message: Message): boolean {
    const { relaxed, correlate } = this.store.values
    if (this.awaiting && !relaxed) return false
    const number = correlate ? this.nextNumber() : null
    const pipe = this.out.write(number === null ? [DELIMITER, ...message] : [number, DELIMITER, ...message])
    if (pipe === undefined) return false
    // What came for an older request is of no use any more.
    for (let stale = this.in.read(); stale !== undefined; stale = this.in.read())
      this.in.from?.counters.drop("filtered")
    this.numberFrame = number
    this.asked = pipe
    this.awaiting = true
    this.receives.serve()
    return true
  }

  override receiveNow(): Message | undefined {
    if (!this.awaiting) return undefined
    for (let message = this.in.read(); message !== undefined; message = this.in.read()) {
      const pipe = this.in.from as Pipe
      if (this.asked !== null && pipe !== this.asked) {
        pipe.counters.drop("filtered")
        continue
      }
      const body = this.open(message, pipe)
      if (body === undefined) continue
      this.from = pipe
      this.awaiting = false
      this.asked = null
      this.core.runtime.soon(() => this.sends.serve())
      return body
    }
    return undefined
  }

  /** A relaxed request that fails for want of a peer has given the older one up all the same, as in libzmq. */
  override sendError(): ZmqError {
    if (this.awaiting && !this.store.values.relaxed) return new ZmqError("EFSM")
    this.awaiting = false
    this.asked = null
    return new ZmqError("EAGAIN")
  }

  override receiveError(): ZmqError {
    return new ZmqError(this.awaiting ? "EAGAIN" : "EFSM")
  }

  protected override get canSend(): boolean {
    return (!this.awaiting || this.store.values.relaxed) && this.out.writable
  }

  protected override get canReceive(): boolean {
    return this.awaiting && this.in.readable
  }

  /** The body of a reply, without what was sent around the request; undefined when it is not the reply that is awaited. */
  private open(message: Message, pipe: Pipe): Message | undefined {
    const delimiter = this.numberFrame === null ? 0 : 1
    const shaped = message[delimiter]?.length === 0 && message.length > delimiter + 1
    if (!shaped || (delimiter === 1 && message[0]?.length !== 4)) {
      pipe.counters.drop("malformed")
      // A peer that cannot answer is left, as in libzmq; on inproc the message is only skipped.
      this.links.get(pipe)?.end(new ProtocolError("ERR_ZMTP_UNSPECIFIED", "a reply without its envelope"))
      return undefined
    }
    if (this.numberFrame !== null && !this.numberFrame.equals(message[0] as Buffer)) {
      pipe.counters.drop("filtered")
      return undefined
    }
    return message.slice(delimiter + 1)
  }

  private nextNumber(): Buffer {
    this.number = (this.number + 1) >>> 0
    const frame = Buffer.alloc(4)
    frame.writeUInt32LE(this.number)
    return frame
  }
}

export interface Request extends OptionsOf<"REQ"> {}

withOptions(Request, "REQ")
