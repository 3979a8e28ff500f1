/**
 * The streams between threads against the contract of transports. Both ports of each are in one thread here, as what is
 * to be seen is the stream; how threads find each other is in test/spec/threads.test.ts.
 */
import { MessageChannel } from "node:worker_threads"
import { ZmqError } from "../../src/errors.js"
import { PortStream } from "../../src/transport/threads.js"
import type { ListenEvents, Transport } from "../../src/transport/transport.js"
import { transportSuite } from "./suite.js"

const names = new Map<string, ListenEvents>()
let serial = 0

const threads: Transport = {
  scheme: "inproc",
  check() {},
  connect(name) {
    const { port1, port2 } = new MessageChannel()
    const stream = new PortStream(port1, name)
    setImmediate(() => {
      const on = names.get(name)
      if (on === undefined) {
        stream.fail(new ZmqError("ECONNREFUSED"))
        return
      }
      on.onStream(new PortStream(port2, name))
      stream.open()
    })
    return stream
  },
  async listen(name, _options, on) {
    if (names.has(name)) throw new ZmqError("EADDRINUSE", { address: `inproc://${name}` })
    names.set(name, on)
    return { endpoint: `inproc://${name}`, close: () => void names.delete(name) }
  },
}

const fresh = () => `threads-${serial++}`

transportSuite("threads", {
  transport: threads,
  address: fresh,
  nowhere: async () => `inproc://${fresh()}`,
  refusals: ["ECONNREFUSED"],
  bindTwice: "EADDRINUSE",
  inMemory: true,
})
