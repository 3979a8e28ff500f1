/**
 * The options of sockets, one row each: this table is their default, their range, what they apply to and when they take
 * effect. It makes the properties of the socket classes (core/define-options.ts), their documentation (docs/options.md)
 * and the test that holds for all of them. Names, defaults and ranges are those of `zeromq` 6.
 */
import type { SocketTypeName } from "./wire/socket-types.js"

const BOTH_WAYS = ["PAIR", "REQ", "REP", "DEALER", "ROUTER", "XPUB", "XSUB", "SERVER", "CLIENT", "PEER", "CHANNEL", "STREAM", "DGRAM"] as const
const SENDING = [...BOTH_WAYS, "PUB", "PUSH", "RADIO", "SCATTER"] as const
const RECEIVING = [...BOTH_WAYS, "SUB", "PULL", "DISH", "GATHER"] as const
const CONFLATING = ["PULL", "PUSH", "SUB", "PUB", "DEALER", "GATHER", "SCATTER"] as const
const INT32_MAX = 2147483647

export interface OptionRow {
  readonly type: "number" | "boolean" | "string"
  readonly default: number | boolean | string | null
  /** Smallest and largest value; other numbers are EINVAL. */
  readonly min?: number
  readonly max?: number
  /** All that a string may be, for its type. */
  readonly values?: readonly string[]
  /** The socket types that have it; all when absent. */
  readonly on?: readonly SocketTypeName[]
  /** Takes effect on what is connected already. Others do so at the next bind or connect. */
  readonly live?: true
  /** "w": cannot be read, as in zeromq. */
  readonly access?: "w"
  /** Cannot be honoured without native code: kept and read back, nothing else. */
  readonly stored?: true
  /** Most bytes of a text; more are EINVAL. */
  readonly longest?: number
  /** An empty text is EINVAL, and not another way to say null. */
  readonly filled?: true
  /** Each value that is set joins those before, null takes all away; this stands between them. */
  readonly list?: "," | "\n"
  /** A key of CURVE: 32 bytes, or their Z85 text; read as text. */
  readonly key?: true
  /** Not to be seen: neither read nor found in what a debugger shows. */
  readonly secret?: true
  /** Not built, and dangerous to ignore: any value but the default is ENOTSUP. */
  readonly refused?: true
  readonly doc: string
}

const number = (value: number, min = -INT32_MAX - 1, max = INT32_MAX) => ({ type: "number", default: value, min, max }) as const
const boolean = (value = false) => ({ type: "boolean", default: value }) as const
const string = { type: "string", default: null as string | null } as const

/** Names of GSSAPI principals. */
const nameType = { type: "string", default: "hostBased", values: ["hostBased", "userName", "krb5Principal"] } as const

export const OPTIONS = {
  // Queues and waiting
  sendHighWaterMark: { ...number(1000, 0), on: SENDING, live: true, doc: "Messages that wait for one peer before sending to it waits, or drops; 0: no limit. ZMQ_SNDHWM." },
  receiveHighWaterMark: { ...number(1000, 0), on: RECEIVING, live: true, doc: "Messages of one peer that wait to be received before its connection is read no further, or, of datagrams (udp), more are dropped; 0: no limit. ZMQ_RCVHWM." },
  sendHighWaterMarkBytes: { ...number(0, 0, Number.MAX_SAFE_INTEGER), on: SENDING, live: true, doc: "The same in bytes, beside the mark in messages; a larger message passes alone. 0: no limit." },
  receiveHighWaterMarkBytes: { ...number(-1, -1, Number.MAX_SAFE_INTEGER), on: RECEIVING, live: true, doc: "The same in bytes, the message that is still arriving included, and 96 for each frame of a message of more than 16; a larger message passes alone. -1: 64 MiB, and none on inproc; 0: no limit." },
  maxPendingSends: { ...number(1000, 0), on: SENDING, live: true, doc: "Sends that may wait at a time; one more is EBUSY." },
  sendTimeout: { ...number(-1, -1), on: SENDING, live: true, doc: "Milliseconds that a send waits before it is EAGAIN; 0: does not wait; -1: for ever. ZMQ_SNDTIMEO." },
  receiveTimeout: { ...number(-1, -1), on: RECEIVING, live: true, doc: "Milliseconds that a receive waits before it is EAGAIN; 0: does not wait; -1: for ever. ZMQ_RCVTIMEO." },
  conflate: { ...boolean(), on: CONFLATING, access: "w", doc: "Keep only the newest message each way, whatever the marks; single frames only. ZMQ_CONFLATE." },
  linger: { ...number(-1, -1), live: true, doc: "Milliseconds that a closed socket goes on sending what is queued; 0: drops it; -1: for ever. ZMQ_LINGER." },
  // Connections
  immediate: { ...boolean(), doc: "Queue only for peers whose handshake is done. ZMQ_IMMEDIATE." },
  reconnectInterval: { ...number(100, -1), doc: "Milliseconds before connecting again, up to twice that at random; -1: never again. ZMQ_RECONNECT_IVL." },
  reconnectMaxInterval: { ...number(0, 0), doc: "Doubles the wait at each failure up to this; 0: no doubling. ZMQ_RECONNECT_IVL_MAX." },
  reconnectStop: { ...number(0, 0, 7), doc: "When not to connect again: the sum of 1 (refused), 2 (the handshake failed), 4 (after disconnect(), even if something is queued). ZMQ_RECONNECT_STOP." },
  connectTimeout: { ...number(0, 0), doc: "Milliseconds for one attempt to connect; 0: the operating system's. ZMQ_CONNECT_TIMEOUT." },
  handshakeInterval: { ...number(30000, 0), doc: "Milliseconds for greeting and handshake; 0: for ever. ZMQ_HANDSHAKE_IVL." },
  heartbeatInterval: { ...number(0, 0), doc: "Milliseconds between two PINGs; 0: none. ZMQ_HEARTBEAT_IVL." },
  heartbeatTimeToLive: { ...number(0, 0, 6553599), doc: "What a PING says: after so many milliseconds of silence the peer may hang up. Kept in tenths of a second. ZMQ_HEARTBEAT_TTL." },
  heartbeatTimeout: { ...number(-1, -1), doc: "Milliseconds of silence after a PING that end the connection; 0: for ever; -1: as heartbeatInterval. ZMQ_HEARTBEAT_TIMEOUT." },
  maxMessageSize: { ...number(-1, -1, Number.MAX_SAFE_INTEGER), doc: "Longest accepted frame in bytes; a longer one ends its connection, or is dropped (udp). -1: no limit. ZMQ_MAXMSGSIZE." },
  maxFrames: { ...number(65536, 1), on: RECEIVING, doc: "Frames in one incoming message; one more ends its connection." },
  maxPeers: { ...number(65536, 0), doc: "Peers that came by the bound endpoints; one more is not let in. Not on inproc. 0: no limit." },
  maxPeersPerAddress: { ...number(0, 0), doc: "The same for one address, those included that still shake hands; over ipc all have one. 0: no limit." },
  maxHandshakes: { ...number(1024, 0), doc: "Connections to the bound endpoints that still shake hands; with one more, the oldest is ended. 0: no limit." },
  backlog: { ...number(100, 0), doc: "Connections that wait to be accepted; at least 1024 may. ZMQ_BACKLOG." },
  ipv6: { ...boolean(), doc: "Use IPv6 as well. ZMQ_IPV6." },
  tcpKeepalive: { ...number(-1, -1, 1), doc: "Keep-alive probes: 1 on, 0 off, -1 as the operating system has it. ZMQ_TCP_KEEPALIVE." },
  tcpKeepaliveIdle: { ...number(-1, -1), doc: "Seconds of silence before the first probe. ZMQ_TCP_KEEPALIVE_IDLE." },
  tcpAcceptFilter: { ...string, list: ",", doc: "Who may connect to a bound tcp endpoint: an address or a range, `10.0.0.0/8`. Each value set is one more; others are closed before a byte is sent. Null: everybody. ZMQ_TCP_ACCEPT_FILTER." },
  socksProxy: { ...string, doc: "The `host:port` of a SOCKS5 proxy that makes the tcp connections, and looks up their names. ZMQ_SOCKS_PROXY." },
  socksUsername: { ...string, longest: 255, doc: "The user name for the proxy; null: no authentication. ZMQ_SOCKS_USERNAME." },
  socksPassword: { ...string, longest: 255, doc: "The password that goes with it. ZMQ_SOCKS_PASSWORD." },
  metadata: { ...string, list: "\n", doc: "What the peers are told of this socket: `X-name:value`, the name up to 255 bytes. Each value set is one more property, the first of a name counts; null: none. See peer.metadata. ZMQ_METADATA." },
  // Datagrams
  multicastHops: { ...number(1, 1), on: SENDING, doc: "Networks that a multicast datagram (udp) may pass, 1 being the own one; more than 255 count as 255. ZMQ_MULTICAST_HOPS." },
  multicastLoop: { ...boolean(true), on: ["RADIO", "DGRAM"], doc: "Whether this machine hears the multicast datagrams (udp) that it sends. ZMQ_MULTICAST_LOOP." },
  sendBufferSize: { ...number(-1, -1), on: SENDING, doc: "Bytes that the operating system buffers of datagrams (udp) to send; up to 0: its own choice. Without effect over tcp and ipc: Node cannot set it for a stream. ZMQ_SNDBUF." },
  receiveBufferSize: { ...number(-1, -1), on: RECEIVING, doc: "Bytes that the operating system buffers of datagrams (udp) that come; up to 0: its own choice. Without effect over tcp and ipc: Node cannot set it for a stream. ZMQ_RCVBUF." },
  // Patterns
  routingId: { ...string, on: ["REQ", "REP", "DEALER", "ROUTER"], doc: "1 to 255 bytes by which a ROUTER at the other end knows this socket. ZMQ_ROUTING_ID." },
  mandatory: { ...boolean(), on: ["ROUTER"], live: true, doc: "A message to a peer that is not there is EHOSTUNREACH, and one to a full peer waits. ZMQ_ROUTER_MANDATORY." },
  handover: { ...boolean(), on: ["ROUTER"], live: true, access: "w", doc: "A new peer takes over the routing id of an older one. ZMQ_ROUTER_HANDOVER." },
  probeRouter: { ...boolean(), on: ["ROUTER", "DEALER", "REQ"], live: true, access: "w", doc: "Send an empty message to each new peer. ZMQ_PROBE_ROUTER." },
  connectRoutingId: { ...string, on: ["ROUTER", "STREAM"], access: "w", live: true, longest: 255, doc: "The id by which the next connect(), and no other, will know its peer; as its option routingId. ZMQ_CONNECT_ROUTING_ID." },
  routerNotify: { ...number(0, 0, 3), on: ["ROUTER"], live: true, doc: "Receive an empty message from a peer, over tcp and ipc: the sum of 1 (when it is there) and 2 (when its connection is lost). ZMQ_ROUTER_NOTIFY." },
  raw: { ...boolean(), on: ["ROUTER"], access: "w", doc: "The peers at endpoints of tcp and ipc speak no ZMTP: as a Stream, which is what to use. ZMQ_ROUTER_RAW." },
  notify: { ...boolean(true), on: ["STREAM"], live: true, access: "w", doc: "Receive an empty message from a peer when it is there, and one when its connection is lost. ZMQ_STREAM_NOTIFY." },
  helloMessage: { ...string, on: ["ROUTER", "DEALER", "SERVER", "CLIENT", "PEER"], access: "w", doc: "Sent first on each new connection; null: none. ZMQ_HELLO_MSG." },
  disconnectMessage: { ...string, on: ["ROUTER", "SERVER", "PEER"], access: "w", live: true, doc: "Received from a peer that had connected to this socket, when its connection is lost; null: nothing. ZMQ_DISCONNECT_MSG." },
  hiccupMessage: { ...string, on: ["DEALER", "CLIENT", "PEER"], access: "w", live: true, doc: "Received when a connection that this socket made is lost; null: nothing. ZMQ_HICCUP_MSG." },
  correlate: { ...boolean(), on: ["REQ"], live: true, access: "w", doc: "Number each request, and take only the reply that carries its number. ZMQ_REQ_CORRELATE." },
  relaxed: { ...boolean(), on: ["REQ"], live: true, access: "w", doc: "A request may follow a request that has no reply yet. ZMQ_REQ_RELAXED." },
  noDrop: { ...boolean(), on: ["PUB", "XPUB"], live: true, access: "w", doc: "Wait when a subscriber's queue is full, instead of dropping its copy. ZMQ_XPUB_NODROP." },
  manual: { ...boolean(), on: ["XPUB"], live: true, access: "w", doc: "Subscriptions take effect by subscribe() and unsubscribe() of this socket. ZMQ_XPUB_MANUAL." },
  manualLastValue: { ...boolean(), on: ["XPUB"], live: true, access: "w", doc: "As manual; and the next message sent goes to nobody but the peer of the last received subscription, if that has a topic it matches. ZMQ_XPUB_MANUAL_LAST_VALUE." },
  onlyFirstSubscribe: { ...boolean(), on: ["XPUB", "XSUB"], live: true, access: "w", doc: "Take the subscriptions from the front of a message of several frames; the rest is a message, whatever it looks like. Without, such a message is never a subscription. ZMQ_ONLY_FIRST_SUBSCRIBE." },
  xsubVerboseUnsubscribe: { ...boolean(), on: ["XSUB"], live: true, access: "w", doc: "Pass on each unsubscription, not the last of a topic only. ZMQ_XSUB_VERBOSE_UNSUBSCRIBE." },
  welcomeMessage: { ...string, on: ["XPUB"], access: "w", doc: "Sent to each new subscriber first; null: none. ZMQ_XPUB_WELCOME_MSG." },
  maxSubscriptions: { ...number(1_000_000, 0), on: ["PUB", "XPUB", "RADIO"], live: true, doc: "Different topics that one peer may subscribe to, or groups that it may join; one more ends its connection. 0: no limit." },
  maxSubscriptionBytes: { ...number(64 * 1024 * 1024, 0, Number.MAX_SAFE_INTEGER), on: ["PUB", "XPUB", "RADIO"], live: true, doc: "Bytes in all of these topics, or names of groups; more end its connection. 0: no limit." },
  invertMatching: { ...boolean(), on: ["PUB", "SUB", "XPUB"], live: true, doc: "Send, or take, what does not match the subscriptions. ZMQ_INVERT_MATCHING." },
  // Kept, without effect
  affinity: { ...number(0, 0, Number.MAX_SAFE_INTEGER), stored: true, doc: "There are no I/O threads to choose from. ZMQ_AFFINITY." },
  rate: { ...number(100, 1), stored: true, doc: "Of pgm only, which is not spoken. ZMQ_RATE." },
  recoveryInterval: { ...number(10000, 0), stored: true, doc: "Of pgm only, which is not spoken. ZMQ_RECOVERY_IVL." },
  multicastMaxTransportDataUnit: { ...number(1500, 1), stored: true, doc: "Of pgm only, which is not spoken. ZMQ_MULTICAST_MAXTPDU." },
  typeOfService: { ...number(0, 0), stored: true, doc: "Node cannot set it. ZMQ_TOS." },
  tcpKeepaliveCount: { ...number(-1, -1), stored: true, doc: "Node cannot set it. ZMQ_TCP_KEEPALIVE_CNT." },
  tcpKeepaliveInterval: { ...number(-1, -1), stored: true, doc: "Node cannot set it. ZMQ_TCP_KEEPALIVE_INTVL." },
  tcpMaxRetransmitTimeout: { ...number(0, 0), stored: true, doc: "Node cannot set it. ZMQ_TCP_MAXRT." },
  interface: { ...string, stored: true, doc: "Node cannot bind to a device. ZMQ_BINDTODEVICE." },
  vmciBufferSize: { ...number(0, 0, Number.MAX_SAFE_INTEGER), stored: true, doc: "VMCI is not spoken." },
  vmciBufferMinSize: { ...number(0, 0, Number.MAX_SAFE_INTEGER), stored: true, doc: "VMCI is not spoken." },
  vmciBufferMaxSize: { ...number(0, 0, Number.MAX_SAFE_INTEGER), stored: true, doc: "VMCI is not spoken." },
  vmciConnectTimeout: { ...number(-1, -1), stored: true, doc: "VMCI is not spoken." },
  priority: { ...number(0, 0), stored: true, doc: "Node cannot set it. ZMQ_PRIORITY." },
  busyPoll: { ...number(0, 0), stored: true, doc: "Node cannot set it. ZMQ_BUSY_POLL." },
  inBatchSize: { ...number(8192, 1), stored: true, doc: "How much is read at a time is for Node to say. ZMQ_IN_BATCH_SIZE." },
  outBatchSize: { ...number(8192, 1), stored: true, doc: "How much is written at a time follows the traffic. ZMQ_OUT_BATCH_SIZE." },
  loopbackFastPath: { ...boolean(), stored: true, doc: "Of Windows only. ZMQ_LOOPBACK_FASTPATH." },
  // Security
  plainServer: { ...boolean(), doc: "Be the server of PLAIN: peers show a user name and a password, and an authenticator decides. False: NULL again. ZMQ_PLAIN_SERVER." },
  plainUsername: { ...string, longest: 255, filled: true, doc: "Be the client of PLAIN, with this name; null: NULL again. ZMQ_PLAIN_USERNAME." },
  plainPassword: { ...string, longest: 255, filled: true, doc: "The password that goes with it. ZMQ_PLAIN_PASSWORD." },
  curveServer: { ...boolean(), doc: "Be the server of CURVE, by curveSecretKey. False: NULL again. ZMQ_CURVE_SERVER." },
  curvePublicKey: { ...string, key: true, doc: "This side's own public key, for the client of CURVE: Z85 text of 40 characters, or 32 bytes. ZMQ_CURVE_PUBLICKEY." },
  curveSecretKey: { ...string, key: true, doc: "This side's own secret key, on both sides of CURVE. ZMQ_CURVE_SECRETKEY." },
  curveServerKey: { ...string, key: true, doc: "Be the client of CURVE, and talk to the server with this public key only. ZMQ_CURVE_SERVERKEY." },
  zapDomain: { ...string, longest: 255, doc: "The domain that an authenticator is told; with NULL it is asked only where there is one. ZMQ_ZAP_DOMAIN." },
  zapEnforceDomain: { ...boolean(), doc: "Let nobody in where there is a domain and nobody to ask, and ask nobody where there is none. ZMQ_ZAP_ENFORCE_DOMAIN." },
  tlsCertPem: { ...string, live: true, doc: "The certificate that this side shows over tls+tcp, with those between it and the authority behind it, as PEM text. A bound socket must have one, and new connections get what is set then." },
  tlsKeyPem: { ...string, live: true, access: "w", secret: true, doc: "The private key of tlsCertPem, as PEM text. After both are set anew they take effect together." },
  tlsTrustPem: { ...string, live: true, doc: "The certificates of the authorities that peers' certificates must come from, as PEM text; null: those that Node comes with." },
  tlsHostname: { ...string, longest: 255, doc: "The name that a server's certificate must hold for, and that it is asked for (SNI); null: the host of the endpoint." },
  tlsRequireClientCert: { ...boolean(), doc: "Let nobody in by tls+tcp who shows no certificate that comes from tlsTrustPem, which must be set." },
  tlsMinVersion: { type: "string", default: "TLSv1.2", values: ["TLSv1.2", "TLSv1.3"], doc: "The oldest version of TLS that is spoken: `TLSv1.2` or `TLSv1.3`; the newest that both sides know is." },
  // Not there, and not to be ignored
  gssapiServer: { ...boolean(), refused: true, doc: "GSSAPI is not spoken. ZMQ_GSSAPI_SERVER." },
  gssapiPrincipal: { ...string, refused: true, doc: "GSSAPI is not spoken. ZMQ_GSSAPI_PRINCIPAL." },
  gssapiServicePrincipal: { ...string, refused: true, doc: "GSSAPI is not spoken. ZMQ_GSSAPI_SERVICE_PRINCIPAL." },
  gssapiPlainText: { ...boolean(), refused: true, doc: "GSSAPI is not spoken. ZMQ_GSSAPI_PLAINTEXT." },
  gssapiPrincipalNameType: { ...nameType, refused: true, doc: "GSSAPI is not spoken. ZMQ_GSSAPI_PRINCIPAL_NAMETYPE." },
  gssapiServicePrincipalNameType: { ...nameType, refused: true, doc: "GSSAPI is not spoken. ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE." },
} as const satisfies Record<string, OptionRow>

export type OptionName = keyof typeof OPTIONS

type ValueOf<R extends OptionRow> = R extends { values: readonly (infer V)[] } ? V : R["type"] extends "number" ? number : R["type"] extends "boolean" ? boolean : string | null

/** The values of one socket, by name. */
export type OptionValues = { [K in OptionName]: ValueOf<(typeof OPTIONS)[K]> }

/** The rows that a socket type has. */
export function optionsOf(type: SocketTypeName): OptionName[] {
  const rows: Record<string, OptionRow> = OPTIONS
  return (Object.keys(OPTIONS) as OptionName[]).filter(name => rows[name]?.on?.includes(type) ?? true)
}

const DEFAULTS = Object.fromEntries(Object.entries(OPTIONS).map(([name, row]) => [name, row.default])) as OptionValues

/** Values of which those that differ from the defaults are stored: most sockets change few, and there may be many sockets. */
export function optionValues(changed: Partial<OptionValues> = {}): OptionValues {
  return Object.assign(Object.create(DEFAULTS), changed)
}

/** Whether a row belongs to a socket type. */
type Has<R extends OptionRow, T extends SocketTypeName> = R extends { on: readonly (infer U)[] } ? (T extends U ? true : false) : true

/** The properties that a socket type has by this table. */
export type OptionsOf<T extends SocketTypeName> = {
  [K in OptionName as Has<(typeof OPTIONS)[K], T> extends true ? K : never]: OptionValues[K]
}

/** The properties that all socket types have. */
export type CommonOptions = {
  [K in OptionName as (typeof OPTIONS)[K] extends { on: readonly SocketTypeName[] } ? never : K]: OptionValues[K]
}
