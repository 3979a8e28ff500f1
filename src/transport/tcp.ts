/** `tcp://`: node:net with libzmq's rules for addresses. TCP_NODELAY always, IPv4 only unless `ipv6`. */
import { createServer, isIPv6, Socket } from "node:net"
import { ZmqError } from "../errors.js"
import type { HostPort } from "./host-port.js"
import { NET_MARKS, NetStream } from "./net-stream.js"
import { LONGEST_NAME, type SocksRequest, SocksStream } from "./socks.js"
import { checkFamily, parseDestination, resolveSource } from "./tcp-address.js"
import { type Listening, listen, listenSync, namerOf, tune } from "./tcp-server.js"
import type { ByteStream, Transport, TransportOptions } from "./transport.js"

const nameEnds = namerOf("tcp")

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
  checkFamily(host, options.ipv6, `tcp://${address}`)
  if (source === null) return {}
  return { localAddress: await resolveSource(source, options.ipv6, `tcp://${address}`), localPort: source.port }
}

const listening: Listening = {
  scheme: "tcp",
  server: () => createServer({ highWaterMark: 1 }),
  streams: () => socket => new NetStream(socket, nameEnds),
}

export const tcp: Transport = {
  scheme: "tcp",
  check,
  connect,
  listen: (address, options, on) => listen(listening, address, options, on),
  listenSync: (address, options, on) => listenSync(listening, address, options, on),
}
