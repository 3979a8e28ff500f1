/** The public base of all sockets, and the three ways in which they can be used: to send, to receive, for both. */
import {
  type Authenticator,
  type CommonOptions,
  checkWait,
  defineOptions,
  Form,
  type Link,
  type Peer as PeerOf,
  type Received,
  type ReceivedFrom,
  type ReceiveQueue,
  SocketBase,
  type SocketTypeName,
  type WaitOptions,
  ZmqError,
} from "../src/index.js"
import { Context, context as globalContext } from "./context.js"
import { type MessageLike, toMessage } from "./frames.js"
import { type Authenticate, Gate, keysOf } from "./security/authenticate.js"

/**
 * One frame of a received message. Up to 64 bytes it may share its memory with others, as short Buffers of Node do: one
 * that is kept holds up to 8 KiB. A longer one is a view of what came together with it, up to 64 KiB.
 */
export type Message = Buffer

/** A peer of a socket. */
export type Peer = PeerOf<Buffer>

/** Whether a peer may come in: see {@link Socket.accept}. */
export type Accept = (peer: Peer) => boolean

/** The context of a socket, beside its options. */
export interface ContextOption {
  context?: Context
}

/** Whether two types are the same, `readonly` included: only so are functions that depend on them. */
type IfSame<A, B, Then> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? Then : never

/** The properties that can be written, without the methods. */
type WritableKeys<T> = {
  [K in keyof T]-?: T[K] extends (...args: never[]) => unknown
    ? never
    : IfSame<{ [P in K]: T[P] }, { -readonly [P in K]: T[P] }, K>
}[keyof T]

/** What the constructor of a socket takes: its options, and the context that it is to belong to. */
export type SocketOptions<S extends Socket> = Partial<Pick<S, Exclude<WritableKeys<S>, keyof SocketBase>>> &
  ContextOption

/** A socket. Make one of its subclasses: {@link Push}, {@link Pull}, {@link Publisher} and so on. */
export abstract class Socket extends SocketBase {
  /** The context that this socket belongs to. */
  readonly context: Context
  private decides: Authenticate | null = null
  private allowed: ReadonlySet<string> | null = null
  private admits: Accept | null = null

  protected constructor(type: SocketTypeName, options: ContextOption | undefined) {
    if (options !== undefined && (typeof options !== "object" || options === null)) {
      throw new TypeError("Options must be an object")
    }
    const context = options?.context ?? globalContext
    if (!(context instanceof Context)) throw new TypeError("Context must be a Context")
    super(type, context.core)
    this.context = context
  }

  /**
   * Decides about each peer that wants to come in, in place of a ZAP handler: gives true, or who it is, to let it in. Null (the
   * default): nobody but a ZAP handler is asked. Takes effect at the next bind or connect. With NULL, both sides ask.
   */
  get authenticate(): Authenticate | null {
    return this.decides
  }

  set authenticate(value: Authenticate | null) {
    if (value !== null && typeof value !== "function") throw new TypeError("authenticate must be a function or null")
    this.decides = value
  }

  /**
   * The public keys (Z85 text or 32 bytes) of the CURVE clients that may come in, before {@link authenticate} is asked; nobody else
   * may. Null (the default): any. EINVAL for what is no key. Read as text. Takes effect at the next bind or connect.
   */
  get allow(): readonly string[] | null {
    return this.allowed === null ? null : [...this.allowed]
  }

  set allow(keys: Iterable<string | Uint8Array> | null) {
    this.allowed = keys === null ? null : keysOf(keys)
  }

  /**
   * Decides about each peer that came by a bound endpoint (not inproc) when its handshake is done, and all is known of it, but before
   * this socket uses it: true lets it in, anything else ends its connection, and so does an error. Null (the default): all come in.
   * Takes effect at once, on peers that come from then on.
   */
  get accept(): Accept | null {
    return this.admits
  }

  set accept(value: Accept | null) {
    if (value !== null && typeof value !== "function") throw new TypeError("accept must be a function or null")
    this.admits = value
  }

  override letsIn(link: Link): boolean {
    if (this.admits === null) return true
    try {
      const said: unknown = this.admits(this.connections.peerOf(link.pipe) as Peer)
      if (typeof said === "boolean") return said
      throw new TypeError("accept must give a boolean")
    } catch (error) {
      this.core.runtime.debug("accept failed: %o", error)
      return false
    }
  }

  protected override authenticatorFor(domain: string): Authenticator | null {
    const { allowed, decides } = this
    if (allowed === null && decides === null) return null
    return new Gate(allowed, decides, domain, error => {
      // Not the text: it is of whoever wrote the function, and may hold what the peer showed.
      this.core.runtime.debug("authenticate failed: %s", error instanceof Error ? error.name : typeof error)
    })
  }

  /** The peers whose handshake is done. */
  override peers(): Peer[] {
    return super.peers() as Peer[]
  }

  /** Ends the construction: from here on the socket has no other properties, and those of `options` are set. */
  protected begin(options: ContextOption | undefined): void {
    Object.seal(this)
    if (options === undefined) return
    const { context, ...rest } = options
    try {
      Object.assign(this, rest)
    } catch (error) {
      this.core.leave(this)
      throw error
    }
  }
}

export interface Socket extends CommonOptions {}

/** A socket that sends. */
export abstract class Writable extends Socket {
  /**
   * Sends a message: one frame, or an array of them. Resolves when it is queued for a peer; waits while that is not
   * possible, in the order of the calls. Frames above 128 bytes must not change until they are written ({@link flushed}).
   * EAGAIN after `timeout` (option `sendTimeout`) or when the socket is closed, EBUSY when `maxPendingSends` wait.
   */
  send(message: MessageLike | MessageLike[], options?: WaitOptions): Promise<void> {
    const frames = toMessage(message)
    this.checkOpen()
    if (options !== undefined) checkWait(options)
    return frames.length === 0 ? Promise.resolve() : this.sends.send(frames, options)
  }

  /** Sends a message if that is possible now. False: it would have to wait. Throws what {@link send} would reject with. */
  trySend(message: MessageLike | MessageLike[]): boolean {
    const frames = toMessage(message)
    this.checkOpen()
    return frames.length === 0 || this.sends.trySend(frames)
  }

  /** Resolves when all that was sent so far was handed to the operating system, or is lost with its peer. */
  async flushed(options: WaitOptions = {}): Promise<void> {
    checkWait(options)
    const { runtime } = this.core
    const { signal, timeout = -1 } = options
    const end = runtime.now() + timeout
    const settled = this.settleSends(options)
    if (settled !== null) await settled
    await this.connections.flushed({ signal, timeout: timeout < 0 ? timeout : Math.max(0, end - runtime.now()) })
  }
}

/** How to iterate over what has arrived, many messages at a time. */
export interface BatchOptions {
  /** Most messages at a time. Default 128. */
  max?: number
  /** Ends the iteration with its reason. */
  signal?: AbortSignal
}

/** A socket that receives. `M` is what it receives: the frames of a message, or one frame and what is known of it. */
export abstract class Readable<M = Message[]> extends Socket {
  /** The next message; waits for it, in the order of the calls. EAGAIN after `timeout` (option `receiveTimeout`) or on close. */
  receive(options?: WaitOptions): Promise<M> {
    this.checkOpen()
    if (options !== undefined) checkWait(options)
    return this.receives.receive(Form.Plain, options, 1) as Promise<M>
  }

  /** The next message and the peer that sent it. */
  async receiveFrom(options?: WaitOptions): Promise<ReceivedFrom<M, Peer>> {
    this.checkOpen()
    if (options !== undefined) checkWait(options)
    const { message, from } = (await this.receives.receive(Form.From, options, 1)) as Received
    return { message: message as M, peer: this.connections.peerOf(from) as Peer }
  }

  /** The next message if one is there; null if not. */
  tryReceive(): M | null {
    this.checkOpen()
    return this.receives.tryReceive() as M | null
  }

  /** Iterates over messages as they come; ends when the socket is closed. */
  [Symbol.asyncIterator](): AsyncIterator<M, undefined> {
    return new Steps(this.receives, Form.Step, 1, undefined)
  }

  /** Iterates over what has arrived, an array of messages at a time: the fastest way to receive. */
  batches({ max = 128, signal }: BatchOptions = {}): AsyncIterable<M[]> {
    if (typeof max !== "number") throw new TypeError("Option max must be a number")
    if (!(max >= 1)) throw new ZmqError("EINVAL", { detail: `expected max of 1 or more, got ${max}` })
    checkWait({ signal })
    const wait = signal === undefined ? undefined : { signal }
    return { [Symbol.asyncIterator]: () => new Steps<M[]>(this.receives, Form.Batch, max, wait) }
  }
}

/** An iterator over a socket, by hand: an async generator would cost a promise more for each message. */
class Steps<T> implements AsyncIterator<T, undefined> {
  constructor(
    private readonly receives: ReceiveQueue,
    private readonly form: Form,
    private readonly max: number,
    private readonly wait: WaitOptions | undefined,
  ) {}

  next(): Promise<IteratorResult<T, undefined>> {
    return this.receives.receive(this.form, this.wait, this.max) as Promise<IteratorResult<T, undefined>>
  }
}

const SEND_METHODS = ["send", "trySend", "flushed"] as const
const RECEIVE_METHODS = ["receive", "receiveFrom", "tryReceive", "batches", Symbol.asyncIterator] as const

export type SendMethods = Pick<Writable, (typeof SEND_METHODS)[number]>
export type FlushMethods = Pick<Writable, "flushed">
export type ReceiveMethods<M = Message[]> = Pick<Readable<M>, (typeof RECEIVE_METHODS)[number]>

function copyMethods(to: object, from: object, names: readonly PropertyKey[]): void {
  for (const name of names)
    Object.defineProperty(to, name, Object.getOwnPropertyDescriptor(from, name) as PropertyDescriptor)
}

/** Gives a class that receives the methods to send. */
export function alsoSends(socket: { prototype: Readable }): void {
  copyMethods(socket.prototype, Writable.prototype, SEND_METHODS)
}

/** Gives a class that sends the methods to receive. */
export function alsoReceives(socket: { prototype: Writable }): void {
  copyMethods(socket.prototype, Readable.prototype, RECEIVE_METHODS)
}

/** Gives a class with its own way to send what all sending sockets have. */
export function alsoFlushes(socket: { prototype: Socket }): void {
  copyMethods(socket.prototype, Writable.prototype, ["flushed"])
}

/** A socket that sends and receives. */
export abstract class Duplex extends Readable {}
export interface Duplex extends SendMethods {}
alsoSends(Duplex)

/** Gives a socket class the options of its type as properties. */
export function withOptions(socket: { prototype: Socket }, type: SocketTypeName): void {
  defineOptions(socket.prototype, type)
}
