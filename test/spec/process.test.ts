/**
 * Sockets and the life of their process: what keeps it alive, and what happens to queued messages when it ends. Each case
 * is a few lines run by another Node; on Peerlane it needs the build in dist/, which `npm test` makes.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { fileURLToPath, pathToFileURL } from "node:url"
import { afterEach, describe, expect, it } from "vitest"
import { freeUdpPort, RawUdp } from "../support/datagrams.js"
import { freshEndpoint, reservedEndpoint, wired } from "../support/endpoints.js"
import { engine, zmq } from "../support/engine.js"
import { eventually, pause } from "../support/eventually.js"
import { bound, ownSockets, text, texts } from "../support/sockets.js"

const module =
  engine === "zeromq"
    ? createRequire(import.meta.url).resolve("zeromq")
    : fileURLToPath(new URL("../../dist/patterns/index.js", import.meta.url))
const notBuilt = !existsSync(module)
if (notBuilt) console.log("skipped: there is no build in dist/, run npm run build")

const children = new Set<ChildProcess>()

const draftModule =
  engine === "zeromq"
    ? createRequire(import.meta.url).resolve("zeromq/draft.js")
    : fileURLToPath(new URL("../../dist/patterns/draft/index.js", import.meta.url))

/** Lines that give `draft`, without the warning that zeromq has for it. */
const withDraft = `
      process.removeAllListeners("warning")
      const drafts = await import(${JSON.stringify(pathToFileURL(draftModule).href)})
      const draft = drafts.default ?? drafts
`

/** Runs the lines in another Node; they have `zmq` and `address`. */
function run(lines: string, address = "") {
  const program = `
    import * as imported from ${JSON.stringify(pathToFileURL(module).href)}
    const zmq = imported.default ?? imported
    const address = ${JSON.stringify(address)}
    ${lines}
  `
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "pipe"] })
  children.add(child)
  const life = { child, output: "", errors: "", ended: false, code: undefined as number | null | undefined }
  child.stdout.on("data", chunk => {
    life.output += chunk
  })
  child.stderr.on("data", chunk => {
    life.errors += chunk
  })
  const closed = once(child, "close").then(([code]) => {
    life.ended = true
    life.code = code
    children.delete(child)
  })
  /** Waits until it has ended by itself, well. */
  const end = async () => {
    await Promise.race([closed, pause(10_000)])
    expect({ ended: life.ended, code: life.code, errors: life.errors }).toEqual({ ended: true, code: 0, errors: "" })
    return life.output
  }
  return { life, end }
}

afterEach(() => {
  for (const child of children) child.kill("SIGKILL")
})

describe.skipIf(notBuilt).each(wired)("a process with sockets over %s", transport => {
  const own = ownSockets()

  it("ends by itself when nothing is pending, whatever is bound and connected", async () => {
    const pull = own(new zmq.Pull())
    const address = await bound(pull, freshEndpoint(transport))
    const child = run(
      `
      const push = new zmq.Push({ heartbeatInterval: 1000, linger: 0 })
      push.connect(address)
      push.connect(${JSON.stringify(await reservedEndpoint(transport))})
      const rep = new zmq.Reply()
      await rep.bind("tcp://127.0.0.1:*")
      const req = new zmq.Request({ linger: 0 })
      req.connect(rep.lastEndpoint)
      await req.send("a")
      await rep.receive()
      console.log("done")
    `,
      address,
    )
    expect(await child.end()).toBe("done\n")
  })

  it("lives while a receive waits", async () => {
    const push = own(new zmq.Push())
    const address = await bound(push, freshEndpoint(transport))
    const child = run(
      `
      const pull = new zmq.Pull()
      pull.connect(address)
      console.log(String((await pull.receive())[0]))
      console.log(String((await pull.receive())[0]))
    `,
      address,
    )
    await push.send("one")
    await eventually(() => child.life.output === "one\n")
    await pause(100)
    expect(child.life.ended).toBe(false)
    await push.send("two")
    expect(await child.end()).toBe("one\ntwo\n")
  })

  it("lives while a send waits", async () => {
    const address = await reservedEndpoint(transport)
    const child = run(
      `
      const push = new zmq.Push({ immediate: true, reconnectInterval: 20 })
      push.connect(address)
      console.log("sending")
      await push.send("hello")
    `,
      address,
    )
    await eventually(() => child.life.output === "sending\n")
    await pause(100)
    expect(child.life.ended).toBe(false)
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    expect(await text(pull)).toEqual(["hello"])
    await child.end()
  })

  it("lives while it iterates, and ends when the socket closes", async () => {
    const push = own(new zmq.Push())
    const address = await bound(push, freshEndpoint(transport))
    const child = run(
      `
      const pull = new zmq.Pull()
      pull.connect(address)
      let count = 0
      for await (const [frame] of pull) if (++count === 3) pull.close()
      console.log(count)
    `,
      address,
    )
    for (const body of ["a", "b", "c"]) await push.send(body)
    expect(await child.end()).toBe("3\n")
  })

  it.each(["", "push.close()", "process.exit()"])(
    "delivers what it has sent to a peer that is there, then ends (%j)",
    async ending => {
      const pull = own(new zmq.Pull())
      const address = await bound(pull, freshEndpoint(transport))
      const child = run(
        `
      const push = new zmq.Push()
      const events = push.events
      push.connect(address)
      await push.send("first")
      while ((await events.receive()).type !== "handshake");
      for (let index = 0; index < 500; index++) await push.send(String(index))
      ${ending}
    `,
        address,
      )
      expect(await text(pull)).toEqual(["first"])
      expect((await texts(pull, 500)).flat()).toEqual(Array.from({ length: 500 }, (_, index) => `${index}`))
      await child.end()
    },
  )

  it.each(["", "push.close()"])("waits for a peer that comes later, with what is queued (%j)", async ending => {
    const address = await reservedEndpoint(transport)
    const child = run(
      `
      const push = new zmq.Push({ reconnectInterval: 20 })
      push.connect(address)
      for (let index = 0; index < 10; index++) await push.send(String(index))
      console.log("queued")
      ${ending}
    `,
      address,
    )
    await eventually(() => child.life.output === "queued\n")
    await pause(200)
    expect(child.life.ended).toBe(false)
    const pull = own(new zmq.Pull())
    await pull.bind(address)
    expect(await texts(pull, 10)).toHaveLength(10)
    await child.end()
  })

  it.each([
    ["linger 0", "new zmq.Push({ linger: 0 })"],
    ["linger 50", "new zmq.Push({ linger: 50 })"],
    ["a context that is not blocky", "new zmq.Push({ context: new zmq.Context({ blocky: false }) })"],
  ])("does not wait for a peer that never comes with %s", async (_, push) => {
    const child = run(
      `
      const push = ${push}
      push.connect(address)
      await push.send("dropped")
      push.close()
    `,
      await reservedEndpoint(transport),
    )
    await child.end()
  })
})

describe.skipIf(notBuilt)("a process with sockets over udp", () => {
  it("ends by itself when nothing is pending, and what it sent has gone", async () => {
    const peer = await RawUdp.open()
    const child = run(
      `${withDraft}
      const radio = new draft.Radio()
      radio.connect("udp://" + address)
      const dish = new draft.Dish()
      await dish.bind("udp://127.0.0.1:${await freeUdpPort()}")
      const socket = new draft.Datagram()
      await socket.bind("udp://127.0.0.1:${await freeUdpPort()}")
      for (let count = 0; count < 3; count++) {
        radio.send("radio", { group: "g" })
        socket.send([address, "datagram"])
      }
    `,
      peer.address,
    )
    await child.end()
    await eventually(() => new Set(peer.received.map(({ bytes }) => String(bytes))).size === 2)
  })

  it("lives while a receive waits", async () => {
    const peer = await RawUdp.open()
    const port = await freeUdpPort()
    const child = run(
      `${withDraft}
      const socket = new draft.Datagram()
      await socket.bind("udp://127.0.0.1:${port}")
      console.log("bound")
      console.log(String((await socket.receive())[1]))
    `,
    )
    await eventually(() => child.life.output === "bound\n")
    await pause(100)
    expect(child.life.ended).toBe(false)
    await eventually(async () => {
      await peer.send("come", port)
      return child.life.output === "bound\ncome\n"
    })
    await child.end()
  })
})
