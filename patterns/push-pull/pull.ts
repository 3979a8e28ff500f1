/** PULL (30/PIPELINE): takes one message of each peer in turn. Sends nothing. */
import { FairQueue, type Link, type Message, type OptionsOf, type Pipe } from "../../src/index.js"
import { Readable, type SocketOptions, withOptions } from "../socket.js"

export class Pull extends Readable {
  protected readonly in = new FairQueue()

  constructor(options?: SocketOptions<Pull>) {
    super("PULL", options)
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

  override receiveNow(): Message | undefined {
    const message = this.in.read()
    this.from = this.in.from
    return message
  }

  override sendNow(): boolean {
    return false
  }

  override receiveMany(into: Message[], max: number): void {
    this.in.readMany(into, max)
  }

  protected override get canSend(): boolean {
    return false
  }

  protected override get canReceive(): boolean {
    return this.in.readable
  }
}

export interface Pull extends OptionsOf<"PULL"> {}

withOptions(Pull, "PULL")
