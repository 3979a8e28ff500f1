/** What a program sees of the objects that it holds when it logs them: a log must neither fail nor fill with what is inside. */
import { inspect } from "node:util"
import { describe, expect, it } from "vitest"
import { engine, zmq } from "../support/engine.js"
import { ownSockets } from "../support/sockets.js"

describe("what is shown of", () => {
  const own = ownSockets()

  it("sockets, their events, contexts and proxies is their name", async () => {
    class Worker extends zmq.Pull {}
    const push = own(new zmq.Push())
    const pull = own(new Worker())
    await pull.bind("tcp://127.0.0.1:*")
    push.connect(pull.lastEndpoint!)
    await push.send("so that there are connections")
    await pull.receive()
    const proxy = new zmq.Proxy(own(new zmq.Router()), own(new zmq.Dealer()))
    const shown = { push, pull, list: [push.events, push.context, proxy] }
    expect(JSON.stringify(shown)).toBe('{"push":{},"pull":{},"list":[{},{},{}]}')
    expect(inspect(shown, { breakLength: Infinity })).toBe(
      "{ push: Push {}, pull: Worker {}, list: [ Observer {}, Context {}, Proxy {} ] }",
    )
  })

  it.runIf(engine === "peerlane")("peers is their name", async () => {
    const push = own(new zmq.Push())
    const pull = own(new zmq.Pull())
    await pull.bind("tcp://127.0.0.1:*")
    push.connect(pull.lastEndpoint!)
    await push.ready()
    expect(inspect(push.peers())).toBe("[ Peer {} ]")
    expect(JSON.stringify(push.peers())).toBe("[{}]")
  })
})
