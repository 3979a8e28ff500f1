/** How the end of a connection is reported, on either side: counted where it was for a limit, and told as events. */
import { AuthError, limitOf, ProtocolError, ZmqError } from "../errors.js"
import type { ConnectionHost } from "./connection-host.js"

/** Counts an end that was for a limit. */
export function countLimit(host: ConnectionHost, error: Error | null): void {
  const limit = limitOf(error)
  if (limit !== undefined) host.refused(limit)
}

/** A connection that was there is over. `handshaking`: its handshake was not done. */
export function reportEnd(host: ConnectionHost, address: string, error: Error | null, handshaking: boolean): void {
  countLimit(host, error)
  if (!host.observed) return
  if (handshaking) reportHandshake(host, address, error)
  const told = handshaking || error === null || limitOf(error) === undefined
  host.emit("disconnect", told ? { address } : { address, error })
}

/** What a handshake failed for. */
export function reportHandshake(host: ConnectionHost, address: string, error: Error | null): void {
  if (error instanceof ProtocolError) {
    host.emit("handshake:error:protocol", { address, error })
  } else if (error instanceof AuthError) {
    host.emit("handshake:error:auth", { address, error })
  } else {
    const reason = error === null ? new ZmqError("EPIPE", { detail: "the peer left" }) : ZmqError.from(error)
    host.emit("handshake:error:other", { address, error: reason })
  }
}
