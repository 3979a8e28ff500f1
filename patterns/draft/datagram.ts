/**
 * DGRAM: datagrams of udp, to anybody and from anybody. A message is an address and the bytes of one datagram. Sends wait
 * for room, and for an endpoint; what comes while the queue is full is dropped, and counted. There is no RFC: it does what
 * libzmq does.
 */
import {
  FairQueue,
  type Message as Frames,
  type Link,
  type OptionsOf,
  type Pipe,
  type WaitOptions,
  ZmqError,
} from "../../src/index.js"
import type { MessageLike } from "../frames.js"
import { alsoSends, type Message, Readable, type SendMethods, type SocketOptions, withOptions } from "../socket.js"

export class Datagram extends Readable<[Message, Message]> {
  private link: Link | null = null
  /** Of the endpoint, and of those before it with messages that were not read yet. */
  private readonly in = new FairQueue()

  constructor(options?: SocketOptions<Datagram>) {
    super("DGRAM", options)
    this.begin(options)
  }

  override pipeAttached(link: Link): boolean {
    if (this.link !== null) return false
    this.link = link
    this.in.add(link.pipe)
    this.sends.serve()
    return true
  }

  override pipeEnded({ pipe }: Link): void {
    this.link = null
    this.in.end(pipe)
  }

  override onReadable(pipe: Pipe): void {
    this.in.activate(pipe)
    this.receives.serve()
  }

  override sendNow(message: Frames): boolean {
    if (message.length !== 2) {
      throw new ZmqError("EINVAL", { detail: `expected two frames, an address and a datagram, got ${message.length}` })
    }
    if (this.link === null) return false
    this.link.place?.check(message)
    return this.link.pipe.write(message)
  }

  override receiveNow(): Frames | undefined {
    const message = this.in.read()
    this.from = this.in.from
    return message
  }

  protected override get canSend(): boolean {
    return this.link?.pipe.admits(0) ?? false
  }

  protected override get canReceive(): boolean {
    return this.in.readable
  }
}

interface SendDatagrams extends Omit<SendMethods, "send" | "trySend"> {
  /**
   * Sends one datagram to an address, such as `127.0.0.1:5555` or `[::1]:5555`, which is no name. Resolves when it is
   * queued; waits while there is no room, or nothing is bound, in the order of the calls. That it arrives nobody knows. A
   * datagram above 128 bytes must not change until it is written ({@link Datagram.flushed}). EINVAL for what is not an
   * address and a datagram, EMSGSIZE for more than 65,507 bytes, EAGAIN after `timeout` (option `sendTimeout`) or when the
   * socket is closed, EBUSY when `maxPendingSends` wait.
   */
  send(message: [MessageLike, MessageLike], options?: WaitOptions): Promise<void>
  /** Sends a datagram if that is possible now. False: it would have to wait. Throws what {@link send} would reject with. */
  trySend(message: [MessageLike, MessageLike]): boolean
}

export interface Datagram extends OptionsOf<"DGRAM">, SendDatagrams {}

alsoSends(Datagram)
withOptions(Datagram, "DGRAM")
