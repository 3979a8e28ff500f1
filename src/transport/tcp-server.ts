/**
 * What tcp and tls+tcp share: how a socket is tuned, what its ends are called, and listening, with libzmq's rules for
 * addresses and the accept filter. They differ in what they make of an accepted socket.
 */
import type { Server, Socket } from "node:net"
import { ZmqError } from "../errors.js"
import { listenNow } from "./listen-now.js"
import { acceptOn, backlogOf, type Ends, listenerOf, listening, listenOptions, type NetStream } from "./net-stream.js"
import { knownLocal, parseBinding, resolveLocal, tcpEndpoint } from "./tcp-address.js"
import type { ListenEvents, Listener, TransportOptions } from "./transport.js"

/** The kernel's own choice of the idle time cannot be named to Node, whose 0 means just that. */
const MS = 1000

/** Makes a stream of an accepted socket; null turns it away. */
export type Wrap = (socket: Socket) => NetStream | null

export interface Listening {
  readonly scheme: string
  server(): Server
  /** What becomes of the sockets of one server. Throws when the options do not do. */
  streams(options: TransportOptions, on: ListenEvents, endpoint: string): Wrap
}

/** Makes the endpoints of a socket. */
export function namerOf(scheme: string): (socket: Socket) => Ends {
  return socket => ({
    local: tcpEndpoint(socket.localAddress, socket.localPort, scheme),
    remote: tcpEndpoint(socket.remoteAddress, socket.remotePort, scheme),
  })
}

export function tune(socket: Socket, options: TransportOptions): void {
  socket.setNoDelay(true)
  if (options.tcpKeepalive >= 0) {
    socket.setKeepAlive(options.tcpKeepalive === 1, Math.max(0, options.tcpKeepaliveIdle) * MS)
  }
}

export async function listen(
  kind: Listening,
  address: string,
  options: TransportOptions,
  on: ListenEvents,
): Promise<Listener> {
  const endpoint = `${kind.scheme}://${address}`
  const { host, port } = parseBinding(address, endpoint)
  const wrap = kind.streams(options, on, endpoint)
  const local = host === "" ? anyAddress(options) : await resolveLocal(host, options.ipv6, endpoint)
  const server = kind.server()
  try {
    await listening(server, () => server.listen({ host: local, port, ...listenOptions(options) }))
  } catch (error) {
    throw ZmqError.from(error, endpoint)
  }
  return accepting(kind.scheme, server, options, on, wrap)
}

export function listenSync(kind: Listening, address: string, options: TransportOptions, on: ListenEvents): Listener {
  const endpoint = `${kind.scheme}://${address}`
  const { host, port } = parseBinding(address, endpoint)
  const wrap = kind.streams(options, on, endpoint)
  const local = host === "" ? anyAddress(options) : knownLocal(host, options.ipv6, endpoint)
  if (local === undefined) {
    throw new ZmqError("ENOTSUP", { address: endpoint, detail: `"${host}" takes DNS, and time: bind() has it` })
  }
  const server = kind.server()
  listenNow(server, local, port, backlogOf(options), endpoint)
  return accepting(kind.scheme, server, options, on, wrap)
}

function anyAddress({ ipv6 }: TransportOptions): string {
  return ipv6 ? "::" : "0.0.0.0"
}

function accepting(scheme: string, server: Server, options: TransportOptions, on: ListenEvents, wrap: Wrap): Listener {
  acceptOn(server, on, socket => {
    if (!admits(socket, options, on)) return null
    tune(socket, options)
    return wrap(socket)
  })
  const bound = server.address() as { address: string; port: number }
  return listenerOf(server, tcpEndpoint(bound.address, bound.port, scheme), () => {})
}

/** Ends a connection that the accept filter keeps out. The code is the one that libzmq reports. */
function admits(socket: Socket, { acceptFilter }: TransportOptions, on: ListenEvents): boolean {
  const address = socket.remoteAddress ?? ""
  if (acceptFilter === null || acceptFilter.admits(address)) return true
  socket.destroy()
  on.onError(new ZmqError("EAGAIN", { limit: "tcpAcceptFilter", detail: `${address} is outside of it` }))
  return false
}
