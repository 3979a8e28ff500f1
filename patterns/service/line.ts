/** The calls of a client that wait for a server, and which server is next. */
import { Deque } from "../typed/deque.js"
import type { Outgoing } from "./outgoing.js"
import type { Peer } from "./peer.js"

export class Line {
  /** Calls that any server may have, in order. */
  private readonly any = new Deque<Outgoing>()
  /** Those that not every server may have: each is looked at, so that none holds up others. */
  private particular: Outgoing[] = []
  private turns = 0
  /** Calls that have ended while they waited, and stand here yet. */
  private over = 0

  constructor(private readonly peers: ReadonlyMap<string, Peer>) {}

  get size(): number {
    return this.any.size + this.particular.length - this.over
  }

  add(call: Outgoing): void {
    call.isWaiting = true
    if (call.request.sticky === undefined) this.any.push(call)
    else this.particular.push(call)
  }

  /** One that was with a server already. */
  addAgain(call: Outgoing): void {
    call.isWaiting = true
    this.particular.push(call)
  }

  /** A call has ended. Those that wait no more are put out when they are more than those that do. */
  ended(call: Outgoing): void {
    if (!call.isWaiting) return
    this.over++
    if (this.over <= this.size) return
    this.particular = this.particular.filter(({ isOver }) => !isOver)
    for (let left = this.any.size; left > 0; left--) {
      const first = this.any.shift()!
      if (!first.isOver) this.any.push(first)
    }
    this.over = 0
  }

  /** Hands out what waits, as far as somebody can take it. */
  pump(): void {
    if (this.particular.length > 0) {
      const waiting = this.particular
      this.particular = []
      for (const call of waiting) if (!this.place(call)) this.particular.push(call)
    }
    for (let call = this.any.peek(); call !== undefined && this.place(call); call = this.any.peek()) this.any.shift()
  }

  /** All of them; nobody waits any more. */
  empty(): Outgoing[] {
    const calls = [...this.any, ...this.particular]
    while (this.any.shift() !== undefined);
    this.particular = []
    for (const call of calls) call.isWaiting = false
    this.over = 0
    return calls
  }

  /** false: it has to wait. */
  private place(call: Outgoing): boolean {
    if (call.isOver) {
      this.over--
      return true
    }
    const peer = this.choose(call)
    if (peer === null) return false
    call.isWaiting = false
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
