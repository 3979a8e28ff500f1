/** ZMQ_PROBE_ROUTER: an empty message on each new pipe, by which a ROUTER at the other end learns of this socket. */
import type { Pipe } from "../../src/index.js"

export function probe(pipe: Pipe): void {
  pipe.write([new Uint8Array(0)])
}
