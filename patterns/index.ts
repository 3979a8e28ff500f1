/// <reference types="node" preserve="true" />
/**
 * `peerlane`: sockets that speak ZMTP to any ZeroMQ peer, with the names and the behaviour of the `zeromq` package. Its
 * default export is all of it, so that `import zmq from "zeromq"`, which Node allows of a CommonJS package, can move, too.
 */

export {
  AuthError,
  type Dropped,
  type Event,
  type EventOfType,
  type EventSubscriber,
  type EventType,
  type LimitName,
  Observer,
  type PeerCertificate,
  type PeerStats,
  ProtocolError,
  type ReceivedFrom,
  type Refused,
  type SocketStats,
  type WaitOptions,
  ZmqError,
} from "../src/index.js"
export { Context, type ContextOptions, context } from "./context.js"
export { curveKeyPair, curvePublicKey } from "./curve/key-pair.js"
export type { MessageLike } from "./frames.js"
export * as default from "./index.js"
export { Pair } from "./pair/pair.js"
export type { Identities, Permit } from "./permissions.js"
export { Proxy, type ProxyStatistics, type ProxyTraffic } from "./proxy/proxy.js"
export { Publisher } from "./pub-sub/publisher.js"
export { Subscriber } from "./pub-sub/subscriber.js"
export { XPublisher } from "./pub-sub/xpublisher.js"
export { XSubscriber } from "./pub-sub/xsubscriber.js"
export { Pull } from "./push-pull/pull.js"
export { Push } from "./push-pull/push.js"
export { Reply } from "./req-rep/reply.js"
export { Request } from "./req-rep/request.js"
export type { Readable, Writable } from "./roles.js"
export { Dealer } from "./router-dealer/dealer.js"
export { Router, type RouterConnectOptions } from "./router-dealer/router.js"
export type { Authenticate, Authentication, AuthenticationRequest } from "./security/authenticate.js"
export { type Accept, type BatchOptions, type Message, type Peer, Socket, type SocketOptions } from "./socket.js"
export { Stream, type StreamConnectOptions } from "./stream/stream.js"

/** The version of libzmq whose behaviour this is. */
export const version = "4.3.5"

/** What can be done beyond tcp and inproc, by the names of `zeromq`. */
export const capability: Partial<Record<"ipc" | "pgm" | "tipc" | "norm" | "curve" | "gssapi" | "draft", boolean>> = {
  ipc: true,
  curve: true,
  draft: true,
}
