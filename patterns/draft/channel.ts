/** CHANNEL (52/CHANNEL): PAIR for messages of one frame. Exactly one peer at a time; waits when it is full or not there. */
import type { Message as Frames, Link, OptionsOf, Pipe } from "../../src/index.js"
import { alsoReceives, type Message, type ReceiveMethods, type SocketOptions, withOptions } from "../socket.js"
import { CheckedQueue } from "./checked-queue.js"
import { SingleWritable, takeSingle } from "./single.js"

export class Channel extends SingleWritable {
  private pipe: Pipe | null = null
  /** Of the peer, and of those that have left with messages that were not read yet. */
  private readonly in = new CheckedQueue(takeSingle)

  constructor(options?: SocketOptions<Channel>) {
    super("CHANNEL", options)
    this.begin(options)
  }

  override pipeAttached({ pipe }: Link): boolean {
    if (this.pipe !== null) return false
    this.pipe = pipe
    this.in.add(pipe)
    this.sends.serve()
    return true
  }

  override pipeEnded({ pipe }: Link): void {
    if (this.pipe !== pipe) return
    this.pipe = null
    this.in.end(pipe)
  }

  override onReadable(pipe: Pipe): void {
    this.in.activate(pipe)
    this.receives.serve()
  }

  override sendNow(message: Frames): boolean {
    return this.pipe?.write(message) ?? false
  }

  override receiveNow(): Frames | undefined {
    const message = this.in.read()
    this.from = this.in.from
    return message
  }

  protected override get canSend(): boolean {
    return this.pipe?.admits(0) ?? false
  }

  protected override get canReceive(): boolean {
    return this.in.readable
  }
}

export interface Channel extends OptionsOf<"CHANNEL">, ReceiveMethods<[Message]> {}

alsoReceives(Channel)
withOptions(Channel, "CHANNEL")
