/**
 * Who wants which topics: for each pipe a set of topics, and for a message the pipes that have one which its first frame
 * begins with (29/PUBSUB). A topic that a pipe asks for twice counts once.
 */
import type { Pipe } from "./pipe.js"
import { Trie } from "./trie.js"

export class Subscriptions {
  private readonly topics = new Trie<Set<Pipe>>()
  private readonly topicsOf = new Map<Pipe, Trie<true>>()
  private readonly found: Set<Pipe>[] = []

  /** Number of topics that anybody wants. */
  get size(): number {
    return this.topics.size
  }

  /** Returns whether the topic is new: to anybody, or at least to this pipe. */
  add(pipe: Pipe, topic: Uint8Array): { first: boolean; own: boolean } {
    const own = this.topicsOf.get(pipe) ?? new Trie<true>()
    this.topicsOf.set(pipe, own)
    const pipes = this.topics.get(topic)
    if (pipes?.has(pipe)) return { first: false, own: false }
    own.set(topic, true)
    if (pipes !== undefined) {
      pipes.add(pipe)
      return { first: false, own: true }
    }
    this.topics.set(topic, new Set([pipe]))
    return { first: true, own: true }
  }

  /** Returns whether the pipe had the topic, and whether it was the last one. */
  remove(pipe: Pipe, topic: Uint8Array): { last: boolean; own: boolean } {
    const pipes = this.topics.get(topic)
    if (pipes === undefined || !pipes.delete(pipe)) return { last: false, own: false }
    this.topicsOf.get(pipe)?.delete(topic)
    if (pipes.size > 0) return { last: false, own: true }
    this.topics.delete(topic)
    return { last: true, own: true }
  }

  /** Forgets a pipe. Returns its topics, each with whether it was the last one. */
  removeAll(pipe: Pipe): { topic: Uint8Array; last: boolean }[] {
    const own = [...(this.topicsOf.get(pipe)?.entries() ?? [])]
    const removed = own.map(([topic]) => ({ topic, last: this.remove(pipe, topic).last }))
    this.topicsOf.delete(pipe)
    return removed
  }

  has(pipe: Pipe, topic: Uint8Array): boolean {
    return this.topics.get(topic)?.has(pipe) ?? false
  }

  /** The topics of a pipe, copies. */
  of(pipe: Pipe): Uint8Array[] {
    return [...(this.topicsOf.get(pipe)?.entries() ?? [])].map(([topic]) => topic)
  }

  /** Appends the pipes that want a message to `into`, each once. */
  match(frame: Uint8Array, into: Pipe[]): void {
    const found = this.found
    found.length = 0
    this.topics.match(frame, found)
    if (found.length === 1) {
      for (const pipe of found[0]!) into.push(pipe)
      return
    }
    const all = new Set<Pipe>()
    for (const pipes of found) for (const pipe of pipes) all.add(pipe)
    into.push(...all)
  }
}
