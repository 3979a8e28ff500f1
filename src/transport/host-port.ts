/** What the addresses of tcp and udp have in common: `host:port`, brackets around IPv6, names of interfaces. */
import { isIPv6 } from "node:net"
import { networkInterfaces } from "node:os"

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** The characters of which libzmq takes a host, or tries to look it up. */
export const HOST = /^[A-Za-z0-9\-._:%[\]]+$/
export const MAX_PORT = 65535

/** Cuts at the last colon; brackets around the host are taken off. Null when there is no colon. */
export function splitHostPort(text: string): { host: string; port: string } | null {
  const colon = text.lastIndexOf(":")
  if (colon < 0) return null
  return { host: text.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: text.slice(colon + 1) }
}

/** The number of a port; null for what is none. */
export function portNumber(text: string): number | null {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  return number <= MAX_PORT ? number : null
}

/** The address of an interface of this machine: of IPv6 if it may and has one. Undefined when there is no such interface. */
export function interfaceAddress(name: string, ipv6: boolean): string | undefined {
  const interfaces = networkInterfaces()
  const addresses = Object.hasOwn(interfaces, name) ? interfaces[name] : undefined
  const find = (family: string) => addresses?.find(address => address.family === family)?.address
  return (ipv6 ? find("IPv6") : undefined) ?? find("IPv4")
}

/** The text of an address: `127.0.0.1:5555`, `[::1]:5555`. */
export function joinHostPort(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`
}
