/** The calls of a client that wait for a server, and which server is next. */
import { Keyed } from "./keyed.js"
import type { Outgoing } from "./outgoing.js"
import type { Peer } from "./peer.js"

export class Line {
  /** Calls that any server may have, in order. */
  private readonly any = new Set<Outgoing>()
  /** Those that were with a server already, which some may not have: each is looked at, so that none holds up others. */
  private readonly again = new Set<Outgoing>()
  private readonly keyed: Keyed
  private turns = 0

  constructor(private readonly peers: ReadonlyMap<string, Peer>) {
    this.keyed = new Keyed(peers)
  }

  get size(): number {
    return this.any.size + this.again.size + this.keyed.size
  }

  /** All of them. */
  get calls(): Outgoing[] {
    return [...this.any, ...this.again, ...this.keyed.calls]
  }

  /** Hands it out, or lets it wait behind the others. */
  add(call: Outgoing): void {
    const isKeyed = call.request.sticky !== undefined
    if ((isKeyed || this.any.size === 0) && this.place(call)) return
    if (isKeyed) this.keyed.add(call)
    else this.any.add(call)
  }

  /** The same with one that was with a server already. */
  addAgain(call: Outgoing): void {
    if (this.place(call)) return
    if (call.request.sticky !== undefined) this.keyed.add(call)
    else this.again.add(call)
  }

  /** It waits no more, if it did. */
  remove(call: Outgoing): void {
    if (!this.any.delete(call) && !this.again.delete(call)) this.keyed.delete(call)
  }

  /** Hands out what waits, as far as somebody can take it. */
  pump(): void {
    this.keyed.pump((call, peer) => this.hand(call, peer))
    for (const call of this.again) {
      if (this.place(call)) this.again.delete(call)
      else if (![...this.peers.values()].some(({ isAble }) => isAble)) return
    }
    for (const call of this.any) {
      if (!this.place(call)) break
      this.any.delete(call)
    }
  }

  /** false: it has to wait. */
  private place(call: Outgoing): boolean {
    call.forgiveAll(this.peers.values())
    const peer = call.request.sticky === undefined ? this.leastBusy(call) : this.keyed.ownerOf(call)
    if (!peer?.isAble) return false
    this.hand(call, peer)
    return true
  }

  private hand(call: Outgoing, peer: Peer): void {
    peer.served = ++this.turns
    peer.send(call)
  }

  /** The one with the fewest calls under way that has not refused it; among equals, the one that was served longest ago. */
  private leastBusy(call: Outgoing): Peer | null {
    let best: Peer | null = null
    for (const peer of this.peers.values()) {
      if (!peer.isAble || call.hasRefused(peer)) continue
      const isBetter = best === null || peer.busy < best.busy || (peer.busy === best.busy && peer.served < best.served)
      if (isBetter) best = peer
    }
    return best
  }
}
