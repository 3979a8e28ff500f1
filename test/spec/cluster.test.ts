/**
 * Sockets in the workers of a cluster: each worker binds for itself. Node's own servers would share one address, and deal
 * the connections that come by it out to all workers. On Peerlane this needs the build in dist/.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { afterAll, describe, expect, it } from "vitest"
import { freePort, freshEndpoint } from "../support/endpoints.js"
import { engine } from "../support/engine.js"

const module =
  engine === "zeromq"
    ? createRequire(import.meta.url).resolve("zeromq")
    : fileURLToPath(new URL("../../dist/patterns/index.js", import.meta.url))

const folder = mkdtempSync(join(tmpdir(), "peerlane-cluster-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What two workers make of these lines, which have `zmq`, and send what they find to their primary; in no order. */
async function inTwoWorkers(name: string, lines: string): Promise<unknown[]> {
  const file = join(folder, `${name}.mjs`)
  writeFileSync(
    file,
    `
    import cluster from "node:cluster"
    import * as zmq from ${JSON.stringify(pathToFileURL(module).href)}
    if (cluster.isPrimary) {
      const found = []
      for (const worker of [cluster.fork(), cluster.fork()]) {
        worker.on("message", each => {
          found.push(each)
          if (found.length < 2) return
          console.log(JSON.stringify(found))
          cluster.disconnect()
        })
      }
    } else {
      const codeOf = async call => {
        try {
          await call()
          return "bound"
        } catch (error) {
          return error.code
        }
      }
      process.send(await (async () => { ${lines} })())
    }
  `,
  )
  const child = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] })
  let output = ""
  child.stdout.on("data", chunk => {
    output += chunk
  })
  const [code] = await once(child, "close")
  expect(code).toBe(0)
  return JSON.parse(output)
}

describe("in a cluster", () => {
  it.each(["bind", "bindSync"])("each worker has a port of its own by %s, and no other can have it", async method => {
    const port = await freePort()
    const found = await inTwoWorkers(
      `tcp-${method}`,
      `
      const own = new zmq.Pull()
      await own.${method}("tcp://127.0.0.1:*")
      const both = new zmq.Pull()
      return [own.lastEndpoint, await codeOf(() => both.${method}("tcp://127.0.0.1:${port}"))]
    `,
    )
    const [one, other] = found as [string, string][]
    expect(one![0]).not.toBe(other![0])
    expect([one![1], other![1]].sort()).toEqual(["EADDRINUSE", "bound"])
  })

  it.each(["bind", "bindSync"])("a worker serves what comes to it over ipc by %s", async method => {
    const one = freshEndpoint("ipc")
    const found = await inTwoWorkers(
      `ipc-${method}`,
      `
      const pull = new zmq.Pull()
      const address = ${JSON.stringify(one)} + process.pid
      await pull.${method}(address)
      const push = new zmq.Push()
      push.connect(address)
      await push.send(String(process.pid))
      return String(await pull.receive()) === String(process.pid)
    `,
    )
    expect(found).toEqual([true, true])
  })
})
