/** SCATTER (49/SCATTER-GATHER): one frame at a time, round-robin to the peers that can take one; waits when none can. */
import { type Link, LoadBalancer, type Message, type OptionsOf, type Pipe } from "../../src/index.js"
import { type SocketOptions, withOptions } from "../socket.js"
import { SingleWritable } from "./single.js"

export class Scatter extends SingleWritable {
  private readonly out = new LoadBalancer()

  constructor(options?: SocketOptions<Scatter>) {
    super("SCATTER", options)
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

export interface Scatter extends OptionsOf<"SCATTER"> {}

withOptions(Scatter, "SCATTER")
