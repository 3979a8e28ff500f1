/**
 * Who wants which topics: for each pipe a set of topics, and for a message the pipes that have one which its first frame
 * begins with (29/PUBSUB). A topic that a pipe asks for twice counts once. All pipes share one tree; of its own, a pipe has a
 * set of places in it.
 */
import type { Pipe } from "./pipe.js"
import { type Node, Trie } from "./trie.js"

/** Who has a topic: most topics are one pipe's. */
type Holders = Pipe | Set<Pipe>

/** What one pipe has. */
interface Own {
  readonly places: Set<Node<Holders>>
  /** In all of its topics. */
  bytes: number
}

export class Subscriptions {
  private topics = new Trie<Holders>()
  private readonly ownOf = new Map<Pipe, Own>()
  private readonly found: Holders[] = []
  /** Places of all pipes together. */
  private total = 0
  /** Pipes that {@link depart} has begun with: their places are in this tree. */
  private departing = 0

  /** Number of topics that anybody wants. */
  get size(): number {
    return this.topics.size
  }

  /** Returns whether the topic is new: to anybody, or at least to this pipe. */
  add(pipe: Pipe, topic: Uint8Array): { first: boolean; own: boolean } {
    let place = this.topics.find(topic)
    const holders = place?.value
    if (place === undefined || holders === undefined) place = this.topics.set(topic, pipe)
    else if (holds(holders, pipe)) return { first: false, own: false }
    else if (holders instanceof Set) holders.add(pipe)
    else place.value = new Set([holders, pipe])
    const own = this.ownOf.get(pipe) ?? { places: new Set(), bytes: 0 }
    this.ownOf.set(pipe, own)
    own.places.add(place)
    own.bytes += topic.length
    this.total++
    return { first: holders === undefined, own: true }
  }

  /** Returns whether the pipe had the topic, and whether it was the last one. */
  remove(pipe: Pipe, topic: Uint8Array): { last: boolean; own: boolean } {
    const own = this.ownOf.get(pipe)
    const place = this.topics.find(topic)
    if (own === undefined || place === undefined || !own.places.delete(place)) return { last: false, own: false }
    own.bytes -= topic.length
    return { last: this.take(place, pipe), own: true }
  }

  /** Forgets a pipe. Returns its topics in the order of their bytes, each with whether it was the last one. */
  removeAll(pipe: Pipe): { topic: Uint8Array; last: boolean }[] {
    const removed: { topic: Uint8Array; last: boolean }[] = []
    for (const place of this.ownOf.get(pipe)?.places ?? []) {
      const topic = this.topics.topicOf(place)
      removed.push({ topic, last: this.take(place, pipe) })
    }
    this.ownOf.delete(pipe)
    removed.sort((one, other) => compare(one.topic, other.topic))
    return removed
  }

  /** Takes the topics of a pipe that is gone, one at each step, in no order. Those that are left still match it. */
  *depart(pipe: Pipe): Generator<{ topic: Uint8Array; last: boolean }> {
    const places = this.ownOf.get(pipe)?.places ?? []
    this.ownOf.delete(pipe)
    this.departing++
    for (const place of places) {
      const topic = this.topics.topicOf(place)
      yield { topic, last: this.take(place, pipe) }
    }
    this.departing--
  }

  /** Forgets a pipe. However much it had, that takes no longer than what all others have, unless one is departing. */
  forget(pipe: Pipe): void {
    const places = this.ownOf.get(pipe)?.places
    if (places === undefined) return
    this.ownOf.delete(pipe)
    if (places.size * 2 <= this.total || this.departing > 0) {
      for (const place of places) this.take(place, pipe)
      return
    }
    const { topics } = this
    const others = [...this.ownOf]
    this.topics = new Trie()
    this.ownOf.clear()
    this.total = 0
    for (const [other, own] of others) for (const place of own.places) this.add(other, topics.topicOf(place))
  }

  has(pipe: Pipe, topic: Uint8Array): boolean {
    const holders = this.topics.get(topic)
    return holders !== undefined && holds(holders, pipe)
  }

  /** How many topics a pipe has, and how many bytes in all of them. */
  countOf(pipe: Pipe): { topics: number; bytes: number } {
    const own = this.ownOf.get(pipe)
    return { topics: own?.places.size ?? 0, bytes: own?.bytes ?? 0 }
  }

  /** The topics of a pipe, copies. */
  of(pipe: Pipe): Uint8Array[] {
    return [...(this.ownOf.get(pipe)?.places ?? [])].map(place => this.topics.topicOf(place))
  }

  /** Appends the pipes that want a message to `into`, each once. */
  match(frame: Uint8Array, into: Pipe[]): void {
    const found = this.found
    found.length = 0
    this.topics.match(frame, found)
    if (found.length === 1) {
      const holders = found[0]!
      if (holders instanceof Set) for (const pipe of holders) into.push(pipe)
      else into.push(holders)
      return
    }
    const all = new Set<Pipe>()
    for (const holders of found) {
      if (holders instanceof Set) for (const pipe of holders) all.add(pipe)
      else all.add(holders)
    }
    into.push(...all)
  }

  /** Takes a pipe from a place where it is. Returns whether it was the last one there. */
  private take(place: Node<Holders>, pipe: Pipe): boolean {
    this.total--
    const holders = place.value
    if (!(holders instanceof Set)) {
      this.topics.remove(place)
      return true
    }
    holders.delete(pipe)
    if (holders.size === 1) for (const last of holders) place.value = last
    return false
  }
}

function holds(holders: Holders, pipe: Pipe): boolean {
  return holders instanceof Set ? holders.has(pipe) : holders === pipe
}

function compare(one: Uint8Array, other: Uint8Array): number {
  const shorter = Math.min(one.length, other.length)
  for (let i = 0; i < shorter; i++) if (one[i] !== other[i]) return one[i]! - other[i]!
  return one.length - other.length
}
