/** The calls of a client that wait for a server, and which server is next. */
import type { Outgoing } from "./outgoing.js"
import type { Peer } from "./peer.js"

export class Line {
  /** Calls that any server may have, in order. */
  private readonly any = new Set<Outgoing>()
  /** Those that were with a server already, which some may not have: each is looked at, so that none holds up others. */
  private readonly again = new Set<Outgoing>()
  /** Those with a key, by the server that is theirs as things are, so that one that is full is asked once and not for each. */
  private readonly keyed = new Map<Peer | null, Set<Outgoing>>()
  private readonly owners = new Map<Outgoing, Peer | null>()
  /** Who was there when these were found. */
  private there: readonly Peer[] = []
  private turns = 0

  constructor(private readonly peers: ReadonlyMap<string, Peer>) {}

  get size(): number {
    return this.any.size + this.again.size + this.owners.size
  }

  /** Hands it out, or lets it wait behind the others. */
  add(call: Outgoing): void {
    const isKeyed = call.request.sticky !== undefined
    if ((isKeyed || this.any.size === 0) && this.place(call)) return
    if (isKeyed) this.keep(call)
    else this.any.add(call)
  }

  /** The same with one that was with a server already. */
  addAgain(call: Outgoing): void {
    if (this.place(call)) return
    if (call.request.sticky !== undefined) this.keep(call)
    else this.again.add(call)
  }

  /** It waits no more, if it did. */
  remove(call: Outgoing): void {
    if (this.any.delete(call) || this.again.delete(call)) return
    const owner = this.owners.get(call)
    if (owner === undefined) return
    this.owners.delete(call)
    const calls = this.keyed.get(owner)!
    calls.delete(call)
    if (calls.size === 0) this.keyed.delete(owner)
  }

  /** Hands out what waits, as far as somebody can take it. */
  pump(): void {
    if (this.owners.size > 0) this.pumpKeyed()
    for (const call of this.again) {
      if (this.place(call)) this.again.delete(call)
      else if (![...this.peers.values()].some(({ isAble }) => isAble)) return
    }
    for (const call of this.any) {
      if (!this.place(call)) break
      this.any.delete(call)
    }
  }

  private pumpKeyed(): void {
    const there = [...this.peers.values()].filter(({ isThere }) => isThere)
    if (there.length !== this.there.length || there.some((peer, at) => peer !== this.there[at])) {
      this.there = there
      const calls = [...this.owners.keys()]
      this.owners.clear()
      this.keyed.clear()
      for (const call of calls) this.keep(call)
    }
    for (const [owner, calls] of this.keyed) {
      for (const call of calls) {
        if (!owner?.isAble) break
        this.remove(call)
        this.hand(call, owner)
      }
    }
  }

  /** Where nobody is there but who has refused it, they are asked once more: then it has a place, or its answer. */
  private forgive(call: Outgoing): void {
    if (!call.wasRefused) return
    for (const peer of this.peers.values()) if (peer.isThere && !call.hasRefused(peer)) return
    call.forgive()
  }

  private keep(call: Outgoing): void {
    this.forgive(call)
    const owner = this.ownerOf(call, call.request.sticky!)
    this.owners.set(call, owner)
    const calls = this.keyed.get(owner)
    if (calls === undefined) this.keyed.set(owner, new Set([call]))
    else calls.add(call)
  }

  /** false: it has to wait. */
  private place(call: Outgoing): boolean {
    this.forgive(call)
    const { sticky } = call.request
    const peer = sticky === undefined ? this.leastBusy(call) : this.ownerOf(call, sticky)
    if (!peer?.isAble) return false
    this.hand(call, peer)
    return true
  }

  private hand(call: Outgoing, peer: Peer): void {
    peer.served = ++this.turns
    peer.send(call)
  }

  /** Of those that are there and have not refused it, the one that fits its key best, whether it can take it now or not. */
  private ownerOf(call: Outgoing, key: string): Peer | null {
    let best: Peer | null = null
    let most = -1
    for (const peer of this.peers.values()) {
      if (!peer.isThere || call.hasRefused(peer)) continue
      const fit = weight(key, peer.address)
      if (fit > most) [best, most] = [peer, fit]
    }
    return best
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

/** How well a server fits a key: when one goes, only its keys move. */
function weight(key: string, address: string): number {
  let hash = 0x811c9dc5
  for (const letter of `${key}\n${address}`) hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193)
  hash ^= hash >>> 15
  return Math.imul(hash, 0x2c1b3c6d) >>> 0
}
