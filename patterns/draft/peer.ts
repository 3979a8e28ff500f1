/** PEER (51/P2P): a SERVER that talks to its like. Who connects learns the routing id of the other side at once. */
import { type OptionsOf, ZmqError } from "../../src/index.js"
import { type SocketOptions, withOptions } from "../socket.js"
import { Routing } from "./routing.js"

export class Peer extends Routing {
  constructor(options?: SocketOptions<Peer>) {
    super("PEER", options)
    this.begin(options)
  }

  /**
   * Connects to an endpoint as {@link connect}, and returns the routing id of the peer there, which stays when the
   * connection is lost and comes again. What is sent to it waits for the peer. EINVAL for a malformed endpoint, and with
   * the option `immediate`, by which there is no peer to send to yet. zmq_connect_peer.
   */
  connectPeer(endpoint: string): number {
    this.checkOpen()
    if (this.store.values.immediate) throw new ZmqError("EINVAL", { detail: "connectPeer() cannot be immediate" })
    this.attachedAs = 0
    this.connect(endpoint)
    return this.attachedAs
  }
}

export interface Peer extends OptionsOf<"PEER"> {}

withOptions(Peer, "PEER")
