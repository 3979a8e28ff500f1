/** CLIENT (41/CLISRV): one frame at a time, round-robin out to its servers and fair in. Waits when no server has room. */
import {
  type Message as Frames,
  type Link,
  LoadBalancer,
  type LostRole,
  type OptionsOf,
  type Pipe,
} from "../../src/index.js"
import { alsoReceives, type Message, type ReceiveMethods, type SocketOptions, withOptions } from "../socket.js"
import { CheckedQueue } from "./checked-queue.js"
import { SingleWritable, takeSingle } from "./single.js"

export class Client extends SingleWritable {
  private readonly out = new LoadBalancer()
  private readonly in = new CheckedQueue(takeSingle)

  constructor(options?: SocketOptions<Client>) {
    super("CLIENT", options)
    this.begin(options)
  }

  override pipeAttached({ pipe }: Link): boolean {
    this.out.add(pipe)
    this.in.add(pipe)
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

  override sendNow(message: Frames): boolean {
    return this.out.write(message) !== undefined
  }

  override receiveNow(): Frames | undefined {
    const message = this.in.read()
    this.from = this.in.from
    return message
  }

  protected override get canSend(): boolean {
    return this.out.writable
  }

  protected override get canReceive(): boolean {
    return this.in.readable
  }
}

export interface Client extends OptionsOf<"CLIENT">, ReceiveMethods<[Message]> {}

alsoReceives(Client)
withOptions(Client, "CLIENT")
