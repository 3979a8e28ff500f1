/**
 * STREAM: bytes to and from peers that do not speak ZMTP, over tcp and ipc. What a peer sends is received as its routing
 * id and a chunk of at most 8192 bytes, cut anywhere; what is sent is a routing id and bytes. An empty frame in place of
 * the bytes, received, says that the peer is there or has gone; sent, it ends the connection.
 */
import {
  checkWait,
  type Message as Frames,
  type Link,
  type OptionsOf,
  type Pipe,
  type WaitOptions,
  ZmqError,
} from "../../src/index.js"
import { Addressed, type ConnectOptions, printable, unreachable } from "../addressed.js"
import { type MessageLike, toMessage } from "../frames.js"
import { alsoFlushes, type FlushMethods, type Message, type SocketOptions, withOptions } from "../socket.js"
import { Outlet } from "./outlet.js"

export type StreamConnectOptions = ConnectOptions

export class Stream extends Addressed<[Message, Message]> {
  /** Of the peers that can be sent to. */
  private readonly outlets = new Map<Pipe, Outlet>()

  constructor(options?: SocketOptions<Stream>) {
    super("STREAM", options)
    this.begin(options)
  }

  /**
   * Sends bytes to the peer with this routing id; no bytes end its connection, when all before is written. Resolves when
   * they are queued; waits while that peer's queue is full, in the order of the calls. A frame above 128 bytes must not
   * change until it is written ({@link flushed}). EHOSTUNREACH when no such peer is there, or it leaves meanwhile; EAGAIN
   * after `timeout` (option `sendTimeout`) or when the socket is closed; EBUSY when `maxPendingSends` wait for that peer.
   */
  send(message: [MessageLike, MessageLike], options?: WaitOptions): Promise<void> {
    const frames = toMessage(message)
    this.checkOpen()
    if (options !== undefined) checkWait(options)
    if (this.isIncomplete(frames)) return Promise.resolve()
    const outlet = this.outletOf(frames)
    if (outlet === undefined) return Promise.reject(unreachable(frames[0] as Buffer))
    return outlet.sends.send([frames[1]!], options)
  }

  /** Sends bytes if that is possible now. False: it would have to wait. Throws what {@link send} would reject with. */
  trySend(message: [MessageLike, MessageLike]): boolean {
    const frames = toMessage(message)
    this.checkOpen()
    return this.sendNow(frames)
  }

  override pipeAttached(link: Link): boolean {
    const { routingId, pipe } = link
    const id = routingId === null || routingId.length === 0 ? this.makeUpId() : Buffer.from(routingId)
    if (this.find(id) !== undefined) return false
    link.routingId = id
    this.identify(link, id)
    this.outlets.set(pipe, new Outlet(this.core, this.store.values, link, id, () => this.connections.finish(link)))
    return true
  }

  /** A connection that comes again is ended again while what came by those before fills the queue. */
  override pipeReady(link: Link): void {
    const { pipe } = link
    const { notify, receiveHighWaterMark: most } = this.store.values
    if (!notify) return
    if (most > 0 && pipe.inbound.length >= most) link.end(null)
    else this.tell(pipe, true)
  }

  /** Whoever was told of a connection is told of its end. */
  override pipeLost({ pipe }: Link): void {
    if (this.outlets.get(pipe)?.told) this.tell(pipe, false)
  }

  override pipeEnded(link: Link): void {
    const sends = this.outlets.get(link.pipe)?.sends
    this.outlets.delete(link.pipe)
    super.pipeEnded(link)
    if (this.closed) sends?.close()
    else sends?.serve()
  }

  override onWritable(pipe: Pipe): void {
    this.outlets.get(pipe)?.sends.serve()
  }

  override sendNow(message: Frames): boolean {
    if (this.isIncomplete(message)) return true
    const outlet = this.outletOf(message)
    if (outlet === undefined) throw unreachable(message[0] as Buffer)
    return outlet.sends.trySend([message[1]!])
  }

  /** As in libzmq: which peers have room is not asked. */
  protected override get canSend(): boolean {
    return true
  }

  protected override settleSends(options: WaitOptions): Promise<unknown> | null {
    const waiting = [...this.outlets.values()].filter(({ sends }) => sends.length > 0)
    return waiting.length === 0 ? null : Promise.all(waiting.map(({ sends }) => sends.settle(options)))
  }

  /** EINVAL for an id that is in use. */
  protected override connectTo(endpoint: string, routingId: Uint8Array | null): void {
    const id = routingId === null ? null : Buffer.from(routingId)
    if (id !== null && this.find(id) !== undefined) {
      throw new ZmqError("EINVAL", { address: endpoint, detail: `the routing id ${printable(id)} is in use` })
    }
    super.connectTo(endpoint, id)
  }

  private tell(pipe: Pipe, there: boolean): void {
    const outlet = this.outlets.get(pipe)
    if (outlet !== undefined) outlet.told = there
    pipe.note(Buffer.alloc(0))
  }

  private outletOf(message: Frames): Outlet | undefined {
    const link = this.find(message[0] as Buffer)
    return link && this.outlets.get(link.pipe)
  }

  /** What has no bytes after the routing id, not even none, goes nowhere. Frames beyond are not looked at. */
  private isIncomplete(message: Frames): boolean {
    if (message.length === 1) this.counters.drop("malformed")
    return message.length < 2
  }
}

export interface Stream extends FlushMethods, OptionsOf<"STREAM"> {}

alsoFlushes(Stream)
withOptions(Stream, "STREAM")
