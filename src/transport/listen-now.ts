/**
 * Listening on tcp at once. Node's own `listen` with a host is never synchronous, so the handle below it is bound here and
 * handed over. That handle is not documented: where a runtime does not have it, the answer is ENOTSUP.
 */
import { isIPv6, type Server } from "node:net"
import { getSystemErrorName } from "node:util"
import { ZmqError } from "../errors.js"

interface Handle {
  bind(address: string, port: number): number
  bind6(address: string, port: number, flags: number): number
  listen(backlog: number): number
  close(): void
}

interface Wrap {
  readonly TCP: new (type: number) => Handle
  readonly constants: { readonly SERVER: number }
}

function tcpWrap(endpoint: string): Wrap {
  const { binding } = process as unknown as { binding?: (name: string) => Partial<Wrap> }
  const wrap = typeof binding === "function" ? binding.call(process, "tcp_wrap") : {}
  if (wrap.TCP === undefined || wrap.constants === undefined) {
    throw new ZmqError("ENOTSUP", { address: endpoint, detail: "this runtime cannot bind at once" })
  }
  return wrap as Wrap
}

/** Listens at an address of this machine. Throws what the operating system says. */
export function listenNow(server: Server, host: string, port: number, backlog: number, endpoint: string): void {
  const { TCP, constants } = tcpWrap(endpoint)
  const handle = new TCP(constants.SERVER)
  // Some of what is wrong with an address shows only when one listens.
  const error = (isIPv6(host) ? handle.bind6(host, port, 0) : handle.bind(host, port)) || handle.listen(backlog)
  if (error !== 0) {
    handle.close()
    const code = getSystemErrorName(error)
    throw ZmqError.from(Object.assign(new Error(`${code}: ${endpoint}`), { code, errno: error }), endpoint)
  }
  server.listen(handle)
}
