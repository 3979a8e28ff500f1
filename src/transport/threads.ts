/**
 * Between the threads of one process: everybody hears what is said on a BroadcastChannel, and a connection is a
 * MessagePort, handed to the other thread by its number. A port ends when the thread at its other end does, whatever
 * ended it. Bytes go in batches, each a message of its own; as a port takes any number of them, the receiver says what it
 * has taken, and the sender waits when too much is underway.
 */
import {
  BroadcastChannel,
  MessageChannel,
  type MessagePort,
  markAsUntransferable,
  postMessageToThread,
  threadId,
} from "node:worker_threads"
import { ZmqError } from "../errors.js"
import type { ByteStream, Said, StreamSink, ThreadEvents, Threads } from "./transport.js"

/** Different versions of what is said on it must not meet. */
const CHANNEL = "peerlane.threads.1"
/** Bytes underway between two threads, as the kernel holds some of a connection. */
const UNDERWAY = 512 * 1024
/** The receiver says what it took when it is as much as this. */
const TOLD_AT = UNDERWAY / 4
/** A batch from this size on is handed over, a shorter one is copied, which costs less. */
const HANDED_OVER = 64 * 1024
/** Milliseconds for a thread to take a new connection. */
const PATIENCE = 30_000

const setBytes = Uint8Array.prototype.set

export class PortStream implements ByteStream {
  sink: StreamSink | null = null
  readonly local: string
  readonly remote: string
  private underway = 0
  private full = false
  /** Bytes that were taken, of which the sender has not been told. */
  private taken = 0
  private corked: Uint8Array[] | null = null
  private waiting: Uint8Array[] = []
  private paused = false
  /** The port is closed, and what came before is not delivered yet. */
  private over = false
  private destroyed = false
  private ending: (() => void) | null = null

  constructor(
    private readonly port: MessagePort,
    name: string,
  ) {
    this.local = this.remote = `inproc://${name}`
    port.on("message", (message: Uint8Array | number) => this.onMessage(message))
    port.on("close", () => this.onClose())
    port.unref()
  }

  open(): void {
    if (!this.destroyed) this.sink?.onOpen()
  }

  get queuedBytes(): number {
    return this.full ? this.underway : 0
  }

  write(chunk: Uint8Array): void {
    if (this.corked === null) this.post([chunk])
    else this.corked.push(chunk)
  }

  cork(): void {
    this.corked ??= []
  }

  uncork(): void {
    const chunks = this.corked ?? []
    this.corked = null
    if (chunks.length > 0) this.post(chunks)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      this.deliver(next)
      if (this.paused) return
    }
    if (this.over) this.close(null)
  }

  end(done: () => void): void {
    if (this.destroyed || this.ending !== null) return
    this.ending = done
    this.waiting = []
    this.port.close()
  }

  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.port.close()
  }

  /** It never came to be a connection. */
  fail(error: Error): void {
    this.close(error)
    this.port.close()
  }

  /** One message of all the chunks, in memory of its own: that of the chunks is used again. */
  private post(chunks: Uint8Array[]): void {
    let size = 0
    for (const chunk of chunks) size += chunk.length
    const batch = new Uint8Array(size)
    let at = 0
    for (const chunk of chunks) {
      setBytes.call(batch, chunk, at)
      at += chunk.length
    }
    this.port.postMessage(batch, size >= HANDED_OVER ? [batch.buffer] : undefined)
    this.underway += size
    if (this.underway >= UNDERWAY) this.full = true
  }

  private onMessage(message: Uint8Array | number): void {
    if (this.destroyed || this.ending !== null) return
    if (typeof message === "number") this.onTaken(message)
    else if (this.paused) this.waiting.push(message)
    else this.deliver(message)
  }

  private onTaken(bytes: number): void {
    this.underway -= bytes
    if (!this.full || this.underway > UNDERWAY / 2) return
    this.full = false
    this.sink?.onDrained()
  }

  private deliver(chunk: Uint8Array): void {
    this.taken += chunk.length
    if (this.taken >= TOLD_AT) {
      this.port.postMessage(this.taken)
      this.taken = 0
    }
    // Frames are views of the chunk: transferring one would take it away under all the others.
    markAsUntransferable(chunk.buffer)
    this.sink?.onBytes(chunk)
  }

  private onClose(): void {
    const done = this.ending
    if (done !== null) {
      this.destroyed = true
      done()
      return
    }
    this.over = true
    if (this.waiting.length === 0) this.close(null)
  }

  private close(error: Error | null): void {
    if (this.destroyed) return
    this.destroyed = true
    this.sink?.onClosed(error)
  }
}

/** What a thread is sent by another that connects; other messages are not for us. */
interface Call {
  readonly peerlane: string
  readonly name: string
  readonly port: MessagePort
}

let channel: BroadcastChannel | null = null

/**
 * Posts to a channel; false when nobody else listens on it. Only the handle below it tells, which is not documented: where
 * it does not, there may be somebody.
 */
function post(to: BroadcastChannel, said: Said): boolean {
  const symbol = Object.getOwnPropertySymbols(to).find(({ description }) => description === "kHandle")
  const handle = symbol && (to as unknown as Record<symbol, { postMessage?: unknown }>)[symbol]
  if (typeof handle?.postMessage === "function") return handle.postMessage(said) !== false
  to.postMessage(said)
  return true
}

export const threads: Threads = {
  own: threadId,

  join(self: string, on: ThreadEvents): void {
    channel = new BroadcastChannel(CHANNEL)
    channel.onmessage = event => on.onSaid((event as { data: Said }).data)
    ;(channel as unknown as { unref(): void }).unref()
    process.on("workerMessage", (message: Partial<Call> | null) => {
      if (message?.peerlane !== self) return
      const { name, port } = message as Call
      on.onStream(name, new PortStream(port, name))
    })
  },

  say(said: Said): boolean {
    return channel !== null && post(channel, said)
  },

  connect(to: string, name: string): ByteStream {
    const { port1, port2 } = new MessageChannel()
    const stream = new PortStream(port1, name)
    const call: Call = { peerlane: to, name, port: port2 }
    postMessageToThread(Number.parseInt(to, 10), call, [port2], PATIENCE).then(
      () => stream.open(),
      cause => stream.fail(new ZmqError("ECONNREFUSED", { address: stream.remote, cause })),
    )
    return stream
  },
}
