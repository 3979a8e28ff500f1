/**
 * Brings the engine under test and a peer program together for one conversation: opens both ends, binds one and
 * connects the other, and closes both afterwards. Also says which peer programs there are to meet.
 */

import { freshEndpoint } from "../support/endpoints.js"
import { type Peer, type PeerKind, pyzmqMissing } from "../support/peer.js"
import { type End, here, type Message, there } from "./ends.js"
import type { Pair } from "./pairs.js"

export type Scheme = "tcp" | "ipc" | "inproc"
export type Side = "left" | "right"
export type Who = "ours" | "theirs"

/** The libzmq programs to meet, and why one of them cannot be met. */
export const libzmqPeers: { kind: PeerKind; missing: string | null }[] = [
  { kind: "zeromq", missing: null },
  { kind: "pyzmq", missing: pyzmqMissing() },
]

/** The sides that the engine under test takes in turn; two of the same type need only one. */
export function sidesOf({ left, right }: Pair): Side[] {
  return left === right ? ["left"] : ["left", "right"]
}

/** Has the pair talk with the engine under test on side `ours`; `binder` binds. */
export async function meet(
  pair: Pair,
  {
    peer,
    ours,
    binder,
    scheme,
    messages,
  }: { peer: Peer; ours: Side; binder: Who; scheme: Scheme; messages: Message[] },
): Promise<void> {
  const theirs = ours === "left" ? "right" : "left"
  const optionsOf = { left: pair.leftOptions, right: pair.rightOptions }
  const local = here(pair[ours], optionsOf[ours])
  const remote = await there(peer, pair[theirs], optionsOf[theirs])
  const ends: Record<Who, End> = { ours: local, theirs: remote }
  const endpoint = await ends[binder].bind(freshEndpoint(scheme))
  await ends[binder === "ours" ? "theirs" : "ours"].connect(endpoint)
  if (ours === "left") await pair.talk(local, remote, messages)
  else await pair.talk(remote, local, messages)
}
