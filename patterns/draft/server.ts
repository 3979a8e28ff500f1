/** SERVER (41/CLISRV): answers many clients, each known by a number that comes with its messages. Never waits to send. */
import type { OptionsOf } from "../../src/index.js"
import { type SocketOptions, withOptions } from "../socket.js"
import { Routing } from "./routing.js"

export class Server extends Routing {
  constructor(options?: SocketOptions<Server>) {
    super("SERVER", options)
    this.begin(options)
  }
}

export interface Server extends OptionsOf<"SERVER"> {}

withOptions(Server, "SERVER")
