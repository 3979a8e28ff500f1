/** `peerlane/service`: typed calls between peers, over several servers, that end in every case. */
export type { Caller, ClientEvents, ClientOptions, ClientStats } from "./client.js"
export { type Connected, connect } from "./connect.js"
export type { CallContext } from "./context.js"
export type { MethodStats } from "./desk.js"
export { RemoteError, ServiceError, type ServiceErrorCode } from "./errors.js"
export { type Server, type ServerEvents, type ServerOptions, type ServerStats, serve } from "./server.js"
export type { Call, CallOptions, Client } from "./types.js"
