/** Values that msgpack has no type for, on the way out: what is written in their place. */

import { propertiesOf } from "./error-value.js"
import type { CodecLimits } from "./limits.js"
import {
  BEFORE_MARK,
  Kind,
  MAX_BIGINT_BITS,
  NEGATIVE_ZERO,
  type Packed,
  packedBigint,
  packedOf,
} from "./msgpack-extension.js"
import { fail, ORDINARY, Walk } from "./walk.js"

/** Up to here, both ways, an integer is read as a number. */
const LARGEST_NUMBER = 2n ** 53n
/** Integers beyond 32 bits are written as such, not as floats: other languages tell them apart. */
const MAX_UINT32 = 0xffffffff
const MIN_INT32 = -0x80000000
const MARK = 0xfeff
/** So many characters are never too many bytes. */
const MARK_KEPT = 20

const { get: tagOf } = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
) as { get: () => string }

type View = new (memory: ArrayBufferLike, offset: number, length: number) => ArrayBufferView
const VIEWS: Record<string, View> = {
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
}

export class MsgpackWalk extends Walk {
  /** `pack` makes bytes of what the walk has been over. */
  constructor(
    limits: Required<CodecLimits>,
    private readonly pack: (plain: unknown) => Uint8Array,
  ) {
    super(limits)
  }

  protected override text(value: string): unknown {
    return losesMark(value) ? packedOf(Kind.Text, this.pack(BEFORE_MARK + value)) : value
  }

  protected override key(key: string): void {
    if (losesMark(key)) fail("a key of more than 20 characters that begins with a byte order mark")
  }

  protected override number(value: number): unknown {
    if (value === 0) return Object.is(value, -0) ? NEGATIVE_ZERO : value
    const isLong = Number.isSafeInteger(value) && (value > MAX_UINT32 || value < MIN_INT32)
    return isLong ? BigInt(value) : value
  }

  protected override bigint(value: bigint): unknown {
    if (value >= -LARGEST_NUMBER && value <= LARGEST_NUMBER) return packedBigint(value)
    const beyond = value >> BigInt(MAX_BIGINT_BITS)
    if (beyond !== 0n && beyond !== -1n) fail(`a bigint of more than ${MAX_BIGINT_BITS} bits`)
    return value
  }

  protected override special(value: object): unknown {
    if (ArrayBuffer.isView(value)) return this.view(value)
    if (value instanceof Date) {
      this.spend(3)
      return value
    }
    if (value instanceof Map) return this.packed(Kind.Map, value, pairs(value))
    if (value instanceof Set) return this.packed(Kind.Set, value, value)
    if (value instanceof Error) return this.error(value)
    if (!(value instanceof ArrayBuffer)) return ORDINARY
    this.spend(value.byteLength)
    return value
  }

  /** Bytes are written as such; for all other views there is an extension, which knows them by the names of their classes. */
  private view(value: ArrayBufferView): unknown {
    this.spend(value.byteLength)
    const { buffer, byteOffset, byteLength } = value
    if (value instanceof DataView) return new DataView(buffer, byteOffset, byteLength)
    const name = tagOf.call(value)
    if (name === "Uint8Array") return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
    const Class = VIEWS[name]
    if (Class === undefined) return fail(`a ${name} has no bytes`)
    return value.constructor === Class ? value : new Class(buffer, byteOffset, (value as Int8Array).length)
  }

  private packed(kind: number, value: object, parts: Iterable<unknown>): Packed {
    this.enter(value)
    const plain = this.all(parts)
    this.leave()
    return packedOf(kind, this.pack(plain))
  }

  private error(error: Error): Packed {
    this.enter(error)
    const plain: Record<string, unknown> = {}
    for (const [name, value] of propertiesOf(error)) plain[name] = this.take(value)
    this.leave()
    return packedOf(Kind.Error, this.pack(plain))
  }
}

/** msgpackr drops a byte order mark at the beginning of text of more than 64 bytes. */
function losesMark(text: string): boolean {
  return text.charCodeAt(0) === MARK && text.length > MARK_KEPT
}

function* pairs(map: ReadonlyMap<unknown, unknown>): Iterable<unknown> {
  for (const [key, value] of map) {
    yield key
    yield value
  }
}
