/**
 * bindSync and unbindSync: what bind and unbind do, at once, with their errors thrown. `unbindSync` of zeromq 6.8 binds
 * instead, so what is said of it here is not asked of that package.
 */
import { writeFileSync } from "node:fs"
import { networkInterfaces } from "node:os"
import { describe, expect, it } from "vitest"
import { freshEndpoint, freshPath, reservedEndpoint, transports, wired } from "../support/endpoints.js"
import { engine, zmq } from "../support/engine.js"
import { EventLog } from "../support/events.js"
import { failsWith, failure, ownSockets, text } from "../support/sockets.js"

const ours = engine !== "zeromq"

/** What the call throws, now. */
function thrown(call: () => unknown): Error & { code?: string; address?: string } {
  try {
    call()
  } catch (error) {
    return error as Error
  }
  throw new Error(`should have thrown: ${call}`)
}

describe.each(transports)("bindSync over %s", transport => {
  const own = ownSockets()

  it("is done when it returns: the endpoint is known, and peers connect", async () => {
    const pull = own(new zmq.Pull())
    expect(pull.bindSync(freshEndpoint(transport))).toBeUndefined()
    const address = pull.lastEndpoint!
    expect(address).not.toContain("*")
    const push = own(new zmq.Push())
    push.connect(address)
    await push.send(["one", "two"])
    expect(await text(pull)).toEqual(["one", "two"])
  })

  it("serves a peer that was there before", async () => {
    const address = await reservedEndpoint(transport)
    const push = own(new zmq.Push({ reconnectInterval: 20 }))
    push.connect(address)
    await push.send("early")
    const pull = own(new zmq.Pull())
    pull.bindSync(address)
    expect(await text(pull)).toEqual(["early"])
  })

  it("may be said twice for two endpoints, beside bind", async () => {
    const pull = own(new zmq.Pull())
    const addresses: string[] = []
    for (let i = 0; i < 2; i++) {
      pull.bindSync(freshEndpoint(transport))
      addresses.push(pull.lastEndpoint!)
    }
    await pull.bind(freshEndpoint(transport))
    addresses.push(pull.lastEndpoint!)
    expect(new Set(addresses).size).toBe(3)
    for (const address of addresses) {
      const push = own(new zmq.Push())
      push.connect(address)
      await push.send(address)
      expect(await text(pull)).toEqual([address])
    }
  })

  it.runIf(ours)("unbindSync frees the endpoint at once, as unbind does", async () => {
    const pull = own(new zmq.Pull())
    pull.bindSync(freshEndpoint(transport))
    const address = pull.lastEndpoint!
    pull.unbindSync(address)
    const other = own(new zmq.Pull())
    other.bindSync(address)
    const push = own(new zmq.Push())
    push.connect(address)
    await push.send("to the other")
    expect(await text(other)).toEqual(["to the other"])
    expect(thrown(() => pull.unbindSync(address)).code).toBe("ENOENT")
  })

  it("throws at once for a closed socket", async () => {
    const pull = own(new zmq.Pull())
    pull.close()
    expect(thrown(() => pull.bindSync(freshEndpoint(transport))).code).toBe("EBADF")
  })
})

describe.each(wired)("events of bindSync over %s", transport => {
  const own = ownSockets()

  it.runIf(ours)("are those of bind", async () => {
    const pull = own(new zmq.Pull())
    const log = new EventLog(pull)
    pull.bindSync(freshEndpoint(transport))
    const address = pull.lastEndpoint!
    pull.unbindSync(address)
    await log.seen("close")
    expect(log.all.map(event => [event.type, "address" in event ? event.address : ""])).toEqual([
      ["bind", address],
      ["close", address],
    ])
  })
})

describe("bindSync fails", () => {
  const own = ownSockets()

  it("with the codes of bind", async () => {
    const taken = own(new zmq.Pull())
    await taken.bind("tcp://127.0.0.1:*")
    const inproc = freshEndpoint("inproc")
    await taken.bind(inproc)
    const cases: [string, string][] = [
      [inproc, "EADDRINUSE"],
      ["tcp://127.0.0.1", "EINVAL"],
      ["tcp://127.0.0.1:port", "EINVAL"],
      ["tcp://192.0.2.1:*", "EADDRNOTAVAIL"],
      ["foo://bar", "EPROTONOSUPPORT"],
      ["nothing", "EINVAL"],
      [`ipc:///nowhere/${"x".repeat(200)}`, "ENAMETOOLONG"],
    ]
    for (const [address, code] of cases) {
      const pull = own(new zmq.Pull())
      expect(thrown(() => pull.bindSync(address)).code, address).toBe(code)
      await failsWith(code, () => pull.bind(address))
    }
  })

  it("with EADDRINUSE and the address for a port that is taken, and the socket goes on", async () => {
    const taken = own(new zmq.Pull())
    taken.bindSync("tcp://127.0.0.1:*")
    const address = taken.lastEndpoint!
    const pull = own(new zmq.Pull())
    const error = thrown(() => pull.bindSync(address))
    expect([error.code, error.address]).toEqual(["EADDRINUSE", address])
    pull.bindSync("tcp://127.0.0.1:*")
    expect(pull.lastEndpoint).not.toBe(address)
  })

  it.runIf(ours)("for a path that cannot be, as bind does", async () => {
    const file = freshPath()
    writeFileSync(file, "no socket")
    for (const address of [`ipc:///no/such/folder/s`, `ipc://${file}`]) {
      const pull = own(new zmq.Pull())
      const { code } = thrown(() => pull.bindSync(address))
      expect(code, address).toBe((await failure(() => pull.bind(address))).code)
    }
  })

  it("with a TypeError for what is no string", () => {
    const pull = own(new zmq.Pull())
    expect(thrown(() => pull.bindSync(7 as never))).toBeInstanceOf(TypeError)
  })

  it.runIf(ours)("with ENOTSUP for a name that takes DNS", () => {
    const pull = own(new zmq.Pull())
    const error = thrown(() => pull.bindSync("tcp://some.example:5555"))
    expect(error.code).toBe("ENOTSUP")
    expect(error.message).toContain("some.example")
  })

  const loopback = Object.entries(networkInterfaces()).find(([, all]) => all?.some(one => one.internal))?.[0]
  it.runIf(loopback)("not for the name of an interface", () => {
    const pull = own(new zmq.Pull())
    pull.bindSync(`tcp://${loopback}:*`)
    expect(pull.lastEndpoint).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/)
  })
})
