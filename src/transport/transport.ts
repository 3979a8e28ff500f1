/**
 * The contract of a transport: it moves bytes and knows nothing of frames. A new one is one file that implements this,
 * one line in the registry (core/transports.ts) and one call of the shared test suite.
 */

export interface TransportOptions {
  readonly ipv6: boolean
  readonly backlog: number
  /** -1 leaves it to the operating system, 0 is off, 1 on. */
  readonly tcpKeepalive: number
  /** Seconds of silence before the first probe; -1 leaves it to the operating system. */
  readonly tcpKeepaliveIdle: number
  /** Whose connections are accepted; null: everybody's. */
  readonly acceptFilter: AcceptFilter | null
  /** The `host:port` of a SOCKS5 proxy that connections are made by; null: none. */
  readonly socksProxy: string | null
  /** For the proxy, at most 255 bytes each; null: no authentication. */
  readonly socksUsername: string | null
  readonly socksPassword: string | null
  /** Of TLS; see the options of these names. */
  readonly tlsHostname: string | null
  readonly tlsRequireClientCert: boolean
  readonly tlsMinVersion: "TLSv1.2" | "TLSv1.3"
  readonly credentials: TlsCredentials
}

/** What TLS is proven and checked by, as PEM text. These are the values of now: each new connection looks again. */
export interface TlsCredentials {
  readonly certificate: string | null
  readonly key: string | null
  readonly trust: string | null
}

/** The certificate that a peer showed over TLS, when it was found to be good. */
export interface PeerCertificate {
  /** Whom it was made for: `CN=name`, each part on a line of its own. */
  readonly subject: string
  /** The names it holds for, as `DNS:example.org, IP Address:127.0.0.1`; null: none. */
  readonly names: string | null
  /** SHA-256 of the certificate: 32 pairs of upper-case hexadecimal digits with colons between. */
  readonly fingerprint: string
}

export interface AcceptFilter {
  /** Whether a peer at this IP address, as the operating system names it, may connect. */
  admits(address: string): boolean
}

/** What a stream tells: one object, set once, before anything can happen. */
export interface StreamSink {
  onOpen(): void
  /** Bytes came. The chunk is the receiver's from here on, and may be kept. */
  onBytes(chunk: Uint8Array): void
  /** All that was written has gone to the operating system. */
  onDrained(): void
  /** The connection is gone: by an error, or null when the peer ended it. Nothing follows; not after destroy(). */
  onClosed(error: Error | null): void
}

export interface ByteStream {
  sink: StreamSink | null
  /** The endpoint of this end and of the other, for people: `tcp://127.0.0.1:5555`. Valid when open. */
  readonly local: string
  readonly remote: string
  /** What the peer has proven to be, below ZMTP. Valid when open. */
  readonly certificate?: PeerCertificate | null
  /** The peer was reached: what fails now is the transport's own handshake with it. */
  readonly reached?: boolean
  /** Tells onOpen for a stream that was accepted; those that connect do so by themselves. */
  open(): void
  /** Bytes written that the operating system has not taken yet. */
  readonly queuedBytes: number
  /** The bytes must not change until onDrained, or until queuedBytes is 0. */
  write(chunk: Uint8Array): void
  /** Writes between cork and uncork go out together. */
  cork(): void
  uncork(): void
  pause(): void
  resume(): void
  /**
   * Closes when all is written; what still comes from the peer is thrown away. `done` when the last byte
   * has gone, or never will.
   */
  end(done: () => void): void
  /** Closes now. Idempotent. */
  destroy(): void
}

export interface ListenEvents {
  onStream(stream: ByteStream): void
  /** Accepting a connection failed; the listener goes on. */
  onError(error: Error): void
}

export interface Listener {
  /** The endpoint that peers can connect to, with wildcards resolved. */
  readonly endpoint: string
  /** Stops listening, and frees the address; accepted streams go on. Idempotent. */
  close(): void
}

export interface Transport {
  readonly scheme: string
  /** Its streams shake hands before they open, which a peer may stall. */
  readonly handshakes?: true
  /** Checks an address to connect to with these options, without looking anything up; throws EINVAL or ENAMETOOLONG. */
  check(address: string, options: TransportOptions): void
  /** Begins to connect; names are looked up now. Whatever fails comes as onClosed, later. */
  connect(address: string, options: TransportOptions): ByteStream
  /** Listens. Rejects with a code such as EADDRINUSE, EADDRNOTAVAIL, ENODEV, EINVAL. */
  listen(address: string, options: TransportOptions, on: ListenEvents): Promise<Listener>
  /** The same at once. Throws these codes, and ENOTSUP for what takes time here. */
  listenSync?(address: string, options: TransportOptions, on: ListenEvents): Listener
}

/** What one thread says to all others of its process. Plain data. */
export interface Said {
  readonly from: string
  readonly [field: string]: unknown
}

export interface ThreadEvents {
  onSaid(said: Said): void
  /** Another thread connects to a name here. */
  onStream(name: string, stream: ByteStream): void
}

/** How the threads of a process reach each other. */
export interface Threads {
  /** The number of this one. */
  readonly own: number
  /** Listens to the others from now on, by a name of its own. Once. */
  join(name: string, on: ThreadEvents): void
  /** Tells all others. False: there is none that listens. */
  say(said: Said): boolean
  /** Connects to a name of the thread that said something by the name `to`. */
  connect(to: string, name: string): ByteStream
}
