/**
 * The errors of the library. A caller's mistake or an expected refusal is a {@link ZmqError}; what a peer did wrong is
 * a {@link ProtocolError}, which ends that peer's connection and is reported as an event, never thrown at somebody
 * else's call. Codes, numbers and texts are those of the `zeromq` package, so that code which checks them keeps working.
 */

/** ZeroMQ's own numbers, which no operating system defines (zmq.h, ZMQ_HAUSNUMERO). */
const ZMQ_ERRNO: Record<string, number> = { EFSM: 156384763, ENOCOMPATPROTO: 156384764, ETERM: 156384765 }

/** Each code that the library raises itself: the Linux number (used where the platform tells none) and the text. */
const CODES: Record<string, readonly [errno: number, text: string]> = {
  EACCES: [13, "Permission denied"],
  EADDRINUSE: [98, "Address already in use"],
  EADDRNOTAVAIL: [99, "Cannot assign requested address"],
  EAGAIN: [11, "Operation was not possible or timed out"],
  EBADF: [9, "Socket is closed"],
  EBUSY: [16, "Socket is busy"],
  ECONNREFUSED: [111, "Connection refused"],
  ECONNRESET: [104, "Connection reset by peer"],
  EEXIST: [17, "File exists"],
  EFAULT: [14, "Context is closed"],
  EFSM: [156384763, "Operation cannot be accomplished in current state"],
  EHOSTUNREACH: [113, "Host unreachable"],
  EINVAL: [22, "Invalid argument"],
  EMFILE: [24, "Too many open file descriptors"],
  EMSGSIZE: [90, "Message too long"],
  ENAMETOOLONG: [36, "File name too long"],
  ENOCOMPATPROTO: [156384764, "The protocol is not compatible with the socket type"],
  ENODEV: [19, "No such device"],
  ENOENT: [2, "No such endpoint"],
  ENOTSOCK: [88, "Socket operation on non-socket"],
  ENOTSUP: [95, "Operation not supported"],
  EPIPE: [32, "Broken pipe"],
  EPROTO: [71, "Protocol error"],
  EPROTONOSUPPORT: [93, "Protocol not supported"],
  ETERM: [156384765, "Context was terminated"],
  ETIMEDOUT: [110, "Connection timed out"],
}

interface OperatingSystem {
  readonly constants: { readonly errno: Record<string, number> }
}

/** The numbers of this platform, where there is one that tells (not in a browser); this file imports nothing for it. */
const platformErrno: Record<string, number> =
  (
    globalThis as { process?: { getBuiltinModule?: (name: string) => OperatingSystem | undefined } }
  ).process?.getBuiltinModule?.("node:os")?.constants.errno ?? {}

/** The number of an error code on this platform; undefined for a code that has none. */
function errnoOf(code: string): number | undefined {
  return ZMQ_ERRNO[code] ?? platformErrno[code] ?? CODES[code]?.[0]
}

export interface ErrorDetails {
  /** What was expected and what came, appended to the standard text of the code. */
  detail?: string
  /** The endpoint that the call was about. */
  address?: string
  /** What a peer went beyond. */
  limit?: LimitName
  cause?: unknown
}

/** What a peer may be refused for, or left: an option of the socket, by its name, or the word of its function `accept`. */
export type LimitName =
  | "accept"
  | "identities"
  | "tcpAcceptFilter"
  | "maxPeers"
  | "maxPeersPerAddress"
  | "maxHandshakes"
  | "handshakeInterval"
  | "handshakeSize"
  | "maxMessageSize"
  | "maxFrames"
  | "maxSubscriptions"
  | "maxSubscriptionBytes"

/**
 * An error with a stable `code`, its `errno` (0 where the operating system has none), the `address` that it is about, and the
 * `limit` that a peer went beyond, where there is one.
 */
export class ZmqError extends Error {
  readonly code: string
  readonly errno: number
  declare readonly address?: string
  declare readonly limit?: LimitName

  constructor(code: string, { detail, address, limit, cause }: ErrorDetails = {}) {
    const text = CODES[code]?.[1] ?? code
    super(detail === undefined ? text : `${text}: ${detail}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.errno = errnoOf(code) ?? 0
    if (address !== undefined) Object.assign(this, { address })
    if (limit !== undefined) Object.assign(this, { limit })
  }

  /** Makes one of an error of the operating system, keeping its code and naming the endpoint. */
  static from(cause: unknown, address?: string): ZmqError {
    if (cause instanceof ZmqError) return cause
    const code = (cause as { code?: unknown } | null)?.code
    return new ZmqError(typeof code === "string" ? code : "EINVAL", { cause, address })
  }
}

/** The ways in which a peer can break the protocol; the names of `zeromq`'s handshake events. */
export type ProtocolErrorCode =
  | "ERR_ZMTP_UNSPECIFIED"
  | "ERR_ZMTP_UNEXPECTED_COMMAND"
  | "ERR_ZMTP_INVALID_SEQUENCE"
  | "ERR_ZMTP_KEY_EXCHANGE"
  | "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED"
  | "ERR_ZMTP_MALFORMED_COMMAND_MESSAGE"
  | "ERR_ZMTP_MALFORMED_COMMAND_HELLO"
  | "ERR_ZMTP_MALFORMED_COMMAND_INITIATE"
  | "ERR_ZMTP_MALFORMED_COMMAND_ERROR"
  | "ERR_ZMTP_MALFORMED_COMMAND_READY"
  | "ERR_ZMTP_MALFORMED_COMMAND_WELCOME"
  | "ERR_ZMTP_INVALID_METADATA"
  | "ERR_ZMTP_CRYPTOGRAPHIC"
  | "ERR_ZMTP_MECHANISM_MISMATCH"
  | "ERR_ZAP_UNSPECIFIED"
  | "ERR_ZAP_MALFORMED_REPLY"
  | "ERR_ZAP_BAD_REQUEST_ID"
  | "ERR_ZAP_BAD_VERSION"
  | "ERR_ZAP_INVALID_STATUS_CODE"
  | "ERR_ZAP_INVALID_METADATA"

/**
 * A peer sent what ZMTP does not allow. It ends the connection, and a connecting side does not try again (libzmq's rule;
 * the RFC would have it retry).
 */
export class ProtocolError extends Error {
  readonly code: ProtocolErrorCode
  /** The limit that the peer went beyond, where that is what it did. */
  declare readonly limit?: LimitName

  constructor(code: ProtocolErrorCode, detail: string, limit?: LimitName) {
    super(`ZMTP protocol error: ${detail}`)
    this.code = code
    if (limit !== undefined) Object.assign(this, { limit })
  }
}

/** The limit that an error is about; undefined: none. */
export function limitOf(error: Error | null): LimitName | undefined {
  return error instanceof ProtocolError || error instanceof ZmqError || error instanceof AuthError
    ? error.limit
    : undefined
}

/** An authenticator, here or at the peer, did not let a peer in (27/ZAP): for now (300), for what it showed (400), or for trouble of its own (500). */
export class AuthError extends Error {
  readonly status: 300 | 400 | 500
  /** What the peer went beyond, where it was let in before. */
  declare readonly limit?: LimitName

  constructor(status: 300 | 400 | 500, detail: string, limit?: LimitName) {
    super(`Authentication failed: ${detail}`)
    this.status = status
    if (limit !== undefined) Object.assign(this, { limit })
  }
}
