/**
 * ROUTER (28/REQREP): each received message begins with the routing id of its peer, and the first frame of a message to
 * send says which peer it is for. A message to a peer that is not there, or full, is dropped and counted; with
 * `mandatory` it is EHOSTUNREACH, or waits.
 */
import { AuthError, type Link, type LostRole, type Message, type OptionsOf, sizeOf } from "../../src/index.js"
import { Addressed, type ConnectOptions, printable, unreachable } from "../addressed.js"
import { type Identities, type IdentityPermit, identityPermit } from "../permissions.js"
import { alsoSends, type Peer, type SendMethods, type SocketOptions, withOptions } from "../socket.js"
import { probe } from "./probe.js"

export type RouterConnectOptions = ConnectOptions

/** Bits of routerNotify. */
enum Notify {
  Connect = 1,
  Disconnect = 2,
}

export class Router extends Addressed {
  private given: Identities | null = null
  private permits: IdentityPermit | null = null
  /** What a peer said of itself when it first came; null: this side named it. Only of those that outlive connections. */
  private readonly claims = new WeakMap<Link, Uint8Array | null>()

  constructor(options?: SocketOptions<Router>) {
    super("ROUTER", options)
    this.begin(options)
  }

  /**
   * Which routing ids a peer may give itself: by user id (`{ alice: "alice-1", bob: ["a", "b"] }`; `"*"` is for everybody who is not named, and
   * for peers without a user id; an empty id is for a peer that gives none), or a function. Who is in no entry may come only without an
   * id. Another peer's connection ends at once, before it is heard, and before it takes an id over from anybody: `stats().refused` counts
   * it as `identities`, and its `disconnect` event has the error. A function that fails says no. Null (the default): any id. Takes
   * effect on peers that come from then on; ids that connect() was given are not asked about.
   */
  get identities(): Identities | null {
    return this.given
  }

  set identities(value: Identities | null) {
    this.permits = value === null ? null : identityPermit(value)
    this.given = value
  }

  override pipeAttached(link: Link): boolean {
    if (this.store.values.probeRouter) probe(link.pipe)
    if (link.routingId !== null && link.routingId.length > 0) {
      this.claims.set(link, null)
      this.identify(link, Buffer.from(link.routingId))
    }
    return true
  }

  override pipeReady(link: Link, identity: Uint8Array): void {
    if (this.permits !== null && !this.mayBe(link, identity)) {
      this.refuse(link, identity)
      return
    }
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

  /** Where this side connects, a peer that comes back has the id that was first learned, so that it is asked about that. */
  private mayBe(link: Link, identity: Uint8Array): boolean {
    const claim = this.claims.get(link)
    if (claim === null) return true
    if (claim === undefined) this.claims.set(link, Uint8Array.from(identity))
    const peer = this.connections.peerOf(link.pipe) as Peer
    try {
      return (this.permits as IdentityPermit)(peer, claim ?? identity)
    } catch (error) {
      this.core.runtime.debug("identities failed: %o", error)
      return false
    }
  }

  private refuse(link: Link, identity: Uint8Array): void {
    const who = link.userId === null ? "a peer without a user id" : `the user ${JSON.stringify(link.userId)}`
    const what =
      identity.length === 0 ? "come without a routing id" : `have the routing id ${printable(Buffer.from(identity))}`
    link.end(new AuthError(400, `${who} may not ${what}`, "identities"))
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
