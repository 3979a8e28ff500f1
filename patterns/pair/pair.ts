/** PAIR (31/EXPAIR): exactly one peer at a time; a second one is turned away. Waits when the peer is full or not there. */
import type { Link, Message, OptionsOf, Pipe } from "../../src/index.js"
import { Duplex, type SocketOptions, withOptions } from "../socket.js"

export class Pair extends Duplex {
  private pipe: Pipe | null = null
  /** Peers that have left, with messages that were not read yet. */
  private left: Pipe[] = []

  constructor(options?: SocketOptions<Pair>) {
    super("PAIR", options)
    this.begin(options)
  }

  override pipeAttached({ pipe }: Link): boolean {
    if (this.pipe !== null) return false
    this.pipe = pipe
    this.sends.serve()
    return true
  }

  override pipeEnded({ pipe }: Link): void {
    if (this.pipe !== pipe) return
    this.pipe = null
    if (pipe.inbound.length > 0) this.left.push(pipe)
  }

  override onReadable(): void {
    this.receives.serve()
  }

  override sendNow(message: Message): boolean {
    return this.pipe?.write(message) ?? false
  }

  override receiveNow(): Message | undefined {
    for (let pipe = this.left[0]; pipe !== undefined; pipe = this.left[0]) {
      const message = pipe.read()
      if (message !== undefined) return message
      this.left.shift()
    }
    this.from = this.pipe
    return this.pipe?.read()
  }

  protected override get canSend(): boolean {
    return this.pipe?.admits(0) ?? false
  }

  protected override get canReceive(): boolean {
    return this.left.length > 0 || (this.pipe !== null && this.pipe.inbound.length > 0)
  }
}

export interface Pair extends OptionsOf<"PAIR"> {}

withOptions(Pair, "PAIR")
