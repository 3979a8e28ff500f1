/**
 * The addresses of tcp: `host:port` to connect to, with `source;` before it to choose the local end; `*`, interface names
 * and ephemeral ports to bind to. An IPv6 literal stands in brackets. `endpoint` is what errors name.
 */
import { lookup } from "node:dns/promises"
import { isIP, isIPv6 } from "node:net"
import { ZmqError } from "../errors.js"
import {
  HOST,
  type HostPort,
  interfaceAddress,
  joinHostPort,
  MAX_PORT,
  portNumber,
  splitHostPort,
} from "./host-port.js"

export interface Destination extends HostPort {
  readonly source: HostPort | null
}

function invalid(address: string, detail: string): ZmqError {
  return new ZmqError("EINVAL", { address, detail })
}

function split(text: string, endpoint: string): { host: string; port: string } {
  const parts = splitHostPort(text)
  if (parts === null) throw invalid(endpoint, "expected host:port")
  return parts
}

function parsePort(port: string, endpoint: string, wildcard: boolean): number {
  if (wildcard && port === "*") return 0
  const number = portNumber(port)
  if (number === null) throw invalid(endpoint, `expected a port from 0 to ${MAX_PORT}, got "${port}"`)
  return number
}

/** An address to connect to. No name is looked up. */
export function parseDestination(address: string, endpoint = `tcp://${address}`): Destination {
  const semicolon = address.lastIndexOf(";")
  const { host, port } = split(address.slice(semicolon + 1), endpoint)
  if (!HOST.test(host)) throw invalid(endpoint, `expected a host name or address, got "${host}"`)
  return {
    host,
    port: parsePort(port, endpoint, false),
    source: semicolon < 0 ? null : parseSource(address.slice(0, semicolon), endpoint),
  }
}

/** The part before the semicolon; `*` and an empty host mean any. */
function parseSource(text: string, endpoint: string): HostPort | null {
  if (text === "") return null
  const { host, port } = split(text.includes(":") ? text : `${text}:0`, endpoint)
  return { host: host === "*" ? "" : host, port: parsePort(port, endpoint, true) }
}

/** The address that a host names on this machine: an interface's name, a literal, or what DNS says first. */
export async function resolveLocal(host: string, ipv6: boolean, endpoint: string): Promise<string> {
  const known = knownLocal(host, ipv6, endpoint)
  if (known !== undefined) return known
  try {
    return (await lookup(host, { family: ipv6 ? 0 : 4 })).address
  } catch (cause) {
    throw new ZmqError("ENODEV", { address: endpoint, detail: `no interface or host "${host}"`, cause })
  }
}

/** The same without DNS; undefined for a name that only it knows. */
export function knownLocal(host: string, ipv6: boolean, endpoint: string): string | undefined {
  const known = interfaceAddress(host, ipv6)
  if (known !== undefined || isIP(host) === 0) return known
  checkFamily(host, ipv6, endpoint)
  return host
}

/** An IPv6 literal needs the option `ipv6`. */
export function checkFamily(host: string, ipv6: boolean, endpoint: string): void {
  if (isIPv6(host) && !ipv6) {
    throw new ZmqError("ENODEV", { address: endpoint, detail: "IPv6 needs ipv6: true" })
  }
}

/** An address to bind to; the host is empty for all interfaces. */
export function parseBinding(address: string, endpoint = `tcp://${address}`): HostPort {
  const { host, port } = split(address, endpoint)
  const number = parsePort(port, endpoint, true)
  if (host === "*") return { host: "", port: number }
  if (!HOST.test(host)) throw invalid(endpoint, `expected *, an interface or an address, got "${host}"`)
  return { host, port: number }
}

/** The address of a source, for a connection that is made now; undefined: any. */
export async function resolveSource(source: HostPort, ipv6: boolean, endpoint: string): Promise<string | undefined> {
  return source.host === "" ? undefined : resolveLocal(source.host, ipv6, endpoint)
}

/** An endpoint as text: `tcp://127.0.0.1:5555`, `tcp://[::1]:5555`. */
export function tcpEndpoint(host: string | undefined, port: number | undefined, scheme = "tcp"): string {
  if (host === undefined || port === undefined) return ""
  return `${scheme}://${joinHostPort(host, port)}`
}
