/**
 * Commands and the properties inside of them (37/ZMTP, commands and metadata): a command is the length of its name, the
 * name, and data. Names are compared byte by byte, as libzmq does (the RFC would ignore the case of property names).
 */
import { ProtocolError, type ProtocolErrorCode } from "../errors.js"

export const COMMAND = 0x04

/** What a peer says of itself in its handshake: property names to values. */
export type Properties = Map<string, Uint8Array>
/** The same for what this side says. */
export type PropertyList = Iterable<readonly [string, Uint8Array]>

/** Characters that are made in one call; adding them up one by one makes a tree of strings. */
const AT_ONCE = 64

export function latin1(bytes: Uint8Array, from = 0, to = bytes.length): string {
  let text = ""
  for (let at = from; at < to; at += AT_ONCE) {
    const some = bytes.subarray(at, Math.min(to, at + AT_ONCE))
    text += String.fromCharCode.apply(null, some as unknown as number[])
  }
  return text
}

/** The body of a command frame. */
export function encodeCommand(name: string, data: Uint8Array): Uint8Array {
  const body = new Uint8Array(1 + name.length + data.length)
  body[0] = name.length
  for (let i = 0; i < name.length; i++) body[1 + i] = name.charCodeAt(i)
  body.set(data, 1 + name.length)
  return body
}

/** The name of a command; null when the body is too short for the name that it declares. */
export function commandName(body: Uint8Array): string | null {
  const length = body[0]
  if (length === undefined || 1 + length > body.length) return null
  return latin1(body, 1, 1 + length)
}

/** What follows the name. Only for a body whose name was read. */
export function commandData(body: Uint8Array): Uint8Array {
  return body.subarray(1 + body[0]!)
}

export function encodeProperties(properties: PropertyList): Uint8Array {
  let size = 0
  for (const [name, value] of properties) size += 5 + name.length + value.length
  const encoded = new Uint8Array(size)
  const view = new DataView(encoded.buffer)
  let at = 0
  for (const [name, value] of properties) {
    encoded[at++] = name.length
    for (let i = 0; i < name.length; i++) encoded[at++] = name.charCodeAt(i)
    view.setUint32(at, value.length)
    encoded.set(value, at + 4)
    at += 4 + value.length
  }
  return encoded
}

const EMPTY = new Uint8Array(0)

/** Of any kind of byte array; `slice` would give a view of some (Buffer). */
function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return from === to ? EMPTY : new Uint8Array(bytes.subarray(from, to))
}

/** Reads properties up to the end of `data`; of a name that comes twice the first counts. The values are copies. */
export function decodeProperties(data: Uint8Array, code: ProtocolErrorCode): Properties {
  const properties: Properties = new Map()
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  let at = 0
  while (at < data.length) {
    const nameEnd = at + 1 + data[at]!
    if (nameEnd + 4 > data.length) throw new ProtocolError(code, "a property is cut off")
    const valueEnd = nameEnd + 4 + view.getUint32(nameEnd)
    if (valueEnd > data.length) throw new ProtocolError(code, "a property's value is cut off")
    const name = latin1(data, at + 1, nameEnd)
    if (!properties.has(name)) properties.set(name, copyOf(data, nameEnd + 4, valueEnd))
    at = valueEnd
  }
  return properties
}
