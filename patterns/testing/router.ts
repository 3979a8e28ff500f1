/**
 * A simulated ROUTER. Each connection has a routing id of its own, five bytes as real ones make up, which comes in front of what it
 * brings. With `mandatory`, a message to an id that is not there is EHOSTUNREACH, and one to a full queue waits; without, both
 * are dropped.
 */
import { ZmqError } from "../../src/index.js"
import type { TypedRouter } from "../typed/sockets.js"
import type { Network } from "./network.js"
import type { Pipe } from "./pipe.js"
import { SimulatedSocket, type SimulatedSocketOptions } from "./socket.js"
import { type Life, never } from "./timeline.js"

export interface SimulatedRouterOptions extends SimulatedSocketOptions {
  /** Default false. */
  mandatory?: boolean
}

const ID_SIZE = 5

export class SimulatedRouter extends SimulatedSocket implements TypedRouter {
  lastEndpoint: string | null = null
  /** A routing id, and something behind it. */
  protected override readonly fewestFrames = 2
  private readonly mandatory: boolean
  private readonly pipes = new Map<number, Pipe>()

  constructor(life: Life, network: Network, options: SimulatedRouterOptions = {}) {
    super(life, network, options)
    this.mandatory = options.mandatory ?? false
  }

  /**
   * `tcp://host:port`, where host is `*`, an own address (`127.0.0.1`) or the machine's name, and a port of `*` is any that is free.
   * lastEndpoint then has the machine's name. EADDRINUSE, EADDRNOTAVAIL, EINVAL.
   */
  async bind(address: string): Promise<void> {
    if (!this.life.alive) return never()
    if (this.closed) throw new ZmqError("EBADF")
    this.lastEndpoint = this.network.listen(this, address)
  }

  /** A dealer has connected. */
  accept(pipe: Pipe): void {
    do {
      pipe.id = this.network.random.below(0x100000000)
    } while (this.pipes.has(pipe.id))
    pipe.isOpen = true
    this.pipes.set(pipe.id, pipe)
  }

  override pipeOpened(): void {}

  override pipeArrived(pipe: Pipe, message: Buffer[]): void {
    message.unshift(bytesOf(pipe.id))
    super.pipeArrived(pipe, message)
  }

  override pipeLost(pipe: Pipe): void {
    this.pipes.delete(pipe.id)
    this.serve()
  }

  override vanish(): void {
    this.network.unlisten(this)
    for (const pipe of this.pipes.values()) pipe.drop()
  }

  protected override sendNow(message: Buffer[]): boolean {
    const pipe = this.pipes.get(numberOf(message[0]!))
    if (pipe === undefined) {
      if (this.mandatory) throw new ZmqError("EHOSTUNREACH")
      return true
    }
    if (!pipe.hasRoom) return !this.mandatory
    message.shift()
    pipe.send(message)
    return true
  }

  protected override leave(): void {
    this.network.unlisten(this)
    for (const pipe of this.pipes.values()) {
      if (this.linger === 0) pipe.drop()
      else pipe.finish()
    }
    this.pipes.clear()
  }
}

function bytesOf(id: number): Buffer {
  const bytes = Buffer.allocUnsafe(ID_SIZE)
  bytes[0] = 0
  bytes.writeUInt32BE(id, 1)
  return bytes
}

/** -1 for what no peer is called. */
function numberOf(id: Buffer): number {
  return id.length === ID_SIZE && id[0] === 0 ? id.readUInt32BE(1) : -1
}
