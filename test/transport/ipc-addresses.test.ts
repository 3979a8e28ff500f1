/**
 * The addresses of ipc: paths, `*`, and names of Linux's abstract namespace; who has a path after a take-over, and what
 * is left behind.
 */
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import * as zeromq from "zeromq"
import { Pull, Push } from "../../patterns/index.js"
import { ipc } from "../../src/transport/ipc.js"
import { freshPath } from "../support/endpoints.js"
import { eventually } from "../support/eventually.js"
import { addressOf, dial, hear, meet, OPTIONS } from "./recorder.js"

const notLinux = process.platform !== "linux"
if (notLinux) console.warn("skipped: abstract names, which only Linux has")

let names = 0
const abstractName = () => `@peerlane-test-${process.pid}-${++names}`

/** A path of just so many bytes. */
function pathOf(bytes: number): string {
  const path = freshPath()
  return path + "x".repeat(bytes - path.length)
}

describe("addresses to connect to are checked at once", () => {
  it.each(["relative.sock", "/absolute/path.sock", "@name", "*", "with space", "p".repeat(107), `@${"n".repeat(106)}`])(
    "%j",
    address => ipc.check(address, OPTIONS),
  )

  it.each([
    ["@", "EINVAL"],
    ["p".repeat(108), "ENAMETOOLONG"],
    ["é".repeat(54), "ENAMETOOLONG"],
    [`@${"n".repeat(107)}`, "ENAMETOOLONG"],
  ])("%j: %s", (address, code) => {
    expect(() => ipc.check(address, OPTIONS)).toThrow(expect.objectContaining({ code, address: `ipc://${address}` }))
  })

  it.each(["@", "p".repeat(107), "p".repeat(108), `@${"n".repeat(106)}`, `@${"n".repeat(107)}`])(
    "%j, and libzmq",
    async address => {
      const native = new zeromq.Pull({ linger: 0, reconnectInterval: -1 })
      const verdicts = [() => native.connect(`ipc://${address}`), () => ipc.check(address, OPTIONS)].map(call => {
        try {
          call()
          return null
        } catch (error) {
          return (error as { code: string }).code
        }
      })
      native.close()
      expect(verdicts[1]).toBe(verdicts[0])
    },
  )
})

describe("paths", () => {
  it("are sockets while they are bound, and gone afterwards", async () => {
    const path = freshPath()
    const { listener, client, server } = await meet(ipc, path)
    expect(listener.endpoint).toBe(`ipc://${path}`)
    expect(statSync(path).isSocket()).toBe(true)
    listener.close()
    expect(existsSync(path)).toBe(false)
    expect(readdirSync(dirname(path)).filter(name => name.startsWith("."))).toEqual([])
    client.write("still here")
    await eventually(() => server.text === "still here")
  })

  it("of 107 bytes are the longest", async () => {
    const { client } = await meet(ipc, pathOf(107))
    expect(client.opened).toBe(true)
    await expect(hear(ipc, pathOf(108))).rejects.toMatchObject({ code: "ENAMETOOLONG" })
  })

  it("of 107 bytes can be taken over as well", async () => {
    const path = pathOf(107)
    const first = await hear(ipc, path)
    const second = await hear(ipc, path)
    const client = dial(ipc, second.listener.endpoint)
    await eventually(() => client.opened && second.accepted.length === 1)
    expect(first.accepted).toEqual([])
  })

  it("of which nobody was told to clean up are taken over", async () => {
    const path = freshPath()
    // A listener that is closed after its path was renamed away leaves it there, as one that was killed does.
    const dead = createServer()
    await new Promise<void>(resolve => dead.listen(`${path}.dead`, resolve))
    linkSync(`${path}.dead`, path)
    await new Promise(resolve => dead.close(resolve))
    expect(statSync(path).isSocket()).toBe(true)
    const { client } = await meet(ipc, path)
    expect(client.opened).toBe(true)
  })

  it("that are taken over keep the connections of the older owner", async () => {
    const path = freshPath()
    const first = await meet(ipc, path)
    const second = await hear(ipc, path)
    const client = dial(ipc, second.listener.endpoint)
    await eventually(() => client.opened && second.accepted.length === 1)
    first.client.write("to the first")
    await eventually(() => first.server.text === "to the first")
  })

  it("that are taken over are not removed by the older owner's close", async () => {
    const path = freshPath()
    const first = await hear(ipc, path)
    const second = await hear(ipc, path)
    first.listener.close()
    expect(statSync(path).isSocket()).toBe(true)
    const client = dial(ipc, second.listener.endpoint)
    await eventually(() => client.opened && second.accepted.length === 1)
    second.listener.close()
    expect(existsSync(path)).toBe(false)
  })

  it("are there all the time while they are taken over", async () => {
    const path = freshPath()
    await hear(ipc, path)
    let missing = 0
    let over = false
    const watching = (async () => {
      while (!over) {
        const client = dial(ipc, `ipc://${path}`)
        await eventually(() => client.opened || client.closed !== undefined)
        if (!client.opened) missing++
      }
    })()
    for (let i = 0; i < 20; i++) await hear(ipc, path)
    over = true
    await watching
    expect(missing).toBe(0)
  })

  it("that are a file, a folder or a link to a file are not replaced", async () => {
    const file = freshPath()
    writeFileSync(file, "precious")
    const folder = freshPath()
    mkdirSync(folder)
    const link = freshPath()
    symlinkSync(file, link)
    for (const path of [file, folder, link]) {
      await expect(hear(ipc, path)).rejects.toMatchObject({ code: "EADDRINUSE", address: `ipc://${path}` })
    }
    expect(readFileSync(file, "utf8")).toBe("precious")
    expect(readFileSync(link, "utf8")).toBe("precious")
    expect(statSync(folder).isDirectory()).toBe(true)
    expect(readdirSync(dirname(file)).filter(name => name.startsWith("."))).toEqual([])
  })

  it("in a folder that is not there cannot be bound", async () => {
    const path = join(freshPath(), "socket")
    await expect(hear(ipc, path)).rejects.toMatchObject({ code: /^(ENOENT|EACCES)$/, address: `ipc://${path}` })
  })

  it("that somebody else removed do not disturb the close", async () => {
    const { listener } = await hear(ipc, "*")
    const path = addressOf(listener.endpoint)
    rmSync(dirname(path), { recursive: true })
    expect(() => listener.close()).not.toThrow()
  })
})

describe("a wildcard", () => {
  it("is a path in a fresh folder of its own, and both go with the listener", async () => {
    const { listener, client } = await meet(ipc, "*")
    const path = addressOf(listener.endpoint)
    expect(path.startsWith(tmpdir())).toBe(true)
    expect(statSync(path).isSocket()).toBe(true)
    expect(client.opened).toBe(true)
    const other = await hear(ipc, "*")
    expect(other.listener.endpoint).not.toBe(listener.endpoint)
    listener.close()
    expect(existsSync(dirname(path))).toBe(false)
  })
})

describe.skipIf(notLinux)("abstract names", () => {
  it("are told with their @, and leave no file", async () => {
    const name = abstractName()
    const { listener, client, server } = await meet(ipc, name)
    expect(listener.endpoint).toBe(`ipc://${name}`)
    expect(existsSync(name)).toBe(false)
    client.write("hello")
    await eventually(() => server.text === "hello")
  })

  it("of 106 bytes behind the @ are the longest", async () => {
    const { client } = await meet(ipc, abstractName().padEnd(107, "n"))
    expect(client.opened).toBe(true)
    await expect(hear(ipc, abstractName().padEnd(108, "n"))).rejects.toMatchObject({ code: "ENAMETOOLONG" })
    await expect(hear(ipc, "@")).rejects.toMatchObject({ code: "EINVAL" })
  })

  it("cannot be taken over: EADDRINUSE; and are free after close", async () => {
    const name = abstractName()
    const first = await hear(ipc, name)
    await expect(hear(ipc, name)).rejects.toMatchObject({ code: "EADDRINUSE", address: `ipc://${name}` })
    first.listener.close()
    const { client } = await meet(ipc, name)
    expect(client.opened).toBe(true)
  })

  it("refuse when nobody has them", async () => {
    const client = dial(ipc, `ipc://${abstractName()}`)
    await eventually(() => client.closed !== undefined)
    expect(client.closed?.code).toBe("ECONNREFUSED")
  })
})

/** libuv before 1.48 fills abstract names up with NULs to 108 bytes, which makes them other names than libzmq's. */
async function paddedNames(): Promise<boolean> {
  if (notLinux) return false
  const name = abstractName()
  const listener = await ipc.listen(name, OPTIONS, { onStream() {}, onError() {} })
  const bound = readFileSync("/proc/net/unix", "latin1").split("\n")
  listener.close()
  return !bound.some(line => line.endsWith(` ${name}`))
}

const padded = await paddedNames()
if (padded) {
  console.warn(
    `skipped: abstract names against libzmq; libuv ${process.versions.uv} pads them (fixed in 1.48, Node 22)`,
  )
}

describe.skipIf(notLinux || padded)("abstract names against libzmq", () => {
  it.each(["connects", "binds"])("libzmq %s", async role => {
    const endpoint = `ipc://${abstractName()}`
    const native = new zeromq.Push({ linger: 0, sendTimeout: 5000 })
    const pull = new Pull({ linger: 0, receiveTimeout: 5000 })
    if (role === "binds") await native.bind(endpoint)
    else await pull.bind(endpoint)
    if (role === "binds") pull.connect(endpoint)
    else native.connect(endpoint)
    await native.send("hello")
    expect(String((await pull.receive())[0])).toBe("hello")
    native.close()
    await pull.close()
  })
})

describe("paths against libzmq", () => {
  it("each takes over the other's", async () => {
    const endpoint = `ipc://${freshPath()}`
    const pull = new Pull({ linger: 0, receiveTimeout: 5000 })
    const native = new zeromq.Pull({ linger: 0, receiveTimeout: 5000 })
    await native.bind(endpoint)
    await pull.bind(endpoint)
    const first = new Push({ linger: 0 })
    first.connect(endpoint)
    await first.send("to ours")
    expect(String((await pull.receive())[0])).toBe("to ours")
    await first.close()
    await pull.close()
    await native.unbind(endpoint)
    await native.bind(endpoint)
    const second = new Push({ linger: 0 })
    second.connect(endpoint)
    await second.send("to libzmq's")
    expect(String((await native.receive())[0])).toBe("to libzmq's")
    await second.close()
    native.close()
  })
})
