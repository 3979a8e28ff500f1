/** DEALER (28/REQREP): round-robin out, fair in, and nothing added to or taken from a message. Waits when no peer has room. */
import {
  FairQueue,
  type Link,
  LoadBalancer,
  type LostRole,
  type Message,
  type OptionsOf,
  type Pipe,
} from "../../src/index.js"
import { Duplex, type SocketOptions, withOptions } from "../socket.js"
import { probe } from "./probe.js"

export class Dealer extends Duplex {
  private readonly out = new LoadBalancer()
  private readonly in = new FairQueue()

  constructor(options?: SocketOptions<Dealer>) {
    super("DEALER", options)
    this.begin(options)
  }

  override pipeAttached({ pipe }: Link): boolean {
    this.out.add(pipe)
    this.in.add(pipe)
    if (this.store.values.probeRouter) probe(pipe)
    this.sends.serve()
    return true
  }

  override pipeEnded({ pipe }: Link): void {
    this.out.remove(pipe)
    this.in.end(pipe)
  }

  override pipeLost({ pipe }: Link, role: LostRole): void {
    const hiccup = this.store.bytesOf("hiccupMessage")
    if (hiccup !== null && role === "connected") pipe.note(Buffer.from(hiccup))
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
    return this.out.write(message) !== undefined
  }

  override receiveNow(): Message | undefined {
    const message = this.in.read()
    this.from = this.in.from
    return message
  }

  override receiveMany(into: Message[], max: number): void {
    this.in.readMany(into, max)
  }

  protected override get canSend(): boolean {
    return this.out.writable
  }

  protected override get canReceive(): boolean {
    return this.in.readable
  }
}

export interface Dealer extends OptionsOf<"DEALER"> {}

withOptions(Dealer, "DEALER")
