/**
 * A walk over the headers of msgpack before msgpackr sees the bytes: whether all that is declared is there, how deep it goes, that no
 * key is `__proto__`, and that no extension is used but those of plain values. msgpackr allocates by what a header says, and has
 * extensions that share state, point back, or make code; none of that is reached. Costs no memory.
 */
import { CodecError } from "./codec.js"
import { Ext, Kind, LONGEST_BIGINT } from "./msgpack-extension.js"

const PROTO = Buffer.from("__proto__")
/** The codes of typed arrays go up to here; then there are those of ArrayBuffer and DataView. */
const LAST_TYPED_ARRAY = 10
const ARRAY_BUFFER = 16
const DATA_VIEW = 17

/** Whether there are values of our own extension in it. EDECODE for bytes that are not exactly one value within `maxDepth`. */
export function scanMsgpack(bytes: Buffer, maxDepth: number): boolean {
  const scan = new Scan(bytes, maxDepth)
  scan.value(bytes.length, 0)
  if (scan.at !== bytes.length) scan.fail("bytes follow the value")
  return scan.isExtended
}

class Scan {
  at = 0
  isExtended = false
  /** Where the data began that was skipped last. */
  private skippedFrom = 0

  constructor(
    private readonly bytes: Buffer,
    private readonly maxDepth: number,
  ) {}

  /** Goes over the value that begins here and must end at `end` or before. */
  value(end: number, depth: number): void {
    const token = this.uint(1, end)
    if (token < 0x80 || token >= 0xe0) return
    if (token < 0x90) this.map(token & 0x0f, end, depth)
    else if (token < 0xa0) this.array(token & 0x0f, end, depth)
    else if (token < 0xc0) this.skip(token & 0x1f, end)
    else this.long(token, end, depth)
  }

  private long(token: number, end: number, depth: number): void {
    switch (token) {
      case 0xc0: // nil
      case 0xc2: // false
      case 0xc3: // true
        break
      case 0xc4: // bin
      case 0xc5:
      case 0xc6:
        this.skip(this.uint(1 << (token - 0xc4), end), end)
        break
      case 0xc7: // ext
      case 0xc8:
      case 0xc9:
        this.extension(this.uint(1 << (token - 0xc7), end), end, depth)
        break
      case 0xca: // float
      case 0xcb:
        this.skip(4 << (token - 0xca), end)
        break
      case 0xcc: // uint
      case 0xcd:
      case 0xce:
      case 0xcf:
        this.skip(1 << (token - 0xcc), end)
        break
      case 0xd0: // int
      case 0xd1:
      case 0xd2:
      case 0xd3:
        this.skip(1 << (token - 0xd0), end)
        break
      case 0xd4: // fixext
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        this.extension(1 << (token - 0xd4), end, depth)
        break
      case 0xd9: // str
      case 0xda:
      case 0xdb:
        this.skip(this.uint(1 << (token - 0xd9), end), end)
        break
      case 0xdc: // array
      case 0xdd:
        this.array(this.uint(2 << (token - 0xdc), end), end, depth)
        break
      case 0xde: // map
      case 0xdf:
        this.map(this.uint(2 << (token - 0xde), end), end, depth)
        break
      default:
        this.fail("0xc1 begins no value")
    }
  }

  fail(detail: string): never {
    throw new CodecError("EDECODE", `no msgpack: ${detail}`, { bytes: this.bytes })
  }

  private array(count: number, end: number, depth: number): void {
    this.check(count, end, depth)
    for (let i = 0; i < count; i++) this.value(end, depth + 1)
  }

  private map(count: number, end: number, depth: number): void {
    this.check(2 * count, end, depth)
    for (let i = 0; i < count; i++) {
      const token = this.bytes[this.at]
      this.value(end, depth + 1)
      if (isText(token) && this.isProto()) this.fail("__proto__ as a key")
      this.value(end, depth + 1)
    }
  }

  /** Whether the text that was just skipped is `__proto__`. */
  private isProto(): boolean {
    const { at, bytes, skippedFrom } = this
    return at - skippedFrom === PROTO.length && bytes.compare(PROTO, 0, PROTO.length, skippedFrom, at) === 0
  }

  /** A container of so many values: each takes a byte at least. */
  private check(count: number, end: number, depth: number): void {
    if (depth >= this.maxDepth) this.fail(`more than ${this.maxDepth} levels`)
    if (count > end - this.at) this.fail(`${count} values are said to follow, and ${end - this.at} bytes do`)
  }

  private extension(size: number, end: number, depth: number): void {
    const type = this.uint(1, end)
    const start = this.at
    this.skip(size, end)
    const isKnown =
      type === Ext.Timestamp
        ? size === 1 || size === 4 || size === 8 || size === 12
        : type === Ext.Bigint
          ? size > 0 && size <= LONGEST_BIGINT
          : type === Ext.TypedArray
            ? isTypedArray(this.bytes[start]) && size > 0
            : type === Ext.Undefined
              ? size === 1
              : type === Ext.Peerlane && this.own(start, size, depth)
    if (!isKnown) this.fail(`extension ${type} of ${size} bytes`)
  }

  /** Our extension: its kind, and exactly one value, of which there is one sort for each. */
  private own(start: number, size: number, depth: number): boolean {
    if (size < 2 || !fits(this.bytes[start], this.bytes[start + 1])) return false
    this.isExtended = true
    this.at = start + 1
    const end = start + size
    this.value(end, depth)
    return this.at === end
  }

  private skip(size: number, end: number): void {
    if (size > end - this.at) this.fail(`${size} bytes are said to follow, and ${end - this.at} do`)
    this.skippedFrom = this.at
    this.at += size
  }

  private uint(size: number, end: number): number {
    if (size > end - this.at) this.fail("it ends too early")
    const { at, bytes } = this
    this.at += size
    if (size === 1) return bytes[at]!
    return size === 2 ? bytes.readUInt16BE(at) : bytes.readUInt32BE(at)
  }
}

/** Whether what begins with `token` can be in our extension of that kind. */
function fits(kind: number | undefined, token: number | undefined): boolean {
  if (kind === Kind.Text) return isText(token)
  return kind === Kind.Error ? isMap(token) : (kind === Kind.Map || kind === Kind.Set) && isArray(token)
}

function isText(token: number | undefined): boolean {
  return token !== undefined && ((token >= 0xa0 && token < 0xc0) || (token >= 0xd9 && token <= 0xdb))
}

function isArray(token: number | undefined): boolean {
  return token !== undefined && ((token >= 0x90 && token < 0xa0) || token === 0xdc || token === 0xdd)
}

function isMap(token: number | undefined): boolean {
  return token !== undefined && ((token >= 0x80 && token < 0x90) || token === 0xde || token === 0xdf)
}

function isTypedArray(code: number | undefined): boolean {
  return code !== undefined && (code <= LAST_TYPED_ARRAY || code === ARRAY_BUFFER || code === DATA_VIEW)
}
