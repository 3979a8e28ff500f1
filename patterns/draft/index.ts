/// <reference types="node" preserve="true" />
/**
 * `peerlane/draft`: the socket types that are drafts in libzmq, with the names and the behaviour of `zeromq/draft`, and
 * `Peer` and `Channel`, which that lacks. The default export is all of it.
 */

export { Channel } from "./channel.js"
export { Client } from "./client.js"
export { Datagram } from "./datagram.js"
export { Dish, type DishGroupOptions } from "./dish.js"
export { Gather } from "./gather.js"
export * as default from "./index.js"
export { Peer } from "./peer.js"
export { Radio, type RadioGroupOptions } from "./radio.js"
export type { RoutingOptions } from "./routing.js"
export { Scatter } from "./scatter.js"
export { Server } from "./server.js"
