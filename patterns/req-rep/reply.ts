/**
 * REP (28/REQREP): one request, then its reply, in turn. What stands before a request's first empty frame, the addresses
 * of who is to have the reply, is kept and sent back in front of it. A reply whose peer left, or is full, is dropped and
 * counted; sending never waits.
 */
import { FairQueue, type Link, type Message, type OptionsOf, type Pipe, ZmqError } from "../../src/index.js"
import { Duplex, type SocketOptions, withOptions } from "../socket.js"

export class Reply extends Duplex {
  private readonly in = new FairQueue()
  private replying = false
  private envelope: Message = []
  private asker: Pipe | null = null

  constructor(options?: SocketOptions<Reply>) {
    super("REP", options)
    this.begin(options)
  }

  override pipeAttached({ pipe }: Link): boolean {
    this.in.add(pipe)
    return true
  }

  override pipeEnded({ pipe }: Link): void {
    this.in.end(pipe)
  }

  override onReadable(pipe: Pipe): void {
    this.in.activate(pipe)
    this.receives.serve()
  }

  override sendNow(message: Message): boolean {
    if (!this.replying) return false
    const pipe = this.asker as Pipe
    if (pipe.ended) this.counters.drop("unroutable")
    else if (!pipe.write([...this.envelope, ...message])) pipe.counters.drop("full")
    this.replying = false
    this.asker = null
    this.envelope = []
    this.core.runtime.soon(() => this.receives.serve())
    return true
  }

  override receiveNow(): Message | undefined {
    if (this.replying) return undefined
    for (let message = this.in.read(); message !== undefined; message = this.in.read()) {
      const pipe = this.in.from as Pipe
      const delimiter = message.findIndex(frame => frame.length === 0)
      if (delimiter < 0 || delimiter + 1 === message.length) {
        pipe.counters.drop("malformed")
        continue
      }
      this.envelope = message.slice(0, delimiter + 1)
      this.from = this.asker = pipe
      this.replying = true
      this.core.runtime.soon(() => this.sends.serve())
      return message.slice(delimiter + 1)
    }
    return undefined
  }

  override sendError(): ZmqError {
    return new ZmqError("EFSM")
  }

  override receiveError(): ZmqError {
    return new ZmqError(this.replying ? "EFSM" : "EAGAIN")
  }

  protected override get canSend(): boolean {
    return this.replying
  }

  protected override get canReceive(): boolean {
    return !this.replying && this.in.readable
  }
}

export interface Reply extends OptionsOf<"REP"> {}

withOptions(Reply, "REP")
