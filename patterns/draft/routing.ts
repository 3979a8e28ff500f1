/**
 * What SERVER and PEER share (41/CLISRV, 51/P2P): each peer has a number, its routing id, which comes with each of its
 * messages and says where a message to send goes. A send never waits: to a peer that is not there it is EHOSTUNREACH, to
 * one that is full EAGAIN.
 */
import {
  checkWait,
  type Message as Frames,
  type Link,
  type LostRole,
  type Pipe,
  type SocketTypeName,
  type WaitOptions,
  ZmqError,
} from "../../src/index.js"
import { toMessage } from "../frames.js"
import { alsoFlushes, type ContextOption, type FlushMethods, type Message, Readable } from "../socket.js"
import { CheckedQueue } from "./checked-queue.js"
import { isMultipart, multipartError, type Single, takeSingle } from "./single.js"
import { checkTag, tagged } from "./tagged.js"

/** Which peer a message is for, or came from: 1 to 2^32-1. */
export interface RoutingOptions {
  routingId: number
}

const MOST = 0xffffffff

export abstract class Routing extends Readable<[Message, RoutingOptions]> {
  /** The id of the pipe that was attached first since this was 0. */
  protected attachedAs = 0
  private readonly in = new CheckedQueue(takeSingle)
  private readonly pipes = new Map<number, Pipe>()
  /** Also of peers that have left with messages that were not read yet. */
  private readonly ids = new WeakMap<Pipe, number>()
  private counter: number
  /** Where the message goes that is being sent; as sends never wait, that is over when the call is. */
  private to = 0

  protected constructor(type: SocketTypeName, options: ContextOption | undefined) {
    super(type, options)
    this.counter = Math.floor(this.core.runtime.random() * MOST)
  }

  /**
   * Sends one frame to the peer with this routing id, and does not wait. A frame above 128 bytes must not change until it
   * is written ({@link flushed}). EHOSTUNREACH when no such peer is there, EAGAIN when its queue is full, EINVAL for more
   * than one frame or for what is no routing id. 41/CLISRV.
   */
  send(message: Single, options: RoutingOptions & WaitOptions): Promise<void> {
    const id = idOf(options)
    this.checkOpen()
    checkWait(options)
    if (isMultipart(message)) return Promise.reject(multipartError())
    const frames = toMessage(message)
    if (frames.length === 0) return Promise.resolve()
    this.to = id
    return this.sends.send(frames, options)
  }

  /** Sends as {@link send}. False: the peer's queue is full. Throws what send would reject with otherwise. */
  trySend(message: Single, options: RoutingOptions): boolean {
    const id = idOf(options)
    this.checkOpen()
    if (isMultipart(message)) throw multipartError()
    const frames = toMessage(message)
    return frames.length === 0 || this.find(id).write(frames)
  }

  override pipeAttached({ pipe }: Link): boolean {
    const id = this.makeUpId()
    this.ids.set(pipe, id)
    this.pipes.set(id, pipe)
    this.in.add(pipe)
    if (this.attachedAs === 0) this.attachedAs = id
    return true
  }

  override pipeEnded({ pipe }: Link): void {
    this.in.end(pipe)
    this.pipes.delete(this.ids.get(pipe) as number)
  }

  override pipeLost({ pipe }: Link, role: LostRole): void {
    const news = this.store.bytesOf(role === "connected" ? "hiccupMessage" : "disconnectMessage")
    if (news !== null) pipe.note(Buffer.from(news))
  }

  override onReadable(pipe: Pipe): void {
    this.in.activate(pipe)
    this.receives.serve()
  }

  override sendNow(message: Frames): boolean {
    if (this.find(this.to).write(message)) return true
    throw new ZmqError("EAGAIN", { detail: `the queue of the peer with the routing id ${this.to} is full` })
  }

  override receiveNow(): Frames | undefined {
    const message = this.in.read()
    if (message === undefined) return undefined
    const pipe = this.in.from as Pipe
    this.from = pipe
    return tagged(message, message[0]!, { routingId: this.ids.get(pipe) as number } satisfies RoutingOptions)
  }

  /** As in libzmq: which peers have room is not asked. */
  protected override get canSend(): boolean {
    return true
  }

  protected override get canReceive(): boolean {
    return this.in.readable
  }

  private find(id: number): Pipe {
    if (!(Number.isInteger(id) && id >= 1 && id <= MOST)) {
      throw new ZmqError("EINVAL", { detail: `expected a routingId of 1 to ${MOST}, got ${id}` })
    }
    const pipe = this.pipes.get(id)
    if (pipe === undefined) throw new ZmqError("EHOSTUNREACH", { detail: `no peer has the routing id ${id}` })
    return pipe
  }

  private makeUpId(): number {
    do this.counter = this.counter >= MOST ? 1 : this.counter + 1
    while (this.pipes.has(this.counter))
    return this.counter
  }
}

export interface Routing extends FlushMethods {}

alsoFlushes(Routing)

/** Checked for its type here, for its value when it is looked up; one that is missing counts as 0, as in zeromq. */
function idOf(options: RoutingOptions): number {
  checkTag(options)
  const { routingId = 0 } = options
  if (typeof routingId !== "number") throw new TypeError("A number was expected")
  return routingId
}
