/**
 * Topics, found by the messages that begin with them (29/PUBSUB: prefix match on the first frame). A tree whose edges
 * carry runs of bytes, so that its size follows the number of topics and not their length. Each topic has one value.
 */

/** A place in the tree. That of a topic stays the same as long as the topic is there. */
export interface Node<T> {
  /** Null: the root. */
  parent: Node<T> | null
  /** The bytes that lead here from the parent. */
  label: Uint8Array
  /** Undefined: no topic ends here. */
  value: T | undefined
  children: Map<number, Node<T>> | null
}

export class Trie<T> {
  /** Number of topics. */
  size = 0
  private readonly root: Node<T> = { parent: null, label: new Uint8Array(0), value: undefined, children: null }

  get(topic: Uint8Array): T | undefined {
    return this.find(topic)?.value
  }

  /** Where a topic is; undefined: nothing is there. */
  find(topic: Uint8Array): Node<T> | undefined {
    let node: Node<T> | undefined = this.root
    for (let at = 0; at < topic.length; at += node.label.length) {
      node = node.children?.get(topic[at]!)
      if (node === undefined || !startsWith(topic, at, node.label)) return undefined
    }
    return node
  }

  /** Sets the value of a topic, of which a copy is kept. Returns where it is. */
  set(topic: Uint8Array, value: T): Node<T> {
    let node = this.root
    let at = 0
    while (at < topic.length) {
      const child = node.children?.get(topic[at]!)
      if (child === undefined) {
        node.children ??= new Map()
        const leaf: Node<T> = { parent: node, label: topic.slice(at), value: undefined, children: null }
        node.children.set(topic[at]!, leaf)
        node = leaf
        break
      }
      const shared = sharedLength(topic, at, child.label)
      node = shared === child.label.length ? child : split(node, child, shared)
      at += shared
    }
    if (node.value === undefined) this.size++
    node.value = value
    return node
  }

  delete(topic: Uint8Array): boolean {
    const node = this.find(topic)
    if (node?.value === undefined) return false
    this.remove(node)
    return true
  }

  /** Deletes the topic that is here. */
  remove(node: Node<T>): void {
    node.value = undefined
    this.size--
    const { parent } = node
    if (parent === null) return
    prune(parent, node)
    if (parent.parent !== null) prune(parent.parent, parent)
  }

  /** The topic that ends here. */
  topicOf(node: Node<T>): Uint8Array {
    let length = 0
    for (let at: Node<T> | null = node; at !== null; at = at.parent) length += at.label.length
    const topic = new Uint8Array(length)
    for (let at: Node<T> | null = node; at !== null; at = at.parent) {
      length -= at.label.length
      topic.set(at.label, length)
    }
    return topic
  }

  /** Appends to `found` the values of all topics that `frame` begins with. */
  match(frame: Uint8Array, found: T[]): void {
    let node: Node<T> | undefined = this.root
    for (let at = 0; ; ) {
      if (node.value !== undefined) found.push(node.value)
      if (node.children === null || at >= frame.length) return
      node = node.children.get(frame[at]!)
      if (node === undefined || !startsWith(frame, at, node.label)) return
      at += node.label.length
    }
  }

  /** Whether `frame` begins with any of the topics. */
  matches(frame: Uint8Array): boolean {
    let node: Node<T> | undefined = this.root
    for (let at = 0; ; ) {
      if (node.value !== undefined) return true
      if (node.children === null || at >= frame.length) return false
      node = node.children.get(frame[at]!)
      if (node === undefined || !startsWith(frame, at, node.label)) return false
      at += node.label.length
    }
  }

  /** All topics and values, a topic before those that begin with it, and older branches first; the topics are copies. */
  *entries(): Generator<[topic: Uint8Array, value: T]> {
    const open: { node: Node<T>; prefix: Uint8Array }[] = [{ node: this.root, prefix: this.root.label }]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next.node.value !== undefined) yield [next.prefix, next.node.value]
      for (const child of [...(next.node.children?.values() ?? [])].reverse()) {
        open.push({ node: child, prefix: concat(next.prefix, child.label) })
      }
    }
  }
}

/** Cuts the edge to `child` after `length` bytes; returns the node between. */
function split<T>(parent: Node<T>, child: Node<T>, length: number): Node<T> {
  const between: Node<T> = { parent, label: child.label.slice(0, length), value: undefined, children: new Map() }
  parent.children?.set(child.label[0]!, between)
  child.parent = between
  child.label = child.label.slice(length)
  between.children?.set(child.label[0]!, child)
  return between
}

/** Takes `node` out of the tree, or joins it with its only child, when it holds no value of its own. */
function prune<T>(parent: Node<T>, node: Node<T>): void {
  if (node.value !== undefined) return
  const count = node.children?.size ?? 0
  if (count === 0) {
    parent.children?.delete(node.label[0]!)
    if (parent.children?.size === 0) parent.children = null
  } else if (count === 1) {
    const [child] = node.children?.values() ?? []
    if (child === undefined) return
    child.label = concat(node.label, child.label)
    child.parent = parent
    parent.children?.set(child.label[0]!, child)
  }
}

function startsWith(bytes: Uint8Array, from: number, label: Uint8Array): boolean {
  if (bytes.length - from < label.length) return false
  for (let i = 0; i < label.length; i++) if (bytes[from + i] !== label[i]) return false
  return true
}

function sharedLength(bytes: Uint8Array, from: number, label: Uint8Array): number {
  const most = Math.min(bytes.length - from, label.length)
  let length = 0
  while (length < most && bytes[from + length] === label[length]) length++
  return length
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
