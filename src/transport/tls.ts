/**
 * `tls+tcp://`: TLS on tcp, and ZMTP inside of it, with whatever mechanism the socket has. Addresses are those of tcp.
 * Certificates are always checked: the server's against its name, a client's where it is asked for. A stream opens when the
 * TLS handshake is done; until then only its end can be told. New connections use the certificates that are set then.
 */
import { createServer, isIP, Socket } from "node:net"
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect as connectTls,
  createServer as createTlsServer,
  type SecureContextOptions,
  type TLSSocket,
  type Server as TlsServer,
} from "node:tls"
import { ZmqError } from "../errors.js"
import { NET_MARKS, NetStream } from "./net-stream.js"
import { checkFamily, knownLocal, parseDestination } from "./tcp-address.js"
import { type Listening, listen, listenSync, namerOf, tune } from "./tcp-server.js"
import { contextOf, copyOf, same, settingsOf } from "./tls-context.js"
import type {
  ByteStream,
  ListenEvents,
  PeerCertificate,
  TlsCredentials,
  Transport,
  TransportOptions,
} from "./transport.js"

const SCHEME = "tls+tcp"
/** The time limit of a handshake is for whoever accepts the stream: Node's own, which cannot be none, is out of the way. */
const NO_TIMEOUT = 2 ** 31 - 1

const nameEnds = namerOf(SCHEME)

class TlsStream extends NetStream {
  certificate: PeerCertificate | null = null
  reached = false
  /** The TLS handshake is done. */
  private shaken = false

  /** By each write, not by 'drain', which follows Node's own mark where a server makes the socket. */
  private readonly wrote = (error?: Error | null) => {
    if (!error && this.queuedBytes === 0) super.onDrain()
  }

  override write(chunk: Uint8Array): void {
    this.socket.write(chunk, this.wrote)
  }

  override onDrain(): void {}

  /** Not yet: the connection is there, and TLS begins. */
  override open(): void {
    this.reached = true
  }

  /** What goes wrong in the handshake Node ends by itself; of what goes wrong later it only tells. */
  override onError(error: Error): void {
    super.onError(reasonOf(error))
    if (this.shaken) this.socket.destroy()
  }

  /** The TLS handshake is done, and the peer is who it should be. */
  protected secured(socket: TLSSocket): void {
    this.shaken = true
    const certificate = socket.getPeerX509Certificate()
    if (certificate !== undefined) {
      const { subject, subjectAltName: names = null, fingerprint256: fingerprint } = certificate
      this.certificate = { subject, names, fingerprint }
    }
    super.open()
  }
}

class ConnectingStream extends TlsStream {
  constructor(socket: TLSSocket) {
    super(socket, nameEnds)
    socket.once("secureConnect", () => this.secured(socket))
  }
}

/** Of the plain socket only the end is of interest. */
class AcceptedStream extends TlsStream {
  override reached = true

  constructor(
    socket: Socket,
    private readonly onEnded: (stream: AcceptedStream) => void,
  ) {
    super(socket, nameEnds, false)
  }

  /** Goes on with the socket of TLS. */
  secure(socket: TLSSocket): void {
    this.carry(socket)
    this.secured(socket)
  }

  override onClose(): void {
    this.onEnded(this)
    super.onClose()
  }
}

/** An error of TLS as one that says what was wrong; those of the network stay as they are. */
function reasonOf(error: Error & { code?: string; reason?: string }): Error {
  const { code = "", message, reason } = error
  if (error instanceof ZmqError || /^E[A-Z0-9]+$/.test(code)) return error
  if (code.startsWith("ERR_SSL_")) return new ZmqError("EPROTO", { detail: `TLS: ${reason ?? code}`, cause: error })
  return refusal(message, code, error)
}

function refusal(text: string, code: string, cause?: Error): ZmqError {
  return new ZmqError("EACCES", { detail: `the peer's certificate was refused: ${text} (${code})`, cause })
}

function check(address: string, options: TransportOptions): void {
  const endpoint = `${SCHEME}://${address}`
  parseDestination(address, endpoint)
  if (options.socksProxy !== null) {
    throw new ZmqError("ENOTSUP", { address: endpoint, detail: "TLS is not spoken by way of a SOCKS proxy" })
  }
  contextOf(options, endpoint)
}

function connect(address: string, options: TransportOptions): ByteStream {
  const endpoint = `${SCHEME}://${address}`
  try {
    return new ConnectingStream(dial(address, options, endpoint))
  } catch (error) {
    const stream = new NetStream(new Socket(NET_MARKS), nameEnds)
    stream.fail(error as Error)
    return stream
  }
}

function dial(address: string, options: TransportOptions, endpoint: string): TLSSocket {
  const { host, port, source } = parseDestination(address, endpoint)
  checkFamily(host, options.ipv6, endpoint)
  const localAddress =
    source === null || source.host === "" ? undefined : knownLocal(source.host, options.ipv6, endpoint)
  if (source !== null && source.host !== "" && localAddress === undefined) {
    throw new ZmqError("ENODEV", { address: endpoint, detail: `no interface or address "${source.host}"` })
  }
  const name = options.tlsHostname ?? host
  const socket = connectTls({
    highWaterMark: 1,
    host,
    port,
    family: options.ipv6 ? 0 : 4,
    autoSelectFamily: false,
    localAddress,
    localPort: source?.port,
    secureContext: contextOf(options, endpoint),
    // An address is no name for SNI (RFC 6066), but may stand in a certificate.
    servername: isIP(name) === 0 ? name : undefined,
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
    // Said, as Node's default can be changed by the environment.
    rejectUnauthorized: true,
  } as ConnectionOptions)
  tune(socket, options)
  return socket
}

/** What becomes of the sockets that one listener accepts. */
class Secured {
  private readonly server: TlsServer
  /** Those whose handshake is not done, by their ends: nothing else tells which of them Node speaks of. */
  private readonly streams = new Map<string, AcceptedStream>()
  private used: TlsCredentials

  constructor(
    private readonly options: TransportOptions,
    private readonly on: ListenEvents,
    private readonly endpoint: string,
  ) {
    this.used = copyOf(options.credentials)
    const requestCert = options.tlsRequireClientCert
    // Who shows no certificate, or a bad one, is turned away below, where it can be said why.
    const asked = { requestCert, rejectUnauthorized: false, handshakeTimeout: NO_TIMEOUT }
    this.server = createTlsServer({ ...this.settings(), ...asked })
    this.server.on("secureConnection", socket => this.secure(socket))
    this.server.on("tlsClientError", (error, socket) => this.streams.get(endsOf(socket))?.onError(error))
  }

  wrap(socket: Socket): AcceptedStream | null {
    if (socket.remoteAddress === undefined) {
      socket.destroy()
      return null
    }
    this.renew()
    const ends = endsOf(socket)
    const stream = new AcceptedStream(socket, ended => {
      if (this.streams.get(ends) === ended) this.streams.delete(ends)
    })
    this.streams.set(ends, stream)
    this.server.emit("connection", socket)
    return stream
  }

  private secure(socket: TLSSocket): void {
    const ends = endsOf(socket)
    const stream = this.streams.get(ends)
    if (stream === undefined) {
      socket.destroy()
    } else if (this.options.tlsRequireClientCert && !socket.authorized) {
      const shown = socket.getPeerX509Certificate() !== undefined
      stream.onError(refusal(shown ? "it is not to be trusted" : "there is none", String(socket.authorizationError)))
      socket.destroy()
    } else {
      this.streams.delete(ends)
      stream.secure(socket)
    }
  }

  /** Takes the certificates that are set now. Those that do not fit, as a new key before its certificate, change nothing. */
  private renew(): void {
    const { credentials } = this.options
    if (same(this.used, credentials)) return
    this.used = copyOf(credentials)
    try {
      this.server.setSecureContext(this.settings())
    } catch (error) {
      this.on.onError(error as Error)
    }
  }

  private settings(): SecureContextOptions {
    const { options, endpoint } = this
    const missing = (name: string) => new ZmqError("EINVAL", { address: endpoint, detail: `${name} is not set` })
    if (options.credentials.certificate === null) throw missing("tlsCertPem")
    // Everybody can have a certificate of a public authority.
    if (options.tlsRequireClientCert && options.credentials.trust === null) throw missing("tlsTrustPem")
    return settingsOf(options, endpoint)
  }
}

function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`
}

const listening: Listening = {
  scheme: SCHEME,
  server: () => createServer(),
  streams: (options, on, endpoint) => {
    const secured = new Secured(options, on, endpoint)
    return socket => secured.wrap(socket)
  },
}

export const tls: Transport = {
  scheme: SCHEME,
  handshakes: true,
  check,
  connect,
  listen: (address, options, on) => listen(listening, address, options, on),
  listenSync: (address, options, on) => listenSync(listening, address, options, on),
}
