/**
 * What the simulated Router and Dealer share: one send and one receive at a time, copies of what is sent, an inbound queue, and
 * an end. The codes of errors are those of the `zeromq` package.
 */
import { ZmqError } from "../../src/index.js"
import type { TypedSocket } from "../typed/sockets.js"
import type { Network } from "./network.js"
import type { Pipe, PipeOwner } from "./pipe.js"
import { Queue } from "./queue.js"
import { type Event, type Life, never } from "./timeline.js"

/** Those that mean something here, spelled and with the defaults as everywhere; any other is let pass. */
export interface SimulatedSocketOptions {
  /** Messages that wait here for a peer, at most; 0: no limit. Default 1,000. */
  sendHighWaterMark?: number
  /** Messages of a peer that wait here to be read, at most; 0: no limit. Default 1,000. */
  receiveHighWaterMark?: number
  /** Milliseconds after which a send that waits for room is EAGAIN; 0: at once; -1 (default): never. */
  sendTimeout?: number
  /** Milliseconds for what is still unsent at close; 0: what is on the way may be lost, too. Default -1: no limit. */
  linger?: number
}

interface Waiting {
  readonly message: Buffer[]
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  readonly timer: Event | null
}

interface Receiver {
  readonly resolve: (message: Buffer[] | null) => void
}

type Sendable = (Uint8Array | string)[] | Uint8Array | string

const DONE = Promise.resolve()

export abstract class SimulatedSocket implements TypedSocket, PipeOwner {
  closed = false
  readonly sendLimit: number
  readonly receiveLimit: number
  protected readonly linger: number
  private readonly sendTimeout: number
  private readonly inbound = new Queue<Buffer[]>()
  private readonly inboundFrom = new Queue<Pipe>()
  private sending = false
  private waiting: Waiting | null = null
  private receiver: Receiver | null = null
  private readonly sent = () => {
    this.sending = false
  }

  protected constructor(
    readonly life: Life,
    protected readonly network: Network,
    options: SimulatedSocketOptions,
  ) {
    this.sendLimit = options.sendHighWaterMark || (options.sendHighWaterMark === 0 ? Infinity : 1000)
    this.receiveLimit = options.receiveHighWaterMark || (options.receiveHighWaterMark === 0 ? Infinity : 1000)
    this.sendTimeout = options.sendTimeout ?? -1
    this.linger = options.linger ?? -1
    if (life.alive) life.belongings.add(this)
  }

  get blocked(): boolean {
    return this.waiting !== null
  }

  /**
   * Resolves when the message is queued. Rejects with EAGAIN when there is no room within sendTimeout, or the socket is closed
   * meanwhile, and with what the pattern adds. Throws, as real ones do, for wrong use: EBUSY while another send is under way,
   * EBADF when the socket is closed, EINVAL for what is no message.
   */
  send(message: Sendable): Promise<void> {
    if (!this.life.alive) return never()
    if (this.closed) throw new ZmqError("EBADF")
    if (this.sending) throw new ZmqError("EBUSY", { detail: "one send at a time" })
    const own = copyOf(message, this.fewestFrames)
    try {
      if (!this.sendNow(own)) return this.wait(own)
      if (!this.network.strict) return DONE
      this.sending = true
      return DONE.then(this.sent)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Ends when the socket is closed. One next() at a time: EBUSY. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer[]> {
    return {
      next: async () => {
        const message = this.closed ? null : await this.take()
        return message === null ? { value: undefined, done: true } : { value: message, done: false }
      },
    }
  }

  /** What waits is still sent, as `linger` says. */
  close(): void {
    if (this.closed || !this.life.alive) return
    this.closed = true
    this.leave()
    const { receiver, waiting } = this
    this.receiver = null
    this.waiting = null
    waiting?.timer?.cancel()
    waiting?.reject(new ZmqError("EAGAIN"))
    receiver?.resolve(null)
  }

  /** The machine has crashed: peers are told by their broken connections, and nobody here is told anything. */
  abstract vanish(): void

  /** Frames that a message to send has. */
  protected abstract readonly fewestFrames: number

  /** False: there is no room. May throw. */
  protected abstract sendNow(message: Buffer[]): boolean

  /** Gives up connections and addresses. */
  protected abstract leave(): void

  abstract pipeOpened(pipe: Pipe): void

  abstract pipeLost(pipe: Pipe): void

  pipeArrived(pipe: Pipe, message: Buffer[]): void {
    const { receiver } = this
    if (receiver === null) {
      this.inbound.push(message)
      this.inboundFrom.push(pipe)
      return
    }
    this.receiver = null
    pipe.read()
    receiver.resolve(message)
  }

  pipeWritable(_: Pipe): void {
    this.serve()
  }

  /** Tries a send that waits again. */
  protected serve(): void {
    const { waiting } = this
    if (waiting === null) return
    try {
      if (!this.sendNow(waiting.message)) return
      this.stopWaiting(waiting)
      waiting.resolve()
    } catch (error) {
      this.stopWaiting(waiting)
      waiting.reject(error as Error)
    }
  }

  private wait(message: Buffer[]): Promise<void> {
    if (this.sendTimeout === 0) throw new ZmqError("EAGAIN")
    this.sending = true
    return new Promise((resolve, reject) => {
      const { life, network, sendTimeout } = this
      const timer =
        sendTimeout < 0
          ? null
          : network.timeline.call(life, sendTimeout, `${life.name}: sendTimeout`, () => {
              if (this.waiting !== waiting) return
              this.stopWaiting(waiting)
              reject(new ZmqError("EAGAIN"))
            })
      const waiting: Waiting = { message, resolve, reject, timer }
      this.waiting = waiting
    })
  }

  private stopWaiting(waiting: Waiting): void {
    this.sending = false
    this.waiting = null
    waiting.timer?.cancel()
  }

  /** Null: closed. */
  private take(): Promise<Buffer[] | null> {
    if (!this.life.alive) return never()
    if (this.receiver !== null) return Promise.reject(new ZmqError("EBUSY", { detail: "one receive at a time" }))
    const message = this.inbound.shift()
    if (message === undefined) {
      return new Promise(resolve => {
        this.receiver = { resolve }
      })
    }
    this.inboundFrom.shift()?.read()
    return Promise.resolve(message)
  }
}

function copyOf(message: Sendable, fewest: number): Buffer[] {
  const given = Array.isArray(message) ? message : [message]
  if (given.length < fewest) throw new ZmqError("EINVAL", { detail: `expected ${fewest} frames or more` })
  return given.map(frame => {
    if (typeof frame === "string") return Buffer.from(frame)
    if (frame instanceof Uint8Array) return Buffer.from(frame)
    throw new ZmqError("EINVAL", { detail: "a frame is a string or bytes" })
  })
}
