/**
 * The calls with a key that wait, by the server that is theirs as things are: one that is full is asked once, and not for each
 * of them. A key has the server that fits it best of those that are there; when one goes, only its keys move.
 */
import type { Outgoing } from "./outgoing.js"
import type { Peer } from "./peer.js"

export class Keyed {
  private readonly byOwner = new Map<Peer | null, Set<Outgoing>>()
  private readonly owners = new Map<Outgoing, Peer | null>()
  /** Who was there when these were found. */
  private there: readonly Peer[] = []

  constructor(private readonly peers: ReadonlyMap<string, Peer>) {}

  get size(): number {
    return this.owners.size
  }

  get calls(): Iterable<Outgoing> {
    return this.owners.keys()
  }

  add(call: Outgoing): void {
    call.forgiveAll(this.peers.values())
    const owner = this.ownerOf(call)
    this.owners.set(call, owner)
    const calls = this.byOwner.get(owner)
    if (calls === undefined) this.byOwner.set(owner, new Set([call]))
    else calls.add(call)
  }

  delete(call: Outgoing): void {
    const owner = this.owners.get(call)
    if (owner === undefined) return
    this.owners.delete(call)
    const calls = this.byOwner.get(owner)!
    calls.delete(call)
    if (calls.size === 0) this.byOwner.delete(owner)
  }

  /** Of those that are there and have not refused it, whether it can take it now or not. */
  ownerOf(call: Outgoing): Peer | null {
    let best: Peer | null = null
    let most = -1
    for (const peer of this.peers.values()) {
      if (!peer.isThere || call.hasRefused(peer)) continue
      const fit = weight(call.request.sticky!, peer.address)
      if (fit > most) [best, most] = [peer, fit]
    }
    return best
  }

  /** @param hand Gives a call to its server, which can take it. */
  pump(hand: (call: Outgoing, peer: Peer) => void): void {
    if (this.owners.size === 0) return
    this.lineUp()
    for (const [owner, calls] of this.byOwner) {
      for (const call of calls) {
        if (!owner?.isAble) break
        this.delete(call)
        hand(call, owner)
      }
    }
  }

  /** Finds their servers anew where others are there than before. */
  private lineUp(): void {
    const there = [...this.peers.values()].filter(({ isThere }) => isThere)
    if (there.length === this.there.length && there.every((peer, at) => peer === this.there[at])) return
    this.there = there
    const calls = [...this.owners.keys()]
    this.owners.clear()
    this.byOwner.clear()
    for (const call of calls) this.add(call)
  }
}

/** How well a server fits a key: when one goes, only its keys move. */
function weight(key: string, address: string): number {
  let hash = 0x811c9dc5
  for (const letter of `${key}\n${address}`) hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193)
  hash ^= hash >>> 15
  return Math.imul(hash, 0x2c1b3c6d) >>> 0
}
