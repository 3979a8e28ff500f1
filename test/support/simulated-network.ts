/**
 * A network in memory: the {@link Transport} `sim://name`. Streams are pipes of bounded capacity, each way, on which
 * bytes take `latency`; a test may refuse or swallow dials, lose segments (which come late, as over TCP), cut chunks into
 * pieces, hold everything back, or break what is there. It holds the engine to the contract of transports: bytes are
 * copied when they are taken and not when they are written, so whoever changes them too early is found out.
 */
import { markAsUntransferable } from "node:worker_threads"
import { ZmqError } from "../../src/errors.js"
import type { ByteStream, ListenEvents, Listener, StreamSink, Transport } from "../../src/transport/transport.js"
import type { SimulatedRuntime } from "./simulated-runtime.js"

/** What travels on a wire: bytes, or what happens to a stream. */
type Parcel = Uint8Array | "open" | "end" | Error

/** Milliseconds after which a lost segment is sent again. */
const RETRANSMISSION = 200

export class SimulatedNetwork implements Transport {
  readonly scheme = "sim"
  /** Milliseconds that anything takes from one end to the other. */
  latency = 0
  /** Bytes that a wire holds, each way. */
  capacity = 64 * 1024
  /** The share of segments that get lost at first. */
  loss = 0
  /** Cuts what arrives at random places. */
  fragments = false
  /** Attempts to connect so far, with their times. */
  readonly dials: { readonly address: string; readonly at: number }[] = []
  /** Open ends of connections. */
  readonly streams = new Set<SimulatedStream>()
  private readonly listeners = new Map<string, ListenEvents>()
  private readonly silent = new Set<string>()
  private readonly refusing = new Map<string, string>()
  private blocked: (() => void)[] | null = null
  private names = 0

  constructor(readonly runtime: SimulatedRuntime) {}

  check(): void {}

  connect(address: string): ByteStream {
    const { runtime } = this
    this.dials.push({ address, at: runtime.now() })
    const client = new SimulatedStream(this, `sim://client-${++this.names}`, `sim://${address}`)
    this.carry(() => this.dialled(client, address))
    return client
  }

  async listen(address: string, _: unknown, on: ListenEvents): Promise<Listener> {
    const name = address === "*" ? `server-${++this.names}` : address
    const endpoint = `sim://${name}`
    if (this.listeners.has(name)) throw new ZmqError("EADDRINUSE", { address: endpoint })
    this.listeners.set(name, on)
    return {
      endpoint,
      close: () => {
        if (this.listeners.get(name) === on) this.listeners.delete(name)
      },
    }
  }

  // For tests

  /** Dials to this address fail from now on, with this code, whether somebody listens or not; null: no longer. */
  refuse(address: string, code: string | null = "ECONNREFUSED"): void {
    if (code === null) this.refusing.delete(address)
    else this.refusing.set(address, code)
  }

  /** Dials to this address are not answered. */
  swallow(address: string): void {
    this.silent.add(address)
  }

  /** Nothing arrives any more, nowhere, until {@link heal}; and nobody is told. */
  partition(): void {
    this.blocked ??= []
  }

  heal(): void {
    const blocked = this.blocked ?? []
    this.blocked = null
    for (const deliver of blocked) this.carry(deliver)
  }

  /** Breaks all connections, at both ends; what is on its way is gone. */
  cut(code = "ECONNRESET"): void {
    for (const stream of [...this.streams]) stream.close(new ZmqError(code))
  }

  // For streams

  /** Calls when something has come over, not before `earliest`. Returns when that will be. */
  carry(deliver: () => void, earliest = 0): number {
    const now = this.runtime.now()
    const lost = this.loss > 0 && this.runtime.random() < this.loss
    const at = Math.max(earliest, now + this.latency + (lost ? RETRANSMISSION : 0))
    this.runtime.happen(at - now, () => {
      if (this.blocked === null) deliver()
      else this.blocked.push(deliver)
    })
    return at
  }

  private dialled(client: SimulatedStream, address: string): void {
    if (client.isDestroyed || this.silent.has(address)) return
    const on = this.listeners.get(address)
    const code = this.refusing.get(address) ?? (on === undefined ? "ECONNREFUSED" : undefined)
    if (on === undefined || code !== undefined) {
      this.carry(() => client.close(new ZmqError(code!, { address: `sim://${address}` })))
      return
    }
    const server = new SimulatedStream(this, `sim://${address}`, client.local)
    this.streams.add(client).add(server)
    client.peer = server
    server.peer = client
    server.send("open")
    on.onStream(server)
  }
}

class SimulatedStream implements ByteStream {
  sink: StreamSink | null = null
  peer: SimulatedStream | null = null
  isDestroyed = false
  queuedBytes = 0
  /** Written, and not taken by the network. */
  private unsent: Uint8Array[] = []
  private owesDrain = false
  private corked = 0
  /** On its way to the peer. */
  private wire: Parcel[] = []
  /** When the last of it will be there: what was lost holds up what follows. */
  private arrival = 0
  /** Arrived, and not told. */
  private inbox: Parcel[] = []
  /** Bytes in {@link wire} and in the peer's {@link inbox}. */
  private underway = 0
  private paused = false
  private telling = false
  private ending: (() => void) | null = null

  constructor(
    private readonly network: SimulatedNetwork,
    readonly local: string,
    readonly remote: string,
  ) {}

  open(): void {
    this.sink?.onOpen()
    this.tell()
  }

  write(chunk: Uint8Array): void {
    if (this.isDestroyed || this.ending !== null) return
    this.unsent.push(chunk)
    this.queuedBytes += chunk.length
    this.pump()
    if (this.queuedBytes > 0) this.owesDrain = true
  }

  cork(): void {
    this.corked++
  }

  uncork(): void {
    this.corked--
    this.pump()
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.network.runtime.later(() => this.tell())
  }

  end(done: () => void): void {
    if (this.isDestroyed || this.ending !== null) return
    this.ending = done
    this.corked = 0
    this.resume()
    this.pump()
  }

  destroy(): void {
    if (this.isDestroyed) return
    const { peer } = this
    const unread = peer !== null && peer.underway > 0
    if (unread) this.wire = []
    this.leave()
    this.send(unread ? new ZmqError("ECONNRESET") : "end")
  }

  /** The connection is gone. */
  close(error: Error | null): void {
    if (this.isDestroyed) return
    this.leave()
    this.sink?.onClosed(error)
  }

  /** Puts something on the wire, behind all that was put there before. */
  send(parcel: Parcel): void {
    const { peer } = this
    if (peer === null) return
    this.wire.push(parcel)
    this.arrival = this.network.carry(() => {
      const first = this.wire.shift()
      if (first !== undefined) peer.arrive(first)
    }, this.arrival)
  }

  private arrive(parcel: Parcel): void {
    if (this.isDestroyed) return
    if (parcel instanceof Error) {
      this.close(parcel)
      return
    }
    this.inbox.push(parcel)
    this.tell()
  }

  private tell(): void {
    if (this.telling) return
    this.telling = true
    while (!this.paused && !this.isDestroyed) {
      const parcel = this.inbox.shift()
      if (parcel === undefined) break
      if (parcel === "open") this.sink?.onOpen()
      else if (parcel === "end") this.finish()
      else if (parcel instanceof Uint8Array) this.pass(parcel)
    }
    this.telling = false
  }

  private pass(bytes: Uint8Array): void {
    let chunk = bytes
    if (this.network.fragments && bytes.length > 1) {
      const at = 1 + Math.floor(this.network.runtime.random() * (bytes.length - 1))
      chunk = bytes.slice(0, at)
      this.inbox.unshift(bytes.slice(at))
    }
    markAsUntransferable(chunk.buffer)
    if (this.peer !== null) this.peer.underway -= chunk.length
    if (this.ending === null) this.sink?.onBytes(chunk)
    this.peer?.pump()
  }

  /** The peer will send no more. */
  private finish(): void {
    this.send("end")
    this.close(null)
  }

  /** Hands over as much as the wire takes. */
  private pump(): void {
    if (this.isDestroyed || this.corked > 0 || this.peer === null) return
    while (this.unsent.length > 0) {
      const [chunk] = this.unsent as [Uint8Array]
      const free = this.network.capacity - this.underway
      // No smaller portions than needed, or they would become smaller and smaller.
      if (free < chunk.length && free <= this.network.capacity / 2) return
      const room = Math.min(chunk.length, free)
      this.underway += room
      this.queuedBytes -= room
      if (room > 0) this.send(Uint8Array.prototype.slice.call(chunk, 0, room))
      if (room < chunk.length) this.unsent[0] = chunk.subarray(room)
      else this.unsent.shift()
    }
    if (this.ending !== null) this.endNow(this.ending)
    else if (this.owesDrain) this.drained()
  }

  private drained(): void {
    this.owesDrain = false
    this.network.runtime.later(() => {
      if (this.isDestroyed || this.ending !== null) return
      if (this.queuedBytes > 0) this.owesDrain = true
      else this.sink?.onDrained()
    })
  }

  private endNow(done: () => void): void {
    if (done === CALLED) return
    this.ending = CALLED
    this.send("end")
    this.network.runtime.later(done)
  }

  private leave(): void {
    this.isDestroyed = true
    this.network.streams.delete(this)
    this.unsent = []
    this.inbox = []
    this.queuedBytes = 0
    const done = this.ending
    this.ending = CALLED
    if (done !== null && done !== CALLED) this.network.runtime.later(done)
  }
}

/** The callback of an end that was called back. */
const CALLED = () => {}
