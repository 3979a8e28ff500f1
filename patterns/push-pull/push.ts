/** PUSH (30/PIPELINE): round-robin to the peers that can take a message; waits when none can. Nothing comes back. */
import { type Link, LoadBalancer, type Message, type OptionsOf, type Pipe } from "../../src/index.js"
import { type SocketOptions, Writable, withOptions } from "../socket.js"

export class Push extends Writable {
  protected readonly out = new LoadBalancer()

  constructor(options?: SocketOptions<Push>) {
    super("PUSH", options)
    this.begin(options)
  }

  override pipeAttached({ pipe }: Link): boolean {
    this.out.add(pipe)
    this.sends.serve()
    return true
  }

  override pipeEnded({ pipe }: Link): void {
    this.out.remove(pipe)
  }

  override onWritable(pipe: Pipe): void {
    this.out.activate(pipe)
    this.sends.serve()
  }

  override sendNow(message: Message): boolean {
    return this.out.write(message) !== undefined
  }

  override receiveNow(): undefined {}

  protected override get canSend(): boolean {
    return this.out.writable
  }

  protected override get canReceive(): boolean {
    return false
  }
}

export interface Push extends OptionsOf<"PUSH"> {}

withOptions(Push, "PUSH")
