/** Values of our extension, on the way in: they come out of msgpackr as bytes, and are made here, each once, from the outside in. */
import { errorOf } from "./error-value.js"
import { BEFORE_MARK, Kind, Packed } from "./msgpack-extension.js"

/** The value with what its extensions say in their places. `unpack` makes a value of bytes that were scanned. TypeError for nonsense. */
export function revive(value: unknown, unpack: (bytes: Uint8Array) => unknown): unknown {
  if (typeof value !== "object" || value === null) return value
  if (value instanceof Packed) return fromPacked(value.bytes, unpack)
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = revive(value[i], unpack)
  } else if (Object.getPrototypeOf(value) === Object.prototype) {
    const object = value as Record<string, unknown>
    for (const key of Object.keys(object)) object[key] = revive(object[key], unpack)
  }
  return value
}

/** The scan has seen that there is in it what belongs there; of an Error, that there are properties. */
function fromPacked(bytes: Uint8Array, unpack: (bytes: Uint8Array) => unknown): unknown {
  const content = revive(unpack(bytes.subarray(1)), unpack)
  switch (bytes[0]) {
    case Kind.Map:
      return mapOf(content as unknown[])
    case Kind.Set:
      return new Set(content as unknown[])
    case Kind.Error:
      return errorOf(content as Record<string, unknown>)
    default: // Kind.Text
      return (content as string).slice(BEFORE_MARK.length)
  }
}

function mapOf(parts: readonly unknown[]): Map<unknown, unknown> {
  if (parts.length % 2 !== 0) throw new TypeError("a Map with a key and no value")
  const map = new Map<unknown, unknown>()
  for (let i = 0; i < parts.length; i += 2) map.set(parts[i], parts[i + 1])
  return map
}
