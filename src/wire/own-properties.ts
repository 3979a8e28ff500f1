/** What a side says of itself in the handshake (37/ZMTP, metadata). */
import { latin1, type PropertyList } from "./command.js"
import type { EngineOptions } from "./engine.js"
import { tellsIdentity } from "./socket-types.js"

type Said = Pick<EngineOptions, "type" | "routingId" | "metadata">

const NONE = new Uint8Array(0)
const encoder = new TextEncoder()

export function ownProperties({ type, routingId, metadata }: Said): PropertyList {
  const properties: [string, Uint8Array][] = [["Socket-Type", ascii(type)]]
  if (tellsIdentity(type)) properties.push(["Identity", routingId ?? NONE])
  for (const line of metadata?.split("\n") ?? []) {
    const colon = line.indexOf(":")
    // As bytes of UTF-8, the name a character for each.
    properties.push([latin1(encoder.encode(line.slice(0, colon))), encoder.encode(line.slice(colon + 1))])
  }
  return properties
}

function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}
