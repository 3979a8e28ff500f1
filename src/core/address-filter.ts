/**
 * Ranges of IP addresses, as `tcpAcceptFilter` takes them: `10.0.0.0/8`, `192.168.1.7`, `fe80::/10`. IPv4 is kept as IPv6
 * (`::ffff:10.0.0.0/104`), which is how a listener for both sees its IPv4 peers; so a filter of either kind holds there, too.
 */
import { ZmqError } from "../errors.js"
import type { AcceptFilter } from "../transport/transport.js"

/** Bits of an IPv6 address, and those in front of an IPv4 address that is written as one. */
const ALL_BITS = 128
const IPV4_PREFIX = 96

interface Range {
  readonly bytes: Uint8Array
  readonly bits: number
}

export class AddressFilter implements AcceptFilter {
  private readonly ranges: readonly Range[]

  /** EINVAL for what is no address, or no range. */
  constructor(ranges: readonly string[]) {
    this.ranges = ranges.map(parseRange)
  }

  admits(address: string): boolean {
    const bytes = parseAddress(address.replace(/%.*$/, ""))
    return bytes !== null && this.ranges.some(range => contains(range, bytes))
  }
}

function parseRange(text: string): Range {
  const [address = "", mask, ...rest] = text.split("/")
  const bytes = parseAddress(address)
  const prefix = address.includes(":") ? 0 : IPV4_PREFIX
  const bits = mask === undefined ? ALL_BITS : /^\d{1,3}$/.test(mask) ? prefix + Number(mask) : Number.NaN
  if (bytes === null || rest.length > 0 || !(bits <= ALL_BITS)) {
    throw new ZmqError("EINVAL", { detail: `expected an IP address or a range such as 10.0.0.0/8, got "${text}"` })
  }
  return { bytes, bits }
}

function contains({ bytes, bits }: Range, address: Uint8Array): boolean {
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) if (bytes[i] !== address[i]) return false
  const shift = 8 - (bits & 7)
  return shift === 8 || bytes[whole]! >> shift === address[whole]! >> shift
}

/** The 16 bytes of an address; null when it is none. */
function parseAddress(text: string): Uint8Array | null {
  if (!text.includes(":")) return fromGroups([0, 0, 0, 0, 0, 0xffff, ...(parseIPv4(text) ?? [])])
  const halves = text.split("::")
  const [front, back] = halves.map((half, at) => (half === "" ? [] : parseGroups(half, at === halves.length - 1)))
  if (front === undefined || front === null || back === null || halves.length > 2) return null
  if (back === undefined) return fromGroups(front)
  const missing = 8 - front.length - back.length
  return missing < 1 ? null : fromGroups([...front, ...new Array<number>(missing).fill(0), ...back])
}

function fromGroups(groups: readonly number[]): Uint8Array | null {
  return groups.length === 8 ? Uint8Array.from(groups.flatMap(group => [group >> 8, group & 0xff])) : null
}

/** Groups of 16 bits; the last two of an address may be written as an IPv4 address. */
function parseGroups(half: string, last: boolean): number[] | null {
  const groups: number[] = []
  const texts = half.split(":")
  for (const [index, text] of texts.entries()) {
    const ipv4 = last && index === texts.length - 1 ? parseIPv4(text) : null
    if (ipv4 !== null) groups.push(...ipv4)
    else if (/^[0-9a-f]{1,4}$/i.test(text)) groups.push(Number.parseInt(text, 16))
    else return null
  }
  return groups
}

/** An IPv4 address as two groups. */
function parseIPv4(text: string): [number, number] | null {
  const parts = text.split(".")
  if (parts.length !== 4 || !parts.every(part => /^\d{1,3}$/.test(part) && Number(part) < 256)) return null
  const [a, b, c, d] = parts.map(Number) as [number, number, number, number]
  return [a * 256 + b, c * 256 + d]
}
