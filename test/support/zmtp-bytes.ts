/** The bytes of ZMTP 3, made by hand from the text of 37/ZMTP with nothing of src/; they may lie. For any process, in a test or not. */

export const MORE = 0x01
export const LONG = 0x02
export const COMMAND = 0x04

/** The 64 bytes that open a ZMTP 3 connection. */
export function greeting({ major = 3, minor = 1, mechanism = "NULL" } = {}): Buffer {
  const bytes = Buffer.alloc(64)
  bytes[0] = 0xff
  bytes[8] = 0x01
  bytes[9] = 0x7f
  bytes[10] = major
  bytes[11] = minor
  bytes.write(mechanism, 12, 20, "latin1")
  return bytes
}

/** Flags and size as they stand before a body; the size may be a lie. */
export function header(flags: number, size: number | bigint): Buffer {
  if ((flags & LONG) === 0) return Buffer.of(flags, Number(size))
  const bytes = Buffer.alloc(9)
  bytes[0] = flags
  bytes.writeBigUInt64BE(BigInt(size), 1)
  return bytes
}

/** A whole frame, with the long form of its size where it must. */
export function frame(body: string | Buffer, flags = 0): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([header(flags | (bytes.length > 255 ? LONG : 0), bytes.length), bytes])
}

/** A multipart message. */
export function message(...parts: (string | Buffer)[]): Buffer {
  return Buffer.concat(parts.map((part, index) => frame(part, index < parts.length - 1 ? MORE : 0)))
}

/** A command frame: its name with one byte of length in front, then its data. */
export function command(name: string, data: string | Buffer = ""): Buffer {
  return frame(Buffer.concat([Buffer.of(name.length), Buffer.from(name), Buffer.from(data)]), COMMAND)
}

/** One property of a READY command. */
export function property(name: string, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value)
  const size = Buffer.alloc(4)
  size.writeUInt32BE(bytes.length)
  return Buffer.concat([Buffer.of(name.length), Buffer.from(name), size, bytes])
}

/** The READY of a socket of this type; those that a ROUTER may meet tell an identity, if only an empty one. */
export function ready(type: string, identity = ""): Buffer {
  const named = type === "REQ" || type === "DEALER" || type === "ROUTER"
  const properties = [property("Socket-Type", type), ...(named ? [property("Identity", identity)] : [])]
  return command("READY", Buffer.concat(properties))
}
