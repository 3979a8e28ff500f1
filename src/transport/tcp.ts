/** `tcp://`: node:net with libzmq's rules for addresses. TCP_NODELAY always, IPv4 only unless `ipv6`. */
import { createServer, isIPv6, type Server, Socket } from "node:net"
import { ZmqError } from "../errors.js"
import type { HostPort } from "./host-port.js"
import { listenNow } from "./listen-now.js"
import {
  acceptOn,
  backlogOf,
  type Ends,
  listenerOf,
  listening,
  listenOptions,
  NET_MARKS,
  NetStream,
} from "./net-stream.js"
import { LONGEST_NAME, type SocksRequest, SocksStream } from "./socks.js"
import {
  checkFamily,
  knownLocal,
  parseBinding,
  parseDestination,
  resolveLocal,
  resolveSource,
  tcpEndpoint,
} from "./tcp-address.js"
import type { ByteStream, ListenEvents, Listener, Transport, TransportOptions } from "./transport.js"

/** The kernel's own choice of the idle time cannot be named to Node, whose 0 means just that. */
const MS = 1000

function nameEnds(socket: Socket): Ends {
  return {
    local: tcpEndpoint(socket.localAddress, socket.localPort),
    remote: tcpEndpoint(socket.remoteAddress, socket.remotePort),
  }
}

function tune(socket: Socket, options: TransportOptions): void {
  socket.setNoDelay(true)
  if (options.tcpKeepalive >= 0) {
    socket.setKeepAlive(options.tcpKeepalive === 1, Math.max(0, options.tcpKeepaliveIdle) * MS)
  }
}

function connect(address: string, options: TransportOptions): ByteStream {
  const destination = parseDestination(address)
  const { source } = destination
  const proxy = parseProxy(options)
  const { host, port } = proxy ?? destination
  const socket = new Socket(NET_MARKS)
  tune(socket, options)
  const stream =
    proxy === null
      ? new NetStream(socket, nameEnds)
      : new SocksStream(socket, nameEnds, requestOf(destination, options))
  // One address, the first, as libzmq does: trying several would hide which family was meant.
  const to = { host, port, family: options.ipv6 ? 0 : 4, autoSelectFamily: false }
  if (source === null && (options.ipv6 || !isIPv6(host))) {
    socket.connect(to)
    return stream
  }
  prepare(host, source, options, address).then(
    local => {
      if (!socket.destroyed) socket.connect({ ...to, ...local })
    },
    error => stream.fail(error),
  )
  return stream
}

function parseProxy({ socksProxy }: TransportOptions): HostPort | null {
  return socksProxy === null ? null : parseDestination(socksProxy)
}

function requestOf({ host, port }: HostPort, { socksUsername, socksPassword }: TransportOptions): SocksRequest {
  return { host, port, username: socksUsername ?? "", password: socksPassword ?? "" }
}

/** Checks what {@link connect} will be given. */
function check(address: string, options: TransportOptions): void {
  const { host } = parseDestination(address)
  if (parseProxy(options) === null || host.length <= LONGEST_NAME) return
  throw new ZmqError("EINVAL", { address: `tcp://${address}`, detail: "too long a name for a SOCKS proxy" })
}

/** The local end to connect from. Rejects where the address cannot be used. */
async function prepare(host: string, source: HostPort | null, options: TransportOptions, address: string) {
  checkFamily(host, options.ipv6, address)
  if (source === null) return {}
  return { localAddress: await resolveSource(source, options.ipv6, address), localPort: source.port }
}

async function listen(address: string, options: TransportOptions, on: ListenEvents): Promise<Listener> {
  const { host, port } = parseBinding(address)
  const any = options.ipv6 ? "::" : "0.0.0.0"
  const local = host === "" ? any : await resolveLocal(host, options.ipv6, address)
  const server = createServer({ highWaterMark: 1 })
  try {
    await listening(server, () => server.listen({ host: local, port, ...listenOptions(options) }))
  } catch (error) {
    throw ZmqError.from(error, `tcp://${address}`)
  }
  return accepting(server, options, on)
}

function listenSync(address: string, options: TransportOptions, on: ListenEvents): Listener {
  const { host, port } = parseBinding(address)
  const any = options.ipv6 ? "::" : "0.0.0.0"
  const local = host === "" ? any : knownLocal(host, options.ipv6, address)
  if (local === undefined) {
    throw new ZmqError("ENOTSUP", {
      address: `tcp://${address}`,
      detail: `"${host}" takes DNS, and time: bind() has it`,
    })
  }
  const server = createServer({ highWaterMark: 1 })
  listenNow(server, local, port, backlogOf(options), `tcp://${address}`)
  return accepting(server, options, on)
}

function accepting(server: Server, options: TransportOptions, on: ListenEvents): Listener {
  acceptOn(server, on, socket => {
    if (!admits(socket, options, on)) return null
    tune(socket, options)
    return new NetStream(socket, nameEnds)
  })
  const bound = server.address() as { address: string; port: number }
  return listenerOf(server, tcpEndpoint(bound.address, bound.port), () => {})
}

/** Ends a connection that the accept filter keeps out. The code is the one that libzmq reports. */
function admits(socket: Socket, { acceptFilter }: TransportOptions, on: ListenEvents): boolean {
  const address = socket.remoteAddress ?? ""
  if (acceptFilter === null || acceptFilter.admits(address)) return true
  socket.destroy()
  on.onError(new ZmqError("EAGAIN", { limit: "tcpAcceptFilter", detail: `${address} is outside of it` }))
  return false
}

export const tcp: Transport = { scheme: "tcp", check, connect, listen, listenSync }
