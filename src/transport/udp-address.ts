/**
 * The addresses of udp, as libzmq has them: `host:port` to send to or to receive at, `*` and the name of an interface to
 * receive at, `interface;group:port` for the group of a multicast and the interface that leads to it. An IPv6 literal
 * stands in brackets. A group is a literal.
 */
import { isIP, isIPv4, isIPv6 } from "node:net"
import { ZmqError } from "../errors.js"
import { HOST, type HostPort, interfaceAddress, MAX_PORT, portNumber, splitHostPort } from "./host-port.js"

export interface UdpAddress {
  /** A literal, or a name for DNS to look up. */
  readonly host: string
  /** 0 to receive at any. */
  readonly port: number
  /** The host is the group of a multicast. */
  readonly group: boolean
  /** The interface that leads to the group, as Node wants it; undefined: the operating system's choice. */
  readonly via: string | undefined
  /** What stood before the host, such as `eth0;`. */
  readonly prefix: string
}

/** An address in a message of a DGRAM; libzmq ends it with a zero. */
const PLACE = /^(?:([\d.]+)|\[([\da-f:.]+(?:%[\w.-]+)?)\]):(\d{1,5})\0?$/i

/** An address to send to. No name is looked up. Throws EINVAL, and ENODEV for an interface that is not there. */
export function parseUdpDestination(address: string, ipv6: boolean): UdpAddress {
  const parsed = parse(address, ipv6, false)
  const { host, port } = parsed
  if (!HOST.test(host)) throw refusal("EINVAL", address, `expected a host name or address, got "${host}"`)
  if (port === 0) throw refusal("EINVAL", address, `expected a port from 1 to ${MAX_PORT}`)
  return parsed
}

/** An address to receive at. Throws EINVAL, and ENODEV for an interface that is not there, or IPv6 without `ipv6`. */
export function parseUdpBinding(address: string, ipv6: boolean): UdpAddress {
  return parse(address, ipv6, true)
}

/** Where a message of a DGRAM is to go; null for a text that does not say it. */
export function parsePlace(text: string): HostPort | null {
  const found = PLACE.exec(text)
  const host = found?.[1] ?? found?.[2] ?? ""
  const port = Number(found?.[3])
  return isIP(host) !== 0 && port >= 1 && port <= MAX_PORT ? { host, port } : null
}

function parse(address: string, ipv6: boolean, binds: boolean): UdpAddress {
  const semicolon = address.lastIndexOf(";")
  const parts = splitHostPort(address.slice(semicolon + 1))
  const six = ipv6 && isIPv6(parts?.host ?? "")
  const via = semicolon < 0 ? undefined : interfaceFor(address.slice(0, semicolon), six, address)
  if (parts === null) throw refusal("EINVAL", address, "expected host:port")
  const port = binds && parts.port === "*" ? 0 : portNumber(parts.port)
  if (port === null) throw refusal("EINVAL", address, `expected a port from 0 to ${MAX_PORT}, got "${parts.port}"`)
  // Node would take no name for this machine's.
  if (binds && parts.host === "") throw refusal("ENODEV", address, "expected *, an interface or an address")
  const host = binds ? localHost(parts.host, ipv6) : parts.host
  if (isIPv6(host) && !ipv6) {
    throw refusal(binds ? "ENODEV" : "EINVAL", address, "expected an IPv4 address, as ipv6 is false")
  }
  const group = isGroup(host)
  if (semicolon >= 0 && !group) throw refusal("EINVAL", address, `expected a group after the semicolon, got "${host}"`)
  return { host, port, group, via, prefix: address.slice(0, semicolon + 1) }
}

function localHost(host: string, ipv6: boolean): string {
  if (host === "*") return ipv6 ? "::" : "0.0.0.0"
  return interfaceAddress(host, ipv6) ?? host
}

/** An interface as Node wants it for a multicast: its address for IPv4, its name behind `::%` for IPv6. */
function interfaceFor(name: string, six: boolean, address: string): string | undefined {
  if (name === "*") return undefined
  const literal = name.replace(/^\[(.*)\]$/, "$1")
  if (isGroup(literal)) throw refusal("EINVAL", address, "expected an interface before the semicolon, got a group")
  if (!six && isIPv4(literal)) return literal
  const found = interfaceAddress(name, six)
  // libzmq: for IPv6 only its name stands for an interface.
  if (found === undefined || isIPv6(found) !== six) {
    throw refusal("ENODEV", address, `expected an interface that has IPv${six ? 6 : 4}, got "${name}"`)
  }
  return six ? `::%${name}` : found
}

/** 224.0.0.0/4 and ff00::/8. */
function isGroup(host: string): boolean {
  return isIPv4(host) ? /^2(2[4-9]|3\d)\./.test(host) : isIPv6(host) && /^ff[\da-f]{2}:/i.test(host)
}

function refusal(code: string, address: string, detail: string): ZmqError {
  return new ZmqError(code, { address: `udp://${address}`, detail })
}
