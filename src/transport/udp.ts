/**
 * `udp://`: node:dgram with libzmq's rules for addresses. Names are looked up once, when a port is opened, and not by Node
 * for each datagram. A group may have many receivers on one machine, any other address has one.
 */
import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from "node:dgram"
import { lookup } from "node:dns/promises"
import { isIP, isIPv4, isIPv6 } from "node:net"
import { ZmqError } from "../errors.js"
import type { DatagramOptions, DatagramPort, DatagramTransport, PortSink } from "./datagram.js"
import { type HostPort, joinHostPort } from "./host-port.js"
import { parsePlace, parseUdpBinding, parseUdpDestination, type UdpAddress } from "./udp-address.js"

/** What 65,535 bytes leave behind the headers of IPv4 and UDP. */
const LONGEST = 65507
/** Most that a datagram can say. */
const MOST_HOPS = 255
/** How an IPv4 address looks to a socket for both. */
const MAPPED = "::ffff:"

/** For Node, which would have a thread look up each address that it is given. */
const asItIs: NonNullable<SocketOptions["lookup"]> = (host, _options, done) => done(null, host, isIP(host))

class UdpPort implements DatagramPort {
  private closed = false
  private readonly onSent = (error: Error | null) => {
    if (!this.closed) this.sink.onSent(error)
  }

  constructor(
    private readonly socket: Socket,
    readonly endpoint: string,
    /** Where it sends, if that is always the same; such a port hears nothing. */
    private readonly destination: HostPort | null,
    private readonly six: boolean,
    private readonly sink: PortSink,
  ) {
    socket.on("error", error => sink.onError(error))
    if (destination === null) socket.on("message", (bytes, from) => sink.onDatagram(bytes, nameOf(from)))
  }

  get queuedBytes(): number {
    return this.socket.getSendQueueSize()
  }

  check(to: string): void {
    const place = parsePlace(to)
    if (place !== null && (this.six || isIPv4(place.host))) return
    const wanted = this.six ? "127.0.0.1:5555 or [::1]:5555" : "127.0.0.1:5555"
    throw new ZmqError("EINVAL", { address: this.endpoint, detail: `expected an address such as ${wanted}` })
  }

  send(bytes: Uint8Array, to: string | null): void {
    const { host, port } = (to === null ? this.destination : parsePlace(to)) as HostPort
    this.socket.send(bytes, port, this.six && isIPv4(host) ? MAPPED + host : host, this.onSent)
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.socket.removeAllListeners("message").close()
  }
}

/** The sender of a datagram, in the form that {@link UdpPort.check} takes. */
function nameOf({ address, port }: RemoteInfo): string {
  return joinHostPort(address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address, port)
}

function check(address: string, options: DatagramOptions): void {
  parseUdpDestination(address, options.ipv6)
}

async function connect(address: string, options: DatagramOptions, sink: PortSink): Promise<DatagramPort> {
  const to = parseUdpDestination(address, options.ipv6)
  const host = isIP(to.host) === 0 ? (await lookup(to.host, familyOf(options))).address : to.host
  return opened({ ...to, host }, `udp://${address}`, options, sink)
}

async function bind(address: string, options: DatagramOptions, sink: PortSink): Promise<DatagramPort> {
  const at = parseUdpBinding(address, options.ipv6)
  const host = isIP(at.host) === 0 ? await resolve(at.host, options, address) : at.host
  return opened({ ...at, host }, null, options, sink)
}

function bindSync(address: string, options: DatagramOptions, sink: PortSink): DatagramPort {
  const at = parseUdpBinding(address, options.ipv6)
  if (isIP(at.host) === 0) throw notNow(address, `"${at.host}" takes DNS, and time: bind() has it`)
  let result: DatagramPort | ZmqError | null = null
  let late = false
  open(at, null, options, sink, outcome => {
    result = outcome
    if (late && !(outcome instanceof ZmqError)) outcome.close()
  })
  late = true
  const now = result as DatagramPort | ZmqError | null
  if (now === null) throw notNow(address, "this runtime cannot bind at once")
  if (now instanceof ZmqError) throw now
  return now
}

function familyOf({ ipv6 }: DatagramOptions): { family: number } {
  return { family: ipv6 ? 0 : 4 }
}

async function resolve(host: string, options: DatagramOptions, address: string): Promise<string> {
  try {
    return (await lookup(host, familyOf(options))).address
  } catch (cause) {
    throw new ZmqError("ENODEV", { address: `udp://${address}`, detail: `no interface or host "${host}"`, cause })
  }
}

function notNow(address: string, detail: string): ZmqError {
  return new ZmqError("ENOTSUP", { address: `udp://${address}`, detail })
}

function opened(
  at: UdpAddress,
  connected: string | null,
  options: DatagramOptions,
  sink: PortSink,
): Promise<DatagramPort> {
  return new Promise((resolve, reject) =>
    open(at, connected, options, sink, outcome => (outcome instanceof ZmqError ? reject(outcome) : resolve(outcome))),
  )
}

/**
 * Opens a port that sends to this address under the name `connected`, or receives there when that is null. `done` has the
 * outcome; Node calls it before this returns, as there is nothing to look up.
 */
function open(
  at: UdpAddress,
  connected: string | null,
  options: DatagramOptions,
  sink: PortSink,
  done: (outcome: DatagramPort | ZmqError) => void,
): void {
  const receives = connected === null
  const six = isIPv6(at.host)
  const any = six ? "::" : "0.0.0.0"
  const socket = createSocket({
    type: six ? "udp6" : "udp4",
    lookup: asItIs,
    reuseAddr: receives && at.group,
    sendBufferSize: Math.max(0, options.sendBufferSize),
    recvBufferSize: Math.max(0, options.receiveBufferSize),
  })
  socket.unref()
  const fail = (error: unknown) => {
    socket.close()
    done(ZmqError.from(error, connected ?? `udp://${at.prefix}${joinHostPort(at.host, at.port)}`))
  }
  socket.once("error", fail).once("listening", () => {
    try {
      tune(socket, at, receives, options)
    } catch (error) {
      fail(error)
      return
    }
    socket.off("error", fail)
    const { address, port } = socket.address()
    const endpoint = `udp://${at.prefix}${joinHostPort(at.group ? at.host : address, port)}`
    done(new UdpPort(socket, connected ?? endpoint, receives ? null : at, six, sink))
  })
  const address = receives && !at.group ? at.host : any
  try {
    // Its own also in a cluster's worker, which would ask its primary, and wait.
    socket.bind({ address, port: receives ? at.port : 0, exclusive: true })
  } catch (error) {
    // The sizes of buffers are set there.
    fail(error)
  }
}

function tune(socket: Socket, { host, group, via }: UdpAddress, receives: boolean, options: DatagramOptions): void {
  socket.setMulticastTTL(Math.min(MOST_HOPS, options.multicastHops))
  socket.setMulticastLoopback(options.multicastLoop)
  if (via !== undefined) socket.setMulticastInterface(via)
  if (receives && group) socket.addMembership(host, via)
}

export const udp: DatagramTransport = { scheme: "udp", longest: LONGEST, check, connect, bind, bindSync }
