/** A byte stream on a socket of node:net, for the transports that are built on one (tcp, ipc). */
import type { Server, Socket, SocketConstructorOpts } from "node:net"
import { markAsUntransferable } from "node:worker_threads"
import type { ByteStream, ListenEvents, Listener, StreamSink, TransportOptions } from "./transport.js"

/**
 * Marks of one byte on Node's own buffers: a write that the kernel did not take at once reports its end by 'drain',
 * however short it was, and a paused stream holds at most one chunk. The marks that count are the pipe's.
 */
export const NET_MARKS = { readableHighWaterMark: 1, writableHighWaterMark: 1 } as SocketConstructorOpts

const ENDED = () => {}

/** The endpoints of a connection, this one and the peer's. */
export interface Ends {
  readonly local: string
  readonly remote: string
}

/** The stream of a socket: found there, so that all sockets share their listeners. */
const STREAM = Symbol("stream")

interface Carrier extends Socket {
  [STREAM]: NetStream
}

function onConnect(this: Carrier): void {
  this[STREAM].open()
}

function onData(this: Carrier, chunk: Buffer): void {
  this[STREAM].onData(chunk)
}

function onDrain(this: Carrier): void {
  this[STREAM].onDrain()
}

function onEnd(this: Carrier): void {
  this[STREAM].onEnd()
}

function onError(this: Carrier, error: Error): void {
  this[STREAM].onError(error)
}

function onClose(this: Carrier): void {
  this[STREAM].onClose()
}

export class NetStream implements ByteStream {
  sink: StreamSink | null = null
  private ends: Ends | null = null
  private error: Error | null = null
  private destroyed = false
  private ending: (() => void) | null = null

  /**
   * `name` makes the endpoints of a socket, when somebody asks for the first time. `carries` is false for a socket of which
   * only the end matters, until {@link carry} puts another in its place.
   */
  constructor(
    protected socket: Socket,
    private readonly name: (socket: Socket) => Ends,
    carries = true,
  ) {
    this.watch()
    if (carries) this.listen()
  }

  /** Tells the sink that the connection is there. */
  open(): void {
    this.sink?.onOpen()
  }

  get local(): string {
    this.ends ??= this.name(this.socket)
    return this.ends.local
  }

  get remote(): string {
    this.ends ??= this.name(this.socket)
    return this.ends.remote
  }

  get queuedBytes(): number {
    return this.socket.writableLength
  }

  write(chunk: Uint8Array): void {
    this.socket.write(chunk)
  }

  cork(): void {
    this.socket.cork()
  }

  uncork(): void {
    this.socket.uncork()
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  end(done: () => void): void {
    if (this.destroyed || this.ending !== null) return
    this.ending = done
    // Reading on keeps the kernel from answering unread bytes with a reset, which would destroy what we sent.
    this.socket.resume()
    this.socket.end(() => this.finish())
  }

  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.socket.destroy()
  }

  /** Ends with an error of our own, told to the sink as if the network had failed. */
  fail(error: Error): void {
    this.socket.destroy(error)
  }

  onData(chunk: Uint8Array): void {
    if (this.destroyed || this.ending !== null) return
    // Frames are views of the chunk: transferring one to a thread would take it away under all the others.
    markAsUntransferable(chunk.buffer)
    this.sink?.onBytes(chunk)
  }

  onDrain(): void {
    if (!this.destroyed) this.sink?.onDrained()
  }

  onError(error: Error): void {
    this.error = error
  }

  /** The peer will send no more: in ZMTP, it is gone. */
  onEnd(): void {
    if (this.ending === null) this.socket.destroy()
  }

  onClose(): void {
    this.finish()
    if (this.destroyed) return
    this.destroyed = true
    this.sink?.onClosed(this.error)
  }

  /** Goes on with the socket that has taken over the first one. */
  protected carry(socket: Socket): void {
    this.socket.off("error", onError).off("close", onClose)
    this.socket.on("error", () => {})
    this.socket = socket
    this.watch()
    this.listen()
  }

  private watch(): void {
    this.socket.unref()
    const carrier = this.socket as Carrier
    carrier[STREAM] = this
    carrier.on("error", onError).on("close", onClose)
  }

  private listen(): void {
    const carrier = this.socket as Carrier
    carrier.on("connect", onConnect).on("data", onData).on("drain", onDrain).on("end", onEnd)
  }

  private finish(): void {
    const done = this.ending
    if (done === null || done === ENDED) return
    this.ending = ENDED
    done()
  }
}

/**
 * What the kernel may hold of connections until we accept them. libzmq's default of 100 is for a thread that does nothing
 * else; one turn of a busy event loop misses more, and a missed one tries again seconds later.
 */
const LEAST_BACKLOG = 1024

export function backlogOf(options: TransportOptions): number {
  return Math.max(LEAST_BACKLOG, options.backlog)
}

/** A cluster's worker listens for itself: else its primary would deal the connections out to all that bind to the same. */
export function listenOptions(options: TransportOptions): { backlog: number; exclusive: boolean } {
  return { backlog: backlogOf(options), exclusive: true }
}

/** Wraps a listening server. The address is free as soon as `close` returns; accepted connections go on. */
export function listenerOf(server: Server, endpoint: string, afterClose: () => void): Listener {
  return {
    endpoint,
    close() {
      if (!server.listening) return
      server.close()
      afterClose()
    },
  }
}

/** Passes what a server accepts on as streams; `wrap` answers null for one that it turned away. */
export function acceptOn(server: Server, on: ListenEvents, wrap: (socket: Socket) => NetStream | null): void {
  server.unref()
  server.on("connection", socket => {
    const stream = wrap(socket)
    if (stream !== null) on.onStream(stream)
  })
  server.on("error", error => on.onError(error))
}

/** Resolves when the server listens, rejects when it cannot. */
export function listening(server: Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.once("listening", () => {
      server.off("error", reject)
      resolve()
    })
    start()
  })
}
