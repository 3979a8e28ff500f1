/** The calls of a client that wait for a server, and which server is next. */
import type { Outgoing } from "./outgoing.js"
import type { Peer } from "./peer.js"

export class Line {
  /** Calls that any server may have, in order. */
  private readonly any = new Set<Outgoing>()
  /** Those that not every server may have: each is looked at, so that none holds up others. */
  private readonly particular = new Set<Outgoing>()
  private turns = 0

  constructor(private readonly peers: ReadonlyMap<string, Peer>) {}

  get size(): number {
    return this.any.size + this.particular.size
  }

  /** Hands it out, or lets it wait behind the others. */
  add(call: Outgoing): void {
    const isParticular = call.request.sticky !== undefined
    if ((isParticular || this.any.size === 0) && this.place(call)) return
    if (isParticular) this.particular.add(call)
    else this.any.add(call)
  }

  /** The same with one that was with a server already. */
  addAgain(call: Outgoing): void {
    if (!this.place(call)) this.particular.add(call)
  }

  /** It waits no more, if it did. */
  remove(call: Outgoing): void {
    if (!this.any.delete(call)) this.particular.delete(call)
  }

  /** Hands out what waits, as far as somebody can take it. */
  pump(): void {
    for (const call of this.particular) if (this.place(call)) this.particular.delete(call)
    for (const call of this.any) {
      if (!this.place(call)) break
      this.any.delete(call)
    }
  }

  /** All of them. */
  get calls(): Outgoing[] {
    return [...this.any, ...this.particular]
  }

  /** false: it has to wait. */
  private place(call: Outgoing): boolean {
    const peer = this.choose(call)
    if (peer === null) return false
    peer.served = ++this.turns
    peer.send(call)
    return true
  }

  /** The one with the fewest calls under way that has not refused it; among equals, the one that was served longest ago. */
  private choose(call: Outgoing): Peer | null {
    const { sticky } = call.request
    if (sticky !== undefined) {
      const there = [...this.peers.values()].filter(peer => peer.isThere && !call.hasRefused(peer))
      const [first] = there.sort((a, b) => weight(sticky, b.address) - weight(sticky, a.address))
      return first?.isAble ? first : null
    }
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
