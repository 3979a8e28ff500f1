/**
 * ROUTER (28/REQREP): each received message begins with the routing id of its peer, and the first frame of a message to
 * send says which peer it is for. A message to a peer that is not there, or full, is dropped and counted; with
 * `mandatory` it is EHOSTUNREACH, or waits.
 */
import { type Link, type LostRole, type Message, type OptionsOf, sizeOf } from "../../src/index.js"
import { Addressed, type ConnectOptions, unreachable } from "../addressed.js"
import { alsoSends, type SendMethods, type SocketOptions, withOptions } from "../socket.js"
import { probe } from "./probe.js"

export type RouterConnectOptions = ConnectOptions

/** Bits of routerNotify. */
enum Notify {
  Connect = 1,
  Disconnect = 2,
}

export class Router extends Addressed {
  constructor(options?: SocketOptions<Router>) {
    super("ROUTER", options)
    this.begin(options)
  }

  override pipeAttached(link: Link): boolean {
    if (this.store.values.probeRouter) probe(link.pipe)
    if (link.routingId !== null && link.routingId.length > 0) this.identify(link, Buffer.from(link.routingId))
    return true
  }

  override pipeReady(link: Link, identity: Uint8Array): void {
    if (this.idOf(link.pipe) === undefined) {
      this.identify(link, identity.length === 0 ? this.makeUpId() : Buffer.from(identity))
    }
    link.routingId = this.idOf(link.pipe) ?? null
    if (this.notes(Notify.Connect) && !link.endpoint.startsWith("inproc:") && link.routingId !== null) {
      link.pipe.note(Buffer.alloc(0))
    }
  }

  override pipeLost(link: Link, role: LostRole): void {
    const id = this.idOf(link.pipe)
    // A peer whose id another one has taken over is not spoken of any more.
    if (id === undefined || this.find(id) !== link) return
    if (this.notes(Notify.Disconnect) && role !== "inproc") link.pipe.note(Buffer.alloc(0))
    const bye = this.store.bytesOf("disconnectMessage")
    if (bye !== null && role !== "connected") link.pipe.note(Buffer.from(bye))
  }

  /** Who waits for room at that peer waits for nothing. */
  override pipeEnded(link: Link): void {
    super.pipeEnded(link)
    this.sends.serve()
  }

  override sendNow(message: Message): boolean {
    const { mandatory, raw } = this.store.values
    const id = message[0] as Buffer
    const link = this.find(id)
    if (link === undefined) {
      if (mandatory) throw unreachable(id)
      this.counters.drop("unroutable")
      return true
    }
    if (message.length === 1) {
      this.counters.drop("malformed")
      return true
    }
    const body = raw ? message.slice(1, 2) : message.slice(1)
    // Here zero bytes are no message, but the way to hang up.
    if (raw && body[0]!.length === 0) {
      this.connections.finish(link)
      return true
    }
    if (mandatory && !link.pipe.admits(sizeOf(body))) return false
    if (!link.pipe.write(body)) link.pipe.counters.drop("full")
    return true
  }

  protected override get canSend(): boolean {
    if (!this.store.values.mandatory) return true
    for (const { pipe } of this.links.values()) if (pipe.admits(0)) return true
    return false
  }

  /** Whether the receiver is told of this; with `raw`, of all. */
  private notes(what: Notify): boolean {
    const { raw, routerNotify } = this.store.values
    return raw || (routerNotify & what) !== 0
  }

  /**
   * Where another peer has the same id, the older one keeps it and the newcomer stays outside, its messages unread; with
   * `handover` the older one is cut off.
   */
  protected override identify(link: Link, id: Buffer): void {
    const older = this.find(id)
    if (older !== undefined && !this.store.values.handover) return
    super.identify(link, id)
    older?.end(null)
    this.sends.serve()
  }
}

export interface Router extends SendMethods, OptionsOf<"ROUTER"> {}

alsoSends(Router)
withOptions(Router, "ROUTER")
