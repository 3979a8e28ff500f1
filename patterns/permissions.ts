/**
 * What users may do, as tables or functions: which topics they may subscribe to, and which routing ids they may have. Users are
 * known by the ids that an authenticator gave them; whoever is not named in a table, or has no id, is `"*"`.
 */
import { Trie } from "../src/index.js"
import type { Peer } from "./socket.js"

type Text = string | Uint8Array

/** The property `permit` of Publisher and XPublisher: prefixes of topics by user id, or a function. */
export type Permit = Readonly<Record<string, readonly Text[]>> | ((peer: Peer, topic: Buffer) => boolean)

/** The property `identities` of Router: routing ids by user id, where an empty one is for a peer that says none, or a function. */
export type Identities = Readonly<Record<string, Text | readonly Text[]>> | ((peer: Peer, identity: Buffer) => boolean)

export type TopicPermit = (peer: Peer, topic: Uint8Array) => boolean

export type IdentityPermit = (peer: Peer, identity: Uint8Array) => boolean

const EVERYBODY_ELSE = "*"

/** Throws TypeError for what is neither a table nor a function. Later changes of a table have no effect. */
export function topicPermit(permit: Permit): TopicPermit {
  if (typeof permit === "function") return asked(permit)
  const table = tableOf(permit, prefixes => {
    if (!Array.isArray(prefixes)) throw new TypeError("Permitted topics must be an array")
    const trie = new Trie<true>()
    for (const prefix of prefixes) trie.set(bytesOf(prefix), true)
    return trie
  })
  return (peer, topic) => entryOf(table, peer)?.matches(topic) ?? false
}

/** The same for routing ids. Who is not in the table, with no `"*"` there, may come without an id. */
export function identityPermit(identities: Identities): IdentityPermit {
  if (typeof identities === "function") return asked(identities)
  const table = tableOf(identities, ids => {
    const all = Array.isArray(ids) ? ids : [ids]
    return new Set(all.map(id => textOf(bytesOf(id))))
  })
  return (peer, identity) => entryOf(table, peer)?.has(textOf(identity)) ?? identity.length === 0
}

function asked(ask: (peer: Peer, bytes: Buffer) => boolean): (peer: Peer, bytes: Uint8Array) => boolean {
  // A copy, as it may be kept; anything but true is no.
  return (peer, bytes) => ask(peer, Buffer.from(bytes)) === true
}

function tableOf<V, T>(table: Readonly<Record<string, V>>, make: (value: V) => T): ReadonlyMap<string, T> {
  if (typeof table !== "object" || table === null)
    throw new TypeError("Permissions must be an object, a function or null")
  return new Map(Object.entries(table).map(([user, value]) => [user, make(value)]))
}

function entryOf<T>(table: ReadonlyMap<string, T>, { userId }: Peer): T | undefined {
  return table.get(userId ?? EVERYBODY_ELSE) ?? table.get(EVERYBODY_ELSE)
}

function bytesOf(text: unknown): Uint8Array {
  if (typeof text === "string") return Buffer.from(text)
  if (text instanceof Uint8Array) return text
  throw new TypeError("Permissions must be given as strings or buffers")
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
}
