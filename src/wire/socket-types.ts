/** The socket types by their names on the wire, and who may talk to whom (28, 29, 30, 31 and 37/ZMTP, "Socket-Type"). */

export const PEERS = {
  PAIR: ["PAIR"],
  PUB: ["SUB", "XSUB"],
  SUB: ["PUB", "XPUB"],
  REQ: ["REP", "ROUTER"],
  REP: ["REQ", "DEALER"],
  DEALER: ["REP", "DEALER", "ROUTER"],
  ROUTER: ["REQ", "DEALER", "ROUTER"],
  PULL: ["PUSH"],
  PUSH: ["PULL"],
  XPUB: ["SUB", "XSUB"],
  XSUB: ["PUB", "XPUB"],
} as const satisfies Record<string, readonly string[]>

export type SocketTypeName = keyof typeof PEERS

/** By the numbers that stand for them in the greeting of ZMTP 1.0 and 2.0 (15/ZMTP), which are those of libzmq's API. */
const NUMBERS: Record<SocketTypeName, number> = {
  PAIR: 0,
  PUB: 1,
  SUB: 2,
  REQ: 3,
  REP: 4,
  DEALER: 5,
  ROUTER: 6,
  PULL: 7,
  PUSH: 8,
  XPUB: 9,
  XSUB: 10,
}

export function numberOf(type: SocketTypeName): number {
  return NUMBERS[type]
}

export function mayTalk(own: SocketTypeName, peer: string): boolean {
  return (PEERS[own] as readonly string[]).includes(peer)
}

/** Types that tell their routing id to the peer, even an empty one. */
export function tellsIdentity(type: SocketTypeName): boolean {
  return type === "REQ" || type === "DEALER" || type === "ROUTER"
}

/** Types that say one thing and wait for the answer: there is nothing to write together with it. */
export function takesTurns(type: SocketTypeName): boolean {
  return type === "REQ" || type === "REP"
}

/** Types whose messages `01 topic` and `00 topic` are subscriptions on their way up. */
export function subscribes(type: SocketTypeName): boolean {
  return type === "SUB" || type === "XSUB"
}

/** Types that subscriptions are for; to others, such a command means nothing. */
export function publishes(type: SocketTypeName): boolean {
  return type === "PUB" || type === "XPUB"
}
