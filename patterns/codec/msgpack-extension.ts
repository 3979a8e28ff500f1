/**
 * What msgpack has no type for: as extensions, each one value with its length before it, so that a reader in any language can go on
 * behind it. Those of msgpackr serve where they do that (timestamps, big integers, typed arrays, undefined); for Map, Set and
 * Error, whose extensions there take the value that follows, there is one of ours: a byte that says which, then a value in msgpack.
 */
import { addExtension } from "msgpackr/pack"

/** The types of extensions, as numbers without a sign. */
export const Ext = {
  Undefined: 0x00,
  Bigint: 0x42,
  /** `P`: registered with msgpackr for the whole process, once. */
  Peerlane: 0x50,
  TypedArray: 0x74,
  Timestamp: 0xff,
} as const

/** What a value of our extension is: its first byte. */
export const Kind = {
  /** `E`: a map of its properties. */
  Error: 0x45,
  /** `M`: an array of its keys and values, in turn. */
  Map: 0x4d,
  /** `S`: an array of its values. */
  Set: 0x53,
  /** `T`: text that begins with a byte order mark, which msgpackr drops of long ones; with {@link BEFORE_MARK} before it. */
  Text: 0x54,
} as const

export const BEFORE_MARK = "."

/** Bits of a bigint beside its sign: with much longer ones a peer could keep us busy for long. */
export const MAX_BIGINT_BITS = 65536
/** Bytes of its extension: with the sign, in steps of eight. */
export const LONGEST_BIGINT = MAX_BIGINT_BITS / 8 + 8

/** Bytes that are msgpack already, on the way out; on the way in, the bytes of our extension. */
export class Packed {
  constructor(readonly bytes: Uint8Array) {}
}

interface Place {
  readonly target: Uint8Array
  readonly position: number
}

/** As msgpackr calls it; its types leave out the second parameter, by which an extension writes more than its data. */
function write({ bytes }: Packed, allocate: (size: number) => Place): void {
  const { target, position } = allocate(bytes.length)
  target.set(bytes, position)
}

addExtension({
  Class: Packed,
  type: Ext.Peerlane,
  pack: write as unknown as (value: Packed) => Uint8Array,
  unpack: (bytes: Uint8Array) => new Packed(bytes),
})

/** A value of our extension, with its header. */
export function packedOf(kind: number, content: Uint8Array): Packed {
  const size = 1 + content.length
  const header = size < 0x100 ? 3 : size < 0x10000 ? 4 : 6
  const bytes = Buffer.allocUnsafeSlow(header + size)
  if (header === 3) bytes.writeUInt16BE(0xc700 | size)
  else if (header === 4) {
    bytes[0] = 0xc8
    bytes.writeUInt16BE(size, 1)
  } else {
    bytes[0] = 0xc9
    bytes.writeUInt32BE(size, 1)
  }
  bytes[header - 1] = Ext.Peerlane
  bytes[header] = kind
  bytes.set(content, header + 1)
  return new Packed(bytes)
}

/** A bigint that would come back as a number, were it an integer of 64 bits. */
export function packedBigint(value: bigint): Packed {
  const bytes = Buffer.allocUnsafeSlow(10)
  bytes[0] = 0xd7
  bytes[1] = Ext.Bigint
  bytes.writeBigInt64BE(value, 2)
  return new Packed(bytes)
}

/** Which msgpackr would write as 0. */
export const NEGATIVE_ZERO = new Packed(Uint8Array.of(0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0))
