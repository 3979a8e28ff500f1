/**
 * The socket types by their names on the wire, and who may talk to whom (28 to 31, 41, 48, 49, 51, 52 and 37/ZMTP,
 * "Socket-Type"). A DGRAM has no peers, only datagrams.
 */

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
  SERVER: ["CLIENT"],
  CLIENT: ["SERVER"],
  RADIO: ["DISH"],
  DISH: ["RADIO"],
  SCATTER: ["GATHER"],
  GATHER: ["SCATTER"],
  PEER: ["PEER"],
  CHANNEL: ["CHANNEL"],
  STREAM: [],
  DGRAM: [],
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
  STREAM: 11,
  SERVER: 12,
  CLIENT: 13,
  RADIO: 14,
  DISH: 15,
  GATHER: 16,
  SCATTER: 17,
  DGRAM: 18,
  PEER: 19,
  CHANNEL: 20,
}

export function numberOf(type: SocketTypeName): number {
  return NUMBERS[type]
}

export function mayTalk(own: SocketTypeName, peer: string): boolean {
  return (PEERS[own] as readonly string[]).includes(peer)
}

/** What a type does at an endpoint of datagrams: sends to it, or receives there; null: it has none. (libzmq) */
export function datagramRole(type: SocketTypeName): "connected" | "bound" | null {
  if (type === "RADIO") return "connected"
  return type === "DISH" || type === "DGRAM" ? "bound" : null
}

/** Types that tell their routing id to the peer, even an empty one. */
export function tellsIdentity(type: SocketTypeName): boolean {
  return type === "REQ" || type === "DEALER" || type === "ROUTER"
}

/** Types whose peers do not speak ZMTP. */
export function isRaw(type: SocketTypeName): boolean {
  return type === "STREAM"
}

/** Types that say one thing and wait for the answer: there is nothing to write together with it. */
export function takesTurns(type: SocketTypeName): boolean {
  return type === "REQ" || type === "REP"
}

/** Types that may answer, and be answered, message by message. */
export function converses(type: SocketTypeName): boolean {
  return type === "DEALER" || type === "ROUTER"
}

/** How a peer is asked for messages: the commands that stand for a message `01 topic`, and for one `00 topic`. */
export interface Asking {
  readonly on: string
  readonly off: string
  /** The ZMTP 3 minor from which on they are commands; for older peers they are messages. */
  readonly since: number
  /** Longest topic in bytes. */
  readonly longest: number
}

const SUBSCRIBING: Asking = { on: "SUBSCRIBE", off: "CANCEL", since: 1, longest: Number.POSITIVE_INFINITY }
const JOINING: Asking = { on: "JOIN", off: "LEAVE", since: 0, longest: 255 }

/** What a type asks its peers with; null: it does not. */
export function asks(type: SocketTypeName): Asking | null {
  if (type === "SUB" || type === "XSUB") return SUBSCRIBING
  return type === "DISH" ? JOINING : null
}

/** What the peers of a type ask it with; null: to this type such commands mean nothing. */
export function isAsked(type: SocketTypeName): Asking | null {
  if (type === "PUB" || type === "XPUB") return SUBSCRIBING
  return type === "RADIO" ? JOINING : null
}

/** Types that take commands from their peers and no messages. */
export function takesNoMessages(type: SocketTypeName): boolean {
  return type === "RADIO"
}

/** Types that send no PING of their own: a DISH of libzmq takes one for a fault. */
export function keepsQuiet(type: SocketTypeName): boolean {
  return type === "RADIO"
}
