/** A message of a RADIO as one datagram: the length of its group in one byte, the group, the body. As libzmq has it; no RFC does. */
import type { Bytes, Message } from "../message.js"

/** Most bytes in all; a DISH of libzmq cuts off what is longer. */
export const LONGEST_GROUP_DATAGRAM = 8192

/** Bytes that {@link packGroup} will make. */
export function packedSize(message: Message): number {
  return 1 + message[0]!.length + message[1]!.length
}

/** A group of at most 255 bytes and a body, copied. */
export function packGroup(message: Message, bytes: Bytes): Uint8Array {
  const group = message[0]!
  const datagram = bytes.alloc(packedSize(message))
  datagram[0] = group.length
  datagram.set(group, 1)
  datagram.set(message[1]!, 1 + group.length)
  return datagram
}

/** The group, copied, and the body, a view; null for what {@link packGroup} does not make. */
export function unpackGroup(datagram: Uint8Array, bytes: Bytes): Message | null {
  const { length } = datagram
  const body = 1 + (datagram[0] ?? 0)
  if (length === 0 || length > LONGEST_GROUP_DATAGRAM || body > length) return null
  return [bytes.copy(datagram, 1, body), bytes.view(datagram.buffer, datagram.byteOffset + body, length - body)]
}
