/**
 * What sockets share: the surroundings, the pool of slabs, the names of inproc, the turn of the event loop, and the one
 * reference that keeps the process alive while somebody waits.
 */
import { ZmqError } from "../errors.js"
import type { Bytes } from "../message.js"
import { Ring } from "../pipe/ring.js"
import type { DatagramTransport } from "../transport/datagram.js"
import type { Transport } from "../transport/transport.js"
import { SlabPool } from "../wire/batch.js"
import type { BoxLoader } from "../wire/curve-boxes.js"
import { SharedEncoder } from "../wire/shared-encoder.js"
import { InprocNames } from "./inproc.js"
import type { Environment, ExitWatcher, Runtime } from "./runtime.js"
import { ThreadNames } from "./thread-names.js"
import { Turn } from "./turn.js"
import { Vigil } from "./vigil.js"

/** A connection with bytes to write. */
export interface Flushable {
  flush(): void
}

/** Receives that wait while something is there for them. */
export interface Servable {
  serveNow(): void
}

/** What a context needs of its sockets. */
export interface ContextMember {
  close(): Promise<void>
  /** The process has nothing left to do: sends on what is queued, as `linger` says. */
  lingerAtExit(): void
  /** The process ends: hands over what can be without waiting. */
  flushNow(): void
}

export interface ContextSettings {
  /** True: sockets linger for ever by default. False: new sockets have a linger of 0. ZMQ_BLOCKY. */
  blocky: boolean
  /** Kept, without effect: there are no I/O threads. ZMQ_IO_THREADS. */
  ioThreads: number
  /** Longest message that new sockets accept, in bytes, beside their own limit. ZMQ_MAX_MSGSZ. */
  maxMessageSize: number
  /** Sockets that may be open at a time; one more is EMFILE. ZMQ_MAX_SOCKETS. */
  maxSockets: number
  /** Whether new sockets use IPv6 as well. ZMQ_IPV6. */
  ipv6: boolean
}

export class ContextBase implements ExitWatcher {
  readonly runtime: Runtime
  readonly bytes: Bytes
  readonly slabs: SlabPool
  readonly encoder: SharedEncoder
  readonly turn: Turn
  readonly vigil: Vigil
  readonly inproc = new InprocNames()
  /** The names of inproc in all threads that share this context; null: none do. */
  readonly threads: ThreadNames | null
  readonly boxes: BoxLoader
  readonly settings: ContextSettings = {
    blocky: true,
    ioThreads: 1,
    maxMessageSize: 2147483647,
    maxSockets: 1023,
    ipv6: false,
  }
  private readonly transports: Map<string, Transport>
  private readonly datagrams: Map<string, DatagramTransport>
  private readonly members = new Set<ContextMember>()
  private readonly dirty = new Ring<Flushable>()
  private readonly hungry = new Ring<Servable>()
  private closed = false
  private readonly flushDirty = () => {
    for (let each = this.dirty.shift(); each !== undefined; each = this.dirty.shift()) each.flush()
  }

  private readonly serveHungry = () => {
    for (let each = this.hungry.shift(); each !== undefined; each = this.hungry.shift()) each.serveNow()
  }

  constructor(environment: Environment) {
    this.runtime = environment.runtime
    this.bytes = environment.bytes
    this.slabs = new SlabPool(environment.slab)
    this.encoder = new SharedEncoder(environment.slab)
    this.boxes = environment.boxes
    this.turn = new Turn(this.runtime)
    this.vigil = new Vigil(this.runtime)
    this.threads = environment.threads === null ? null : new ThreadNames(environment.threads, this.runtime)
    this.transports = new Map(environment.transports.map(transport => [transport.scheme, transport]))
    this.datagrams = new Map(environment.datagrams.map(transport => [transport.scheme, transport]))
  }

  /** The transport of a scheme that carries bytes; EPROTONOSUPPORT when there is none. */
  transport(scheme: string, endpoint: string): Transport {
    const transport = this.transports.get(scheme)
    if (transport === undefined) {
      const known = ["inproc", ...this.transports.keys(), ...this.datagrams.keys()].join(", ")
      throw new ZmqError("EPROTONOSUPPORT", { address: endpoint, detail: `expected one of ${known}, got ${scheme}` })
    }
    return transport
  }

  /** The transport of a scheme that carries datagrams; undefined for other schemes. */
  datagramTransport(scheme: string): DatagramTransport | undefined {
    return this.datagrams.get(scheme)
  }

  join(member: ContextMember): void {
    if (this.closed) throw new ZmqError("EFAULT")
    if (this.members.size >= this.settings.maxSockets) {
      throw new ZmqError("EMFILE", { detail: `${this.members.size} sockets are open (maxSockets)` })
    }
    if (this.members.size === 0) this.runtime.watch(this)
    this.members.add(member)
  }

  leave(member: ContextMember): void {
    if (this.members.delete(member) && this.members.size === 0) this.runtime.unwatch(this)
  }

  onIdle(): void {
    for (const member of this.members) member.lingerAtExit()
  }

  onExit(): void {
    for (const member of this.members) member.flushNow()
  }

  /** Closes all sockets, as their `linger` says; resolves when all are done. Sockets cannot be made any more (EFAULT). */
  async closeAll(): Promise<void> {
    this.closed = true
    await Promise.all([...this.members].map(member => member.close()))
  }

  /** Somebody waits: the process stays. Each call needs its {@link release}. */
  hold(): void {
    this.runtime.hold()
  }

  release(): void {
    this.runtime.release()
  }

  /** Calls `flush` when the running callback is over. Once, for each call. */
  flushSoon(session: Flushable): void {
    if (this.dirty.length === 0) this.runtime.soon(this.flushDirty)
    this.dirty.push(session)
  }

  /** Calls `serveNow` when the running callback is over. Once, for each call. */
  serveSoon(queue: Servable): void {
    if (this.hungry.length === 0) this.runtime.soon(this.serveHungry)
    this.hungry.push(queue)
  }
}
