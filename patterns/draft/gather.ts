/** GATHER (49/SCATTER-GATHER): takes one message of each peer in turn. Sends nothing. */
import type { Message as Frames, Link, OptionsOf, Pipe } from "../../src/index.js"
import { type Message, Readable, type SocketOptions, withOptions } from "../socket.js"
import { CheckedQueue } from "./checked-queue.js"
import { takeSingle } from "./single.js"

export class Gather extends Readable<[Message]> {
  private readonly in = new CheckedQueue(takeSingle)

  constructor(options?: SocketOptions<Gather>) {
    super("GATHER", options)
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

  override receiveNow(): Frames | undefined {
    const message = this.in.read()
    this.from = this.in.from
    return message
  }

  override sendNow(): boolean {
    return false
  }

  protected override get canSend(): boolean {
    return false
  }

  protected override get canReceive(): boolean {
    return this.in.readable
  }
}

export interface Gather extends OptionsOf<"GATHER"> {}

withOptions(Gather, "GATHER")
