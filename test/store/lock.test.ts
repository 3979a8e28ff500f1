/** Who owns a directory: one process, until it ends, however it ends. Needs `npm run build`, for the process that is killed. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { lockDirectory } from "../../patterns/store/node-lock.js"

const built = new URL("../../dist/patterns/store/node-lock.js", import.meta.url)

let directory = ""
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "peerlane-lock-"))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** A process that has the lock. */
async function owner(path: string) {
  const program = `
    const { lockDirectory } = await import(${JSON.stringify(built.href)})
    await lockDirectory(${JSON.stringify(path)})
    console.log("mine")
    process.stdin.resume()`
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["pipe", "pipe", "inherit"] })
  await once(child.stdout, "data")
  return child
}

describe("the lock of a directory", () => {
  it("is refused to a second owner, in this process too, and free again behind the first", async () => {
    const first = await lockDirectory(directory)
    await expect(lockDirectory(directory)).rejects.toMatchObject({ code: "EBUSY", file: directory })
    await first.unlock()
    await (await lockDirectory(directory)).unlock()
    expect(readdirSync(directory)).toEqual([])
  })

  it("goes with a process that is killed", async () => {
    expect(existsSync(fileURLToPath(built)), "npm run build").toBe(true)
    const child = await owner(directory)
    await expect(lockDirectory(directory)).rejects.toMatchObject({ code: "EBUSY" })
    child.kill("SIGKILL")
    await once(child, "exit")
    expect(readdirSync(directory)).toEqual(["lock.sock"])
    await (await lockDirectory(directory)).unlock()
    expect(readdirSync(directory)).toEqual([])
  })

  it("is taken over by one of many", async () => {
    const child = await owner(directory)
    child.kill("SIGKILL")
    await once(child, "exit")
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockDirectory(directory)))
    const owners = results.flatMap(result => (result.status === "fulfilled" ? [result.value] : []))
    expect(owners).toHaveLength(1)
    for (const { unlock } of owners) await unlock()
  })

  it("is not taken over while somebody else does that, unless that was long ago", async () => {
    const child = await owner(directory)
    child.kill("SIGKILL")
    await once(child, "exit")
    const guard = join(directory, "lock.takeover")
    writeFileSync(guard, "")
    await expect(lockDirectory(directory)).rejects.toMatchObject({ code: "EBUSY" })
    const old = Date.now() / 1000 - 60
    utimesSync(guard, old, old)
    await (await lockDirectory(directory)).unlock()
    expect(readdirSync(directory)).toEqual([])
  })

  it.runIf(process.platform === "linux")("works where the path is longer than a socket's may be", async () => {
    const deep = join(directory, "d".repeat(120))
    mkdirSync(deep)
    const child = await owner(deep)
    await expect(lockDirectory(deep)).rejects.toMatchObject({ code: "EBUSY" })
    child.kill("SIGKILL")
    await once(child, "exit")
    const lock = await lockDirectory(deep)
    await expect(lockDirectory(deep)).rejects.toMatchObject({ code: "EBUSY" })
    await lock.unlock()
    expect(readdirSync(deep)).toEqual([])
  })
})
